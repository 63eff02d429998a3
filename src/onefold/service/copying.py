"""Copying a whole store to another: row by row, resumable after it was stopped at any point, compared at the end.

The copy is of one state of its source. Each transaction on the target adds rows and notes how far they reach, so that
whoever resumes goes on exactly there; a target that is of another state of the source is begun anew.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec
from msgspec import structs

from onefold.errors import OnefoldError
from onefold.model.copying import Origin, Progress, Row, RowKind, Tally, encode_row
from onefold.store.base import CopyTarget, MovedError, Rows, Store

PAGE_ROWS: Final = 2_000
PAGE_BYTES: Final = 8_000_000
"""A transaction takes at most about so many bytes, for bodies of touchpoints may be long."""


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
    """How far it is: so many rows of this kind are copied, or compared."""

    kind: RowKind
    count: int
    comparing: bool


Watch = Callable[[Step], None]


def copy(source: Store, target: CopyTarget, watch: Watch, page_rows: int = PAGE_ROWS) -> Copied:
    """Make the target a copy of the source as it is now.

    Args:
        watch: is told of each step as it is done. page_rows: how many rows a transaction adds at most.

    Raises:
        OnefoldError: `copy.target_not_empty`; `copy.source_moved`, where a store cannot show one state for as long as
            that takes; `copy.differs`; `store.…` of either.
    """
    with source.read() as view:
        origin, earlier = view.origin(), target.progress()
        done = Copied(source.describe(), target.describe(), {}, resumed=earlier is not None)
        if earlier is None and target.origin() == origin:
            tallies = _tallied(view, page_rows)
            _compare(tallies, target, watch, page_rows)
            return structs.replace(done, rows=_counts(tallies), already=True)
        if earlier is not None and _is_of_another_state(earlier.origin, origin, target):
            earlier, done = None, structs.replace(done, resumed=False, anew=True)
        try:
            progress = _carry(view, target, earlier or target.begin(origin), watch, page_rows)
            moved = view.origin() != origin
        except MovedError:
            moved = True
    if moved:
        raise OnefoldError(
            "copy.source_moved",
            f"{source.describe()} was written to while it was copied",
            "Copy it while nobody writes to it.",
            "from",
        )
    try:
        _compare(progress.tallies, target, watch, page_rows)
    except OnefoldError as error:
        if error.code == "copy.differs":
            target.begin(origin)  # what is there is of no use, and shall not be taken for a copy that can be finished
        raise
    target.complete(progress)
    return structs.replace(done, rows=_counts(progress.tallies))


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
        for page in _pages(view, kind, progress.after if kind is progress.kind else 0, page_rows):
            for rows, encoded in _portions(page):
                reached = progress.with_rows(kind, rows[-1][0], encoded)
                target.take(rows, progress, reached)
                progress = reached
                watch(Step(kind, progress.tally(kind).count, comparing=False))
    return progress


def _compare(tallies: Mapping[RowKind, Tally], target: CopyTarget, watch: Watch, page_rows: int) -> None:
    """Read the target whole. Raises `copy.differs` when it holds other rows than were tallied."""
    found = _tallied(target, page_rows, watch)
    differing = [kind for kind in RowKind if found[kind] != tallies.get(kind, Tally())]
    if differing:
        said = ", ".join(f"{kind} ({tallies.get(kind, Tally()).count} and {found[kind].count})" for kind in differing)
        raise OnefoldError(
            "copy.differs",
            f"the source and {target.describe()} differ in {said}",
            "Somebody else wrote to the copy: copy again.",
            "to",
        )


def _tallied(store: Rows, page_rows: int, watch: Watch = lambda _: None) -> dict[RowKind, Tally]:
    """The rows that are there."""
    found = dict.fromkeys(RowKind, Tally())
    for kind in RowKind:
        for page in _pages(store, kind, 0, page_rows):
            found[kind] = found[kind].plus(map(encode_row, page))
            watch(Step(kind, found[kind].count, comparing=True))
    return found


def _pages(store: Rows, kind: RowKind, after: int, page_rows: int) -> Iterator[list[Row]]:
    """The rows of a kind with numbers above `after`."""
    while page := store.rows(kind, after, page_rows):
        yield page
        if len(page) < page_rows:
            return
        after = page[-1][0]


def _portions(page: list[Row]) -> Iterator[tuple[list[Row], list[bytes]]]:
    """A page in parts that are not too large, each with its rows as bytes; at least one row each."""
    start, size, encoded = 0, 0, [encode_row(row) for row in page]
    for end, row in enumerate(encoded):
        if size + len(row) > PAGE_BYTES and end > start:
            yield page[start:end], encoded[start:end]
            start, size = end, 0
        size += len(row)
    yield page[start:], encoded[start:]


def _counts(tallies: Mapping[RowKind, Tally]) -> dict[RowKind, int]:
    return {kind: tallies[kind].count if kind in tallies else 0 for kind in RowKind}
