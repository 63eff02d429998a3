"""What happened to customers: their touchpoints in order, and since when each is known to be theirs."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

import msgspec

from onefold.errors import OnefoldError
from onefold.model.identifiers import IdentifierKey
from onefold.model.reading import JourneyPage, KnownIdentifier, Touchpoint, TouchpointFilter
from onefold.service.pages import JOURNEY, Page, Position
from onefold.service.reading import Reading
from onefold.service.values import Linkage

EVERYTHING: Final = TouchpointFilter()
DEFAULT_SIZE: Final = 50
MOST_CHOICES: Final = 100


class Ask(msgspec.Struct, frozen=True):
    """Which part of journeys is wanted, as Relay has it: the `first` after a cursor, or the `last` before one.

    Without either, the first 50. Raises `query.invalid` for both, `query.bad_cursor`, and `query.too_complex` for a
    filter with a list of more than 100.
    """

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None
    newest_first: bool = True
    filter: TouchpointFilter = EVERYTHING

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.first is not None and self.last is not None:
            raise OnefoldError("query.invalid", "first and last are both given", "Give one of them.", "last")
        JOURNEY.read(self.after, "after")
        JOURNEY.read(self.before, "before")
        for name in ("types", "names", "channels", "campaigns", "properties"):
            if len(getattr(self.filter, name) or ()) > MOST_CHOICES:
                raise OnefoldError(
                    "query.too_complex",
                    f"the filter has more than {MOST_CHOICES} {name}",
                    f"Filter by {MOST_CHOICES} or fewer.",
                    name,
                )

    @property
    def backwards(self) -> bool:
        """Whether the page is read from its end."""
        return self.last is not None

    @property
    def towards_older(self) -> bool:
        """The direction of reading."""
        return self.newest_first is not self.backwards

    @property
    def start(self) -> Position | None:
        """Beyond what the reading begins."""
        return JOURNEY.read(self.before if self.backwards else self.after)

    @property
    def stop(self) -> Position | None:
        """Before what the reading ends."""
        return JOURNEY.read(self.after if self.backwards else self.before)


def pages(reading: Reading, customers: Sequence[int], ask: Ask) -> list[Page[Touchpoint]]:
    """This part of the journey of each customer, in the order asked for; `more`: in the direction of reading."""
    asked, field = (ask.last, "last") if ask.backwards else (ask.first, "first")
    size = reading.page_size(DEFAULT_SIZE if asked is None else asked, field)
    wanted = JourneyPage(size + 1, ask.towards_older, _position(ask.start), ask.filter)
    found = reading.view.journeys(customers, wanted)
    return [_page(found.get(customer, []), size, ask) for customer in customers]


def _page(rows: list[Touchpoint], size: int, ask: Ask) -> Page[Touchpoint]:
    stop, older = ask.stop, ask.towards_older
    within = rows if stop is None else list(takewhile(lambda row: _precedes(place(row), stop, older), rows))
    kept = within[:size]
    if ask.backwards:
        kept.reverse()
    return Page(tuple(kept), tuple(place(row) for row in kept), more=len(kept) < len(rows))


def _precedes(position: Position, stop: Position, older: bool) -> bool:
    return position > stop if older else position < stop


def begun(reading: Reading, customers: Sequence[int], ask: Ask) -> list[bool]:
    """Whether the journey of each customer has anything on the other side of where the reading begins."""
    start = _position(ask.start)
    if start is None:
        return [False] * len(customers)
    at_ms, number = start
    up_to = (at_ms, number - 1 if ask.towards_older else number + 1)  # what stands at the cursor itself counts
    found = reading.view.journeys(customers, JourneyPage(1, not ask.towards_older, up_to, ask.filter))
    return [bool(found.get(customer)) for customer in customers]


def place(touchpoint: Touchpoint) -> Position:
    """Where a touchpoint stands in its journey."""
    return touchpoint.at_ms, touchpoint.number


def _position(position: Position | None) -> tuple[int, int] | None:
    return None if position is None else (position[0], position[1])


def identifiers(reading: Reading, touchpoints: Sequence[Touchpoint]) -> list[list[IdentifierKey]]:
    """All identifiers of each touchpoint, the strongest first, operators last."""
    known = reading.identifiers({number for touchpoint in touchpoints for number in touchpoint.identifiers})
    return [[known[number].key for number in touchpoint.identifiers] for touchpoint in touchpoints]


def linkages(reading: Reading, touchpoints: Sequence[Touchpoint]) -> list[Linkage]:
    """Since when each touchpoint is known to be its customer's."""
    known = reading.identifiers({touchpoint.subject for touchpoint in touchpoints})
    linked = reading.view.linked_at(list({touchpoint.subject for touchpoint in touchpoints}))
    return [
        Linkage(
            linked.get(touchpoint.subject, known[touchpoint.subject].first_ms),
            touchpoint.at_ms < linked.get(touchpoint.subject, touchpoint.at_ms),
        )
        for touchpoint in touchpoints
    ]


def linked_at(reading: Reading, identifiers: Sequence[KnownIdentifier]) -> list[int]:
    """When each was first seen with a stronger identifier of its customer; when first seen at all if with none."""
    linked = reading.view.linked_at([identifier.number for identifier in identifiers])
    return [linked.get(identifier.number, identifier.first_ms) for identifier in identifiers]
