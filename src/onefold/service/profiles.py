"""What is known about customers: their identifiers, and their claims brought to one value a trait."""

from collections.abc import Collection, Mapping, Sequence

from onefold.model.claims import Claim
from onefold.model.reading import KnownIdentifier
from onefold.model.traits import TraitRules, survivor
from onefold.service.pages import MEMBERS, Page
from onefold.service.reading import Reading
from onefold.service.values import Survivor


def profiles(reading: Reading, customers: Sequence[int]) -> list[Mapping[str, Survivor]]:
    """The profile of each customer: trait -> its value and what else was said, by the names of the traits."""
    found = reading.view.claims(customers)
    return [_profile(found.get(customer, []), reading.means.traits) for customer in customers]


def _profile(claims: list[Claim], rules: TraitRules) -> dict[str, Survivor]:
    said: dict[str, list[Claim]] = {}
    for claim in claims:
        said.setdefault(claim.trait, []).append(claim)
    profile = {}
    for trait in sorted(said):
        kept = survivor(said[trait], rules[trait])
        profile[trait] = Survivor(kept, tuple(sorted((c for c in said[trait] if c is not kept), key=_newest)))
    return profile


def _newest(claim: Claim) -> tuple[object, ...]:
    return -claim.last_ms, claim.value_json, claim.identifier, claim.source


def identifiers(
    reading: Reading,
    customers: Sequence[int],
    size: int,
    after: str | None = None,
    namespaces: Collection[str] | None = None,
) -> list[Page[KnownIdentifier]]:
    """A page of the identifiers of each customer, the strongest first, the eldest first among equals.

    Raises `query.bad_cursor`, `query.page_too_large`.
    """
    size, beyond, priority = reading.page_size(size), MEMBERS.read(after), reading.means.rules.priority
    found = reading.members(customers)
    wanted = None if namespaces is None else frozenset(namespaces)
    pages = []
    for customer in customers:
        placed = sorted(
            ((priority[member.key.namespace], member.number), member)
            for member in found.get(customer, [])
            if wanted is None or member.key.namespace in wanted
        )
        rest = [entry for entry in placed if beyond is None or entry[0] > beyond]
        kept = rest[:size]
        pages.append(Page(tuple(member for _, member in kept), tuple(at for at, _ in kept), more=len(rest) > size))
    return pages


def device_namespaces(reading: Reading) -> list[str]:
    """The names of the namespaces whose identifiers are devices."""
    return [namespace.name for namespace in reading.means.rules.namespaces.devices]
