"""What was decided, and what changed: the ledger and the change feed."""

from collections.abc import Collection, Sequence
from typing import Final, TypeVar

from onefold.model.changes import DecisionKind
from onefold.model.ids import decode
from onefold.model.reading import FeedLine, LedgerLine
from onefold.service.pages import LEDGER, Page, Position
from onefold.service.reading import Reading

EVERYBODY: Final = 0
Row = TypeVar("Row")


def decisions(
    reading: Reading,
    customers: Sequence[int] | None,
    size: int,
    after: str | None = None,
    kinds: Collection[DecisionKind] | None = None,
) -> list[Page[LedgerLine]]:
    """A page of the decisions that concern each customer, the newest first; of all decisions when `customers` is None.

    Raises `query.bad_cursor`, `query.page_too_large`.
    """
    size, position = reading.page_size(size), LEDGER.read(after)
    before = None if position is None else position[0]
    found = reading.view.decisions(customers, None if kinds is None else list(kinds), size + 1, before)
    return [
        _page(found.get(key, []), [(line.seq,) for line in found.get(key, [])], size)
        for key in ([EVERYBODY] if customers is None else customers)
    ]


def changes(reading: Reading, after: int, size: int, of: Collection[str] | None = None) -> Page[FeedLine]:
    """A page of the change feed beyond sequence number `after`, the oldest first. An empty one ends at `after`: whoever
    has caught up goes on from there.

    `of`: public ids of customers or identifiers; then only what concerns them; ids that nothing has are passed over.
    Raises `query.bad_reference` for what is no id, `query.page_too_large`.
    """
    size = reading.page_size(size)
    numbers = None if of is None else _numbers(reading, of)
    found = reading.view.feed(after, size + 1, numbers)
    kept = found[:size]
    end = (kept[-1].seq if kept else after,)
    return Page(tuple(kept), tuple((line.seq,) for line in kept), more=len(found) > size, looked_to=end)


def _numbers(reading: Reading, ids: Collection[str]) -> list[int]:
    publics = list({decode(text).data for text in ids})
    known = reading.view.by_public(publics)
    reading.remember(known.values())
    return [identifier.number for identifier in known.values()]


def _page(rows: list[Row], positions: list[Position], size: int) -> Page[Row]:
    return Page(tuple(rows[:size]), tuple(positions[:size]), more=len(rows) > size)
