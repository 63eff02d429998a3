"""What a store hands out to readers: plain values, in batches, never one by one."""

from enum import StrEnum

import msgspec

from onefold.model.changes import DecisionKind
from onefold.model.graph import Seen
from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import encode, encode_number
from onefold.model.sources import Trust


class KnownIdentifier(msgspec.Struct, frozen=True, gc=False):
    """An identifier as readers see it. `customer` is the internal key of its customer, 0 for operators;
    `generic_from`: its links of this trust or a worse one are refused as generic (`onefold.model.graph.Identifier`);
    `public`: 16 bytes of its public id."""

    number: int
    key: IdentifierKey
    public: bytes
    customer: int
    generic_from: int
    first_ms: int
    last_ms: int

    @property
    def public_id(self) -> str:
        """As doors name it: `idn_…`."""
        return encode("idn", self.public)

    @property
    def generic(self) -> bool:
        """Whether it is generic by all evidence."""
        return self.generic_from <= Trust.PUBLIC


class KnownCustomer(msgspec.Struct, frozen=True, gc=False):
    """A customer as readers see it. `public`: 16 bytes of its anchor's public id; `anchor`: that identifier's number;
    first_ms and last_ms: of the touchpoints that carry one of its identifiers; `anonymous`: no person, no contact;
    `counts`, `apart`: as in `onefold.model.graph.Customer`, for they say why two customers stay apart."""

    key: int
    anchor: int
    public: bytes
    size: int
    first_ms: int
    last_ms: int
    anonymous: bool
    counts: tuple[int, ...]
    apart: int

    @property
    def public_id(self) -> str:
        """As doors name it: `cus_…`."""
        return encode("cus", self.public)


class KnownLink(msgspec.Struct, frozen=True, gc=False):
    """A link as readers see it: numbers of its weaker (a) and stronger (b) end, evidence by source number."""

    a: int
    b: int
    mark: int
    rank: int
    seen: tuple[Seen, ...]

    @property
    def pair(self) -> int:
        return self.a << 32 | self.b


class Touchpoint(msgspec.Struct, frozen=True, gc=False):
    """A stored touchpoint. `number` is its place in the feed; `identifiers`: numbers, strongest first, operators last;
    `source`: its name; `body`: JSON as in `onefold.model.events.Event`."""

    number: int
    message: bytes
    message_id: str
    source: str
    at_ms: int
    received_ms: int
    type: str
    name: str | None
    channel: str
    campaign: str | None
    revenue: str | None
    currency: str | None
    subject: int
    device: int | None
    identifiers: tuple[int, ...]
    body: bytes

    @property
    def public_id(self) -> str:
        """As doors name it: `tp_…`."""
        return encode("tp", self.message)


class LedgerLine(msgspec.Struct, frozen=True, gc=False):
    """A decision as stored: `seq` is its place in the feed, `at_ms` the time of its commit, `messages` the touchpoints
    (16-byte message hashes) that caused it. The rest as in `onefold.model.changes.Decision`."""

    seq: int
    at_ms: int
    kind: DecisionKind
    reason: str
    customers: tuple[int, ...]
    identifiers: tuple[int, ...]
    link: int | None
    judgement: int | None
    messages: tuple[bytes, ...]

    @property
    def public_id(self) -> str:
        """As doors name it: `dec_…`."""
        return encode_number("dec", self.seq)


class FeedKind(StrEnum):
    """What one line of the change feed is about."""

    TOUCHPOINT = "touchpoint"
    IDENTIFIER = "identifier"
    SUBJECT = "subject"
    CLAIMS = "claims"
    CONSENTS = "consents"
    DECISION = "decision"


class FeedLine(msgspec.Struct, frozen=True, gc=False):
    """One line of the change feed.

    Attributes:
        identifier: number of the identifier that came to a customer, whose claims or consents changed, or that is a
            subject now.
        customer, was: internal keys of its customer from then on and before (0: new); IDENTIFIER only.
        touchpoint: number of the touchpoint (TOUCHPOINT: equal to `seq`; SUBJECT).
        decision: seq of the ledger line (DECISION: equal to `seq`).
    """

    seq: int
    at_ms: int
    kind: FeedKind
    identifier: int | None = None
    customer: int | None = None
    was: int | None = None
    touchpoint: int | None = None
    decision: int | None = None


class PropertyMatch(msgspec.Struct, frozen=True):
    """A top-level property of touchpoints that must equal this JSON value."""

    name: str
    value: str | int | float | bool | None


class TouchpointFilter(msgspec.Struct, frozen=True):
    """Which touchpoints count: all that is given must hold; None: no restriction.

    after_ms is inclusive, before_ms exclusive.
    """

    types: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    campaigns: tuple[str, ...] | None = None
    properties: tuple[PropertyMatch, ...] = ()
    after_ms: int | None = None
    before_ms: int | None = None


class JourneyPage(msgspec.Struct, frozen=True):
    """Which part of journeys to read: at most `limit` touchpoints a customer in order of (at_ms, number), newest first
    or oldest first, strictly beyond `beyond` in that direction (None: from the end)."""

    limit: int
    newest_first: bool = True
    beyond: tuple[int, int] | None = None
    filter: TouchpointFilter = TouchpointFilter()


class SearchHit(msgspec.Struct, frozen=True):
    """A place where a text was found: `attribute` is a namespace or `trait:NAME`; `value` what is stored there;
    `customer` the internal key; (kind, number) orders the hits and makes cursors: 0 identifiers, 1 claims."""

    kind: int
    number: int
    identifier: int
    customer: int
    attribute: str
    value: str


class Counts(msgspec.Struct, frozen=True):
    """How much a store holds."""

    customers: int
    identifiers: int
    links: int
    touchpoints: int
    decisions: int
    rejects: int


class Reject(msgspec.Struct, frozen=True):
    """A rejected event as it is kept in the bounded reject log. `body`: what was sent, at most 4,096 bytes of it."""

    at_ms: int
    source: str
    code: str
    field: str | None
    message: str
    hint: str | None
    body: bytes
