"""Copying a whole store to another: row by row, resumable after it was stopped at any point, compared at the end.

The copy is of one state of its source. Each transaction on the target adds rows and notes how far they reach, so that
whoever resumes goes on exactly there; a target that is of another state of the source is begun anew.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

import msgspec
from msgspec import structs

from onefold.errors import OnefoldError
from onefold.model.copying import COLUMNS, Origin, Progress, Row, RowKind, Tally, encode_row
from onefold.store.base import CopyTarget, Store
from onefold.store.view import MovedError, Rows

PAGE_ROWS: Final = 2_000
FIRST_ROWS: Final = 200
"""Of the first page of each kind, which tells how long rows are."""
PAGE_BYTES: Final = 8_000_000
"""A page, and what a transaction adds, has at most about so many bytes, for bodies of touchpoints may be long."""
TOTALS: Final = {
    RowKind.CUSTOMERS: "customers",
    RowKind.IDENTIFIERS: "identifier",
    RowKind.LINKS: "links",
    RowKind.TOUCHPOINTS: "touchpoints",
    RowKind.JUDGEMENTS: "judgement",
    RowKind.DECISIONS: "decisions",
}
"""How many rows of these kinds there are, a commit tells in this column."""


class Copied(msgspec.Struct, frozen=True):
    """A complete copy.

    Attributes:
        source, target: where they are.
        rows: how many of each kind there are, the same in both.
        resumed: whether an earlier run had begun it; anew: whether what that had copied was of another state of the
            source, and was deleted; already: whether it was complete before.
    """

    source: str
    target: str
    rows: dict[RowKind, int]
    resumed: bool = False
    anew: bool = False
    already: bool = False


class Step(msgspec.Struct, frozen=True):
    """How far it is: so many rows of this kind are copied, or compared. `total`: of how many, where that is known."""

    kind: RowKind
    count: int
    total: int | None
    comparing: bool


Watch = Callable[[Step], None]
Page = tuple[list[Row], list[bytes]]
"""Rows, and each of them as bytes."""


def copy(source: Store, target: CopyTarget, watch: Watch, page_rows: int = PAGE_ROWS) -> Copied:
    """Make the target a copy of the source as it is now.

    Args:
        watch: is told of each step as it is done. page_rows: how many rows a transaction adds at most.

    Raises:
        OnefoldError: `copy.target_not_empty`; `copy.source_moved`, where a store cannot show one state for as long as
            that takes; `copy.differs`; `store.…` of either.
    """
    if source.describe() == target.describe():
        said = f"{target.describe()} is the source itself"
        raise OnefoldError("copy.target_not_empty", said, "Name another place for the copy.", "to")
    done, progress = _fill(source, target, watch, page_rows)
    try:
        _compare(progress.tallies, target, watch, page_rows)
    except OnefoldError as error:
        if error.code == "copy.differs" and not done.already:
            target.begin(progress.origin)  # what is there is of no use, and shall not be taken for what can be finished
        raise
    if not done.already:
        target.complete(progress)
    return structs.replace(done, rows=_counts(progress.tallies))


def _fill(source: Store, target: CopyTarget, watch: Watch, page_rows: int) -> tuple[Copied, Progress]:
    """Copy what is not there yet; -> how it came about, and what was read of the source. Raises as `copy`."""
    with suppress(MovedError), source.read() as view:
        origin, earlier = view.origin(), target.progress()
        done = Copied(source.describe(), target.describe(), {}, resumed=earlier is not None)
        if earlier is None and target.origin() == origin:
            return structs.replace(done, already=True), Progress(origin, tallies=_tallied(view, page_rows))
        if earlier is not None and _is_of_another_state(earlier.origin, origin, target):
            earlier, done = None, structs.replace(done, resumed=False, anew=True)
        progress = _carry(view, target, earlier or target.begin(origin), watch, page_rows)
        if view.origin() == origin:
            return done, progress
    raise OnefoldError(
        "copy.source_moved",
        f"{source.describe()} was written to while it was copied",
        "Copy it while nobody writes to it.",
        "from",
    )


def _is_of_another_state(begun: Origin, now: Origin, target: CopyTarget) -> bool:
    """Whether an unfinished copy is of the same store in another state. Raises `copy.target_not_empty` if it is of
    another store."""
    if begun.secret != now.secret:
        raise OnefoldError(
            "copy.target_not_empty",
            f"{target.describe()} is an unfinished copy of another store",
            "Finish that one, or name a store that does not exist yet.",
            "to",
        )
    return begun != now


def _carry(view: Rows, target: CopyTarget, progress: Progress, watch: Watch, page_rows: int) -> Progress:
    """Copy what is not there yet."""
    kinds = list(RowKind)
    for kind in kinds[kinds.index(progress.kind) :]:
        total = _total(progress.origin, kind)
        for page in _pages(view, kind, progress.after if kind is progress.kind else 0, page_rows):
            for rows, encoded in _portions(*page):
                reached = progress.with_rows(kind, rows[-1][0], encoded)
                target.take(rows, progress, reached)
                progress = reached
                watch(Step(kind, progress.tally(kind).count, total, comparing=False))
    return progress


def _total(origin: Origin, kind: RowKind) -> int | None:
    """How many rows of a kind there are."""
    if origin.commit is None or kind not in TOTALS:
        return None
    total: int = origin.commit[COLUMNS[RowKind.COMMITS].index(TOTALS[kind])]
    return total


def _compare(tallies: Mapping[RowKind, Tally], target: CopyTarget, watch: Watch, page_rows: int) -> None:
    """Read the target whole. Raises `copy.differs` when it holds other rows than were tallied."""
    found = _tallied(target, page_rows, watch)
    differing = [kind for kind in RowKind if found[kind] != tallies.get(kind, Tally())]
    if differing:
        said = ", ".join(f"{kind} ({tallies.get(kind, Tally()).count} and {found[kind].count})" for kind in differing)
        raise OnefoldError(
            "copy.differs",
            f"the source and {target.describe()} differ in {said}",
            "Somebody else wrote to the copy: make it again.",
            "to",
        )


def _tallied(store: Rows, page_rows: int, watch: Watch = lambda _: None) -> dict[RowKind, Tally]:
    """The rows that are there."""
    found = dict.fromkeys(RowKind, Tally())
    for kind in RowKind:
        for _, encoded in _pages(store, kind, 0, page_rows):
            found[kind] = found[kind].plus(encoded)
            watch(Step(kind, found[kind].count, None, comparing=True))
    return found


def _pages(store: Rows, kind: RowKind, after: int, page_rows: int) -> Iterator[Page]:
    """The rows of a kind with numbers above `after`."""
    limit = min(FIRST_ROWS, page_rows)
    while rows := store.rows(kind, after, limit):
        encoded = [encode_row(row) for row in rows]
        yield rows, encoded
        if len(rows) < limit:
            return
        after = rows[-1][0]
        limit = max(1, min(page_rows, PAGE_BYTES * len(rows) // sum(map(len, encoded))))


def _portions(rows: list[Row], encoded: list[bytes]) -> Iterator[Page]:
    """A page in parts that are not too large; at least one row each."""
    start, size = 0, 0
    for end, row in enumerate(encoded):
        if size + len(row) > PAGE_BYTES and end > start:
            yield rows[start:end], encoded[start:end]
            start, size = end, 0
        size += len(row)
    yield rows[start:], encoded[start:]


def _counts(tallies: Mapping[RowKind, Tally]) -> dict[RowKind, int]:
    return {kind: tallies[kind].count if kind in tallies else 0 for kind in RowKind}
