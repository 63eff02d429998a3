"""Writes the rule of a segment as JSON values, as `parse.rule` reads them: what stores keep and doors show."""

from datetime import UTC, datetime
from decimal import Decimal

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

Json = dict[str, object]


def plain(rule: SegmentRule) -> Json:
    """The rule as decoded JSON; what is not given is left out, times are ISO 8601."""
    match rule:
        case All(rules):
            return {"all": [plain(inner) for inner in rules]}
        case Any(rules):
            return {"any": [plain(inner) for inner in rules]}
        case Not(inner):
            return {"not": plain(inner)}
        case TraitTest(name, comparison):
            return {"trait": {"name": name, **_comparison(comparison)}}
        case ComputedTest(name, comparison, currency):
            return {"computed": _given(name=name, currency=currency) | _comparison(comparison)}
        case _:
            return _leaf(rule)


def _leaf(rule: SegmentRule) -> Json:
    match rule:
        case BehaviourTest():
            return {"did": _behaviour(rule)}
        case SequenceTest():
            return {"sequence": _sequence(rule)}
        case IdentifierTest(namespace, value):
            return {"holds": _given(namespace=namespace, value=value)}
        case ConsentTest(purpose):
            return {"consents": purpose}
        case InSegment(id_):
            return {"in": id_}
    raise AssertionError(f"{type(rule).__name__} is not a condition")


def _comparison(asked: Comparison) -> Json:
    said = _given(
        isNot=asked.is_not,
        contains=asked.contains,
        startsWith=asked.starts_with,
        above=asked.above,
        atLeast=asked.at_least,
        below=asked.below,
        atMost=asked.at_most,
        exists=asked.exists,
    )
    return _given(**{"is": asked.is_, "in": None if asked.in_ is None else list(asked.in_)}) | said


def _behaviour(test: BehaviourTest) -> Json:
    return {"touchpoint": touchpoints(test.touchpoint)} | _given(
        times=test.times and _times(test.times),
        sum=test.sum and _measure(test.sum),
        average=test.average and _measure(test.average),
        distinct=test.distinct and _measure(test.distinct),
        within=test.within and _window(test.within),
    )


def _times(asked: CountTest) -> Json:
    return _given(**{"atLeast": asked.at_least, "atMost": asked.at_most, "is": asked.is_})


def _measure(asked: PropertyTest) -> Json:
    return _given(
        property=asked.property,
        currency=asked.currency,
        atLeast=number(asked.at_least),
        atMost=number(asked.at_most),
    )


def number(amount: Decimal | None) -> int | float | None:
    """An amount as JSON has it: whole if it is."""
    if amount is None:
        return None
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _window(window: Window) -> Json:
    match window:
        case LastDays(days):
            return {"lastDays": days}
        case Between(after_ms=after_ms, before_ms=before_ms):
            return {"between": _given(after=_moment(after_ms), before=_moment(before_ms))}


def _sequence(test: SequenceTest) -> Json:
    return {"steps": [touchpoints(step) for step in test.steps]} | _given(
        withinDays=test.within_days,
        notFollowedBy=touchpoints(test.not_followed_by) if test.not_followed_by is not None else None,
    )


def touchpoints(wanted: TouchpointFilter) -> Json:
    """A filter as decoded JSON."""
    lists: Json = {
        name: list(values)
        for name, values in (
            ("types", wanted.types),
            ("names", wanted.names),
            ("channels", wanted.channels),
            ("campaigns", wanted.campaigns),
        )
        if values is not None
    }
    if wanted.properties:
        lists["properties"] = [{"property": match.name, "is": match.value} for match in wanted.properties]
    return lists | _given(after=_moment(wanted.after_ms), before=_moment(wanted.before_ms))


def _moment(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _given(**keys: object) -> Json:
    return {key: value for key, value in keys.items() if value is not None}
