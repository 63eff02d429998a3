"""How customers came into segments, and went."""

from enum import Enum
from typing import TYPE_CHECKING, Annotated, Final

import strawberry
from strawberry import Private

from onefold.api.graphql.context import Info
from onefold.api.graphql.scopes import READ
from onefold.api.graphql.types import customer as customers
from onefold.api.graphql.types import ledger, touchpoint
from onefold.api.graphql.types import segment as segments
from onefold.api.graphql.types.fields import resolved
from onefold.api.graphql.types.ledger import Decision
from onefold.api.graphql.types.scalars import DateTime, Seq
from onefold.api.graphql.types.segment import Segment
from onefold.api.graphql.types.touchpoint import Touchpoint
from onefold.model import saved
from onefold.model.ids import encode
from onefold.model.saved import Cause
from onefold.service.reading import Reading

if TYPE_CHECKING:
    from onefold.api.graphql.types.customer import Customer

LazyCustomer = Annotated["Customer", strawberry.lazy("onefold.api.graphql.types.customer")]

DECIDED: Final = frozenset({Cause.JOIN, Cause.SPLIT, Cause.JUDGEMENT})
"""The causes that are decisions."""


@strawberry.enum(description="Why a customer entered a segment, or left it.")
class MembershipCause(Enum):
    """As the log has it."""

    EVENT = strawberry.enum_value("event", description="Something the customer did, or something said of it.")
    JOIN = strawberry.enum_value("join", description="Customers turned out to be one.")
    SPLIT = strawberry.enum_value("split", description="What had been one customer came apart.")
    JUDGEMENT = strawberry.enum_value("judgement", description="Somebody judged who is who, or took that back.")
    CONSENT = strawberry.enum_value("consent", description="Consent was given, or withdrawn.")
    TIME = strawberry.enum_value("time", description="Time passed: something came to lie too far back.")
    SAVED = strawberry.enum_value("saved", description="The segment was saved for the first time.")
    CHANGED = strawberry.enum_value("changed", description="Its rule was changed, or what the rule refers to.")
    DELETED = strawberry.enum_value("deleted", description="The segment was deleted.")


@strawberry.type(
    description="A line of the log of memberships: a customer entered a segment, or left it.", directives=[READ]
)
class MembershipChange:
    """A line of the log."""

    row: Private[saved.MembershipChange]
    seq: Seq = strawberry.field(description="Its place in the log; `after` takes it. It is none of the change feed.")
    entered: bool = strawberry.field(description="Whether it entered; else it left.")
    at: DateTime = strawberry.field(description="When that was found.")
    cause: MembershipCause = strawberry.field(description="Why.")
    as_of_seq: Seq | None = strawberry.field(description="The state of the store that it was found in.")

    @resolved("The segment; null when it was deleted since.")
    def segment(self, info: Info) -> Segment | None:
        """As it is now."""
        reading = info.context.reading
        row = reading.view.segments_by_number([self.row.segment]).get(self.row.segment)
        return None if row is None or row.deleted_ms is not None else segments.segments(reading, [row])[0]

    @resolved("The id of the customer that entered or left, as it was then.")
    def customer_id(self, info: Info) -> strawberry.ID:
        """Of the anchor."""
        return strawberry.ID(_customer_id(info.context.reading, self.row))

    @resolved("The customer that this id stands for now.")
    def customer(self, info: Info) -> LazyCustomer | None:
        """By the id, as `Query.customer` finds it."""
        reading = info.context.reading
        return customers.found(reading, reading.customer(_customer_id(reading, self.row)))

    @resolved("The decision that joined, split or judged it, if that is the cause.")
    def decision(self, info: Info) -> Decision | None:
        """One of the ledger."""
        if self.row.cause_ref is None or self.row.cause not in DECIDED:
            return None
        reading = info.context.reading
        row = reading.view.decisions_by_seq([self.row.cause_ref]).get(self.row.cause_ref)
        return None if row is None else ledger.decided(reading, [row])[0]

    @resolved("The touchpoint that brought it about, if an event or a consent is the cause.")
    def touchpoint(self, info: Info) -> Touchpoint | None:
        """The newest there was."""
        if self.row.cause_ref is None or self.row.cause in DECIDED:
            return None
        reading = info.context.reading
        row = reading.view.touchpoints_by_number([self.row.cause_ref]).get(self.row.cause_ref)
        return None if row is None else touchpoint.touchpoints(reading, [row])[0]


def _customer_id(reading: Reading, row: saved.MembershipChange) -> str:
    return encode("cus", reading.identifiers([row.anchor])[row.anchor].public)


def membership_change(row: saved.MembershipChange) -> MembershipChange:
    """The type of a line of the log."""
    return MembershipChange(
        row=row,
        seq=Seq(row.number),
        entered=row.entered,
        at=DateTime(row.at_ms),
        cause=MembershipCause[row.cause.name],
        as_of_seq=None if row.as_of_seq is None else Seq(row.as_of_seq),
    )
