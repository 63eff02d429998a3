"""Makes a rule ready to be asked: what it depends on is there, identifiers are normalised, currencies are named."""

from functools import partial

from msgspec.structs import replace

from onefold.analytics.computed.values import currencies as computed_currencies
from onefold.analytics.segments.nesting import check_nesting
from onefold.analytics.segments.sql import behaviour
from onefold.analytics.segments.sql.asked import Asked
from onefold.analytics.segments.sql.leaves import question_of
from onefold.analytics.segments.surroundings import Surroundings
from onefold.errors import OnefoldError, Problem
from onefold.model.computed import ComputedTrait
from onefold.model.consents import purpose_of
from onefold.model.normalise import Normaliser
from onefold.model.segments import (
    MONEY,
    BehaviourTest,
    ComputedTest,
    ConsentTest,
    IdentifierTest,
    PropertyTest,
    SegmentRule,
    rewritten,
)
from onefold.model.yaml_file import suggestion
from onefold.readmodel.model import Asking

MIXED = "segment.mixed_currencies"


def settle(
    asking: Asking,
    rule: SegmentRule,
    surroundings: Surroundings,
    normaliser: Normaliser,
    *,
    saved_as: str | None = None,
) -> SegmentRule:
    """The rule, settled: what `evaluate`, `explain` and `expiry` take, and what is to be saved.

    Amounts of money that name no currency get the only one there is, or the base of the rates that are declared for all
    there are. So what is saved means the same when other currencies come.

    Args:
        saved_as: public id of the segment that the rule is saved as (a new one's: any other text); None: it is not.

    Raises:
        OnefoldError: with the place as its field: `segment.not_found`, `segment.cycle`, `segment.mixed_currencies`;
            `segment.unknown_name` for a namespace or computed trait that is not declared; `segment.invalid` for an
            identifier that is none, and where a rule that is saved needs a currency that cannot be known.
    """
    check_nesting(rule, surroundings.segments, saved_as)
    saving = saved_as is not None
    return rewritten(rule, partial(_settled, asking, surroundings, normaliser, saving))


def _settled(
    asking: Asking, surroundings: Surroundings, normaliser: Normaliser, saving: bool, path: str, test: SegmentRule
) -> SegmentRule:
    match test:
        case IdentifierTest():
            return _normalised(test, surroundings, normaliser, path)
        case ComputedTest():
            return _computed(asking, test, surroundings, saving, path)
        case ConsentTest(purpose):
            return ConsentTest(purpose_of(purpose) or purpose)
        case BehaviourTest():
            return _behaviour(asking, test, surroundings, saving, path)
    return test


def _normalised(test: IdentifierTest, surroundings: Surroundings, normaliser: Normaliser, path: str) -> IdentifierTest:
    if test.namespace not in surroundings.namespaces:
        names = [namespace.name for namespace in surroundings.namespaces]
        raise _unknown(f"{path}.holds.namespace", "namespace", test.namespace, names)
    if test.value is None:
        return test
    key = normaliser.key(test.namespace, test.value)
    if isinstance(key, Problem):
        field = f"{path}.holds.value"
        raise OnefoldError("segment.invalid", f"{field}: {key.message}", key.hint, field)
    return IdentifierTest(*key)


def _computed(asking: Asking, test: ComputedTest, surroundings: Surroundings, saving: bool, path: str) -> ComputedTest:
    declared = surroundings.computed.get(test.name)
    if declared is None:
        raise _unknown(f"{path}.computed.name", "computed trait", test.name, list(surroundings.computed))
    field = f"{path}.computed.currency"
    if not declared.by_currency:
        _check_currency_counts(test, declared, field)
        return test
    if test.currency is not None:
        return test
    asked = Asked(surroundings)
    found = _found(asking, asked, computed_currencies(declared, question_of(asked)))
    return replace(test, currency=_one(found, surroundings, field, saving))


def _check_currency_counts(test: ComputedTest, declared: ComputedTrait, field: str) -> None:
    if test.currency not in {None, declared.currency}:
        is_in = f"is in {declared.currency}" if declared.currency else "is no amount of money"
        raise OnefoldError("segment.invalid", f"{field}: {test.name} {is_in}", "Leave the currency out.", field)


def _behaviour(
    asking: Asking, test: BehaviourTest, surroundings: Surroundings, saving: bool, path: str
) -> BehaviourTest:
    named: dict[str, PropertyTest] = {}
    for name, measure in (("sum", test.sum), ("average", test.average)):
        if measure is None or measure.property not in MONEY or measure.currency is not None:
            continue
        asked = Asked(surroundings)
        matching = behaviour.matching(test, asked)
        counts = f"{behaviour.number(measure, asked)} IS NOT NULL"
        query = f"SELECT DISTINCT t.currency FROM {asked.journeys(f'{matching} AND {counts}')}"
        found = _found(asking, asked, query)
        field = f"{path}.did.{name}.currency"
        named[name] = replace(measure, currency=_one(found, surroundings, field, saving))
    return replace(test, sum=named.get("sum", test.sum), average=named.get("average", test.average))


def _one(found: list[str | None], surroundings: Surroundings, field: str, saving: bool) -> str | None:
    if len(found) > 1:
        if all(currency in surroundings.rates for currency in found):
            return surroundings.rates.base
        raise _mixed(field, found, surroundings)
    return _only(found, field, saving)


def _only(found: list[str | None], field: str, saving: bool) -> str | None:
    """None: what has no currency counts."""
    if found:
        return found[0]
    if saving:
        raise OnefoldError(
            "segment.invalid",
            f"{field}: there is no revenue yet whose currency could be meant",
            "Name the currency, as EUR.",
            field,
        )
    return None


def _found(asking: Asking, asked: Asked, query: str) -> list[str | None]:
    """The currencies, in order; None, for revenue without one, last."""
    found = {currency for (currency,) in asking.rows(asked.statement(query), asked.values)}
    named: list[str | None] = sorted(currency for currency in found if currency is not None)
    return [*named, None] if None in found else named


def _mixed(field: str, found: list[str | None], surroundings: Surroundings) -> OnefoldError:
    told = ", ".join("no currency" if currency is None else currency for currency in found)
    lacking = [currency for currency in found if currency is not None and currency not in surroundings.rates]
    way = f"declare rates for {', '.join(lacking)} in rates.yaml" if lacking else "see that all revenue has one"
    return OnefoldError(MIXED, f"{field}: there are amounts in {told}", f"Name one of them, or {way}.", field)


def _unknown(field: str, kind: str, name: str, known: list[str]) -> OnefoldError:
    return OnefoldError(
        "segment.unknown_name", f"{field}: no {kind} is called {name[:60]!r}", suggestion(name, known), field
    )
