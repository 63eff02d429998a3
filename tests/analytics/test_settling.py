"""Rules are settled before they are asked: currencies, identifiers, and what they depend on."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from onefold.analytics.segments import parse, plain
from onefold.analytics.segments.evaluate import preview
from onefold.analytics.segments.explain import explain
from onefold.analytics.segments.found import ComputedFound
from onefold.analytics.segments.names import unknown_names
from onefold.errors import OnefoldError
from onefold.model import computed_file
from onefold.model.rates import Rates
from onefold.model.segments import IdentifierTest, InSegment
from tests.analytics.rule_shop import filled, order, settled, surroundings
from tests.oracle.segments import Person, Touchpoint
from tests.property.segments.filled import FilledModel

KEY = [("email", "ann@example.com")]
RATES = Rates("EUR", {"EUR": Decimal(1), "USD": Decimal("0.5")})


def earned(least: float, currency: str | None = None, names: str = "Order Completed") -> dict[str, Any]:
    sums = {"property": "revenue", "atLeast": least, "currency": currency}
    return {"did": {"touchpoint": {"names": [names]}, "sum": sums}}


def count(model: FilledModel, value: Any, rates: Rates = Rates()) -> int:  # noqa: B008
    around = surroundings(rates)
    return preview(model, settled(model, value, around), around).count


def refused(model: FilledModel, value: Any, **options: Any) -> OnefoldError:
    with pytest.raises(OnefoldError) as raised:
        settled(model, value, **options)
    return raised.value


EUROS = [order(1, "10", "EUR"), order(2, "20", "EUR")]
MIXED = [*EUROS, order(3, "100", "USD")]


def test_the_only_currency_there_is_need_not_be_named() -> None:
    model = filled(Person(KEY, EUROS))
    assert count(model, earned(30)) == 1
    assert count(model, earned(30.01)) == 0
    assert plain.plain(settled(model, earned(30)))["did"]["sum"]["currency"] == "EUR"  # type: ignore[index]


def test_currencies_are_never_mixed_and_those_found_are_named() -> None:
    model = filled(Person(KEY, MIXED))
    problem = refused(model, {"all": [earned(30)]})
    assert (problem.code, problem.field) == ("segment.mixed_currencies", "rule.all[0].did.sum.currency")
    assert "EUR, USD" in problem.message
    assert count(model, earned(30, "EUR")) == 1
    assert count(model, earned(30.01, "EUR")) == 0
    assert count(model, earned(100, "USD")) == 1


def test_revenue_without_a_currency_is_a_currency_of_its_own() -> None:
    assert count(filled(Person(KEY, [order(1, "10", None)])), earned(10)) == 1
    problem = refused(filled(Person(KEY, [*EUROS, order(3, "10", None)])), earned(1))
    assert "EUR, no currency" in problem.message


def test_declared_rates_add_up_several_currencies_in_the_named_one_or_the_base() -> None:
    model = filled(Person(KEY, MIXED))
    assert [count(model, earned(least), RATES) for least in (80, 80.01)] == [1, 0]
    assert [count(model, earned(least, "USD"), RATES) for least in (160, 160.01)] == [1, 0]
    with_pounds = filled(Person(KEY, [*MIXED, order(4, "1", "GBP")]))
    problem = refused(with_pounds, earned(1), around=surroundings(RATES))
    assert problem.hint is not None
    assert "GBP" in problem.hint


def test_only_what_counts_is_looked_at_for_currencies() -> None:
    model = filled(Person(KEY, [*EUROS, order(3, "100", "USD", days_ago=40)]))
    recent = earned(30)
    recent["did"]["within"] = {"lastDays": 30}
    assert count(model, recent) == 1
    assert refused(model, earned(30)).code == "segment.mixed_currencies"


def test_what_is_saved_names_its_currency() -> None:
    none_yet = filled(Person(KEY))
    assert count(none_yet, earned(1)) == 0
    problem = refused(none_yet, earned(1), saved_as="new")
    assert (problem.code, problem.field) == ("segment.invalid", "rule.did.sum.currency")
    assert plain.plain(settled(none_yet, earned(1, "EUR"), saved_as="new")) == earned(1, "EUR") | {}


def test_computed_money_names_its_currency_too() -> None:
    revenue: dict[str, Any] = {"computed": {"name": "revenue", "atLeast": 30}}
    assert count(filled(Person(KEY, EUROS)), revenue) == 1
    model = filled(Person(KEY, MIXED))
    assert refused(model, revenue).field == "rule.computed.currency"
    revenue["computed"]["currency"] = "USD"
    assert count(model, revenue) == 1
    problem = refused(model, {"computed": {"name": "orders", "currency": "EUR", "is": 3}})
    assert (problem.code, problem.field) == ("segment.invalid", "rule.computed.currency")


def computed(name: str, currency: str | None = None, **compared: Any) -> dict[str, Any]:
    return {"computed": {"name": name, **({"currency": currency} if currency else {}), **compared}}


def test_declared_rates_add_up_computed_money_as_they_do_revenue() -> None:
    model = filled(Person(KEY, MIXED))
    assert [count(model, computed("revenue", atLeast=least), RATES) for least in (80, 80.01)] == [1, 0]
    assert [count(model, computed("revenue", "USD", atLeast=least), RATES) for least in (160, 160.01)] == [1, 0]
    assert count(model, computed("revenue", "USD", **{"is": 160, "in": [1, 160], "isNot": 80}), RATES) == 1
    assert [count(model, computed("average_order", "USD", atMost=most), RATES) for most in (53.34, 53.33)] == [1, 0]
    assert plain.plain(settled(model, computed("revenue", above=1), surroundings(RATES))) == computed(
        "revenue", "EUR", above=1
    )
    without = filled(Person(KEY, [*MIXED, order(4, "1", None)]))
    assert refused(without, computed("revenue", above=1), around=surroundings(RATES)).field == "rule.computed.currency"


def test_computed_money_is_shown_in_the_currency_asked_for() -> None:
    model, around = filled(Person(KEY, MIXED), Person([("email", "bob@example.com")])), surroundings(RATES)
    for name, shown in (("revenue", Decimal(160)), ("average_order", pytest.approx(53.333333, abs=1e-6))):
        told = explain(model, settled(model, computed(name, "USD", atLeast=1), around), around, 1)
        assert (told.holds, told.found) == (True, ComputedFound(shown, "USD"))
    nobody = settled(model, computed("revenue", "USD", atMost=0), around)
    assert explain(model, nobody, around, 2).found == ComputedFound(0, "USD")
    assert preview(model, nobody, around).people[0].customer == 2


def total(number: int, amount: float, currency: str | None) -> Touchpoint:
    return replace(order(number, "0", currency, total=amount), revenue=None)


@pytest.mark.parametrize("measure", ["sum", "average"])
def test_totals_are_money_as_revenue_is(measure: str) -> None:
    def come_to(least: float, currency: str | None = None) -> dict[str, Any]:
        said = {"property": "total", "atLeast": least, **({"currency": currency} if currency else {})}
        return {"did": {"touchpoint": {"names": ["Order Completed"]}, measure: said}}

    mixed = filled(Person(KEY, [total(1, 10, "EUR"), total(2, 20, "USD")]))
    problem = refused(mixed, come_to(1))
    assert (problem.code, problem.field) == ("segment.mixed_currencies", f"rule.did.{measure}.currency")
    assert [count(mixed, come_to(least, "USD")) for least in (20, 20.01)] == [1, 0]
    most = {"sum": 20, "average": 10}[measure]
    assert [count(mixed, come_to(least), RATES) for least in (most, most + 0.01)] == [1, 0]
    assert [count(mixed, come_to(2 * least, "USD"), RATES) for least in (most, most + 0.01)] == [1, 0]
    euros = filled(Person(KEY, [total(1, 10, "EUR")]))
    assert plain.plain(settled(euros, come_to(10))) == come_to(10, "EUR")
    assert count(filled(Person(KEY, [total(1, 10, None)])), come_to(10)) == 1


def test_computed_totals_are_money_as_revenue_is() -> None:
    mixed = filled(Person(KEY, [total(1, 10, "EUR"), total(2, 20, "USD")]))
    mine = computed_file.parse("""computed:
  orders: {kind: count, description: a}
  totals: {kind: sum, of: properties.total, description: a}
""")

    def asked(currency: str | None, least: float, rates: Rates) -> int:
        around = structs.replace(surroundings(rates), computed=mine)
        return preview(mixed, settled(mixed, computed("totals", currency, atLeast=least), around), around).count

    with pytest.raises(OnefoldError, match=r"segment\.mixed_currencies"):
        asked(None, 1, Rates())
    assert [asked("USD", least, Rates()) for least in (20, 20.01)] == [1, 0]
    assert [asked("EUR", least, RATES) for least in (20, 20.01)] == [1, 0]


def test_identifiers_are_normalised_and_have_to_be_some() -> None:
    model = filled(Person(KEY))
    said = {"holds": {"namespace": "email", "value": " Ann@Example.COM "}}
    assert settled(model, said) == IdentifierTest("email", "ann@example.com")
    assert count(model, said) == 1
    problem = refused(model, {"not": {"holds": {"namespace": "email", "value": "ann"}}})
    assert (problem.code, problem.field) == ("segment.invalid", "rule.not.holds.value")
    problem = refused(model, {"holds": {"namespace": "emial"}})
    assert (problem.code, problem.field) == ("segment.unknown_name", "rule.holds.namespace")
    assert problem.hint is not None
    assert problem.hint.startswith("Did you mean email?")


def test_segments_within_segments_are_there_and_lead_nowhere_back() -> None:
    model = filled(Person(KEY))
    around = surroundings(segments={"seg_a": parse.rule({"in": "seg_b"}), "seg_b": parse.rule({"consents": "a"})})
    assert settled(model, {"in": "seg_a"}, around, saved_as="seg_c") == InSegment("seg_a")
    problem = refused(model, {"all": [{"in": "seg_x"}]}, around=around)
    assert (problem.code, problem.field) == ("segment.not_found", "rule.all[0].in")
    for own in ("seg_a", "seg_b"):
        problem = refused(model, {"any": [{"consents": "b"}, {"in": "seg_a"}]}, around=around, saved_as=own)
        assert (problem.code, problem.field) == ("segment.cycle", "rule.any[1].in")


def test_segments_stand_within_one_another_so_deep_however_they_came_to() -> None:
    model = filled(Person(KEY))
    chain = {f"seg_{n}": parse.rule({"in": f"seg_{n + 1}"}) for n in range(19)} | {
        "seg_19": parse.rule({"consents": "a"})
    }
    around = surroundings(segments=chain)
    assert settled(model, {"in": "seg_1"}, around, saved_as="new") == InSegment("seg_1")
    assert "within one another" in refused(model, {"in": "seg_0"}, around=around, saved_as="new").message
    apart = surroundings(segments=chain | {"seg_z": parse.rule({"consents": "z"})})
    assert "within one another" in refused(model, {"in": "seg_z"}, around=apart, saved_as="seg_19").message
    wide = {f"seg_{n}": parse.rule({"all": [{"consents": str(i)} for i in range(199)]}) for n in range(5)}
    everyone = {"all": [{"in": id_} for id_ in wide]}
    assert "1006 conditions" in refused(model, everyone, around=surroundings(segments=wide)).message


def test_names_that_no_event_has_named_are_told_with_what_was_meant() -> None:
    model = filled(
        Person(KEY, [order(1, "10", "EUR", size=2)], traits={"plan": "vip"}, consents=[("marketing", True, 1)])
    )
    rule = parse.rule({"all": [
        {"trait": {"name": "paln", "is": 1}}, {"trait": {"name": "plan", "is": 1}}, {"consents": "Marketing"},
        {"did": {"touchpoint": {"names": ["Order Complete"], "channels": ["web"], "campaigns": ["spring sale"],
                                "types": ["trak"], "properties": [{"property": "sise", "is": 1}]},
                 "sum": {"property": "size", "currency": "USD", "atLeast": 1}}},
        {"sequence": {"steps": [{"names": ["Order Completed"]}, {"channels": ["till"]}],
                      "notFollowedBy": {"names": ["x"]}}},
    ]})  # fmt: skip
    found = {problem.field: problem.hint for problem in unknown_names(model, rule)}
    meant = {
        "rule.all[0].trait.name": "plan",
        "rule.all[2].consents": "marketing",
        "rule.all[3].did.touchpoint.types[0]": "track",
        "rule.all[3].did.touchpoint.names[0]": "Order Completed",
        "rule.all[3].did.touchpoint.campaigns[0]": "Spring Sale",
        "rule.all[3].did.touchpoint.properties[0].property": "size",
    }
    for field, name in meant.items():
        assert (found.pop(field) or "").startswith(f"Did you mean {name}? ")
    assert found == {
        "rule.all[3].did.sum.currency": "Known are EUR.",
        "rule.all[4].sequence.steps[1].channels[0]": "Known are web.",
        "rule.all[4].sequence.notFollowedBy.names[0]": "Known are Order Completed.",
    }


def test_names_of_what_is_there_are_known_however_they_are_written() -> None:
    odd = ["a.b", 'a"b', "a/b~", "ü", "", "$p1", "it's", "x\0y"]
    model = filled(Person(KEY, [order(1, "1", "EUR", **dict.fromkeys(odd, 1))]))
    match = [{"property": name, "is": 1} for name in odd]
    assert unknown_names(model, parse.rule({"did": {"touchpoint": {"properties": match}}})) == []
