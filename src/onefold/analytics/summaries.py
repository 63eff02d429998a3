"""Journeys summed up: what there is to say of a customer in a few numbers."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from onefold.analytics.computed.values import COLUMNS
from onefold.analytics.money import Money, money
from onefold.model.events import DAY_MS
from onefold.model.reading import TouchpointFilter
from onefold.readmodel.sessions import counts
from onefold.readmodel.touchpoints import PLACE, Parameters, condition, journeys

if TYPE_CHECKING:
    from onefold.readmodel.model import Asking

SUMMARIES: Final = f"""
WITH told AS MATERIALIZED (
    SELECT {", ".join(COLUMNS)}, {{is_order}} AS is_order FROM {{journeys}} t
), totals AS (
    SELECT customer, count(*) AS touchpoints, count(*) FILTER (is_order) AS orders,
        min(at_ms) AS first_ms, max(at_ms) AS last_ms, max(at_ms) FILTER (is_order) AS last_order_ms,
        arg_min(channel, {PLACE}) AS first_channel, arg_max(channel, {PLACE}) AS last_channel,
        arg_min(campaign, {PLACE}) AS first_campaign
    FROM told t GROUP BY ALL
), visits AS (
    {counts("told", "{session_ms}")}
), lines AS (
    SELECT customer, channel, is_order AND revenue IS NOT NULL AS paid, CASE WHEN paid THEN currency END AS currency,
        count(*) AS touchpoints, count(*) FILTER (is_order) AS orders, sum(revenue) FILTER (paid) AS amount
    FROM told GROUP BY ALL
), channels AS (
    SELECT customer, list(lines) AS lines FROM lines GROUP BY ALL
)
SELECT t.*, v.value AS sessions, c.lines
FROM totals t JOIN visits v ON v.customer = t.customer JOIN channels c ON c.customer = t.customer
"""


class Channel(msgspec.Struct, frozen=True):
    """What came through one channel."""

    channel: str
    touchpoints: int
    orders: int
    revenue: tuple[Money, ...]


class Summary(msgspec.Struct, frozen=True):
    """A journey summed up. Who has no touchpoints has no times, channels and days.

    Attributes:
        first_campaign: of the first touchpoint that came from one.
        channels: the busiest first. revenue: of orders.
        days_since_first, days_since_last, days_since_order: whole days; 0 for what is ahead of now.
    """

    touchpoints: int = 0
    sessions: int = 0
    orders: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    last_order_ms: int | None = None
    first_channel: str | None = None
    last_channel: str | None = None
    first_campaign: str | None = None
    days_since_first: int | None = None
    days_since_last: int | None = None
    days_since_order: int | None = None
    revenue: tuple[Money, ...] = ()
    channels: tuple[Channel, ...] = ()


def summaries(
    asking: "Asking", customers: Sequence[int], *, orders: TouchpointFilter, session_ms: int, now_ms: int
) -> dict[int, Summary]:
    """By customer its journey, summed up."""
    found = dict.fromkeys(customers, Summary())
    if not customers:
        return found
    parameters = Parameters()
    bind = parameters.bind
    sql = SUMMARIES.format(
        is_order=condition(orders, bind),
        journeys=journeys(f"(SELECT unnest({bind(list(customers))}) AS customer)"),
        session_ms=bind(session_ms),
    )
    for row in asking.rows(sql, parameters.values):
        found[row[0]] = _summary(row, now_ms)
    return found


def _summary(row: tuple[Any, ...], now_ms: int) -> Summary:
    _, touchpoints, orders, first_ms, last_ms, last_order_ms, first_channel, last_channel, campaign, visits, lines = row
    return Summary(
        touchpoints=touchpoints,
        sessions=visits,
        orders=orders,
        first_ms=first_ms,
        last_ms=last_ms,
        last_order_ms=last_order_ms,
        first_channel=first_channel,
        last_channel=last_channel,
        first_campaign=campaign,
        days_since_first=_days(first_ms, now_ms),
        days_since_last=_days(last_ms, now_ms),
        days_since_order=None if last_order_ms is None else _days(last_order_ms, now_ms),
        revenue=_revenue(lines),
        channels=_channels(lines),
    )


def _days(at_ms: int, now_ms: int) -> int:
    return max(now_ms - at_ms, 0) // DAY_MS


def _revenue(lines: list[dict[str, Any]]) -> tuple[Money, ...]:
    amounts: dict[str | None, Decimal] = {}
    for line in lines:
        if line["paid"]:
            amounts[line["currency"]] = amounts.get(line["currency"], Decimal(0)) + line["amount"]
    return money(amounts)


def _channels(lines: list[dict[str, Any]]) -> tuple[Channel, ...]:
    by_channel: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        by_channel.setdefault(line["channel"], []).append(line)
    channels = [
        Channel(name, sum(line["touchpoints"] for line in of), sum(line["orders"] for line in of), _revenue(of))
        for name, of in by_channel.items()
    ]
    return tuple(sorted(channels, key=lambda channel: (-channel.touchpoints, channel.channel)))
