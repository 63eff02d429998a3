"""What a journey comes to, worked out touchpoint by touchpoint: sessions, computed traits, summaries.

A journey is a plain list; nothing here knows how the product asks. Amounts are added up as `Decimal`s.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

DAY_MS = 24 * 60 * 60 * 1000


class Told(NamedTuple):
    """One touchpoint. `revenue`: to nine decimals; `properties`: decoded JSON."""

    number: int
    at_ms: int
    type: str
    name: str | None
    channel: str
    campaign: str | None
    revenue: Decimal | None
    currency: str | None
    device: object
    properties: dict[str, Any]


Journey = Sequence[Told]
Test = Callable[[Told], bool]
Amounts = dict[str | None, Decimal]


class Wanted(NamedTuple):
    """Which touchpoints count: every part that is not None must hold."""

    types: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    campaigns: tuple[str, ...] | None = None
    properties: tuple[tuple[str, Any], ...] = ()
    after_ms: int | None = None
    before_ms: int | None = None

    def __call__(self, told: Told) -> bool:
        """Whether a touchpoint counts."""
        if self.types is not None and told.type not in self.types:
            return False
        if self.names is not None and told.name not in self.names:
            return False
        if self.channels is not None and told.channel not in self.channels:
            return False
        if self.campaigns is not None and told.campaign not in self.campaigns:
            return False
        if self.after_ms is not None and told.at_ms < self.after_ms:
            return False
        if self.before_ms is not None and told.at_ms >= self.before_ms:
            return False
        return all(name in told.properties and same(told.properties[name], value) for name, value in self.properties)


def same(a: Any, b: Any) -> bool:
    """Whether two JSON values are equal: numbers by what they come to, everything else only to its own kind."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if is_number(a) and is_number(b):
        return bool(a == b)
    return type(a) is type(b) and bool(a == b)


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def in_order(journey: Journey) -> list[Told]:
    """As it happened; of one millisecond, as it was stored."""
    return sorted(journey, key=lambda told: (told.at_ms, told.number))


def sessions(journey: Journey, session_ms: int) -> list[list[Told]]:
    """The journey cut wherever nothing happened for `session_ms` or longer, the oldest first."""
    cut: list[list[Told]] = []
    for told in in_order(journey):
        if cut and told.at_ms - cut[-1][-1].at_ms < session_ms:
            cut[-1].append(told)
        else:
            cut.append([told])
    return cut


def first(values: Iterable[Any]) -> Any:
    """The first of them that is not None; None if there is none."""
    return next((value for value in values if value is not None), None)


def earned(journey: Journey, is_order: Test) -> Amounts:
    """What the orders brought in, by currency."""
    amounts: Amounts = {}
    for told in journey:
        if is_order(told) and told.revenue is not None:
            amounts[told.currency] = amounts.get(told.currency, Decimal(0)) + told.revenue
    return amounts


def session_row(session: Journey, is_order: Test) -> dict[str, Any]:
    """One session as it is shown."""
    return {
        "start_ms": session[0].at_ms,
        "end_ms": session[-1].at_ms,
        "number": session[0].number,
        "touchpoints": len(session),
        "orders": sum(map(is_order, session)),
        "first_channel": session[0].channel,
        "last_channel": session[-1].channel,
        "first_campaign": first(told.campaign for told in session),
        "entry": session[0].name or session[0].type,
        "device": first(told.device for told in session),
        "revenue": earned(session, is_order),
    }


def summary(journey: Journey, is_order: Test, session_ms: int, now_ms: int) -> dict[str, Any]:
    """A journey in a few numbers."""
    told = in_order(journey)
    orders = [one for one in told if is_order(one)]
    channels = {one.channel for one in told}
    return {
        "touchpoints": len(told),
        "sessions": len(sessions(told, session_ms)),
        "orders": len(orders),
        "first_ms": told[0].at_ms if told else None,
        "last_ms": told[-1].at_ms if told else None,
        "last_order_ms": orders[-1].at_ms if orders else None,
        "first_channel": told[0].channel if told else None,
        "last_channel": told[-1].channel if told else None,
        "first_campaign": first(one.campaign for one in told),
        "days_since_first": days_since(told[:1], now_ms),
        "days_since_last": days_since(told[-1:], now_ms),
        "days_since_order": days_since(orders[-1:], now_ms),
        "revenue": earned(told, is_order),
        "channels": {
            channel: {
                "touchpoints": sum(one.channel == channel for one in told),
                "orders": sum(one.channel == channel for one in orders),
                "revenue": earned([one for one in told if one.channel == channel], is_order),
            }
            for channel in channels
        },
    }


def days_since(told: Journey, now_ms: int) -> int | None:
    """Whole days between the one touchpoint and now; 0 when it is ahead of now."""
    if not told:
        return None
    days = 0
    while told[0].at_ms + (days + 1) * DAY_MS <= now_ms:
        days += 1
    return days


def value(kind: str, journey: Journey, of: Callable[[Told], Any], session_ms: int, now_ms: int) -> Any:
    """The value of a computed trait over the touchpoints that count; None if it has none.

    `of`: what of a touchpoint is summed up, None if it has nothing.
    """
    told = in_order(journey)
    values = [found for found in map(of, told) if found is not None]
    counts = {"count": len(told), "sessions": len(sessions(told, session_ms)), "distinct": len(set(values))}
    if kind in counts:
        return counts[kind]
    match kind:
        case "sum":
            return sum(values, Decimal(0))
        case "average":
            return float(sum(values, Decimal(0)) / len(values)) if values else None
        case "first":
            return first(values)
        case "last":
            return first(reversed(values))
        case "days_since_first":
            return days_since(told[:1], now_ms)
        case "days_since_last":
            return days_since(told[-1:], now_ms)
    raise ValueError(kind)
