"""A journey summed up, for people and as JSON."""

from collections.abc import Sequence
from typing import Any

import msgspec

from onefold.analytics.computed.asked import Value
from onefold.analytics.money import Money
from onefold.analytics.sessions import Session
from onefold.analytics.summaries import Channel, Summary
from onefold.cli.answers.output import Screen, iso, moment
from onefold.cli.answers.shapes import Shape, key
from onefold.cli.words import name, short
from onefold.service import Reading


def show_summary(screen: Screen, summary: Summary, computed: Sequence[Value]) -> None:
    """The computed traits, and what came through each channel, the busiest first."""
    rows = [(value.trait.name, _said(value), value.currency or "", value.trait.description) for value in computed]
    screen.table(("computed", "value", "currency", "what it means"), rows, right=("value",))
    screen.line()
    channels = [
        (short(row.channel), str(row.touchpoints), str(row.orders), _amounts(row.revenue)) for row in summary.channels
    ]
    screen.table(("channel", "touchpoints", "orders", "revenue"), channels, right=("touchpoints", "orders", "revenue"))


def show_sessions(screen: Screen, sessions: Sequence[Session]) -> None:
    """One line a session, the newest first."""
    rows = [
        (
            moment(row.start_ms),
            moment(row.end_ms),
            str(row.touchpoints),
            short(row.entry),
            row.first_channel
            if row.first_channel == row.last_channel
            else f"{row.first_channel} to {row.last_channel}",
            short(row.first_campaign or ""),
            "" if row.device is None else name(row.device),
            _amounts(row.revenue),
        )
        for row in sessions
    ]
    columns = ("from", "to", "touchpoints", "began with", "channel", "campaign", "device", "revenue")
    screen.table(columns, rows, right=("touchpoints", "revenue"))


def _said(value: Value) -> str:
    said = msgspec.json.decode(value.value)
    return short(said if isinstance(said, str) else value.value)


def _amounts(revenue: Sequence[Money]) -> str:
    return ", ".join(f"{row.amount} {row.currency or ''}".strip() for row in revenue)


def summary(row: Summary, reading: Reading) -> Shape:
    """A summary as GraphQL has it."""
    return {
        "touchpoints": row.touchpoints,
        "sessions": row.sessions,
        "orders": row.orders,
        "revenue": _money(row.revenue),
        "firstAt": _iso(row.first_ms),
        "lastAt": _iso(row.last_ms),
        "lastOrderAt": _iso(row.last_order_ms),
        "daysSinceFirst": row.days_since_first,
        "daysSinceLast": row.days_since_last,
        "daysSinceOrder": row.days_since_order,
        "firstChannel": row.first_channel,
        "lastChannel": row.last_channel,
        "firstCampaign": row.first_campaign,
        "asOfSeq": str(reading.asking().as_of_seq),
        "channels": [_channel(channel) for channel in row.channels],
    }


def computed(row: Value) -> Shape:
    """The value of a computed trait."""
    return {
        "name": row.trait.name,
        "value": msgspec.Raw(row.value.encode()),
        "currency": row.currency,
        "description": row.trait.description,
    }


def session(row: Session) -> Shape:
    """A session."""
    return {
        "start": iso(row.start_ms),
        "end": iso(row.end_ms),
        "touchpoints": row.touchpoints,
        "entry": row.entry,
        "firstChannel": row.first_channel,
        "lastChannel": row.last_channel,
        "firstCampaign": row.first_campaign,
        "device": row.device and key(row.device),
        "orders": row.orders,
        "revenue": _money(row.revenue),
    }


def _channel(row: Channel) -> Shape:
    return {
        "channel": row.channel,
        "touchpoints": row.touchpoints,
        "orders": row.orders,
        "revenue": _money(row.revenue),
    }


def _money(rows: Sequence[Money]) -> list[Any]:
    return [{"amount": row.amount, "currency": row.currency} for row in rows]


def _iso(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso(at_ms)
