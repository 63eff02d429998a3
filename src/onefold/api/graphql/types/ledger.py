"""Decisions, judgements and the change feed."""

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Private

from onefold.api.graphql.peers import Peers
from onefold.api.graphql.scopes import ANY, READ
from onefold.api.graphql.types import customer as customers
from onefold.api.graphql.types import identifier as identifiers
from onefold.api.graphql.types import touchpoint as touchpoints
from onefold.api.graphql.types.connections import Connection, Node, forward
from onefold.api.graphql.types.fields import resolved
from onefold.api.graphql.types.identifier import Identifier, IdentifierKey, Link
from onefold.api.graphql.types.inputs import Verdict
from onefold.api.graphql.types.scalars import DateTime, Seq
from onefold.api.graphql.types.touchpoint import Touchpoint
from onefold.model import graph
from onefold.model.ids import encode
from onefold.model.reading import FeedLine, LedgerLine
from onefold.service import evidence
from onefold.service.pages import Page, Position
from onefold.service.reading import Reading

if TYPE_CHECKING:
    from onefold.api.graphql.types.customer import Customer

LazyCustomer = Annotated["Customer", strawberry.lazy("onefold.api.graphql.types.customer")]


@strawberry.type(
    description="A person's or system's word on two identifiers. It holds until it is retracted.", directives=[READ]
)
class Judgement(Node):
    """A judgement among its peers."""

    row: Private[graph.Judgement]
    place: Private[int]
    peers: Private[Peers[graph.Judgement]]
    verdict: Verdict = strawberry.field(description="What it says.")
    author: str = strawberry.field(description="Who said it.")
    reason: str = strawberry.field(description="Why, in the author's words.")
    at: DateTime = strawberry.field(description="When it was said.")
    retracted_at: DateTime | None = strawberry.field(description="When it was taken back; null while it stands.")
    retracted_by: str | None = strawberry.field(description="Who took it back.")
    retracted_reason: str | None = strawberry.field(description="Why, in that one's words.")

    @resolved("Opaque, with a prefix that tells what it is the id of.", ANY)
    def id(self) -> strawberry.ID:
        """Told to whoever judged, if nothing else is."""
        return strawberry.ID(self.row.public_id)

    @resolved("The one identifier.")
    def a(self) -> IdentifierKey:
        """Read for all siblings."""
        return self.peers.child(self.place, "ends", _ends)[0]

    @resolved("The other identifier.")
    def b(self) -> IdentifierKey:
        """Read for all siblings."""
        return self.peers.child(self.place, "ends", _ends)[1]


def _ends(reading: Reading, rows: Sequence[graph.Judgement]) -> list[tuple[IdentifierKey, IdentifierKey]]:
    known = reading.identifiers({end for row in rows for end in (row.a, row.b)})
    return [(identifiers.key(known[row.a].key), identifiers.key(known[row.b].key)) for row in rows]


def judgements(reading: Reading, rows: Sequence[graph.Judgement]) -> list[Judgement]:
    """Judgements that are read together."""
    peers = Peers(reading, rows)
    return [
        Judgement(
            row=row,
            place=place,
            peers=peers,
            verdict=Verdict.SAME if row.same else Verdict.DIFFERENT,
            author=row.author,
            reason=row.reason,
            at=DateTime(row.at_ms),
            retracted_at=None if row.retracted_ms is None else DateTime(row.retracted_ms),
            retracted_by=row.retracted_by,
            retracted_reason=row.retracted_reason,
        )
        for place, row in enumerate(rows)
    ]


@strawberry.enum(description="What a decision was.")
class DecisionKind(Enum):
    """The kinds of lines in the ledger."""

    JOINED = strawberry.enum_value("joined", description="Customers became one.")
    SPLIT = strawberry.enum_value("split", description="A customer fell into several.")
    REFUSED = strawberry.enum_value("refused", description="A link does not join, for a rule forbids it.")
    RELEASED = strawberry.enum_value("released", description="A link that was refused joins now.")
    GENERIC = strawberry.enum_value("generic", description="An identifier became generic, or stopped being so.")
    JUDGED = strawberry.enum_value("judged", description="Somebody judged two identifiers.")
    RETRACTED = strawberry.enum_value("retracted", description="A judgement was taken back.")


@strawberry.type(
    description="A line of the ledger: what was decided, why, and what brought it about. Never changed.",
    directives=[READ],
)
class Decision(Node):
    """A decision among its peers."""

    row: Private[LedgerLine]
    place: Private[int]
    peers: Private[Peers[LedgerLine]]
    seq: Seq = strawberry.field(description="Its place in the change feed.")
    at: DateTime = strawberry.field(description="When it was made.")
    kind: DecisionKind = strawberry.field(description="What it was.")
    reason: str = strawberry.field(
        description="A code: the rule of a refusal (`limit:user_id`), what a join rests on (`link:server`), …."
    )

    @resolved(
        "The ids that the customers concerned had at the time; of a join or a split the one that remains "
        "first. `node` finds what became of them."
    )
    def customer_ids(self) -> list[strawberry.ID]:
        """Read for all siblings."""
        return self.peers.child(self.place, "customer_ids", _customer_ids)

    @resolved("The customers that those concerned are today, each once.")
    def customers(self) -> list[LazyCustomer]:
        """Read for all siblings."""
        return self.peers.child(self.place, "customers", _customers)

    @resolved("What it is about: the ends of the link, or the generic one.")
    def identifiers(self) -> list[IdentifierKey]:
        """Read for all siblings."""
        return self.peers.child(self.place, "identifiers", _identifiers)

    @resolved("The link that decided it, with the evidence of today.")
    def link(self) -> Link | None:
        """Read for all siblings."""
        return self.peers.child(self.place, "link", _links)

    @resolved("The judgement that it is about.")
    def judgement(self) -> Judgement | None:
        """Read for all siblings."""
        return self.peers.child(self.place, "judgement", _judgements)

    @resolved("The touchpoints that brought it about.")
    def touchpoints(self) -> list[Touchpoint]:
        """Read for all siblings."""
        return self.peers.child(self.place, "touchpoints", _touchpoints)


Rows = Sequence[LedgerLine]


def _customer_ids(reading: Reading, rows: Rows) -> list[list[strawberry.ID]]:
    known = reading.identifiers({number for row in rows for number in row.customers})
    return [[strawberry.ID(encode("cus", known[number].public)) for number in row.customers] for row in rows]


def _customers(reading: Reading, rows: Rows) -> list[list["Customer"]]:
    known = reading.identifiers({number for row in rows for number in row.customers})
    keys = [list(dict.fromkeys(known[number].customer for number in row.customers)) for row in rows]
    held = customers.by_key(reading, [key for row in keys for key in row])
    return [[held[key] for key in row] for row in keys]


def _identifiers(reading: Reading, rows: Rows) -> list[list[IdentifierKey]]:
    known = reading.identifiers({number for row in rows for number in row.identifiers})
    return [[identifiers.key(known[number].key) for number in row.identifiers] for row in rows]


def _links(reading: Reading, rows: Rows) -> list[Link | None]:
    found = reading.view.links_by_pair(list({row.link for row in rows if row.link is not None}))
    made = identifiers.links(reading, evidence.evidence(reading, list(found.values())))
    held = {link.row.link.pair: link for link in made}
    return [None if row.link is None else held.get(row.link) for row in rows]


def _judgements(reading: Reading, rows: Rows) -> list[Judgement | None]:
    found = reading.view.judgements_by_number(list({row.judgement for row in rows if row.judgement is not None}))
    held = {judgement.row.number: judgement for judgement in judgements(reading, list(found.values()))}
    return [None if row.judgement is None else held.get(row.judgement) for row in rows]


def _touchpoints(reading: Reading, rows: Rows) -> list[list[Touchpoint]]:
    found = reading.view.touchpoints(list({message for row in rows for message in row.messages}))
    made = touchpoints.touchpoints(reading, list(found.values()))
    held = {touchpoint.row.message: touchpoint for touchpoint in made}
    return [[held[message] for message in row.messages if message in held] for row in rows]


def decided(reading: Reading, rows: Rows) -> list[Decision]:
    """Decisions that are read together."""
    peers = Peers(reading, rows)
    return [
        Decision(
            row=row,
            place=place,
            peers=peers,
            seq=Seq(row.seq),
            at=DateTime(row.at_ms),
            kind=DecisionKind[row.kind.name],
            reason=row.reason,
        )
        for place, row in enumerate(rows)
    ]


@strawberry.enum(description="What a change was.")
class ChangeKind(Enum):
    """The kinds of lines in the change feed."""

    TOUCHPOINT = strawberry.enum_value("touchpoint", description="A touchpoint arrived.")
    IDENTIFIER = strawberry.enum_value(
        "identifier", description="An identifier is new, or belongs to another customer."
    )
    SUBJECT = strawberry.enum_value("subject", description="A touchpoint is filed under another identifier.")
    CLAIMS = strawberry.enum_value("claims", description="Something new was said of an identifier.")
    CONSENTS = strawberry.enum_value("consents", description="An identifier agreed to something, or withdrew that.")
    DECISION = strawberry.enum_value("decision", description="Something was decided.")


@strawberry.type(description="A line of the change feed. What it names is shown as it is today.", directives=[READ])
class Change:
    """A line among its peers."""

    row: Private[FeedLine]
    place: Private[int]
    peers: Private[Peers[FeedLine]]
    seq: Seq = strawberry.field(description="Its place in the feed.")
    at: DateTime = strawberry.field(description="When it was committed.")
    kind: ChangeKind = strawberry.field(description="What it was.")

    @resolved("Of kinds IDENTIFIER, SUBJECT, CLAIMS and CONSENTS: the identifier it is about.")
    def identifier(self) -> Identifier | None:
        """Read for all siblings."""
        return self.peers.child(self.place, "identifier", _changed_identifiers)

    @resolved("The customer that the identifier, or the touchpoint, belongs to.")
    def customer(self) -> LazyCustomer | None:
        """Read for all siblings."""
        return self.peers.child(self.place, "customer", _changed_customers)

    @resolved("Of kinds TOUCHPOINT and SUBJECT: the touchpoint it is about.")
    def touchpoint(self) -> Touchpoint | None:
        """Read for all siblings."""
        return self.peers.child(self.place, "touchpoint", _changed_touchpoints)

    @resolved("Of kind DECISION: the line of the ledger.")
    def decision(self) -> Decision | None:
        """Read for all siblings."""
        return self.peers.child(self.place, "decision", _changed_decisions)


def _changed_identifiers(reading: Reading, rows: Sequence[FeedLine]) -> list[Identifier | None]:
    held = identifiers.by_number(reading, [row.identifier for row in rows if row.identifier is not None])
    return [None if row.identifier is None else held[row.identifier] for row in rows]


def _changed_touchpoints(reading: Reading, rows: Sequence[FeedLine]) -> list[Touchpoint | None]:
    found = reading.view.touchpoints_by_number([row.touchpoint for row in rows if row.touchpoint is not None])
    made = touchpoints.touchpoints(reading, list(found.values()))
    held = {touchpoint.row.number: touchpoint for touchpoint in made}
    return [None if row.touchpoint is None else held.get(row.touchpoint) for row in rows]


def _changed_customers(reading: Reading, rows: Sequence[FeedLine]) -> list["Customer | None"]:
    arrived = [row.touchpoint for row in rows if row.identifier is None and row.touchpoint is not None]
    subjects = {number: row.subject for number, row in reading.view.touchpoints_by_number(arrived).items()}
    numbers = [row.identifier or subjects.get(row.touchpoint or 0) for row in rows]
    known = reading.identifiers({number for number in numbers if number is not None})
    keys = [None if number is None else known[number].customer for number in numbers]
    held = customers.by_key(reading, [key for key in keys if key])
    return [held[key] if key else None for key in keys]


def _changed_decisions(reading: Reading, rows: Sequence[FeedLine]) -> list[Decision | None]:
    found = reading.view.decisions_by_seq([row.decision for row in rows if row.decision is not None])
    held = {decision.row.seq: decision for decision in decided(reading, list(found.values()))}
    return [None if row.decision is None else held.get(row.decision) for row in rows]


def change_connection(reading: Reading, page: Page[FeedLine], after: int | None) -> Connection[Change]:
    """The connection of a page of the feed; its cursors are sequence numbers, so that `after` takes either."""
    peers = Peers(reading, page.items)
    nodes = [
        Change(
            row=row, place=place, peers=peers, seq=Seq(row.seq), at=DateTime(row.at_ms), kind=ChangeKind[row.kind.name]
        )
        for place, row in enumerate(page.items)
    ]
    return forward(page, nodes, _seq_cursor, after or None)


def _seq_cursor(position: Position) -> str:
    return str(position[0])
