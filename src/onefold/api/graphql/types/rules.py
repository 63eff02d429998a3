"""The rules of segments as clients give them: the same tree, in the same words, as in YAML on the command line."""

import json
from dataclasses import fields, is_dataclass
from typing import Any, Final, Optional

import strawberry
from strawberry import UNSET
from strawberry.utils.str_converters import to_camel_case

from onefold.api.graphql.types.inputs import TouchpointFilter, given
from onefold.api.graphql.types.scalars import DateTime, Json
from onefold.model.saved import SegmentDraft

EQUAL: Final = "It is this JSON value: of the same kind, and equal. Null is no value; `exists: false` asks for that."
ORDERED: Final = "Numbers are compared with numbers; dates and times of ISO 8601 in time; other texts by code point."


@strawberry.input(
    description="A test of a trait in the profile. All that is given must hold; at least one must be given. A customer "
    "without the trait fails every test but `exists: false`, `isNot` too."
)
class TraitTest:
    """What is asked of one value."""

    name: str = strawberry.field(description="The trait's name, as senders write it.")
    is_: Json | None = strawberry.field(name="is", default=UNSET, description=EQUAL)
    is_not: Json | None = strawberry.field(default=UNSET, description="It is there, and is not this JSON value.")
    in_: list[Json] | None = strawberry.field(name="in", default=UNSET, description="It is one of these JSON values.")
    contains: str | None = strawberry.field(
        default=UNSET, description="It is a text that has this in it, just as written: case counts."
    )
    starts_with: str | None = strawberry.field(
        default=UNSET, description="It is a text that begins with this, just as written: case counts."
    )
    above: Json | None = strawberry.field(default=UNSET, description=f"It is greater, or later. {ORDERED}")
    at_least: Json | None = strawberry.field(default=UNSET, description="The same, or equal.")
    below: Json | None = strawberry.field(default=UNSET, description="It is less, or earlier; compared as `above`.")
    at_most: Json | None = strawberry.field(default=UNSET, description="The same, or equal.")
    exists: bool | None = strawberry.field(default=UNSET, description="Whether there is such a trait.")


@strawberry.input(description="A test of a trait that onefold computes of what customers did, such as `orders`.")
class ComputedTest:
    """What is asked of one computed value."""

    name: str = strawberry.field(description="Its name in `computed.yaml`; `computed.` may stand before it.")
    currency: str | None = strawberry.field(
        default=UNSET,
        description="Of a sum of money: in which currency, by the three letters of ISO 4217. May be left out where "
        "there is only one.",
    )
    is_: Json | None = strawberry.field(name="is", default=UNSET, description=EQUAL)
    is_not: Json | None = strawberry.field(default=UNSET, description="It is there, and is not this JSON value.")
    in_: list[Json] | None = strawberry.field(name="in", default=UNSET, description="It is one of these JSON values.")
    contains: str | None = strawberry.field(default=UNSET, description="It is a text that has this in it.")
    starts_with: str | None = strawberry.field(default=UNSET, description="It is a text that begins with this.")
    above: Json | None = strawberry.field(default=UNSET, description=f"It is greater, or later. {ORDERED}")
    at_least: Json | None = strawberry.field(default=UNSET, description="The same, or equal.")
    below: Json | None = strawberry.field(default=UNSET, description="It is less, or earlier; compared as `above`.")
    at_most: Json | None = strawberry.field(default=UNSET, description="The same, or equal.")
    exists: bool | None = strawberry.field(default=UNSET, description="Whether it has a value.")


@strawberry.input(description="How often: all that is given must hold; at least one must be given.")
class CountTest:
    """Bounds of a count."""

    at_least: int | None = strawberry.field(default=UNSET, description="So often or more.")
    at_most: int | None = strawberry.field(default=UNSET, description="So often or less; never is less, too.")
    is_: int | None = strawberry.field(name="is", default=UNSET, description="Just so often.")


@strawberry.input(description="A number made of one property of the touchpoints; give one bound or both.")
class PropertyTest:
    """Bounds of a sum, an average, or a number of different values."""

    property: str = strawberry.field(
        description="A top-level property; `revenue` stands for what a touchpoint earned, in its own currency."
    )
    currency: str | None = strawberry.field(
        default=UNSET,
        description="Only touchpoints in this currency count, by the three letters of ISO 4217. A sum of revenue must "
        "name one where there are several: sums never mix currencies.",
    )
    at_least: float | None = strawberry.field(default=UNSET, description="It is so much or more.")
    at_most: float | None = strawberry.field(default=UNSET, description="It is so much or less.")


@strawberry.input(description="From one moment to another; at least one is given.")
class Between:
    """A fixed window."""

    after: DateTime | None = strawberry.field(default=UNSET, description="At this moment or later.")
    before: DateTime | None = strawberry.field(default=UNSET, description="Before this moment.")


@strawberry.input(one_of=True, description="When: within the last days, or between two moments.")
class WindowInput:
    """A window."""

    last_days: int | None = strawberry.field(
        default=UNSET, description="Later than so many times 24 hours before now: who is in moves on with time."
    )
    between: Between | None = strawberry.field(default=UNSET, description="Between two moments.")


@strawberry.input(
    description="What a customer did: touchpoints such as these, within the window; ever, if none is given. All that "
    "is given must hold; if nothing is, at least one touchpoint."
)
class BehaviourTest:
    """Counts and sums over touchpoints."""

    touchpoint: TouchpointFilter = strawberry.field(description="Which touchpoints count; `{}` is any.")
    times: CountTest | None = strawberry.field(default=UNSET, description="How many of them there are.")
    sum: PropertyTest | None = strawberry.field(default=UNSET, description="The sum of a property over them.")
    average: PropertyTest | None = strawberry.field(
        default=UNSET, description="The average of a property over those that have it as a number."
    )
    distinct: PropertyTest | None = strawberry.field(
        default=UNSET, description="How many different values a property has over them."
    )
    within: WindowInput | None = strawberry.field(default=UNSET, description="Only touchpoints of this window.")


@strawberry.input(description="One touchpoint after another, in time; other touchpoints may lie between.")
class SequenceTest:
    """Steps in order."""

    steps: list[TouchpointFilter] = strawberry.field(description="What each step is, 1 to 10 of them.")
    within_days: int | None = strawberry.field(
        default=UNSET, description="From the first step to the last pass at most so many times 24 hours."
    )
    not_followed_by: TouchpointFilter | None = strawberry.field(
        default=UNSET, description="No such touchpoint comes after the last step, within as many days of it if given."
    )


@strawberry.input(description="Holds an identifier of this namespace; if a value is given, that one.")
class IdentifierTest:
    """What somebody is known by."""

    namespace: str = strawberry.field(description="Its kind, as `namespaces` lists them.")
    value: str | None = strawberry.field(default=UNSET, description="Its value as you have it; it is normalised.")


@strawberry.input(
    one_of=True,
    description="Who is in a segment: one condition, or several joined by `all`, `any` and `not`, to ten levels and "
    "200 conditions. Names that no event brought yet are refused, with a suggestion.",
)
class SegmentRule:
    """Exactly one is given; graphql-core and strawberry see to that."""

    all: list["SegmentRule"] | None = strawberry.field(default=UNSET, description="Every one of these holds.")
    any: list["SegmentRule"] | None = strawberry.field(default=UNSET, description="At least one of these holds.")
    not_: Optional["SegmentRule"] = strawberry.field(  # a text cannot be joined to None
        name="not", default=UNSET, description="This does not hold."
    )
    trait: TraitTest | None = strawberry.field(default=UNSET, description="A trait of the profile.")
    computed: ComputedTest | None = strawberry.field(default=UNSET, description="A computed trait.")
    did: BehaviourTest | None = strawberry.field(default=UNSET, description="Did something, so often, so long ago.")
    sequence: SequenceTest | None = strawberry.field(default=UNSET, description="Did one thing after another.")
    holds: IdentifierTest | None = strawberry.field(default=UNSET, description="Holds an identifier.")
    consents: str | None = strawberry.field(
        default=UNSET, description="Agreed to this purpose, and has not withdrawn that."
    )
    in_: strawberry.ID | None = strawberry.field(
        name="in", default=UNSET, description="Meets the rule of this saved segment: `seg_…`."
    )


@strawberry.input(description="A segment to keep.")
class SaveSegmentInput:
    """A new one, or what one becomes."""

    id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="Of the segment that becomes this; a new one, if not given."
    )
    name: str = strawberry.field(description="What it is called: no two segments have the same name.")
    description: str | None = strawberry.field(default=UNSET, description="What it is for, in your words.")
    rule: SegmentRule = strawberry.field(description="Who is in it.")
    require_consent: str | None = strawberry.field(
        default=UNSET, description="A purpose: who has not agreed to it is left out, whatever the rule says."
    )
    allow_unknown: bool = strawberry.field(
        default=False,
        description="Whether names that no event brought yet are let in, as those of a campaign that begins tomorrow.",
    )

    def draft(self) -> SegmentDraft:
        """As the service takes it; the rule is looked at there."""
        return SegmentDraft(
            name=self.name,
            rule=json.dumps(said(self.rule)),
            description=given(self.description),
            require_consent=given(self.require_consent),
        )


def said(value: object) -> object:
    """What clients gave as decoded JSON, in the words of the schema; what is not given is left out."""
    if isinstance(value, list):
        return [said(item) for item in value]
    if not is_dataclass(value):
        return value
    told = {_name(field): getattr(value, field.name) for field in fields(value)}
    return {name: said(inner) for name, inner in told.items() if inner is not UNSET}


def _name(field: Any) -> str:
    """A field as the schema calls it."""
    return str(field.graphql_name or to_camel_case(field.name))
