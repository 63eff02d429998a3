"""Asking for computed traits of a few customers: all that is wanted of all of them in one statement."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from onefold.analytics.computed.values import COLUMNS, Question, by_currency
from onefold.analytics.money import plain
from onefold.model.computed import ComputedTrait, Kind, Property
from onefold.readmodel.touchpoints import Parameters, journeys

if TYPE_CHECKING:
    from onefold.readmodel.model import Asking

TELL: Final = "WITH told AS MATERIALIZED (SELECT {columns} FROM {journeys}) {values}"
ONE: Final = "SELECT {trait} AS trait, customer, currency, CAST(value AS VARCHAR) AS value FROM ({relation})"


class Value(msgspec.Struct, frozen=True):
    """The value of a computed trait of one customer.

    Attributes:
        value: as JSON text.
        currency: of money; None where nobody named it, and of what is no money.
    """

    trait: ComputedTrait
    value: str
    currency: str | None = None


def values(
    asking: "Asking", traits: Sequence[ComputedTrait], customers: Sequence[int], *, now_ms: int, session_ms: int
) -> dict[int, list[Value]]:
    """By customer the values that it has of these traits, in their order, one in each currency in plain order (without
    one first). Customers are keys of the read model's."""
    found: dict[int, dict[int, list[Value]]] = {customer: {} for customer in customers}
    if customers and traits:
        parameters = Parameters()
        sql = _statement(traits, parameters, list(customers), now_ms, session_ms)
        for place, customer, currency, text in asking.rows(sql, parameters.values):
            trait = traits[place]
            found[customer].setdefault(place, []).append(Value(trait, _json(trait, text), currency))
    return {customer: _ordered(traits, by_place) for customer, by_place in found.items()}


def _statement(
    traits: Sequence[ComputedTrait], parameters: Parameters, customers: list[int], now_ms: int, session_ms: int
) -> str:
    bind = parameters.bind
    question = Question(bind=bind, now_ms=now_ms, session_ms=session_ms, told="told")
    relations = [ONE.format(trait=place, relation=by_currency(trait, question)) for place, trait in enumerate(traits)]
    columns = [*COLUMNS, "body"] if any(_reads_body(trait) for trait in traits) else COLUMNS
    told = journeys(f"(SELECT unnest({bind(customers)}) AS customer)")
    return TELL.format(columns=", ".join(columns), journeys=told, values=" UNION ALL ".join(relations))


def _reads_body(trait: ComputedTrait) -> bool:
    return isinstance(trait.of, Property) or bool(trait.touchpoints.properties)


def _ordered(traits: Sequence[ComputedTrait], by_place: dict[int, list[Value]]) -> list[Value]:
    """Where there is nothing, and nothing is a number, it is told."""
    told: list[Value] = []
    for place, trait in enumerate(traits):
        found = by_place.get(place, [])
        if not found and trait.nothing is not None and not trait.by_currency:
            found = [Value(trait, str(trait.nothing), trait.currency)]
        told += sorted(found, key=lambda value: value.currency or "")
    return told


def _json(trait: ComputedTrait, text: str) -> str:
    """What DuckDB writes, as JSON."""
    match trait.kind:
        case Kind.FIRST | Kind.LAST:
            return text if trait.is_json else msgspec.json.encode(text).decode()
        case Kind.SUM:
            return plain(Decimal(text))
        case Kind.AVERAGE:
            return repr(float(text)).removesuffix(".0")
    return text
