"""What happened to each customer, and what of it was linked afterwards (design, sections 1 and 8)."""

from typing import NamedTuple

from tests.oracle.evidence import Evidence, Identifier, MessageKey, ends
from tests.oracle.stitching import Stitched


class Touchpoint(NamedTuple):
    """One interaction as a journey shows it; `linked_at_ms` is None where its subject never met anything stronger."""

    at_ms: int
    key: MessageKey
    subject: Identifier
    linked_at_ms: int | None
    retroactive: bool


def journeys(evidence: Evidence, stitched: Stitched) -> dict[Identifier, list[Touchpoint]]:
    """Anchor of each customer -> its touchpoints, those whose subject is its, oldest first."""
    found: dict[Identifier, list[Touchpoint]] = {anchor: [] for anchor in stitched.customers.values()}
    met = linked_at(evidence, stitched)
    for key, subject in stitched.subjects.items():
        at_ms, linked_at_ms = evidence.events[key].at_ms, met.get(subject)
        retroactive = linked_at_ms is not None and at_ms < linked_at_ms
        found[stitched.customers[subject]].append(Touchpoint(at_ms, key, subject, linked_at_ms, retroactive))
    return {anchor: sorted(touchpoints) for anchor, touchpoints in found.items()}


def linked_at(evidence: Evidence, stitched: Stitched) -> dict[Identifier, int]:
    """Section 8: when each was first seen, by any source, with a stronger identifier that is of its customer now."""
    found: dict[Identifier, int] = {}
    for pair, sources in evidence.links().items():
        for own, other in ends(pair):
            stronger = evidence.rules[other[0]].priority < evidence.rules[own[0]].priority
            if stronger and stitched.customers[own] == stitched.customers[other]:
                first_ms = min(seen.first_ms for seen in sources.values())
                found[own] = min(first_ms, found.get(own, first_ms))
    return found
