"""Journeys summed up: summaries, sessions and computed traits of customers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Private

from onefold.analytics import money as amounts
from onefold.analytics import sessions as visits
from onefold.analytics import summaries as sums
from onefold.analytics.computed.asked import Value
from onefold.api.graphql.scopes import READ
from onefold.api.graphql.types import identifier
from onefold.api.graphql.types.connections import Connection, forward
from onefold.api.graphql.types.fields import resolved
from onefold.api.graphql.types.scalars import DateTime, Decimal, Json, Seq
from onefold.model.reading import KnownCustomer
from onefold.service import summaries
from onefold.service.pages import SESSIONS
from onefold.service.reading import Reading

if TYPE_CHECKING:
    from onefold.api.graphql.types.identifier import IdentifierKey

Rows = Sequence[KnownCustomer]
LazyKey = Annotated["IdentifierKey", strawberry.lazy("onefold.api.graphql.types.identifier")]


@strawberry.type(
    description="An amount of money. Amounts in different currencies are never added up.", directives=[READ]
)
class Money:
    """Exact."""

    amount: Decimal = strawberry.field(description="How much, to nine decimals.")
    currency: str | None = strawberry.field(description="Three letters, ISO 4217; null where the event named none.")


@strawberry.type(description="What came through one channel.", directives=[READ])
class ChannelSummary:
    """Counts of its touchpoints."""

    channel: str = strawberry.field(description="`web`, `app`, `store`, `call_center`, …; `unknown` if nothing told.")
    touchpoints: int = strawberry.field(description="How many touchpoints there are.")
    orders: int = strawberry.field(description="How many of them are orders.")
    revenue: list[Money] = strawberry.field(description="What the orders brought in, in each currency.")


@strawberry.type(
    description="A customer's journey in a few numbers. What an order is, `computed.yaml` says: its trait `orders`.",
    directives=[READ],
)
class Summary:
    """As the read model has it."""

    row: Private[sums.Summary]
    touchpoints: int = strawberry.field(description="How many touchpoints there are.")
    sessions: int = strawberry.field(description="How many sessions they make.")
    orders: int = strawberry.field(description="How many of them are orders.")
    revenue: list[Money] = strawberry.field(description="What the orders brought in, in each currency.")
    first_at: DateTime | None = strawberry.field(description="When the first touchpoint happened.")
    last_at: DateTime | None = strawberry.field(description="When the last one happened.")
    last_order_at: DateTime | None = strawberry.field(description="When the last order was made.")
    days_since_first: int | None = strawberry.field(description="Whole days since the first touchpoint.")
    days_since_last: int | None = strawberry.field(description="Whole days since the last one.")
    days_since_order: int | None = strawberry.field(description="Whole days since the last order.")
    first_channel: str | None = strawberry.field(description="The channel of the first touchpoint.")
    last_channel: str | None = strawberry.field(description="The channel of the last one.")
    first_campaign: str | None = strawberry.field(description="The first campaign that a touchpoint came from.")
    as_of_seq: Seq = strawberry.field(description="How far in the change feed this reaches.")

    @resolved("The channels, the busiest first.")
    def channels(
        self, first: Annotated[int, strawberry.argument(description="How many, at most 500.")] = 20
    ) -> list[ChannelSummary]:
        """Known already."""
        return [_channel(row) for row in self.row.channels[: max(first, 0)]]


@strawberry.type(
    description="What a customer did in one go: touchpoints with no long pause between them (30 minutes, unless "
    "`session_minutes` says otherwise), through whatever devices and channels.",
    directives=[READ],
)
class Session:
    """One session."""

    start: DateTime = strawberry.field(description="When its first touchpoint happened.")
    end: DateTime = strawberry.field(description="When its last touchpoint happened.")
    touchpoints: int = strawberry.field(description="How many touchpoints it has.")
    entry: str = strawberry.field(description="What it began with: the name of the first touchpoint, else its type.")
    first_channel: str = strawberry.field(description="The channel of the first touchpoint.")
    last_channel: str = strawberry.field(description="The channel of the last one.")
    first_campaign: str | None = strawberry.field(description="The first campaign that a touchpoint came from.")
    device: LazyKey | None = strawberry.field(description="The first device that it came through.")
    orders: int = strawberry.field(description="How many of its touchpoints are orders.")
    revenue: list[Money] = strawberry.field(description="What the orders brought in, in each currency.")


@strawberry.type(
    description="A computed trait, as `computed.yaml` declares it, with its value for one customer. Segments test it.",
    directives=[READ],
)
class ComputedTrait:
    """One value."""

    row: Private[Value]
    name: str = strawberry.field(description="Its name: `orders`, `first_channel`, ….")
    currency: str | None = strawberry.field(
        description="Of a value that is money: its currency. Null where the events named none."
    )
    description: str = strawberry.field(description="What it means.")

    @resolved("The value: a number or a text; of a property, any JSON value.")
    def value(self) -> Json:
        """As JSON."""
        return Json(self.row.value)


def summed_up(reading: Reading, rows: Rows) -> list[Summary]:
    """The summary of each customer."""
    found = summaries.summed_up(reading, rows)
    reading.hand_out(sum(len(row.channels) + len(row.revenue) for row in found))
    return [_summary(row, reading.asking().as_of_seq) for row in found]


def session_pages(reading: Reading, rows: Rows, first: int, after: str | None) -> list[Connection[Session]]:
    """A page of the sessions of each customer."""
    pages = summaries.session_pages(reading, rows, first, after)
    reading.hand_out(sum(1 + len(row.revenue) for page in pages for row in page.items))
    return [forward(page, [_session(row) for row in page.items], SESSIONS.write, after) for page in pages]


def computed(reading: Reading, rows: Rows, names: tuple[str, ...] | None) -> list[list[ComputedTrait]]:
    """The computed traits of each customer."""
    found = summaries.computed(reading, rows, names)
    reading.hand_out(sum(map(len, found)))
    return [[_computed(value) for value in values] for values in found]


def _computed(row: Value) -> ComputedTrait:
    return ComputedTrait(row=row, name=row.trait.name, currency=row.currency, description=row.trait.description)


def _money(rows: Sequence[amounts.Money]) -> list[Money]:
    return [Money(amount=Decimal(row.amount), currency=row.currency) for row in rows]


def _moment(at_ms: int | None) -> DateTime | None:
    return None if at_ms is None else DateTime(at_ms)


def _channel(row: sums.Channel) -> ChannelSummary:
    return ChannelSummary(
        channel=row.channel, touchpoints=row.touchpoints, orders=row.orders, revenue=_money(row.revenue)
    )


def _summary(row: sums.Summary, as_of_seq: int) -> Summary:
    return Summary(
        row=row,
        touchpoints=row.touchpoints,
        sessions=row.sessions,
        orders=row.orders,
        revenue=_money(row.revenue),
        first_at=_moment(row.first_ms),
        last_at=_moment(row.last_ms),
        last_order_at=_moment(row.last_order_ms),
        days_since_first=row.days_since_first,
        days_since_last=row.days_since_last,
        days_since_order=row.days_since_order,
        first_channel=row.first_channel,
        last_channel=row.last_channel,
        first_campaign=row.first_campaign,
        as_of_seq=Seq(as_of_seq),
    )


def _session(row: visits.Session) -> Session:
    return Session(
        start=DateTime(row.start_ms),
        end=DateTime(row.end_ms),
        touchpoints=row.touchpoints,
        entry=row.entry,
        first_channel=row.first_channel,
        last_channel=row.last_channel,
        first_campaign=row.first_campaign,
        device=None if row.device is None else identifier.key(row.device),
        orders=row.orders,
        revenue=_money(row.revenue),
    )
