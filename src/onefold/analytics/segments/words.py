"""Conditions in words, for people who read why somebody is in a segment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any as Rule
from typing import Final

import msgspec

from onefold.analytics.segments.plain import number
from onefold.model.reading import TouchpointFilter
from onefold.model.segments import (
    All,
    Any,
    BehaviourTest,
    Between,
    Comparison,
    ComputedTest,
    ConsentTest,
    CountTest,
    IdentifierTest,
    InSegment,
    LastDays,
    Not,
    PropertyTest,
    SegmentRule,
    SequenceTest,
    TraitTest,
    Window,
)

ORDERINGS: Final = (("above", "above"), ("at_least", "at least"), ("below", "below"), ("at_most", "at most"))


def said(rule: SegmentRule) -> str:
    """A condition in words, without what hangs on it: `did Order Completed at least 2 times in the last 90 days`."""
    return SAID[type(rule)](rule)


def _trait(test: TraitTest) -> str:
    return f"{test.name} {_and(_compared(test.comparison))}"


def _computed(test: ComputedTest) -> str:
    return f"computed.{test.name}{_in(test.currency)} {_and(_compared(test.comparison))}"


def _identifier(test: IdentifierTest) -> str:
    return f"holds any {test.namespace}" if test.value is None else f"holds {test.namespace} {test.value}"


def _compared(asked: Comparison) -> Iterator[str]:
    if asked.is_ is not None:
        yield f"is {_json(asked.is_)}"
    if asked.is_not is not None:
        yield f"is not {_json(asked.is_not)}"
    if asked.in_ is not None:
        yield f"is one of {', '.join(map(_json, asked.in_)) or 'nothing'}"
    if asked.contains is not None:
        yield f"contains {_json(asked.contains)}"
    if asked.starts_with is not None:
        yield f"starts with {_json(asked.starts_with)}"
    for name, words in ORDERINGS:
        if (bound := getattr(asked, name)) is not None:
            yield f"is {words} {_json(bound)}"
    if asked.exists is not None:
        yield "exists" if asked.exists else "does not exist"


def _behaviour(test: BehaviourTest) -> str:
    parts = [f"did {touchpoints(test.touchpoint)}"]
    if test.times is not None:
        parts[0] += f" {_times(test.times)}"
    for what, asked in (("sum of", test.sum), ("average of", test.average), ("different values of", test.distinct)):
        if asked is not None:
            parts.append(f"{what} {_measure(asked)}")
    if test.within is not None:
        parts.append(_window(test.within))
    return ", ".join(parts)


def _times(asked: CountTest) -> str:
    bounds = (("", asked.is_), ("at least ", asked.at_least), ("at most ", asked.at_most))
    return _and([f"{words}{bound} {'time' if bound == 1 else 'times'}" for words, bound in bounds if bound is not None])


def _measure(asked: PropertyTest) -> str:
    bounds = (("at least", asked.at_least), ("at most", asked.at_most))
    of = _and([f"{words} {number(bound)}" for words, bound in bounds if bound is not None])
    return f"{asked.property}{_in(asked.currency)} {of}"


def _window(window: Window) -> str:
    match window:
        case LastDays(days):
            return "in the last day" if days == 1 else f"in the last {_days(days)}"
        case Between(after_ms=after_ms, before_ms=before_ms):
            return _and(list(_between(after_ms, before_ms)))


def _sequence(test: SequenceTest) -> str:
    said = "did " + ", then ".join(map(touchpoints, test.steps))
    within = f" within {_days(test.within_days)}" if test.within_days is not None else ""
    if test.not_followed_by is not None:
        return f"{said},{within and within + ','} and not {touchpoints(test.not_followed_by)} after it{within}"
    return said + (within and "," + within)


def touchpoints(wanted: TouchpointFilter) -> str:
    """A filter in words: `Order Completed (channel web)`; `anything` if it lets everything through."""
    about = [
        f"{what} {_or(values)}"
        for what, values in (("type", wanted.types), ("channel", wanted.channels), ("campaign", wanted.campaigns))
        if values is not None
    ]
    about += [f"{match.name} is {_json(match.value)}" for match in wanted.properties]
    about += _between(wanted.after_ms, wanted.before_ms)
    name = "anything" if wanted.names is None else _or(wanted.names)
    return f"{name} ({', '.join(about)})" if about else name


def _between(after_ms: int | None, before_ms: int | None) -> Iterator[str]:
    if after_ms is not None:
        yield f"since {_moment(after_ms)}"
    if before_ms is not None:
        yield f"before {_moment(before_ms)}"


def _moment(at_ms: int) -> str:
    said = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    return said.removesuffix(" 00:00")


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _in(currency: str | None) -> str:
    return f" in {currency}" if currency else ""


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _and(parts: Sequence[str] | Iterator[str]) -> str:
    return " and ".join(parts)


def _or(values: Sequence[str]) -> str:
    return " or ".join(values) or "nothing"


SAID: Final[Mapping[type, Callable[[Rule], str]]] = {
    All: lambda _: "all of these",
    Any: lambda _: "any of these",
    Not: lambda _: "not this",
    TraitTest: _trait,
    ComputedTest: _computed,
    BehaviourTest: _behaviour,
    SequenceTest: _sequence,
    IdentifierTest: _identifier,
    ConsentTest: lambda test: f"agreed to {test.purpose}",
    InSegment: lambda test: f"meets the rule of {test.id}",
}
