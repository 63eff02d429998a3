"""Touchpoints: what happened."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Private

from onefold.api.graphql.peers import Peers
from onefold.api.graphql.scopes import READ
from onefold.api.graphql.types import customer as customers
from onefold.api.graphql.types import identifier as identifiers
from onefold.api.graphql.types.connections import Node
from onefold.api.graphql.types.fields import resolved
from onefold.api.graphql.types.identifier import Device, Identifier, IdentifierKey
from onefold.api.graphql.types.scalars import DateTime, Decimal, Json
from onefold.model import reading as rows
from onefold.service import bodies, journeys
from onefold.service.reading import Reading

if TYPE_CHECKING:
    from onefold.api.graphql.types.customer import Customer


@strawberry.type(description="The campaign a touchpoint came from, by its UTM parameters.", directives=[READ])
class Campaign:
    """As the event's context has it."""

    name: str | None = strawberry.field(description="`utm_campaign`.")
    source: str | None = strawberry.field(description="`utm_source`.")
    medium: str | None = strawberry.field(description="`utm_medium`.")
    term: str | None = strawberry.field(description="`utm_term`.")
    content: str | None = strawberry.field(description="`utm_content`.")


@strawberry.type(
    description="One interaction: an event that was accepted. It keeps all its identifiers for ever.", directives=[READ]
)
class Touchpoint(Node):
    """A touchpoint among its peers."""

    row: Private[rows.Touchpoint]
    place: Private[int]
    peers: Private[Peers[rows.Touchpoint]]
    message_id: strawberry.ID = strawberry.field(description="The message id, as the sender wrote it.")
    at: DateTime = strawberry.field(description="When it happened.")
    received_at: DateTime = strawberry.field(description="When it reached onefold.")
    source: str = strawberry.field(description="Who said it: the name of the write key or import.")
    type: str = strawberry.field(description="`identify`, `track`, `page`, `screen`, `group` or `alias`.")
    name: str | None = strawberry.field(description="What was done, or the name of the page or screen.")
    channel: str = strawberry.field(description="`web`, `app`, `store`, `call_center`, …; `unknown` if nothing tells.")
    revenue: Decimal | None = strawberry.field(description="What it brought in.")
    currency: str | None = strawberry.field(description="Of the revenue: three letters, ISO 4217.")

    @resolved("The campaign it came from, if any.")
    def campaign(self) -> Campaign | None:
        """From its own body."""
        said = bodies.campaign(self.row)
        if said is None:
            return None
        return Campaign(name=said.name, source=said.source, medium=said.medium, term=said.term, content=said.content)

    @resolved("Its properties, as sent: an object.")
    def properties(self) -> Json:
        """From its own body."""
        return Json(bodies.properties_json(self.row))

    @resolved("What is kept of its context: campaign, page, device, app, …: an object.")
    def context(self) -> Json:
        """From its own body."""
        return Json(bodies.context_json(self.row))

    @resolved("The identifier it is filed under: its strongest that is not generic.")
    def subject(self) -> Identifier:
        """Read for all siblings."""
        return self.peers.child(self.place, "subject", _subjects)

    @resolved("All its identifiers, the strongest first; those of whoever served the customer last.")
    def identifiers(self) -> list[IdentifierKey]:
        """Read for all siblings."""
        return [identifiers.key(key) for key in self.peers.child(self.place, "identifiers", journeys.identifiers)]

    @resolved("The device it came through, if it says so.")
    def device(self) -> Device | None:
        """Read for all siblings."""
        return self.peers.child(self.place, "device", _devices)

    @resolved(
        "Whether it happened before its subject was first seen with a stronger identifier of its customer: "
        "it became this customer's history later."
    )
    def retroactive(self) -> bool:
        """Read for all siblings."""
        return self.peers.child(self.place, "linkage", journeys.linkages).retroactive

    @resolved(
        "When its subject was first seen with a stronger identifier of its customer; when first seen at "
        "all if the subject is the strongest."
    )
    def linked_at(self) -> DateTime:
        """Read for all siblings."""
        return DateTime(self.peers.child(self.place, "linkage", journeys.linkages).linked_at_ms)

    @resolved("Whose touchpoint it is: the customer its subject belongs to.")
    def customer(self) -> Annotated["Customer", strawberry.lazy("onefold.api.graphql.types.customer")]:
        """Read for all siblings."""
        return self.peers.child(self.place, "customer", owners)


def touchpoints(reading: Reading, found: Sequence[rows.Touchpoint]) -> list[Touchpoint]:
    """Touchpoints that are read together."""
    peers = Peers(reading, found)
    return [
        Touchpoint(
            row=row,
            place=place,
            peers=peers,
            message_id=strawberry.ID(row.message_id),
            at=DateTime(row.at_ms),
            received_at=DateTime(row.received_ms),
            source=row.source,
            type=row.type,
            name=row.name,
            channel=row.channel,
            revenue=None if row.revenue is None else Decimal(row.revenue),
            currency=row.currency,
        )
        for place, row in enumerate(found)
    ]


def owners(reading: Reading, found: Sequence[rows.Touchpoint]) -> list["Customer"]:
    """Whose each touchpoint is."""
    subjects = reading.identifiers({row.subject for row in found})
    keys = [subjects[row.subject].customer for row in found]
    held = customers.by_key(reading, keys)
    return [held[key] for key in keys]


def _subjects(reading: Reading, found: Sequence[rows.Touchpoint]) -> list[Identifier]:
    held = identifiers.by_number(reading, [row.subject for row in found])
    return [held[row.subject] for row in found]


def _devices(reading: Reading, found: Sequence[rows.Touchpoint]) -> list[Device | None]:
    through = [row for row in found if row.device is not None]
    known = reading.identifiers({row.device for row in through if row.device is not None})
    used = [known[row.device] for row in through if row.device is not None]
    made = iter(identifiers.devices(reading, used, [bodies.device(row) for row in through]))
    return [None if row.device is None else next(made) for row in found]
