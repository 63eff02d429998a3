"""The identity graph around a customer, ring by ring."""

from typing import Final

from onefold.errors import OnefoldError
from onefold.model.reading import KnownIdentifier
from onefold.service.evidence import evidence
from onefold.service.reading import Reading
from onefold.service.values import Neighbourhood, Reference

MOST_RINGS: Final = 10


def neighbourhood(reading: Reading, around: Reference, depth: int, most: int) -> Neighbourhood:
    """The customer's identifiers, then `depth` times those linked to what is there already, `most` in all.

    Refused links count as any other. Raises as `Reading.customer` does, `query.invalid` for a depth outside 0 to 10,
    `query.page_too_large`.
    """
    if not 0 <= depth <= MOST_RINGS:
        raise OnefoldError("query.invalid", f"depth is {depth}", f"Ask for 0 to {MOST_RINGS} rings.", "depth")
    most = reading.page_size(most, "maxNodes")
    customer = reading.customer(around).customer.key
    priority = reading.means.rules.priority
    ring = sorted(reading.members([customer])[customer], key=lambda i: (priority[i.key.namespace], i.number))
    nodes: dict[int, KnownIdentifier] = {}
    truncated = _take(nodes, ring, most)
    for _ in range(depth):
        if truncated or not ring:
            break
        ring = _next_ring(reading, nodes, ring, most)
        truncated = _take(nodes, ring, most)
    links = evidence(reading, reading.view.links_between(list(nodes)))
    return Neighbourhood(tuple(nodes.values()), tuple(links), truncated)


def _take(nodes: dict[int, KnownIdentifier], ring: list[KnownIdentifier], most: int) -> bool:
    """Add what there is room for; -> whether something was left out."""
    nodes.update((identifier.number, identifier) for identifier in ring[: most - len(nodes)])
    return any(identifier.number not in nodes for identifier in ring)


def _next_ring(
    reading: Reading, nodes: dict[int, KnownIdentifier], ring: list[KnownIdentifier], most: int
) -> list[KnownIdentifier]:
    """What is linked to the last ring and not there yet; of an identifier's links so many that not all can be shown."""
    found = reading.view.links([identifier.number for identifier in ring], most + 1)
    ends = {end: None for links in found.values() for link in links for end in (link.a, link.b) if end not in nodes}
    known = reading.identifiers(ends)
    return [known[end] for end in ends]
