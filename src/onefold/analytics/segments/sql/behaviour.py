"""What customers did: how often, and what numbers made of their touchpoints' properties come to.

Nothing done is done 0 times, adds up to 0 and has 0 different values; it has no average.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from onefold.analytics.segments.sql.asked import Asked, Leaf
from onefold.analytics.segments.sql.comparing import in_grains
from onefold.analytics.segments.sql.converting import converted, rate_of
from onefold.model.events import DAY_MS
from onefold.model.segments import MONEY, REVENUE, BehaviourTest, Between, CountTest, LastDays, PropertyTest, Window
from onefold.readmodel.touchpoints import condition, property_json, property_number

ONCE: Final = CountTest(at_least=1)


def query(test: BehaviourTest, asked: Asked) -> Leaf:
    """The customers who did it, or, where nothing done is enough, those who did something else."""
    negated = met_by_nothing(test)
    only = _currency(test, asked)
    counting = [matching(test, asked), *([] if only is None else [f"t.currency = {asked.bind(only)}"])]
    counts = " AND ".join(counting)
    if _at_all(test):
        return Leaf(asked.who_did(counts), negated)
    enough = " AND ".join(tests(test, asked, only))
    having = f"NOT ({enough})" if negated else enough
    return Leaf(f"SELECT i.customer FROM {asked.journeys(counts)} GROUP BY i.customer HAVING {having}", negated)


def _at_all(test: BehaviourTest) -> bool:
    """Whether no more is asked than whether it was done."""
    alone = not (test.sum or test.average or test.distinct)
    return alone and times(test) in (ONCE, CountTest(at_most=0), CountTest(is_=0))


def _currency(test: BehaviourTest, asked: Asked) -> str | None:
    """The currency in which alone a touchpoint counts for anything."""
    measures = [measure for measure in (test.sum, test.average, test.distinct) if measure is not None]
    currencies = {measure.currency for measure in measures}
    converted_ = any(rate_of(measure, asked.surroundings.rates) is not None for measure in measures)
    alone = len(currencies) == 1 and not converted_ and times(test) is None
    return currencies.pop() if alone else None


def matching(test: BehaviourTest, asked: Asked) -> str:
    """Which touchpoints count."""
    return " AND ".join([condition(test.touchpoint, asked.bind), *within(test.within, asked)])


def within(window: Window | None, asked: Asked) -> Iterator[str]:
    """That a touchpoint is in the window."""
    match window:
        case LastDays(days):
            yield f"t.at_ms > {asked.bind(asked.surroundings.now_ms - days * DAY_MS)}"
        case Between(after_ms=after_ms, before_ms=before_ms):
            if after_ms is not None:
                yield f"t.at_ms >= {asked.bind(after_ms)}"
            if before_ms is not None:
                yield f"t.at_ms < {asked.bind(before_ms)}"


def times(test: BehaviourTest) -> CountTest | None:
    """How often it has to be done; once if nothing is said."""
    said = test.times or test.sum or test.average or test.distinct
    return test.times if said else ONCE


def met_by_nothing(test: BehaviourTest) -> bool:
    """Whether who did nothing of the kind meets it."""
    count = times(test)
    told = [test.average is None]
    if count is not None:
        told.append(all(least <= 0 for least in (count.at_least, count.is_) if least is not None))
    measures = [measure for measure in (test.sum, test.distinct) if measure is not None]
    told += [(it.at_least or 0) <= 0 and (it.at_most is None or it.at_most >= 0) for it in measures]
    return all(told)


def tests(test: BehaviourTest, asked: Asked, only: str | None) -> Iterator[str]:
    """What has to hold of all touchpoints of a customer that count; never null. `only`: the currency that all of them
    are in, where that is known: looking at it again in each takes as long as adding them up."""
    count = times(test)
    if count is not None:
        for sign, number in ((">=", count.at_least), ("<=", count.at_most), ("=", count.is_)):
            if number is not None:
                yield f"count(*) {sign} {asked.bind(number)}"
    if test.sum is not None:
        yield from _sum(test.sum, asked, only)
    if test.average is not None:
        yield from _average(test.average, asked, only)
    if test.distinct is not None:
        for sign, bound in _bounds(test.distinct):
            found = value(test.distinct, asked, only)
            yield f"count(DISTINCT {found}) {sign} CAST({asked.bind(bound)} AS DECIMAL(24, 9))"


def _sum(test: PropertyTest, asked: Asked, only: str | None) -> Iterator[str]:
    for sign, bound in _bounds(test, rate_of(test, asked.surroundings.rates)):
        yield f"coalesce(sum({amount(test, asked, only)}), 0) {sign} CAST({asked.bind(bound)} AS DECIMAL(38, 9))"


def _average(test: PropertyTest, asked: Asked, only: str | None) -> Iterator[str]:
    """The sum is compared with so many times the bound: no division, no rounding."""
    for sign, bound in _bounds(test, rate_of(test, asked.surroundings.rates)):
        found = amount(test, asked, only)
        yield f"coalesce(sum({found}) {sign} CAST({asked.bind(bound)} AS DECIMAL(30, 9)) * count({found}), false)"


def _bounds(test: PropertyTest, rate: Decimal | None = None) -> Iterator[tuple[str, Decimal]]:
    """The bounds with their signs: amounts of money in the base, where they are converted."""
    for sign, bound in ((">=", test.at_least), ("<=", test.at_most)):
        if bound is not None:
            yield sign, in_grains(bound if rate is None else bound * rate)


def amount(test: PropertyTest, asked: Asked, only: str | None = None) -> str:
    """What of a touchpoint is added up: a DECIMAL of nine decimals, or null. `only`: as of `tests`."""
    found = number(test, asked)
    if rate_of(test, asked.surroundings.rates) is not None:
        return converted(found, asked)
    if test.property in MONEY and test.currency is None:
        return f"CASE WHEN t.currency IS NULL THEN {found} END"
    return _in_currency(test, found, asked, only)


def number(test: PropertyTest, asked: Asked) -> str:
    """What a touchpoint has there, in whatever currency: a DECIMAL of nine decimals, or null."""
    return "t.revenue" if test.property == REVENUE else property_number(test.property, asked.bind)


def value(test: PropertyTest, asked: Asked, only: str | None = None) -> str:
    """What of a touchpoint is told apart: JSON text, or null. `only`: as of `tests`."""
    return _in_currency(test, property_json(test.property, asked.bind), asked, only)


def _in_currency(test: PropertyTest, expression: str, asked: Asked, only: str | None) -> str:
    if test.currency in (None, only):
        return expression
    return f"CASE WHEN t.currency = {asked.bind(test.currency)} THEN {expression} END"
