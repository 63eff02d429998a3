"""From claims to profiles (design, section 7), recomputed from all evidence."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from tests.oracle.evidence import Evidence, Identifier
from tests.oracle.stitching import Stitched

KEPT_VALUES = 50


class Claim(NamedTuple):
    """One value of one trait, said of one identifier by one source. `value` is JSON with sorted keys."""

    identifier: Identifier
    trait: str
    source: str
    value: str
    first_ms: int
    last_ms: int
    times: int
    trust: int


@dataclass(frozen=True, slots=True)
class Survivorship:
    """Which of several values a profile shows; `sources` are for `source_order`, the most believed first."""

    rule: Literal["newest", "oldest", "most_frequent", "source_order"] = "newest"
    sources: tuple[str, ...] = ()


Profile: TypeAlias = dict[str, Claim]


def claims(evidence: Evidence) -> list[Claim]:
    """Claims hang on the strongest identifier of their event, generic or not, so that no order of arrival moves them.

    They carry the event's own time. Of each (identifier, trait, source) the newest 50 values are kept; what falls out
    and comes again may count less in a store than here.
    """
    found: dict[tuple[Identifier, str, str, str, int], list[int]] = {}
    for event in evidence.events.values():
        for trait, value in event.traits.items():
            key = evidence.linking(event)[0], trait, event.source, json.dumps(value, sort_keys=True), event.trust
            found.setdefault(key, []).append(event.at_ms)
    said = (Claim(*key[:4], min(times), max(times), len(times), key[4]) for key, times in found.items())
    kept: list[Claim] = []
    places: Counter[tuple[Identifier, str, str, int]] = Counter()
    for claim in sorted(said, key=lambda c: (-c.last_ms, c.value)):
        place = *claim[:3], claim.trust
        places[place] += 1
        if places[place] <= KEPT_VALUES:
            kept.append(claim)
    return kept


def profiles(evidence: Evidence, stitched: Stitched, traits: Mapping[str, Survivorship]) -> dict[Identifier, Profile]:
    """Anchor of each customer -> {trait: the claim that its profile shows}; a trait without a rule takes the newest."""
    said: dict[tuple[Identifier, str], list[Claim]] = {}
    for claim in claims(evidence):
        said.setdefault((stitched.customers[claim.identifier], claim.trait), []).append(claim)
    found: dict[Identifier, Profile] = {anchor: {} for anchor in stitched.customers.values()}
    for (anchor, trait), candidates in said.items():
        found[anchor][trait] = survivor(candidates, traits.get(trait, Survivorship()))
    return found


def survivor(candidates: list[Claim], survivorship: Survivorship) -> Claim:
    """Ties go to the smaller value in plain order; of claims with one value, by identifier and source in plain order.

    `most_frequent` counts a value over all the customer's identifiers and sources and shows its newest claim;
    `source_order` takes the newest of the first named source that said anything, else of the most trusted others. By
    every other rule only the most trusted claims count: what pages send can be forged.
    """
    if survivorship.rule != "source_order":
        best = min(claim.trust for claim in candidates)
        candidates = [claim for claim in candidates if claim.trust == best]
    times = Counter[str]()
    for claim in candidates:
        times[claim.value] += claim.times
    order = {source: place for place, source in enumerate(survivorship.sources)}

    def place(claim: Claim) -> tuple[int, int, int, str, int]:
        if survivorship.rule == "oldest":
            return claim.first_ms, 0, 0, claim.value, 0
        if survivorship.rule == "most_frequent":
            return -times[claim.value], 0, 0, claim.value, -claim.last_ms
        if survivorship.rule == "source_order":
            return order.get(claim.source, len(order)), claim.trust, -claim.last_ms, claim.value, 0
        return -claim.last_ms, 0, 0, claim.value, 0

    return min(candidates, key=lambda claim: (place(claim), claim.identifier, claim.source))
