"""Customers: what identifies them, what is known of them, what happened to them."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import UNSET, Private

from onefold.api.graphql.peers import Peers
from onefold.api.graphql.scopes import READ
from onefold.api.graphql.types import consent, identifier, ledger, segment, summary, touchpoint
from onefold.api.graphql.types.connections import Connection, Node, connection, forward
from onefold.api.graphql.types.fields import resolved
from onefold.api.graphql.types.inputs import JourneyOrder, TouchpointFilter, given
from onefold.api.graphql.types.profile import Profile, Trait, trait
from onefold.api.graphql.types.scalars import DateTime
from onefold.model.reading import KnownCustomer
from onefold.service import evidence, journeys, profiles, segments, values
from onefold.service.consents import consents
from onefold.service.journeys import EVERYTHING, Ask
from onefold.service.ledger import decisions
from onefold.service.pages import JOURNEY, LEDGER, MEMBERS
from onefold.service.reading import Reading

if TYPE_CHECKING:
    from onefold.api.graphql.types.consent import Consent
    from onefold.api.graphql.types.identifier import Device, Identifier, IdentifierKey, Link
    from onefold.api.graphql.types.ledger import Decision
    from onefold.api.graphql.types.segment import Segment
    from onefold.api.graphql.types.summary import ComputedTrait, Session, Summary
    from onefold.api.graphql.types.touchpoint import Touchpoint

LazyConsent = Annotated["Consent", strawberry.lazy("onefold.api.graphql.types.consent")]
LazyKey = Annotated["IdentifierKey", strawberry.lazy("onefold.api.graphql.types.identifier")]
LazyIdentifier = Annotated["Identifier", strawberry.lazy("onefold.api.graphql.types.identifier")]
LazyDevice = Annotated["Device", strawberry.lazy("onefold.api.graphql.types.identifier")]
LazyLink = Annotated["Link", strawberry.lazy("onefold.api.graphql.types.identifier")]
LazyTouchpoint = Annotated["Touchpoint", strawberry.lazy("onefold.api.graphql.types.touchpoint")]
LazyDecision = Annotated["Decision", strawberry.lazy("onefold.api.graphql.types.ledger")]
LazySummary = Annotated["Summary", strawberry.lazy("onefold.api.graphql.types.summary")]
LazySession = Annotated["Session", strawberry.lazy("onefold.api.graphql.types.summary")]
LazyComputed = Annotated["ComputedTrait", strawberry.lazy("onefold.api.graphql.types.summary")]
LazySegment = Annotated["Segment", strawberry.lazy("onefold.api.graphql.types.segment")]

First = Annotated[int, strawberry.argument(description="How many, at most 500.")]
After = Annotated[str | None, strawberry.argument(description="The cursor of the last one had.")]


@strawberry.type(
    description="A person, as far as onefold can tell: what stitching makes of identifiers.", directives=[READ]
)
class Customer(Node):
    """A customer among its peers."""

    row: Private[KnownCustomer]
    place: Private[int]
    peers: Private[Peers[KnownCustomer]]
    first_seen: DateTime = strawberry.field(description="The time of the first touchpoint.")
    last_seen: DateTime = strawberry.field(description="The time of the last touchpoint.")
    anonymous: bool = strawberry.field(description="Whether nothing tells who it is: no account, address or number.")
    requested_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The id asked for, when it is not the current one: the customer was joined or split since.",
    )

    @resolved("What it is recognised by: the strongest first, the eldest first among equals.")
    def identifiers(
        self,
        namespaces: Annotated[list[str] | None, strawberry.argument(description="Only of these kinds.")] = UNSET,
        first: First = 50,
        after: After = UNSET,
    ) -> Connection[LazyIdentifier]:
        """Read for all siblings."""
        kinds = None if given(namespaces) is None else tuple(namespaces or ())
        load = partial(_identifiers, kinds=kinds, first=first, after=given(after))
        return self.peers.child(self.place, ("identifiers", kinds, first, after), load)

    @resolved("The devices it came through, in the order of `identifiers`.")
    def devices(self, first: First = 20, after: After = UNSET) -> Connection[LazyDevice]:
        """Read for all siblings."""
        load = partial(_devices, first=first, after=given(after))
        return self.peers.child(self.place, ("devices", first, after), load)

    @resolved("What is known of it.")
    def profile(self) -> Profile:
        """Read for all siblings."""
        return Profile(row=self.peers.child(self.place, "profile", _profiles))

    @resolved("One trait of its profile; null if nothing is known.")
    def trait(
        self, name: Annotated[str, strawberry.argument(description="The trait's name, as senders write it.")]
    ) -> Trait | None:
        """Read for all siblings."""
        row = self.peers.child(self.place, "profile", _profiles).get(name)
        return None if row is None else trait(row)

    @resolved(
        "What happened, touchpoint by touchpoint: the `first` after a cursor, or the `last` before one; "
        "50 when neither is given."
    )
    def journey(
        self,
        first: Annotated[int | None, strawberry.argument(description="So many from the start, at most 500.")] = UNSET,
        after: Annotated[str | None, strawberry.argument(description="Only what comes after this cursor.")] = UNSET,
        last: Annotated[int | None, strawberry.argument(description="So many from the end, at most 500.")] = UNSET,
        before: Annotated[str | None, strawberry.argument(description="Only what comes before this cursor.")] = UNSET,
        order: Annotated[JourneyOrder, strawberry.argument(description="By time.")] = JourneyOrder.NEWEST_FIRST,
        filter: Annotated[
            TouchpointFilter | None, strawberry.argument(description="Only touchpoints such as these.")
        ] = UNSET,
    ) -> Connection[LazyTouchpoint]:
        """Read for all siblings; their touchpoints are peers of each other."""
        ask = Ask(
            first=given(first),
            after=given(after),
            last=given(last),
            before=given(before),
            newest_first=order is JourneyOrder.NEWEST_FIRST,
            filter=filter.filter() if filter else EVERYTHING,
        )
        # By its text, for True and 1 are equal as values and differ as JSON.
        return self.peers.child(self.place, ("journey", repr(ask)), partial(_journeys, ask=ask, peers=self.peers))

    @resolved("Its journey in a few numbers, as it is now.")
    def summary(self) -> LazySummary:
        """Read for all siblings."""
        return self.peers.child(self.place, "summary", summary.summed_up)

    @resolved("Its journey in sessions, the newest first.")
    def sessions(self, first: First = 20, after: After = UNSET) -> Connection[LazySession]:
        """Read for all siblings."""
        load = partial(summary.session_pages, first=first, after=given(after))
        return self.peers.child(self.place, ("sessions", first, after), load)

    @resolved(
        "Those computed traits that it has a value of, as it is now, and of money one in each currency; all, or those "
        "named, in that order."
    )
    def computed(
        self,
        names: Annotated[
            list[str] | None, strawberry.argument(description="As `computed.yaml` has them; all, if not given.")
        ] = UNSET,
    ) -> list[LazyComputed]:
        """Read for all siblings."""
        wanted = None if given(names) is None else tuple(names or ())
        return self.peers.child(self.place, ("computed", wanted), partial(summary.computed, names=wanted))

    @resolved(
        "What it agreed to and what it withdrew, by purpose in plain order. A purpose that is not there was never "
        "spoken of: it is not agreed to."
    )
    def consents(self) -> list[LazyConsent]:
        """Read for all siblings."""
        return self.peers.child(self.place, "consents", _consents)

    @resolved(
        "The saved segments it is in, the oldest first. Each is right as of its `asOfSeq`, a moment behind what was "
        "just sent."
    )
    def segments(self) -> list[LazySegment]:
        """Read for all siblings, whose segments are peers of each other."""
        return self.peers.child(self.place, "segments", _segments)

    @resolved("The decisions that concern it, the newest first.")
    def history(self, first: First = 50, after: After = UNSET) -> Connection[LazyDecision]:
        """Read for all siblings."""
        load = partial(_history, first=first, after=given(after))
        return self.peers.child(self.place, ("history", first, after), load)

    @resolved("The links between it and other customers, each with the reason why it joins nobody.")
    def refused_links(self, first: First = 50, after: After = UNSET) -> Connection[LazyLink]:
        """Read for all siblings; what comes after a cursor is its own customer's alone."""
        if given(after) is not None:
            return _refused_links(self.peers.reading, [self.row], first, after)[0]
        return self.peers.child(self.place, ("refused_links", first), partial(_refused_links, first=first, after=None))


Rows = Sequence[KnownCustomer]


def _keys(rows: Rows) -> list[int]:
    return [row.key for row in rows]


def _identifiers(
    reading: Reading, rows: Rows, kinds: tuple[str, ...] | None, first: int, after: str | None
) -> list[Connection["Identifier"]]:
    pages = profiles.identifiers(reading, _keys(rows), first, after, kinds)
    made = iter(identifier.identified(reading, [row for page in pages for row in page.items]))
    return [forward(page, [next(made) for _ in page.items], MEMBERS.write, after) for page in pages]


def _devices(reading: Reading, rows: Rows, first: int, after: str | None) -> list[Connection["Device"]]:
    pages = profiles.identifiers(reading, _keys(rows), first, after, profiles.device_namespaces(reading))
    made = iter(identifier.devices(reading, [row for page in pages for row in page.items]))
    return [forward(page, [next(made) for _ in page.items], MEMBERS.write, after) for page in pages]


def _profiles(reading: Reading, rows: Rows) -> list[Mapping[str, values.Survivor]]:
    return profiles.profiles(reading, _keys(rows))


def _journeys(reading: Reading, rows: Rows, ask: Ask, peers: Peers[KnownCustomer]) -> list[Connection["Touchpoint"]]:
    pages = journeys.pages(reading, _keys(rows), ask)
    made = iter(touchpoint.touchpoints(reading, [row for page in pages for row in page.items]))

    def begun(place: int) -> bool:
        what = ("begun", repr(ask))
        return peers.child(place, what, lambda reading, rows: journeys.begun(reading, _keys(rows), ask))

    return [
        connection(
            page, [next(made) for _ in page.items], JOURNEY.write, partial(begun, place), backwards=ask.backwards
        )
        for place, page in enumerate(pages)
    ]


def _consents(reading: Reading, rows: Rows) -> list[list["Consent"]]:
    found = consents(reading, _keys(rows))
    reading.hand_out(sum(1 + len(row.others) for standing in found for row in standing.values()))
    return [[consent.consent(row) for row in standing.values()] for standing in found]


def _segments(reading: Reading, rows: Rows) -> list[list["Segment"]]:
    found = segments.of_customers(reading, rows)
    distinct = list({row.number: row for kept in found for row in kept}.values())
    made = {one.row.number: one for one in segment.segments(reading, distinct)}
    return [[made[row.number] for row in kept] for kept in found]


def _history(reading: Reading, rows: Rows, first: int, after: str | None) -> list[Connection["Decision"]]:
    pages = decisions(reading, _keys(rows), first, after)
    made = iter(ledger.decided(reading, [row for page in pages for row in page.items]))
    return [forward(page, [next(made) for _ in page.items], LEDGER.write, after) for page in pages]


def _refused_links(reading: Reading, rows: Rows, first: int, after: str | None) -> list[Connection["Link"]]:
    pages = evidence.refused_links(reading, _keys(rows), first, after)
    return identifier.link_connections(reading, pages, after)


def customers(reading: Reading, rows: Rows) -> list[Customer]:
    """Customers that are read together."""
    peers = Peers(reading, rows)
    return [
        Customer(
            row=row,
            place=place,
            peers=peers,
            first_seen=DateTime(row.first_ms),
            last_seen=DateTime(row.last_ms),
            anonymous=row.anonymous,
        )
        for place, row in enumerate(rows)
    ]


def by_key(reading: Reading, keys: Iterable[int]) -> dict[int, Customer]:
    """Customers by key, read together; keys that there are not are missing."""
    wanted = list(dict.fromkeys(keys))
    known = reading.customers(wanted)
    rows = [known[key] for key in wanted if key in known]
    return dict(zip((row.key for row in rows), customers(reading, rows), strict=True))


def found(reading: Reading, row: values.Found) -> Customer:
    """The customer that was asked for."""
    (customer,) = customers(reading, [row.customer])
    customer.requested_id = None if row.requested_id is None else strawberry.ID(row.requested_id)
    return customer
