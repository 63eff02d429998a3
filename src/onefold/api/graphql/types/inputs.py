"""What clients give: references, filters, events."""

import math
from enum import Enum
from typing import Any

import strawberry
from strawberry import UNSET

from onefold.api.graphql.types.scalars import DateTime, Json, iso
from onefold.errors import OnefoldError
from onefold.model import reading
from onefold.model.identifiers import IdentifierKey
from onefold.service.consents import Said
from onefold.service.values import Reference


@strawberry.input(description="An identifier as you have it; onefold normalises it.")
class IdentifierInput:
    """Becomes a key that is not yet normalised."""

    namespace: str = strawberry.field(description="Its kind, as `namespaces` lists them: `email`, `user_id`, ….")
    value: str = strawberry.field(description="Its value, such as an address.")

    def key(self) -> IdentifierKey:
        """As given."""
        return IdentifierKey(self.namespace, self.value)


@strawberry.input(
    one_of=True, description="Names a customer by an id or by one of its identifiers: give one of the two."
)
class CustomerRef:
    """Exactly one is given; graphql-core and strawberry see to that."""

    id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="An id that onefold gave out (`cus_…`, or `idn_…` of an identifier)."
    )
    identifier: IdentifierInput | None = strawberry.field(default=UNSET, description="An identifier of the customer.")

    def reference(self) -> Reference:
        """As the service takes it."""
        return self.identifier.key() if self.identifier else str(self.id)


@strawberry.input(description="A top-level property of a touchpoint that must have this value.")
class PropertyMatch:
    """A test for equality."""

    property: str = strawberry.field(description="The property's name.")
    is_: Json | None = strawberry.field(name="is", description="Its value: a text, a number, true, false or null.")

    def match(self) -> reading.PropertyMatch:
        """As the store takes it. Raises `query.invalid` for a list or an object."""
        if self.is_ is None or isinstance(self.is_, str | int | float):
            value = _comparable(self.is_) if isinstance(self.is_, int) else self.is_
            return reading.PropertyMatch(self.property, value)
        raise OnefoldError(
            "query.invalid",
            f"the value for property {self.property!r} is a list or an object",
            "Compare with a text, a number, true, false or null.",
            "is",
        )


@strawberry.input(description="Which touchpoints count: those for which everything given here holds.")
class TouchpointFilter:
    """What is not given, or null, does not restrict."""

    types: list[str] | None = strawberry.field(default=UNSET, description="Any of these types, as in `track`.")
    names: list[str] | None = strawberry.field(
        default=UNSET, description="Any of these names, as in `Order Completed`."
    )
    channels: list[str] | None = strawberry.field(default=UNSET, description="Through any of these channels.")
    campaigns: list[str] | None = strawberry.field(default=UNSET, description="Of any of these campaigns, by name.")
    properties: list[PropertyMatch] | None = strawberry.field(
        default=UNSET, description="With all of these properties."
    )
    after: DateTime | None = strawberry.field(default=UNSET, description="At this moment or later.")
    before: DateTime | None = strawberry.field(default=UNSET, description="Before this moment.")

    def filter(self) -> reading.TouchpointFilter:
        """As the store takes it. Raises `query.invalid`."""
        return reading.TouchpointFilter(
            types=_texts(self.types),
            names=_texts(self.names),
            channels=_texts(self.channels),
            campaigns=_texts(self.campaigns),
            properties=tuple(match.match() for match in self.properties or ()),
            after_ms=given(self.after),
            before_ms=given(self.before),
        )


def _comparable(value: int) -> float:
    """The number; infinite if no float is as large, as it is when it is written with an exponent."""
    try:
        float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    return value


def given(value: Any) -> Any:
    """None for what is not given."""
    return None if value is UNSET else value


def _texts(values: list[str] | None) -> tuple[str, ...] | None:
    return tuple(values) if given(values) is not None else None  # type: ignore[arg-type]  # then it is a list


@strawberry.enum(description="In which order a journey is told.")
class JourneyOrder(Enum):
    """By time; by arrival within a millisecond."""

    NEWEST_FIRST = strawberry.enum_value("newest_first", description="The last touchpoint first.")
    OLDEST_FIRST = strawberry.enum_value("oldest_first", description="The first touchpoint first.")


@strawberry.enum(description="What a judgement says of two identifiers.")
class Verdict(Enum):
    """The word of a person or a system."""

    SAME = strawberry.enum_value("same", description="They are one customer.")
    DIFFERENT = strawberry.enum_value("different", description="They are two customers.")


@strawberry.input(description="That somebody agreed to something, or withdrew that.")
class ConsentInput:
    """Becomes an identify event."""

    identifier: IdentifierInput = strawberry.field(
        description="Of whom: it counts for the customer that this identifier belongs to, and goes where it goes."
    )
    purpose: str = strawberry.field(description="What for, as in `marketing`: 1 to 100 characters; case counts.")
    given: bool = strawberry.field(description="Whether it is agreed to; false withdraws.")
    at: DateTime | None = strawberry.field(
        default=UNSET, description="When; now, if not given. With a time, recording the same again changes nothing."
    )
    reason: str | None = strawberry.field(
        default=UNSET, description="How it is known, for those who will ask: at most 2,000 characters."
    )

    def said(self) -> Said:
        """As the service takes it."""
        return Said(self.identifier.key(), self.purpose, self.given, given(self.at), given(self.reason))


@strawberry.enum(description="The types of events, as in the Segment spec.")
class EventType(Enum):
    """Of what a sender tells."""

    IDENTIFY = strawberry.enum_value("identify", description="Somebody is known by these identifiers and traits.")
    TRACK = strawberry.enum_value("track", description="Somebody did something.")
    PAGE = strawberry.enum_value("page", description="Somebody looked at a page.")
    SCREEN = strawberry.enum_value("screen", description="Somebody looked at a screen of an app.")
    GROUP = strawberry.enum_value("group", description="Somebody belongs to a company or a team.")
    ALIAS = strawberry.enum_value("alias", description="Somebody has another id than before.")


@strawberry.input(description="An event as the Segment spec has it, with two additions: `identifiers` and `channel`.")
class EventInput:
    """What the HTTP door takes as JSON; the same decoder reads it."""

    type: EventType = strawberry.field(description="What kind of event it is.")
    message_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="Yours, one per event: sending it again changes nothing."
    )
    event: str | None = strawberry.field(default=UNSET, description="What was done, for type TRACK.")
    name: str | None = strawberry.field(default=UNSET, description="Of the page or screen.")
    timestamp: DateTime | None = strawberry.field(default=UNSET, description="When it happened; now, if not given.")
    user_id: str | None = strawberry.field(default=UNSET, description="The account.")
    anonymous_id: str | None = strawberry.field(default=UNSET, description="The cookie or installation.")
    previous_id: str | None = strawberry.field(default=UNSET, description="For type ALIAS: the id from before.")
    group_id: str | None = strawberry.field(default=UNSET, description="A company or team; never an identifier.")
    identifiers: list[IdentifierInput] | None = strawberry.field(default=UNSET, description="Any other identifiers.")
    channel: str | None = strawberry.field(default=UNSET, description="`web`, `store`, `call_center`, ….")
    traits: Json | None = strawberry.field(default=UNSET, description="What is known about somebody, as an object.")
    properties: Json | None = strawberry.field(
        default=UNSET, description="What is known about the event, as an object."
    )
    context: Json | None = strawberry.field(
        default=UNSET, description="Campaign, page, device and so on, as an object."
    )

    def wire(self) -> dict[str, object]:
        """As JSON senders write it."""
        said: dict[str, object] = {
            "type": self.type.name.lower(),
            "messageId": self.message_id,
            "event": self.event,
            "name": self.name,
            "timestamp": iso(self.timestamp) if given(self.timestamp) is not None else None,  # type: ignore[arg-type]
            "userId": self.user_id,
            "anonymousId": self.anonymous_id,
            "previousId": self.previous_id,
            "groupId": self.group_id,
            "channel": self.channel,
            "traits": self.traits,
            "properties": self.properties,
            "context": self.context,
        }
        if self.identifiers:
            said["identifiers"] = [{"namespace": i.namespace, "value": i.value} for i in self.identifiers]
        return {name: value for name, value in said.items() if value is not None and value is not UNSET}
