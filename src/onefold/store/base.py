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

from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import msgspec

from onefold.model.changes import ChangeSet, DecisionKind
from onefold.model.claims import Claim
from onefold.model.consents import Consent
from onefold.model.copying import Origin, Progress, Row, RowKind
from onefold.model.events import Event
from onefold.model.graph import Judgement
from onefold.model.identifiers import IdentifierKey
from onefold.model.reading import (
    Counts,
    FeedLine,
    JourneyPage,
    KnownCustomer,
    KnownIdentifier,
    KnownLink,
    LedgerLine,
    Reject,
    SearchHit,
    Touchpoint,
)
from onefold.model.saved import Lease, Member, MembershipChange, MembershipStep, SavedSegment, SegmentDraft
from onefold.model.sources import Source, Trust
from onefold.stitch.needs import Need
from onefold.store.columns import ColumnKind, Columns

if TYPE_CHECKING:
    import pyarrow as pa

Result = TypeVar("Result")

CLEARED_AT_ONCE: Final = 2_000
"""So many members leave a deleted segment in one transaction: others wait to write for a second at most, on Neo4j."""


class MovedError(Exception):
    """A view that does not hold was asked after something had been committed. It never reaches people: whoever reads
    repeats the whole of what was read on another view, which holds if need be."""


class LeaseLostError(Exception):
    """Another process has taken the lease. It never reaches people: whoever kept something by it stops keeping."""


class Head(msgspec.Struct, frozen=True):
    """Where a store stands: the last numbers given out, of changes, identifiers, customers and judgements."""

    seq: int
    identifier: int
    customer: int
    judgement: int


class Ahead(msgspec.Struct, frozen=True):
    """What a transaction is going to be asked: a store far away reads it while it begins.

    Attributes:
        messages: whether they are stored (`Transaction.known_messages`).
        together: keys of identifiers, those of one event together, and their links with each other.
    """

    messages: Sequence[bytes]
    together: Sequence[Sequence[IdentifierKey]]


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


class Rows(Protocol):
    """All that a store holds, row by row."""

    def origin(self) -> Origin:
        """Which state of which store this is."""

    def rows(self, kind: RowKind, after: int, limit: int) -> list[Row]:
        """At most `limit` rows of a kind with numbers above `after`, in the order of their numbers."""


class View(Rows, Columns, Protocol):
    """One state of a store. Every method takes many and answers in one batched read: the number of statements
    does not grow with the number of things asked for. What is unknown is missing from the answer. Used in one thread.

    Raises: every method MovedError, unless the view holds or its store keeps old states.
    """

    @property
    def moved(self) -> bool:
        """Whether it has raised MovedError: then its answers, though of one state, are not all that was asked for."""

    def head(self) -> Head: ...

    def by_key(self, keys: Sequence[IdentifierKey]) -> dict[IdentifierKey, KnownIdentifier]: ...

    def by_public(self, publics: Sequence[bytes]) -> dict[bytes, KnownIdentifier]: ...

    def by_number(self, numbers: Sequence[int]) -> dict[int, KnownIdentifier]: ...

    def customers(self, keys: Sequence[int]) -> dict[int, KnownCustomer]: ...

    def members(self, customers: Sequence[int]) -> dict[int, list[KnownIdentifier]]:
        """All identifiers of each customer (10,000 at most) by number: the eldest first."""

    def links(self, identifiers: Sequence[int], limit: int, after: int | None = None) -> dict[int, list[KnownLink]]:
        """At most `limit` links of each identifier: first those to stronger ends by the other's number, then those to
        weaker ends by (mark, rank, pair). `after`: the pair of the last link of the page before (one identifier)."""

    def links_between(self, identifiers: Sequence[int]) -> list[KnownLink]:
        """The links that have both ends among these."""

    def refused_links(
        self, customers: Sequence[int], limit: int, after: int | None = None
    ) -> dict[int, list[KnownLink]]:
        """At most `limit` links of each customer to other customers: first those whose weaker end is its own by pair,
        then the others by (stronger end, mark, rank, pair). `after`: the pair of the last link of the page before (one
        customer)."""

    def linked_at(self, identifiers: Sequence[int]) -> dict[int, int]:
        """When each was first seen with a stronger identifier that is of its customer today."""

    def links_by_pair(self, pairs: Sequence[int]) -> dict[int, KnownLink]: ...

    def journeys(self, customers: Sequence[int], page: JourneyPage) -> dict[int, list[Touchpoint]]:
        """A page of the touchpoints of each customer: those whose subject is one of its identifiers."""

    def touchpoints(self, messages: Sequence[bytes]) -> dict[bytes, Touchpoint]:
        """Touchpoints by their 16-byte message hash."""

    def touchpoints_by_number(self, numbers: Sequence[int]) -> dict[int, Touchpoint]: ...

    def claims(self, customers: Sequence[int]) -> dict[int, list[Claim]]:
        """All claims about the identifiers of each customer."""

    def consents(self, customers: Sequence[int]) -> dict[int, list[Consent]]:
        """All consents of the identifiers of each customer: one for each identifier and purpose, in no order. What
        counts of them for the customer is said by `onefold.model.consents`."""

    def sources(self) -> dict[int, Source]:
        """Every source by its number."""

    def judgements(self, identifiers: Sequence[int]) -> list[Judgement]:
        """Standing judgements that name any of these identifiers."""

    def judgements_by_number(self, numbers: Sequence[int]) -> dict[int, Judgement]:
        """Judgements, standing or retracted."""

    def decisions(
        self,
        customers: Sequence[int] | None,
        kinds: Sequence[DecisionKind] | None,
        limit: int,
        before: int | None = None,
    ) -> dict[int, list[LedgerLine]]:
        """Ledger lines, newest first, at most `limit` with seq < `before`: by customer that they concern (through any
        of its identifiers), or under key 0 of the whole store when `customers` is None."""

    def decisions_by_seq(self, seqs: Sequence[int]) -> dict[int, LedgerLine]: ...

    def feed(self, after: int, limit: int, identifiers: Sequence[int] | None = None) -> list[FeedLine]:
        """Lines of the change feed with seq > `after`, oldest first; only about these identifiers if given: touchpoints
        whose subject one is, decisions that name one (as an end or as an anchor), and what else changed of one."""

    def search(self, text: str, limit: int, after: tuple[int, int] | None = None) -> list[SearchHit]:
        """Where a case- and diacritic-folded text occurs: as a substring of identifier values and searchable traits,
        as a prefix when it is shorter than three characters; beyond (kind, number) `after`, in that order."""

    def rejects(self, limit: int) -> list[Reject]:
        """The newest rejected events first."""

    def counts(self) -> Counts: ...

    def segments(self) -> list[SavedSegment]:
        """The segments that are there, by number."""

    def segments_by_number(self, numbers: Sequence[int]) -> dict[int, SavedSegment]:
        """Segments, those too that were deleted."""

    def segment_members(self, segments: Sequence[int], limit: int, after: int | None = None) -> dict[int, list[Member]]:
        """At most `limit` members of each segment by the anchor's number. `after`: the anchor of the last member of the
        page before (one segment)."""

    def segments_of(self, anchors: Sequence[int]) -> dict[int, list[Member]]:
        """What each is a member of, by the segment's number. Of any identifier: one that is nobody's anchor any more is
        a member until a step says that it left."""

    def membership_log(self, segment: int | None, after: int, limit: int) -> list[MembershipChange]:
        """Lines of the log with numbers above `after`, oldest first; only of this segment if given."""

    def last_membership(self) -> int:
        """The number of the last line of the log; 0 for none."""


class Store(Protocol):
    """A store of one identity graph."""

    secret: bytes
    """32 random bytes drawn when the store was made: what public ids are keyed with."""
    remote: bool
    """Whether each answer comes over a network: then nobody who must not wait reads, such as an event loop."""

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
