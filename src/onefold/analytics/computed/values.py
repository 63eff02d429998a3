"""The values of computed traits as SQL over the read model: one customer's, some customers', or everybody's.

A relation of values has the columns `customer` and `value`, and one row for each customer that has any; that of the
others is `ComputedTrait.nothing`. A value is a BIGINT of counts, sessions, distinct values and days; a DECIMAL(38, 9)
of sums; a DOUBLE, rounded to nine decimals, of averages; a VARCHAR of first and last, which is JSON if they are of a
property (`ComputedTrait.is_json`).

Of a trait that has a value in each currency (`ComputedTrait.by_currency`) a relation is in the currency asked for.
Without one all there is counts: that may be asked only where `currencies` finds one at most.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from onefold.model.computed import ComputedTrait, Kind, Property
from onefold.model.events import DAY_MS
from onefold.readmodel import sessions
from onefold.readmodel.touchpoints import PLACE, Bind, condition, journeys, property_json, property_number

AGGREGATES: Final = {
    Kind.COUNT: "count(*)",
    Kind.SUM: "sum({of})",
    Kind.AVERAGE: "round(CAST(sum({of}) AS DOUBLE) / count({of}), 9)",
    Kind.DISTINCT: "count(DISTINCT {of})",
    Kind.FIRST: f"arg_min({{of}}, {PLACE})",
    Kind.LAST: f"arg_max({{of}}, {PLACE})",
    Kind.DAYS_SINCE_FIRST: "greatest(({now} - min(t.at_ms)) // {day}, 0)",
    Kind.DAYS_SINCE_LAST: "greatest(({now} - max(t.at_ms)) // {day}, 0)",
}
NUMERIC: Final = frozenset({Kind.SUM, Kind.AVERAGE})
"""Kinds that need numbers."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What relations of values need besides a trait.

    Attributes:
        bind: keeps the values of parameters.
        now_ms: the moment that days are counted to.
        session_ms: after how long without a touchpoint a session has ended.
        among: a relation with a column `customer` (its name, or a query in parentheses): only these count; None: all.
        told: a relation that holds their journeys (as `onefold.readmodel.touchpoints.journeys` has them) already, with
            the columns of COLUMNS, and `body` where a trait is of a property.
    """

    bind: Bind
    now_ms: int
    session_ms: int
    among: str | None = None
    told: str | None = None

    @property
    def journeys(self) -> str:
        """What stands behind FROM."""
        return self.told or journeys(self.among)


COLUMNS: Final = ("customer", "number", "at_ms", "type", "name", "channel", "campaign", "revenue", "currency")


def relation(
    trait: ComputedTrait,
    question: Question,
    currency: str | None = None,
    convert: Callable[[str], str] | None = None,
) -> str:
    """A query for the values of a trait, in `currency` if it has one in each.

    `convert`: makes of what the touchpoint `t` earned (SQL) the same converted, null where it does not count. Then
    `currency` says nothing, and neither does the trait's own.
    """
    if trait.kind is Kind.SESSIONS:
        return sessions.counts(question.journeys, question.bind(question.session_ms))
    of, wanted = _of(trait, question.bind), trait.currency or currency
    if convert is not None and trait.is_money:
        of, wanted = convert(of), None
    value, found = _value(trait, question, of), _found(trait, question, wanted, of)
    return f"SELECT t.customer, {value} AS value FROM {found} GROUP BY ALL"


def by_currency(trait: ComputedTrait, question: Question) -> str:
    """A query for the values of a trait in every currency: customer, currency, value. The currency is null where nobody
    named one, and of a trait that is not of money."""
    if trait.by_currency:
        of = _of(trait, question.bind)
        value, found = _value(trait, question, of), _found(trait, question, None, of)
        return f"SELECT t.customer, t.currency, {value} AS value FROM {found} GROUP BY ALL"
    own = "NULL" if trait.currency is None else question.bind(trait.currency)
    return f"SELECT customer, CAST({own} AS VARCHAR) AS currency, value FROM ({relation(trait, question)})"


def currencies(trait: ComputedTrait, question: Question) -> str:
    """A query for the currencies of a trait that has a value in each: one column, null where nobody named one."""
    return f"SELECT DISTINCT t.currency FROM {_found(trait, question, None, _of(trait, question.bind))}"


def changed(trait: ComputedTrait, question: Question, from_ms: int) -> str | None:
    """A query for the customers whose value changed between `from_ms` and the question's now by time alone; None when
    time alone never changes it."""
    if not trait.rolling:
        return None
    before = _value(trait, msgspec.structs.replace(question, now_ms=from_ms), "")
    found = _found(trait, question, None, "")
    return f"SELECT t.customer FROM {found} GROUP BY ALL HAVING {before} <> {_value(trait, question, '')}"


def _found(trait: ComputedTrait, question: Question, currency: str | None, of: str) -> str:
    """The touchpoints that count: what stands behind FROM."""
    asked = [condition(trait.touchpoints, question.bind)]
    if of:
        asked.append(f"{of} IS NOT NULL")
    if trait.is_money and currency is not None:
        asked.append(f"t.currency = {question.bind(currency)}")
    return f"{question.journeys} t WHERE {' AND '.join(asked)}"


def _value(trait: ComputedTrait, question: Question, of: str) -> str:
    """The value of those touchpoints."""
    now = question.bind(question.now_ms) if trait.rolling else ""
    return AGGREGATES[trait.kind].format(of=of, now=now, day=DAY_MS)


def _of(trait: ComputedTrait, bind: Bind) -> str:
    """What of a touchpoint counts; empty for the touchpoint as a whole."""
    match trait.of:
        case None:
            return ""
        case Property(name):
            return property_number(name, bind) if trait.kind in NUMERIC else property_json(name, bind)
        case column:
            return f"t.{column}"
