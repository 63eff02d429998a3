"""Reads what was told of one customer for a test: whether the test holds, and what was found."""

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any, Final, TypeAlias

import msgspec

from onefold.analytics.segments.found import (
    BehaviourFound,
    ComputedFound,
    ConsentFound,
    Found,
    IdentifiersFound,
    SequenceFound,
    Step,
    TraitFound,
)
from onefold.analytics.segments.sql.comparing import GRAIN, met_by_zero, met_without
from onefold.analytics.segments.sql.converting import ONE, computed_rate, rate_of
from onefold.analytics.segments.sql.leaves import compared, declared
from onefold.analytics.segments.surroundings import Surroundings
from onefold.model.computed import Kind
from onefold.model.events import DAY_MS
from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import encode
from onefold.model.segments import (
    BehaviourTest,
    ComputedTest,
    ConsentTest,
    IdentifierTest,
    PropertyTest,
    SequenceTest,
    TraitTest,
)

Told: TypeAlias = Any
"""Decoded JSON as `onefold.analytics.segments.sql.telling` has it told; None where there is nothing."""
Answer: TypeAlias = tuple[bool, Found | None]


def _trait(test: TraitTest, told: Told, _: Surroundings) -> Answer:
    if told is None:
        return met_without(test.comparison), None
    key = IdentifierKey(told["namespace"], told["identifier"])
    return told["met"], TraitFound(msgspec.json.decode(told["value"]), told["source"], told["at_ms"], key)


def _computed(test: ComputedTest, told: Told, surroundings: Surroundings) -> Answer:
    trait = declared(test, surroundings)
    currency = test.currency if trait.by_currency else trait.currency
    if told is None:
        comparison = compared(test, surroundings)
        met = met_without(comparison) if trait.nothing is None else met_by_zero(comparison)
        return met, ComputedFound(trait.nothing, currency)
    value: object = told["value"]
    if trait.is_json or trait.kind not in {Kind.FIRST, Kind.LAST, Kind.SUM}:
        value = msgspec.json.decode(told["value"])
    elif trait.kind is Kind.SUM:
        value = Decimal(told["value"])
    rate = computed_rate(test, trait, surroundings.rates)
    if rate is not None:
        amount = _in_currency(Decimal(told["value"]), rate)
        value = amount if trait.kind is Kind.SUM else float(amount)
    return told["met"], ComputedFound(value, currency)


def _behaviour(test: BehaviourTest, told: Told, surroundings: Surroundings) -> Answer:
    money = test.sum or test.average or test.distinct
    return told["met"], BehaviourFound(
        told["times"],
        told["first_ms"],
        told["last_ms"],
        sum=_amount(test.sum, told["sum"], 1, surroundings) if test.sum else None,
        average=_amount(test.average, told["total"], told["count"], surroundings) if test.average else None,
        distinct=told.get("distinct"),
        currency=money.currency if money else None,
    )


def _amount(test: PropertyTest, total: str | None, count: int, surroundings: Surroundings) -> Decimal | None:
    """In the currency that the test names, in nine decimals."""
    if total is None:
        return None
    return _in_currency(Decimal(total), (rate_of(test, surroundings.rates) or ONE) * count)


def _in_currency(amount: Decimal, rate: Decimal) -> Decimal:
    """An amount in the base, so many units of which one unit of the currency is worth."""
    with localcontext(prec=60):
        return (amount / rate).quantize(GRAIN, ROUND_HALF_EVEN).normalize()


def _sequence(test: SequenceTest, told: Told, _: Surroundings) -> Answer:
    """Along the journey; `ends`: for each step, the match of all steps so far that began last."""
    limit_ms = test.within_days * DAY_MS if test.within_days else math.inf
    ends: list[tuple[Step, ...]] = [()] * len(test.steps)
    breached: SequenceFound | None = None
    for step, breach, flags in _with_breaches(told or ()):
        for index in reversed(range(len(flags))):
            if flags[index] and (index == 0 or ends[index - 1]):
                ends[index] = (*(ends[index - 1] if index else ()), step)
        match = ends[-1]
        if not flags[-1] or not match or step.at_ms - match[0].at_ms > limit_ms:
            continue
        if breach is None or breach.at_ms > step.at_ms + limit_ms:
            return True, SequenceFound(match)
        breached = breached or SequenceFound(match, breach)
    return False, breached or SequenceFound(max(ends, key=len))


def _with_breaches(told: Sequence[Any]) -> list[tuple[Step, Step | None, list[bool]]]:
    """The touchpoints in their order: each, the next that must not follow, and which steps let it through."""
    found: list[tuple[Step, Step | None, list[bool]]] = []
    breach: Step | None = None
    for at_ms, message, breaches, *flags in reversed(told):
        step = Step(encode("tp", bytes.fromhex(message)), at_ms)
        found.append((step, breach, flags))
        breach = step if breaches else breach
    return found[::-1]


def _identifiers(test: IdentifierTest, told: Told, _: Surroundings) -> Answer:
    if told is None:
        return False, None
    keys = tuple(IdentifierKey(test.namespace, value) for value in told["values"])
    return told["met"], IdentifiersFound(told["count"], keys)


def _consent(_test: ConsentTest, told: Told, _: Surroundings) -> Answer:
    if told is None:
        return False, None
    key = IdentifierKey(told["namespace"], told["identifier"])
    return told["met"], ConsentFound(told["met"], told["at_ms"], told["source"], key)


READERS: Final[Mapping[type, Callable[[Any, Told, Surroundings], Answer]]] = {
    TraitTest: _trait,
    ComputedTest: _computed,
    BehaviourTest: _behaviour,
    SequenceTest: _sequence,
    IdentifierTest: _identifiers,
    ConsentTest: _consent,
}
"""For each kind of test."""
