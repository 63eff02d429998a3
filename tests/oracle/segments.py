"""Who meets the rule of a segment (docs/segments.md), over plain lists; slow and plain on purpose."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from itertools import pairwise
from typing import Any

from onefold.model.computed import Column, ComputedTrait, Kind, Property
from onefold.model.moments import moment_ms
from onefold.model.reading import PropertyMatch, TouchpointFilter
from onefold.model.segments import (
    All,
    BehaviourTest,
    Between,
    Comparison,
    ComputedTest,
    ConsentTest,
    IdentifierTest,
    InSegment,
    LastDays,
    Not,
    PropertyTest,
    SegmentRule,
    SequenceTest,
    TraitTest,
)
from onefold.model.segments import Any as AnyOf

DAY_MS = 24 * 60 * 60 * 1000
MISSING = object()


@dataclass(frozen=True)
class Touchpoint:
    """One interaction of a person; properties are decoded JSON."""

    at_ms: int
    number: int
    type: str = "track"
    name: str | None = None
    channel: str = "web"
    campaign: str | None = None
    revenue: Decimal | None = None
    currency: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Person:
    """A customer. traits: the values of the profile, decoded; consents: (purpose, given, at_ms), one a statement."""

    identifiers: Sequence[tuple[str, str]] = ()
    touchpoints: Sequence[Touchpoint] = ()
    traits: Mapping[str, Any] = field(default_factory=dict)
    consents: Sequence[tuple[str, bool, int]] = ()


@dataclass(frozen=True)
class World:
    """What rules depend on besides the person."""

    now_ms: int
    session_ms: int = 30 * 60 * 1000
    computed: Mapping[str, ComputedTrait] = field(default_factory=dict)
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    segments: Mapping[str, SegmentRule] = field(default_factory=dict)


def meets(person: Person, rule: SegmentRule, world: World) -> bool:
    match rule:
        case All(rules):
            return all(meets(person, inner, world) for inner in rules)
        case AnyOf(rules):
            return any(meets(person, inner, world) for inner in rules)
        case Not(inner):
            return not meets(person, inner, world)
        case InSegment(id_):
            return meets(person, world.segments[id_], world)
        case BehaviourTest():
            return did(person, rule, world)
        case SequenceTest():
            return any(True for _ in matches(person, rule))
    return is_such(person, rule, world)


def is_such(person: Person, rule: SegmentRule, world: World) -> bool:
    match rule:
        case TraitTest(name, comparison):
            return compares(comparison, person.traits.get(name, MISSING))
        case ComputedTest(name, comparison, currency):
            trait = world.computed[name]
            if trait.by_currency and currency is not None and currency in world.rates:
                comparison = in_base(comparison, world.rates[currency])
            return compares(comparison, computed(person, trait, currency, world), times=False)
        case IdentifierTest(namespace, value):
            return any(key[0] == namespace and value in {None, key[1]} for key in person.identifiers)
        case ConsentTest(purpose):
            return consents(person, purpose)
    raise AssertionError(rule)


def consents(person: Person, purpose: str) -> bool:
    said = [(at_ms, not given) for about, given, at_ms in person.consents if about == purpose]
    return bool(said) and not max(said)[1]


# Values


def same(a: Any, b: Any) -> bool:
    """JSON's equality: 1 and 1.0 are equal, true and 1 are not."""
    if isinstance(a, bool) or isinstance(b, bool):
        return isinstance(a, bool) and isinstance(b, bool) and a == b
    if isinstance(a, int | float | Decimal) and isinstance(b, int | float | Decimal):
        return Decimal(repr(a) if isinstance(a, float) else a) == Decimal(repr(b) if isinstance(b, float) else b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and bool(a == b)


def compares(asked: Comparison, value: Any, times: bool = True) -> bool:
    """`times`: texts that are times are compared as times."""
    if value is MISSING:
        return asked == Comparison(exists=False)
    told = [asked.exists is not False]
    if asked.is_ is not None:
        told.append(same(asked.is_, value))
    if asked.is_not is not None:
        told.append(not same(asked.is_not, value))
    if asked.in_ is not None:
        told.append(any(same(item, value) for item in asked.in_))
    if asked.contains is not None:
        told.append(isinstance(value, str) and asked.contains in value)
    if asked.starts_with is not None:
        told.append(isinstance(value, str) and value.startswith(asked.starts_with))
    for sign, bound in (
        (">", asked.above),
        (">=", asked.at_least),
        ("<", asked.below),
        ("<=", asked.at_most),
    ):
        if bound is not None:
            told.append(ordered(value, sign, bound, times))
    return all(told)


def ordered(value: Any, sign: str, bound: Any, times: bool) -> bool:
    kinds = [kind_of(it, times) for it in (value, bound)]
    if kinds[0] is None or kinds[0][0] != kinds[1][0]:
        return False
    a, b = kinds[0][1], kinds[1][1]
    if isinstance(a, float) and isinstance(b, Decimal):
        a = Decimal(repr(a))
    elif isinstance(b, float) and isinstance(a, Decimal):
        b = Decimal(repr(b))
    return bool({">": a > b, ">=": a >= b, "<": a < b, "<=": a <= b}[sign]) if a != b else "=" in sign


def kind_of(value: Any, times: bool) -> tuple[str, Any] | Any:
    """What is compared with its like, and how; None for what has no order."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        return "number", value if isinstance(value, Decimal) else float(value)
    if isinstance(value, str):
        at_ms = moment_ms(value) if times else None
        return ("text", value.encode("utf-32-be")) if at_ms is None else ("time", at_ms)
    return None


# Touchpoints


def passes(touchpoint: Touchpoint, wanted: TouchpointFilter) -> bool:
    for value, values in (
        (touchpoint.type, wanted.types),
        (touchpoint.name, wanted.names),
        (touchpoint.channel, wanted.channels),
        (touchpoint.campaign, wanted.campaigns),
    ):
        if values is not None and value not in values:
            return False
    if wanted.after_ms is not None and touchpoint.at_ms < wanted.after_ms:
        return False
    if wanted.before_ms is not None and touchpoint.at_ms >= wanted.before_ms:
        return False
    return all(has(touchpoint, match) for match in wanted.properties)


def has(touchpoint: Touchpoint, match: PropertyMatch) -> bool:
    return match.name in touchpoint.properties and same(touchpoint.properties[match.name], match.value)


def counted(person: Person, test: BehaviourTest, world: World) -> list[Touchpoint]:
    found = [it for it in person.touchpoints if passes(it, test.touchpoint)]
    match test.within:
        case LastDays(days):
            return [it for it in found if it.at_ms > world.now_ms - days * DAY_MS]
        case Between(after_ms=after_ms, before_ms=before_ms):
            return [
                it
                for it in found
                if (after_ms is None or it.at_ms >= after_ms) and (before_ms is None or it.at_ms < before_ms)
            ]
    return found


def did(person: Person, test: BehaviourTest, world: World) -> bool:
    found = counted(person, test, world)
    if not (test.times or test.sum or test.average or test.distinct):
        return len(found) >= 1
    told = []
    if test.times is not None:
        least, most, exactly = test.times.at_least, test.times.at_most, test.times.is_
        told.append(least is None or len(found) >= least)
        told.append(most is None or len(found) <= most)
        told.append(exactly is None or len(found) == exactly)
    if test.sum is not None:
        told.append(within_bounds(sum(amounts(found, test.sum, world), Decimal()), test.sum, world))
    if test.average is not None:
        numbers = amounts(found, test.average, world)
        told.append(bool(numbers) and average_within(numbers, test.average, world))
    if test.distinct is not None:
        told.append(within_bounds(Decimal(len(distinct(found, test.distinct))), test.distinct))
    return all(told)


def bounds(test: PropertyTest, world: World | None) -> list[Decimal | None]:
    """In the base of the rates, where amounts are converted."""
    rate = world.rates[test.currency] if world and test.currency and converts(test, world) else Decimal(1)
    return [None if it is None else nine(it * rate, ROUND_HALF_EVEN) for it in (test.at_least, test.at_most)]


def within_bounds(number: Decimal, test: PropertyTest, world: World | None = None) -> bool:
    least, most = bounds(test, world)
    return (least is None or number >= least) and (most is None or number <= most)


def average_within(numbers: list[Decimal], test: PropertyTest, world: World) -> bool:
    least, most = bounds(test, world)
    total, count = sum(numbers, Decimal()), len(numbers)
    return (least is None or total >= least * count) and (most is None or total <= most * count)


def nine(number: Decimal, rounding: str) -> Decimal:
    with localcontext(prec=60):
        return number.quantize(Decimal("1e-9"), rounding)


def converts(test: PropertyTest, world: World) -> bool:
    return test.property in {"revenue", "total"} and test.currency in world.rates


def amounts(found: Sequence[Touchpoint], test: PropertyTest, world: World) -> list[Decimal]:
    if test.property in {"revenue", "total"}:
        return [amount for it in found if (amount := earned(it, test, world)) is not None]
    numbers = [number_of(it.properties.get(test.property)) for it in in_currency(found, test)]
    return [number for number in numbers if number is not None]


def earned(touchpoint: Touchpoint, test: PropertyTest, world: World) -> Decimal | None:
    own = test.property == "revenue"
    amount = touchpoint.revenue if own else number_of(touchpoint.properties.get(test.property))
    if amount is None:
        return None
    if converts(test, world):
        rate = world.rates.get(touchpoint.currency or "")
        return None if rate is None else nine(amount * rate, ROUND_HALF_UP)
    return amount if touchpoint.currency == test.currency else None


def in_currency(found: Sequence[Touchpoint], test: PropertyTest) -> list[Touchpoint]:
    return [it for it in found if test.currency in {None, it.currency}]


def number_of(value: Any) -> Decimal | None:
    """In nine decimals; none of more than 15 digits before the point."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = Decimal(repr(value))
    if abs(number) >= 10**15:
        return None
    rounded = nine(number, ROUND_HALF_UP)
    return rounded if abs(rounded) < 10**15 else None


def distinct(found: Sequence[Touchpoint], test: PropertyTest) -> list[Any]:
    different: list[Any] = []
    for touchpoint in in_currency(found, test):
        value = touchpoint.properties.get(test.property)
        if value is not None and not any(same(value, other) for other in different):
            different.append(value)
    return different


# Sequences


def matches(person: Person, test: SequenceTest) -> Iterator[list[Touchpoint]]:
    """Every way in which the steps are met that keeps the time, and is not followed by what must not follow."""
    journey = sorted(person.touchpoints, key=lambda it: (it.at_ms, it.number))
    limit_ms = None if test.within_days is None else test.within_days * DAY_MS
    for match in chains(journey, test.steps):
        if limit_ms is not None and match[-1].at_ms - match[0].at_ms > limit_ms:
            continue
        after = journey[journey.index(match[-1]) + 1 :]
        if test.not_followed_by is not None and any(
            passes(it, test.not_followed_by) and (limit_ms is None or it.at_ms <= match[-1].at_ms + limit_ms)
            for it in after
        ):
            continue
        yield match


def chains(journey: Sequence[Touchpoint], steps: Sequence[TouchpointFilter]) -> Iterator[list[Touchpoint]]:
    if not steps:
        yield []
        return
    for index, touchpoint in enumerate(journey):
        if passes(touchpoint, steps[0]):
            for rest in chains(journey[index + 1 :], steps[1:]):
                yield [touchpoint, *rest]


# Computed traits


def computed(person: Person, trait: ComputedTrait, currency: str | None, world: World) -> Any:
    """Its value, or MISSING."""
    journey = sorted(person.touchpoints, key=lambda it: (it.at_ms, it.number))
    if trait.kind is Kind.SESSIONS:
        pauses = [b.at_ms - a.at_ms for a, b in pairwise(journey)]
        return sum(pause >= world.session_ms for pause in pauses) + bool(journey)
    found = [it for it in journey if passes(it, trait.touchpoints)]
    if trait.by_currency and currency in world.rates:
        money = PropertyTest(property="revenue" if trait.of is Column.REVENUE else "total", currency=currency)
        return of_values(amounts(found, money, world), trait)
    if trait.is_money:
        found = [it for it in found if it.currency == (currency if trait.by_currency else trait.currency)]
    if trait.kind in {Kind.DAYS_SINCE_FIRST, Kind.DAYS_SINCE_LAST}:
        if not found:
            return MISSING
        at_ms = (min if trait.kind is Kind.DAYS_SINCE_FIRST else max)(it.at_ms for it in found)
        return max((world.now_ms - at_ms) // DAY_MS, 0)
    if trait.kind is Kind.COUNT:
        return len(found)
    return of_values([value for it in found if (value := part(it, trait)) is not None], trait)


def in_base(comparison: Comparison, rate: Decimal) -> Comparison:
    def converted(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(converted, value))
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        number = Decimal(repr(value))
        return number if abs(number) > 10**28 else nine(number * rate, ROUND_HALF_EVEN)

    return Comparison(**{name: converted(getattr(comparison, name)) for name in Comparison.__struct_fields__})


def part(touchpoint: Touchpoint, trait: ComputedTrait) -> Any:
    if isinstance(trait.of, Property):
        value = touchpoint.properties.get(trait.of.name)
        return number_of(value) if trait.kind in {Kind.SUM, Kind.AVERAGE} else value
    return getattr(touchpoint, str(trait.of))


def of_values(values: list[Any], trait: ComputedTrait) -> Any:
    match trait.kind:
        case Kind.SUM:
            return sum(values, Decimal())
        case Kind.DISTINCT:
            return sum(not any(same(a, b) for b in values[:index]) for index, a in enumerate(values))
        case Kind.AVERAGE if values:
            return round(float(sum(values, Decimal())) / len(values), 9)
        case Kind.FIRST if values:
            return values[0]
        case Kind.LAST if values:
            return values[-1]
    return MISSING
