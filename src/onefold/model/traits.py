"""Survivorship: which of the claims about a trait becomes its value in the profile, and `graph_schema/traits.yaml`.

A server's word on a trait counts before that of a public source, which anybody can forge; but by `source_order` whoever
runs onefold says whom to believe. The survivor depends on the claims only, never on their order. Ties are settled by
the value (the smallest canonical JSON text), then, among claims of one value, by identifier and source.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from onefold.model import yaml_file
from onefold.model.claims import Claim
from onefold.model.yaml_file import YamlNode

CODE: Final = "traits.invalid"
KEYS: Final = ("survivorship", "sources", "searchable")


class Survivorship(StrEnum):
    """Which claim gives a trait its value."""

    NEWEST = "newest"
    """The one said last."""
    OLDEST = "oldest"
    """The one said first."""
    MOST_FREQUENT = "most_frequent"
    """The value said most often, by whomever and of whichever identifier; of equals the first in plain order."""
    SOURCE_ORDER = "source_order"
    """The newest of the first listed source that said anything; when none of them did, as newest."""


@dataclass(frozen=True, slots=True)
class TraitRule:
    """How one trait is treated.

    Attributes:
        survivorship: which claim gives it its value.
        sources: for `source_order`: names of sources, the most believed first.
        searchable: whether customers are found by it.
    """

    survivorship: Survivorship = Survivorship.NEWEST
    sources: tuple[str, ...] = ()
    searchable: bool = False


@dataclass(frozen=True, slots=True)
class TraitRules:
    """The rules of all traits: those declared, and one for every other trait."""

    declared: Mapping[str, TraitRule]
    default: TraitRule = TraitRule()

    def __getitem__(self, trait: str) -> TraitRule:
        """The rule of `trait`; there always is one."""
        return self.declared.get(trait, self.default)


def survivor(claims: Iterable[Claim], rule: TraitRule) -> Claim:
    """The claim that gives a trait its value.

    Args:
        claims: all claims about one trait of one customer, at least one, in any order.
        rule: the trait's rule.

    Raises:
        ValueError: there is no claim.
    """
    said = list(claims)
    match rule.survivorship:
        case Survivorship.NEWEST:
            return min(_most_trusted(said), key=_newest)
        case Survivorship.OLDEST:
            return min(_most_trusted(said), key=_oldest)
        case Survivorship.MOST_FREQUENT:
            return _most_frequent(_most_trusted(said))
        case Survivorship.SOURCE_ORDER:
            place = {source: index for index, source in enumerate(rule.sources)}
            return min(said, key=lambda claim: (place.get(claim.source, len(place)), claim.trust, _newest(claim)))


def _most_trusted(claims: list[Claim]) -> list[Claim]:
    best = min(claim.trust for claim in claims)
    return [claim for claim in claims if claim.trust == best]


def _oldest(claim: Claim) -> tuple[object, ...]:
    return claim.first_ms, claim.value_json, claim.identifier, claim.source


def _newest(claim: Claim) -> tuple[object, ...]:
    return -claim.last_ms, claim.value_json, claim.identifier, claim.source


def _most_frequent(claims: list[Claim]) -> Claim:
    counts: dict[str, int] = {}
    for claim in claims:
        counts[claim.value_json] = counts.get(claim.value_json, 0) + claim.count
    return min(claims, key=lambda claim: (-counts[claim.value_json], claim.value_json, _newest(claim)))


def load(path: Path) -> TraitRules:
    """The rules declared in the file at `path`. Raises OnefoldError `traits.invalid`, with the line."""
    return _rules(yaml_file.load(path, CODE))


def parse(text: str, file: str = "traits.yaml") -> TraitRules:
    """The rules declared in `text`; `file` is its name in messages. Raises OnefoldError `traits.invalid`."""
    return _rules(yaml_file.parse(text, file, CODE))


def _rules(top: YamlNode) -> TraitRules:
    keys = top.mapping(("default", "traits"))
    declared = keys["traits"].mapping() if "traits" in keys else {}
    for name, node in declared.items():
        if not name.strip():
            raise node.error("a trait has no name")
    return TraitRules(
        MappingProxyType({name: _rule(node) for name, node in declared.items()}),
        _rule(keys["default"]) if "default" in keys else TraitRule(),
    )


def _rule(node: YamlNode) -> TraitRule:
    keys = node.mapping(KEYS)
    rule = TraitRule(
        survivorship=keys["survivorship"].choice(Survivorship) if "survivorship" in keys else Survivorship.NEWEST,
        sources=_sources(keys["sources"]) if "sources" in keys else (),
        searchable=keys["searchable"].flag() if "searchable" in keys else False,
    )
    by_source = rule.survivorship is Survivorship.SOURCE_ORDER
    if by_source and not rule.sources:
        raise node.child("sources").error(
            "this key is missing", "List the names of the sources, the most believed first."
        )
    if rule.sources and not by_source:
        raise keys["sources"].error(
            f"sources say nothing where survivorship is {rule.survivorship}", "Write survivorship: source_order."
        )
    return rule


def _sources(node: YamlNode) -> tuple[str, ...]:
    lines: dict[str, int] = {}
    for item in node.items():
        source = item.text()
        if not source.strip():
            raise item.error("a source has no name")
        if source in lines:
            raise item.error(f"{source} stands twice, here and on line {lines[source]}")
        lines[source] = item.line
    if not lines:
        raise node.error("no source is listed")
    return tuple(lines)
