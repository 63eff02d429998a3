"""Identifiers, devices and the links between them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import UNSET, Private

from onefold.api.graphql.peers import Peers
from onefold.api.graphql.scopes import READ
from onefold.api.graphql.types import customer as customers
from onefold.api.graphql.types.connections import Connection, Node, forward
from onefold.api.graphql.types.fields import resolved
from onefold.api.graphql.types.inputs import given
from onefold.api.graphql.types.scalars import DateTime
from onefold.model import identifiers
from onefold.model.reading import KnownIdentifier
from onefold.service import bodies, evidence, journeys, values
from onefold.service.bodies import DeviceProperties
from onefold.service.pages import LINKS
from onefold.service.reading import Reading

if TYPE_CHECKING:
    from onefold.api.graphql.types.customer import Customer


@strawberry.type(description="An identifier by itself: its kind and its normalised value.", directives=[READ])
class IdentifierKey:
    """What an identifier is called."""

    namespace: str = strawberry.field(description="Its kind: `email`, `user_id`, ….")
    value: str = strawberry.field(description="Its value, normalised.")


def key(row: identifiers.IdentifierKey) -> IdentifierKey:
    """The type of a key."""
    return IdentifierKey(namespace=row.namespace, value=row.value)


@strawberry.type(description="What one source saw of a link.", directives=[READ])
class LinkSource:
    """Evidence by source."""

    source: str = strawberry.field(description="The name of the write key or import.")
    trusted: bool = strawberry.field(description="Whether nobody outside can speak in its name: a server or an import.")
    first_seen: DateTime = strawberry.field(description="When it first saw the two together.")
    last_seen: DateTime = strawberry.field(description="When it last did.")
    count: int = strawberry.field(description="In how many events it did.")


@strawberry.type(description="Why a link joins nobody.", directives=[READ])
class Refusal:
    """Derived from the two customers as they are."""

    reason: str = strawberry.field(
        description="`generic`, `judged_different`, `limit:NAMESPACE`, `weak_bridge:NAMESPACE` or `size_limit`."
    )
    message: str = strawberry.field(description="What that means here.")
    hint: str = strawberry.field(description="What would change it.")


def refusal(row: values.Refusal) -> Refusal:
    """The type of a refusal."""
    return Refusal(reason=row.reason, message=row.message, hint=row.hint)


@strawberry.type(
    description="The evidence that two identifiers were seen together. It is kept, joined or refused.",
    directives=[READ],
)
class Link:
    """A link with its evidence."""

    row: Private[values.Evidence]
    place: Private[int]
    peers: Private[Peers[values.Evidence]]

    @resolved("The weaker of the two.")
    def a(self) -> IdentifierKey:
        """Its key."""
        return key(self.row.a.key)

    @resolved("The stronger of the two.")
    def b(self) -> IdentifierKey:
        """Its key."""
        return key(self.row.b.key)

    @resolved("What each source saw.")
    def sources(self) -> list[LinkSource]:
        """In order of their first arrival."""
        return [
            LinkSource(
                source=seen.source,
                trusted=seen.trusted,
                first_seen=DateTime(seen.first_ms),
                last_seen=DateTime(seen.last_ms),
                count=seen.count,
            )
            for seen in self.row.sources
        ]

    @resolved("When the two were first seen together.")
    def first_seen(self) -> DateTime:
        """Of all sources."""
        return DateTime(self.row.first_ms)

    @resolved("When the two were last seen together.")
    def last_seen(self) -> DateTime:
        """Of all sources."""
        return DateTime(self.row.last_ms)

    @resolved("In how many events the two were seen together.")
    def count(self) -> int:
        """Of all sources."""
        return self.row.count

    @resolved("Why it joins nobody; null when its ends are one customer.")
    def refused(self) -> Refusal | None:
        """Read for all siblings."""
        found = self.peers.child(self.place, "refused", evidence.refusals)
        return None if found is None else refusal(found)


def links(reading: Reading, rows: Sequence[values.Evidence]) -> list[Link]:
    """Links that are read together."""
    peers = Peers(reading, rows)
    return [Link(row=row, place=place, peers=peers) for place, row in enumerate(rows)]


@strawberry.type(description="Something a customer is recognised by.", directives=[READ])
class Identifier(Node):
    """A known identifier, with the customer it belongs to."""

    row: Private[KnownIdentifier]
    place: Private[int]
    peers: Private[Peers[KnownIdentifier]]
    namespace: str = strawberry.field(description="Its kind: `email`, `user_id`, ….")
    value: str = strawberry.field(description="Its value, normalised.")
    first_seen: DateTime = strawberry.field(description="The time of the first touchpoint that carries it.")
    last_seen: DateTime = strawberry.field(description="The time of the last touchpoint that carries it.")
    generic: bool = strawberry.field(
        description="Shared by too many to be anybody's: a shop's tablet, an info@ address."
    )

    @resolved(
        "When it was first seen with a stronger identifier of its customer; when first seen at all if it "
        "is the strongest."
    )
    def linked_at(self) -> DateTime:
        """Read for all siblings."""
        return DateTime(self.peers.child(self.place, "linked_at", journeys.linked_at))

    @resolved("The customer it belongs to.")
    def customer(self) -> Annotated["Customer", strawberry.lazy("onefold.api.graphql.types.customer")]:
        """Read for all siblings."""
        return self.peers.child(self.place, "customer", _owners)

    @resolved("What it was seen together with, refused links too.")
    def links(
        self,
        first: Annotated[int, strawberry.argument(description="How many, at most 500.")] = 50,
        after: Annotated[str | None, strawberry.argument(description="The cursor of the last one had.")] = UNSET,
    ) -> Connection[Link]:
        """Read for all siblings; what comes after a cursor is its own identifier's alone."""
        if given(after) is not None:
            return _links(self.peers.reading, [self.row], first, after)[0]
        return self.peers.child(self.place, ("links", first), lambda reading, rows: _links(reading, rows, first, None))


def _owners(reading: Reading, rows: Sequence[KnownIdentifier]) -> list["Customer"]:
    found = customers.by_key(reading, [reading.owner(row).key for row in rows])
    return [found[row.customer] for row in rows]


def _links(reading: Reading, rows: Sequence[KnownIdentifier], first: int, after: str | None) -> list[Connection[Link]]:
    pages = evidence.links(reading, [row.number for row in rows], first, after)
    return link_connections(reading, pages, after)


def link_connections(reading: Reading, pages: Sequence[evidence.LinkPage], after: str | None) -> list[Connection[Link]]:
    """Pages of links, all of which are read together."""
    made = iter(links(reading, [row for page in pages for row in page.items]))
    return [forward(page, [next(made) for _ in page.items], LINKS.write, after) for page in pages]


def identified(reading: Reading, rows: Sequence[KnownIdentifier]) -> list[Identifier]:
    """Identifiers that are read together."""
    peers = Peers(reading, rows)
    return [
        Identifier(
            row=row,
            place=place,
            peers=peers,
            namespace=row.key.namespace,
            value=row.key.value,
            first_seen=DateTime(row.first_ms),
            last_seen=DateTime(row.last_ms),
            generic=row.generic,
        )
        for place, row in enumerate(rows)
    ]


def by_number(reading: Reading, numbers: Iterable[int]) -> dict[int, Identifier]:
    """Identifiers by number, read together."""
    wanted = list(dict.fromkeys(numbers))
    known = reading.identifiers(wanted)
    return dict(zip(wanted, identified(reading, [known[number] for number in wanted]), strict=True))


@strawberry.type(description="A device somebody came through, and what was last said about it.", directives=[READ])
class Device:
    """An identifier of a device; its properties are those of a touchpoint."""

    place: Private[int]
    peers: Private[Peers[KnownIdentifier]]
    said: Private[DeviceProperties | None]
    identifier: Identifier = strawberry.field(description="What it is recognised by.")

    @property
    def properties(self) -> DeviceProperties:
        """Those given, else those of its customer's last touchpoints; read for all siblings."""
        return self.said or self.peers.child(self.place, "properties", bodies.devices)

    @resolved("As its system calls it: `ios`, `android`, ….")
    def type(self) -> str | None:
        """`context.device.type`."""
        return self.properties.type

    @resolved("Who made it.")
    def manufacturer(self) -> str | None:
        """`context.device.manufacturer`."""
        return self.properties.manufacturer

    @resolved("Its model.")
    def model(self) -> str | None:
        """`context.device.model`."""
        return self.properties.model

    @resolved("Its operating system, with the version.")
    def os(self) -> str | None:
        """`context.os`."""
        return self.properties.os

    @resolved("The app that ran on it, with the version.")
    def app(self) -> str | None:
        """`context.app`."""
        return self.properties.app


def devices(
    reading: Reading, rows: Sequence[KnownIdentifier], said: Sequence[DeviceProperties] | None = None
) -> list[Device]:
    """Devices that are read together. `said`: their properties, where a touchpoint tells them."""
    peers = Peers(reading, rows)
    return [
        Device(place=place, peers=peers, said=said[place] if said else None, identifier=identifier)
        for place, identifier in enumerate(identified(reading, rows))
    ]
