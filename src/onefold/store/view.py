"""One state of a store, as it is read."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from onefold.model.changes import DecisionKind
from onefold.model.claims import Claim
from onefold.model.consents import Consent
from onefold.model.copying import Origin, Row, RowKind
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
from onefold.model.saved import Member, MembershipChange, SavedSegment
from onefold.model.sources import Source
from onefold.store.columns import Columns


class MovedError(Exception):
    """A view that does not hold was asked after something had been committed. It never reaches people: whoever reads
    repeats the whole of what was read on another view, which holds if need be."""


class Head(msgspec.Struct, frozen=True):
    """Where a store stands: the last numbers given out, of changes, identifiers, customers and judgements."""

    seq: int
    identifier: int
    customer: int
    judgement: int


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
