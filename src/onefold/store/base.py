"""What onefold asks of a store. A store keeps and finds; it decides nothing.

Promises every store keeps (and `tests/contract` checks):

* Writing is serial: of all transactions on one store, in all processes, one at a time is between begin and commit.
* A transaction that ends without an exception is durable; one that ends with one has changed nothing.
* What is read inside a transaction is the state it began with, until it applies changes itself.
* A `View` shows one state of the store, never a mixture of two: what is committed after its first answer is in none of
  its answers. A view whose store keeps old states, and one that holds, shows the state it was opened on and goes on for
  as long as it is used. Any other *moves* when something is committed: instead of an answer from a newer state it
  raises `MovedError`, from then on whatever it is asked, and its reader begins again with another view.
* Sequence numbers grow by commit order; readers never see a gap that is filled later.
* Saved segments and their members are no part of the change feed: what is written of them does not move the head, and
  no view moves because of it that is not asked about segments.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import msgspec

from onefold.model.changes import ChangeSet
from onefold.model.copying import Origin, Progress, Row
from onefold.model.events import Event
from onefold.model.graph import Judgement
from onefold.model.identifiers import IdentifierKey
from onefold.model.reading import (
    Reject,
)
from onefold.model.saved import Lease, MembershipStep, SavedSegment, SegmentDraft
from onefold.model.sources import Source, Trust
from onefold.stitch.needs import Need
from onefold.store.columns import ColumnKind
from onefold.store.view import Head, Rows, View

if TYPE_CHECKING:
    import pyarrow as pa

Result = TypeVar("Result")

CLEARED_AT_ONCE: Final = 2_000
"""So many members leave a deleted segment in one transaction: others wait to write for a second at most, on Neo4j."""


class LeaseLostError(Exception):
    """Another process has taken the lease. It never reaches people: whoever kept something by it stops keeping."""


class Ahead(msgspec.Struct, frozen=True):
    """What a transaction is going to be asked: a store far away reads it while it begins.

    Attributes:
        messages: whether they are stored (`Transaction.known_messages`).
        together: keys of identifiers, those of one event together, and their links with each other.
        then: says what the transaction after this one is going to be asked, as far as it is known by then: a store far
            away reads that while it writes.
    """

    messages: Sequence[bytes]
    together: Sequence[Sequence[IdentifierKey]]
    then: "Callable[[], Ahead] | None" = None


class Transaction(Protocol):
    """One write transaction, opened by `Store.write`."""

    head: Head

    def answer(self, need: Need) -> Any:
        """Rows that stitching asks for; the type of the answer is told by each need's docstring."""

    def known_messages(self, messages: Sequence[bytes]) -> dict[bytes, bytes]:
        """Of these 16-byte message hashes, those stored already -> their 8-byte content hash."""

    def source_number(self, source: Source) -> int:
        """The number of this (name, trust); a new one is stored."""

    def trusts(self) -> dict[int, Trust]:
        """Trust by source number, of all sources."""

    def judgement(self, number: int) -> Judgement | None:
        """A judgement, standing or retracted; None when there is none of this number."""

    def apply(self, changes: ChangeSet, events: Sequence[Event], at_ms: int) -> int:
        """Write the changes and the events that caused them; -> the new head sequence number.

        Args:
            changes: `placed` runs parallel to `events` (an ambiguous event has None there and is not stored).
            events: of the batch, in order; their traits become claims of their strongest identifier, and of what they
                agree to the newest statement a purpose becomes its consent.
            at_ms: time of the commit.
        """

    def reject(self, rejects: Iterable[Reject]) -> None:
        """Add to the reject log, which keeps the newest 10,000."""

    def segments(self) -> list[SavedSegment]:
        """The segments that are there, by number. To see that a name is free, or that no rule comes back to itself, ask
        here before saving: nobody else saves meanwhile."""

    def add_segment(self, draft: SegmentDraft, at_ms: int) -> SavedSegment:
        """A new segment, without members; its name must be free. Numbers are never used again."""

    def change_segment(self, number: int, draft: SegmentDraft, at_ms: int) -> SavedSegment | None:
        """Give the segment of this number that is there another name, description, rule, or all of them; -> it, as it
        is now, or None when there is none. The members stay as they are: a step changes them."""

    def drop_segment(self, number: int, at_ms: int) -> SavedSegment | None:
        """Delete a segment; -> what is remembered of it, or None when there is none of this number. From then on nobody
        is in it; that its members left is written by `clear_dropped`, for there may be a great many."""

    def clear_dropped(self, limit: int) -> int:
        """Of at most `limit` members of segments that were deleted, write to the log that they left (cause `deleted`);
        -> of how many: fewer than `limit` when it is done."""

    def take_lease(self, name: str, holder: str, now_ms: int, for_ms: int) -> Lease | None:
        """The lease of this name until `now_ms` + `for_ms`: renewed with the same token when `holder` has it already,
        with a larger token than any before when it was nobody's or its time is over; None while another has it."""

    def end_lease(self, lease: Lease) -> None:
        """Let go of a lease before its time. Nothing happens when another has taken it."""

    def keep(self, lease: Lease, steps: Sequence[MembershipStep]) -> list[SavedSegment]:
        """Write the steps of different segments; -> those segments whose steps are written, as they are now.

        A step is left out when its segment is gone, or is not as it was read: then others must be found. A change that
        says what is so already, an `entered` of a member or a `left` of none, is left out of a step: so no line of the
        log is there twice.

        Raises:
            LeaseLostError: `lease` is not the newest of its name; nothing is written. (Its time may be over: as long as
                nobody else has taken it, nobody else has written by it.)
        """


class Store(Protocol):
    """A store of one identity graph."""

    secret: bytes
    """32 random bytes drawn when the store was made: what public ids are keyed with."""
    remote: bool
    """Whether each answer comes over a network: then nobody who must not wait reads, such as an event loop."""

    def expect(self, events: Sequence[Event]) -> None:
        """These events are about to be written: make ready what can be before, on whatever thread. Nothing depends on
        it but how long others wait for the one who writes."""

    def write(self, ahead: Ahead | None = None) -> AbstractContextManager[Transaction]:
        """A write transaction: commits when the block ends, takes everything back when it raises. To know some of it
        `ahead` changes no answer.

        Raises: OnefoldError `store.full`, `store.busy`, `store.unavailable`, `store.read_only`.
        """

    def read(self, *, wait: bool = True, hold: bool = False) -> AbstractContextManager[View]:
        """A view of the store as it is now, for reading on this thread until the block ends.

        With `hold` it never moves. Where the store keeps no old states, commits wait meanwhile: so the block is short,
        and does not write.

        Raises: OnefoldError `store.unavailable`, and `store.busy` when too many read: at once unless it may `wait`.
        """

    def page(self, kind: ColumnKind, after: int, upto: int, limit: int) -> "pa.Table":
        """As `View.page`, for reading everything there is without keeping anybody waiting: each row as it is while it
        is read, so that rows may be of several states. What `View.changed` names since before is then read anew.

        Raises: OnefoldError `store.unavailable`, `store.busy`.
        """

    def check(self) -> None:
        """Read a little of where the store lies, whatever is remembered of it. Raises as `page`."""

    def describe(self) -> str:
        """Where the store is, for people; never with a password."""

    def close(self) -> None:
        """Let go of files and connections. What is open is ended."""


class CopyTarget(Rows, Protocol):
    """A store that is filled with the rows of another. Until it is complete nobody can open it as a store."""

    def progress(self) -> Progress | None:
        """How far an unfinished copy has come; None if this is none."""

    def begin(self, origin: Origin) -> Progress:
        """Make it an unfinished copy without rows; -> its progress. What an unfinished copy held is deleted.

        Raises: OnefoldError `copy.target_not_empty` if it holds anything else; `store.busy` if others have it open.
        """

    def take(self, rows: list[Row], before: Progress, after: Progress) -> None:
        """Add rows of `after.kind`, and note the progress, in one transaction.

        Raises: OnefoldError `store.busy` if its progress is not as it was `before`: another copy fills it.
        """

    def complete(self, progress: Progress) -> None:
        """All rows are there: from now on it is a store like any other. Raises as `take` does."""

    def describe(self) -> str:
        """Where it is, for people; never with a password."""

    def close(self) -> None:
        """Let go of files and connections."""


def clear_dropped(store: Store) -> None:
    """Write to the log that the members of deleted segments left, a portion a transaction. If it is broken off, whoever
    does it next goes on. Raises what `Store.write` raises."""
    cleared = CLEARED_AT_ONCE
    while cleared == CLEARED_AT_ONCE:
        with store.write() as transaction:
            cleared = transaction.clear_dropped(CLEARED_AT_ONCE)


def drive(steps: Generator[Need, Any, Result], transaction: Transaction) -> Result:
    """Run stitching on a transaction: load what it asks for until it is done."""
    try:
        need = next(steps)
        while True:
            need = steps.send(transaction.answer(need))
    except StopIteration as done:
        result: Result = done.value
        return result
