"""Who may have come into a segment or left it, since a state of the store: customers who did something, of whom
something was said, or whose identifiers came together or apart.

More may be named than changed, never fewer. That time passes is looked at elsewhere.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Final, Protocol, TypeVar

import msgspec

from onefold.readmodel.model import Asking
from onefold.service.reading import Reading
from onefold.store.view import View

Made = TypeVar("Made")


PORTION: Final = 5_000
OWNERS: Final = (
    "SELECT DISTINCT customer FROM internal.identifiers "
    "WHERE customer <> 0 AND number IN (SELECT unnest($numbers::BIGINT[]))"
)


class InOneState(Protocol):
    """Gives what something makes of one state of the store (`Onefold.in_one_state`)."""

    def __call__(self, work: Callable[[Reading], Made]) -> Made: ...


class Touched(msgspec.Struct, frozen=True):
    """Whom something happened to since a state of the store.

    Attributes:
        since: that state's sequence number.
        customers: keys of customers as they are now; some of those named are gone.
        consents_of: numbers of identifiers of which something was agreed or withdrawn.
        flipped: keys of customers that touchpoints came to or left because an identifier became generic, or no longer
            is.
    """

    since: int
    customers: frozenset[int]
    consents_of: frozenset[int]
    flipped: frozenset[int]


class _Found(msgspec.Struct, frozen=True):
    identifiers: frozenset[int]
    customers: frozenset[int]
    consents_of: frozenset[int]
    flipped: frozenset[int]


def touched(in_one_state: InOneState, asking: Asking, since: int) -> Touched:
    """Whom something happened to between the state `since` and that of `asking`, at least."""
    found = in_one_state(lambda reading: _found(reading.view, since))
    flipped = _owners(asking, found.flipped)
    return Touched(since, flipped | found.customers | _owners(asking, found.identifiers), found.consents_of, flipped)


def _found(view: View, since: int) -> _Found:
    changed = view.changed(since)
    flipped = _carried(view, changed.touchpoints)
    named = chain(changed.identifiers, changed.claims_of, changed.consents_of)
    return _Found(frozenset(named), frozenset(changed.customers), frozenset(changed.consents_of), flipped)


def _carried(view: View, touchpoints: "array[int]") -> frozenset[int]:
    """All identifiers of these touchpoints: the old subject is among them, and the new one."""
    return frozenset(
        abs(number)
        for portion in portions(touchpoints)
        for touchpoint in view.touchpoints_by_number(portion).values()
        for number in touchpoint.identifiers
    )


def _owners(asking: Asking, identifiers: Iterable[int]) -> frozenset[int]:
    return frozenset(
        customer
        for portion in portions(identifiers, 20 * PORTION)
        for (customer,) in asking.rows(OWNERS, {"numbers": portion})
    )


def portions(numbers: Iterable[int], size: int = PORTION) -> Iterator[list[int]]:
    """The numbers, so many at a time."""
    waiting = iter(numbers)
    while portion := list(islice(waiting, size)):
        yield portion
