"""Saved segments as they are kept: which there are, who is in them, and how they came in and went.

Membership is of public identities: a customer is in a segment by its anchor, the identifier that its id is made of.
What is kept is right as of a state of the store (`SavedSegment.as_of_seq`); `onefold.service.keeping` brings it on.
"""

from collections.abc import Collection, Sequence

import msgspec

from onefold.errors import OnefoldError
from onefold.model.ids import decode
from onefold.model.reading import KnownCustomer
from onefold.model.saved import Member, MembershipChange, SavedSegment
from onefold.service.pages import SEGMENT_MEMBERS, Page
from onefold.service.reading import Reading


def listed(reading: Reading) -> list[SavedSegment]:
    """All segments, the oldest first."""
    return reading.view.segments()


def segment(reading: Reading, id: str, field: str = "segment") -> SavedSegment:  # noqa: A002
    """The segment of this public id. Raises `segment.not_found`, `query.bad_reference`, naming `field`."""
    kept = found(reading, id, field)
    if kept is None:
        raise not_found(id, field)
    return kept


def found(reading: Reading, id: str, field: str = "id") -> SavedSegment | None:  # noqa: A002
    """The same; None when it is not there. Raises `query.bad_reference`, naming `field`."""
    number = number_of(id, field)
    kept = reading.view.segments_by_number([number]).get(number)
    return None if kept is None or kept.deleted_ms is not None else kept


def number_of(id: str, field: str = "segment") -> int:  # noqa: A002
    """The number in a segment's public id. Raises `query.bad_reference`, naming `field`."""
    asked = decode(id)
    if asked.prefix != "seg":
        raise OnefoldError(
            "query.bad_reference", f"{id!r} names no segment", "Give an id that begins with seg_.", field
        )
    return asked.number


def not_found(id: str, field: str) -> OnefoldError:  # noqa: A002
    """The failure of naming a segment that is not there."""
    return OnefoldError("segment.not_found", f"no segment has the id {id}", "It may have been deleted.", field)


def members(
    reading: Reading, segments: Sequence[SavedSegment], size: int, after: str | None = None
) -> list[Page[KnownCustomer]]:
    """A page of the customers in each segment, in the order in which their ids came to be.

    A member whose id was joined into another since the segment was last brought forward shows as the customer that id
    stands for now. Raises `query.bad_cursor`, `query.page_too_large`.
    """
    size, position = reading.page_size(size), SEGMENT_MEMBERS.read(after)
    beyond = None if position is None else position[0]
    found = _members(reading, [row.number for row in segments], size + 1, beyond)
    kept = [found.get(row.number, [])[:size] for row in segments]
    identifiers = reading.identifiers({member.anchor for rows in kept for member in rows})
    customers = reading.customers({identifiers[member.anchor].customer for rows in kept for member in rows})
    return [
        Page(
            tuple(customers[identifiers[member.anchor].customer] for member in rows),
            tuple((member.anchor,) for member in rows),
            more=len(found.get(row.number, [])) > size,
        )
        for row, rows in zip(segments, kept, strict=True)
    ]


def _members(reading: Reading, numbers: Sequence[int], limit: int, after: int | None) -> dict[int, list[Member]]:
    """What comes after a cursor is read of one segment at a time."""
    if after is None:
        return reading.view.segment_members(numbers, limit)
    return {
        number: rows for one in numbers for number, rows in reading.view.segment_members([one], limit, after).items()
    }


def of_customers(reading: Reading, customers: Sequence[KnownCustomer]) -> list[list[SavedSegment]]:
    """The segments that each customer is in, the oldest first."""
    found = reading.view.segments_of([customer.anchor for customer in customers])
    numbers = sorted({member.segment for rows in found.values() for member in rows})
    there = reading.view.segments_by_number(numbers) if numbers else {}
    return [[there[member.segment] for member in found.get(customer.anchor, [])] for customer in customers]


def log(reading: Reading, segment: int | None, after: int, size: int) -> Page[MembershipChange]:
    """A page of the log of a segment, or of all, beyond line number `after`, the oldest first; an empty one ends at
    `after`. Raises `query.page_too_large`."""
    size = reading.page_size(size)
    found = reading.view.membership_log(segment, after, size + 1)
    kept = found[:size]
    end = (kept[-1].number if kept else after,)
    return Page(tuple(kept), tuple((line.number,) for line in kept), more=len(found) > size, looked_to=end)


class News(msgspec.Struct, frozen=True):
    """What came to the log of all segments, and which of those asked about were deleted and have lost their last
    member."""

    lines: tuple[MembershipChange, ...]
    deleted: frozenset[int]


def news(reading: Reading, after: int, size: int, about: Collection[int]) -> News:
    """At most `size` lines beyond number `after`; whether they are all or not, `deleted` is told of the segments
    `about`."""
    rows = reading.view.segments_by_number(list(about)).values()
    deleted = frozenset(row.number for row in rows if row.deleted_ms is not None and not row.count)
    return News(tuple(reading.view.membership_log(None, after, size)), deleted)
