"""Tests of what customers are: traits, computed traits, identifiers and consent."""

from typing import Final

from onefold.analytics.computed.values import Question, by_currency, relation
from onefold.analytics.segments.sql.asked import Asked, Leaf
from onefold.analytics.segments.sql.comparing import Value, condition, met_by_zero, met_without
from onefold.analytics.segments.sql.converting import computed_rate, converted, in_base
from onefold.analytics.segments.surroundings import Surroundings
from onefold.errors import OnefoldError
from onefold.model.computed import ComputedTrait, Kind
from onefold.model.segments import Comparison, ComputedTest, ConsentTest, IdentifierTest, TraitTest
from onefold.model.yaml_file import suggestion

TRAIT: Final = Value(
    json="p.value",
    canonical=True,
    number="p.number",
    text="CASE WHEN starts_with(p.value, '\"') THEN json_extract_string(p.value, '$') END",
    time_ms="p.time_ms",
)
JSON_VALUE: Final = Value(
    json="v.value",
    number="TRY_CAST(v.value AS DOUBLE)",
    text="CASE WHEN starts_with(v.value, '\"') THEN json_extract_string(v.value, '$') END",
)
TEXT_VALUE: Final = Value(text="v.value")
EXACT_VALUE: Final = Value(number="v.value", exact=True)
DOUBLE_VALUE: Final = Value(number="v.value")


def trait(test: TraitTest, asked: Asked) -> Leaf:
    """By the claim that gives the trait its value in the profile."""
    negated = met_without(test.comparison)
    met = "true" if negated else condition(test.comparison, TRAIT, asked.bind)
    profiles = f"internal.profiles p WHERE p.trait = {asked.bind(test.name)}{asked.of_people}"
    return Leaf(f"SELECT p.customer FROM {profiles} AND {met}", negated)


def computed(test: ComputedTest, asked: Asked) -> Leaf:
    """By the value that the trait is computed to; it may be 0, or none, of those whom it says nothing of."""
    trait_ = declared(test, asked.surroundings)
    zero = trait_.nothing is not None
    comparison = compared(test, asked.surroundings)
    negated = met_by_zero(comparison) if zero else met_without(comparison)
    met = condition(comparison, kind_of(trait_), asked.bind)
    if negated:
        met = f"NOT ({met})" if zero else "true"
    return Leaf(f"SELECT v.customer FROM ({values(test, asked)}) v WHERE {met}", negated)


def declared(test: ComputedTest, surroundings: Surroundings) -> ComputedTrait:
    """The computed trait. Raises `segment.unknown_name` when it was taken away since the rule was settled."""
    found = surroundings.computed.get(test.name)
    if found is not None:
        return found
    mistake = f"no computed trait is called {test.name[:60]!r}"
    raise OnefoldError("segment.unknown_name", mistake, suggestion(test.name, list(surroundings.computed)))


def compared(test: ComputedTest, surroundings: Surroundings) -> Comparison:
    """What is asked of the values that `values` finds."""
    return in_base(test.comparison, computed_rate(test, declared(test, surroundings), surroundings.rates))


def values(test: ComputedTest, asked: Asked) -> str:
    """A query for the values of a computed trait: customer, value. Money is in the base, where rates are declared for
    the currency that the test names."""
    trait_ = declared(test, asked.surroundings)
    question = question_of(asked)
    if not trait_.by_currency:
        return relation(trait_, question)
    if computed_rate(test, trait_, asked.surroundings.rates) is not None:
        return relation(trait_, question, convert=lambda amount: converted(amount, asked))
    currency = "NULL" if test.currency is None else asked.bind(test.currency)
    found = by_currency(trait_, question)
    return f"SELECT customer, value FROM ({found}) WHERE currency IS NOT DISTINCT FROM CAST({currency} AS VARCHAR)"


def question_of(asked: Asked) -> Question:
    """How computed traits are asked for here."""
    return Question(
        bind=asked.bind,
        now_ms=asked.surroundings.now_ms,
        session_ms=asked.surroundings.session_ms,
        among=asked.people if asked.restricted else None,
    )


def kind_of(trait_: ComputedTrait) -> Value:
    """How the values of a computed trait `v.value` are compared."""
    if trait_.kind in {Kind.FIRST, Kind.LAST}:
        return JSON_VALUE if trait_.is_json else TEXT_VALUE
    return DOUBLE_VALUE if trait_.kind is Kind.AVERAGE else EXACT_VALUE


def identifier(test: IdentifierTest, asked: Asked) -> Leaf:
    """Those who hold one."""
    value = "" if test.value is None else f" AND value = {asked.bind(test.value)}"
    return Leaf(f"SELECT customer FROM {asked.holders} WHERE namespace = {asked.bind(test.namespace)}{value}")


def consent(test: ConsentTest, asked: Asked) -> Leaf:
    """Those whose newest statement, over all their identifiers, is that they agree; of equals a withdrawal counts."""
    return Leaf(
        f"SELECT i.customer FROM internal.consents s JOIN {asked.holders} i ON i.number = s.identifier "
        f"WHERE s.purpose = {asked.bind(test.purpose)} GROUP BY i.customer "
        "HAVING coalesce(max(s.at_ms) FILTER (s.given) > coalesce(max(s.at_ms) FILTER (NOT s.given), -1), false)"
    )
