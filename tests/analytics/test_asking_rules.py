"""Rules asked of the read model: pages, consent, what time alone changes, and values that look like SQL."""

import re
from decimal import Decimal
from typing import Any

import pytest

from onefold.analytics.segments import parse
from onefold.analytics.segments.evaluate import among, page, preview
from onefold.analytics.segments.expiry import is_rolling, moved
from onefold.analytics.segments.explain import explain
from onefold.analytics.segments.found import BehaviourFound, ConsentFound, IdentifiersFound, SequenceFound, TraitFound
from onefold.analytics.segments.names import unknown_names
from onefold.analytics.segments.sql import tree
from onefold.analytics.segments.sql.asked import Asked
from onefold.errors import OnefoldError
from onefold.model.ids import encode
from onefold.model.rates import Rates
from tests.analytics.rule_shop import NOW_MS, filled, order, surroundings
from tests.oracle.segments import DAY_MS, Person, Touchpoint
from tests.property.segments.filled import FilledModel

EVERYBODY: dict[str, Any] = {"did": {"touchpoint": {}, "times": {"atLeast": 0}}}
HOSTILE = [
    "'; DROP TABLE internal.touchpoints; --",
    '" OR 1=1 --',
    "$p1",
    "?",
    "{text}",
    "{0}",
    "%",
    "a\0b",
    "\\",
    "é\u2028",
]


def people(count: int) -> list[Person]:
    return [
        Person([("user_id", str(n))], consents=[("marketing", n % 3 > 0, 1)] if n % 2 else []) for n in range(count)
    ]


def ids(model: FilledModel, rule: Any, **options: Any) -> list[int]:
    return [it.customer for it in page(model, parse.rule(rule), surroundings(), **options)]


def test_pages_follow_one_another_without_gaps() -> None:
    model, rule = filled(*people(10)), parse.rule(EVERYBODY)
    seen, after, pages = [], -1, 0
    while True:
        found = preview(model, rule, surroundings(), limit=3, after=after)
        assert (found.count, found.of, found.share) == (10, 10, 1.0)
        seen += [it.customer for it in found.people]
        pages += 1
        if not found.more:
            break
        after = found.people[-1].anchor
    assert (seen, pages) == (list(range(1, 11)), 4)
    assert preview(model, rule, surroundings(), limit=0).people == ()
    assert ids(model, EVERYBODY, limit=2, after=seen[3]) == [5, 6]


def test_who_has_not_agreed_is_counted_and_left_out() -> None:
    model, rule = filled(*people(12)), parse.rule(EVERYBODY)
    found = preview(model, rule, surroundings(), consent="marketing")
    assert (found.count, found.without_consent, found.of) == (4, 8, 12)
    assert [it.customer for it in found.people] == ids(model, EVERYBODY, consent="marketing") == [2, 6, 8, 12]
    kept = among(model, rule, surroundings(), [1, 2, 3, 99], consent="marketing")
    assert [it.customer for it in kept] == [2]
    assert among(model, rule, surroundings(), []) == []


def test_a_rule_of_many_conditions_is_asked_with_one_join_and_means_the_same() -> None:
    model = filled(*(Person([("user_id", str(n))], [Touchpoint(NOW_MS, n, name=f"n{n}")]) for n in range(1, 131)))
    did = [{"did": {"touchpoint": {"names": [f"n{n}"]}}} for n in range(2, 131, 2)]
    did_not = [{"did": {"touchpoint": {"names": [f"n{n}"]}, "times": {"is": 0}}} for n in range(1, 131, 2)]
    even = {"all": [{"any": did}, *did_not]}
    assert ids(model, even) == list(range(2, 131, 2))
    assert ids(model, {"not": even}) == list(range(1, 131, 2))
    assert [it.customer for it in among(model, parse.rule(even), surroundings(), [1, 60, 129])] == [60]
    assert [explain(model, parse.rule(even), surroundings(), n).holds for n in (1, 60, 129)] == [False, True, False]
    assert tree.where(parse.rule(even), Asked(surroundings())).count("SELECT") == 1


def test_a_computed_trait_that_was_taken_away_is_told() -> None:
    gone = parse.rule({"computed": {"name": "gone", "atLeast": 1}})
    for ask in (
        lambda: preview(filled(), gone, surroundings()),
        lambda: explain(filled(*people(1)), gone, surroundings(), 1),
        lambda: moved(filled(), gone, surroundings(), 0),
        lambda: is_rolling(gone, surroundings()),
    ):
        with pytest.raises(OnefoldError, match="no computed trait is called 'gone'"):
            ask()


def test_nobody_is_there() -> None:
    found = preview(filled(), parse.rule(EVERYBODY), surroundings())
    assert (found.count, found.of, found.share, found.people) == (0, 0, 0.0, ())


@pytest.mark.parametrize("text", HOSTILE)
def test_no_value_ever_stands_in_the_sql(text: str) -> None:
    touchpoint = {
        "names": [text],
        "channels": [text],
        "campaigns": [text],
        "properties": [{"property": text, "is": text}],
    }
    measure = {"property": text, "atMost": 5}
    rule = parse.rule({"any": [
        {"trait": {"name": text + "!", "is": text, "in": [text], "contains": text, "above": text}},
        {"did": {"touchpoint": touchpoint, "sum": measure, "average": measure, "distinct": measure}},
        {"sequence": {"steps": [touchpoint, touchpoint], "notFollowedBy": touchpoint}},
        {"computed": {"name": "first_channel", "startsWith": text, "is": text}},
        {"holds": {"namespace": text + "!", "value": text}},
        {"consents": text + "!"},
    ]})  # fmt: skip
    model = filled(
        Person(
            [("user_id", text)],
            [Touchpoint(NOW_MS, 1, name=text, channel=text, campaign=text, properties={text: text})],
            {text: text},
            [(text, True, 1)],
        )
    )
    asked = Asked(surroundings())
    sql = asked.statement(f"SELECT {tree.where(rule, asked)} FROM internal.customers c")
    assert set(re.findall(r"'([^']*)'", sql)) <= {"", '"', "$", "null", "\\.0$"}
    assert text not in sql or text in {"$p1", "\\"}
    assert ids(model, {"trait": {"name": text, "is": text, "contains": text, "startsWith": text}}) == [1]
    assert ids(model, {"did": {"touchpoint": touchpoint}}) == [1]
    assert ids(model, {"computed": {"name": "first_channel", "is": text}}) == [1]
    assert ids(model, {"holds": {"namespace": "user_id", "value": text}}) == [1]
    assert preview(model, rule, surroundings()).count == 1
    assert explain(model, rule, surroundings(), 1).holds
    assert len(unknown_names(model, rule)) == 2


def viewed(*days_ago: float) -> list[Touchpoint]:
    return [Touchpoint(NOW_MS - round(days * DAY_MS), n, name="View") for n, days in enumerate(days_ago, 1)]


def test_rolling_windows_leave_out_their_first_moment_and_keep_the_future() -> None:
    model = filled(*(Person([("user_id", "a")], [Touchpoint(NOW_MS + off, n, name="View")])
                     for n, off in enumerate((-DAY_MS - 1, -DAY_MS, -DAY_MS + 1, 0, 5_000))))  # fmt: skip
    assert ids(model, {"did": {"touchpoint": {}, "within": {"lastDays": 1}}}) == [3, 4, 5]
    window = {"after": NOW_MS - DAY_MS, "before": NOW_MS}
    assert ids(model, {"did": {"touchpoint": {}, "within": {"between": window}}}) == [2, 3]
    assert ids(model, {"did": {"touchpoint": window}}) == [2, 3]


def test_time_alone_moves_those_whose_touchpoints_left_the_window() -> None:
    model = filled(*(Person([("user_id", str(n))], viewed(days)) for n, days in enumerate((6.9, 7, 7.5, 8, 9))))
    rule = parse.rule({"not": {"all": [{"did": {"touchpoint": {"names": ["View"]}, "within": {"lastDays": 7}}}]}})
    assert moved(model, rule, surroundings(), NOW_MS - DAY_MS) == {2, 3}
    assert moved(model, rule, surroundings(), NOW_MS) == set()
    assert is_rolling(rule, surroundings())
    within = surroundings(segments={"seg_a": rule})
    assert moved(model, parse.rule({"in": "seg_a"}), within, NOW_MS - DAY_MS) == {2, 3}
    since = parse.rule({"computed": {"name": "days_since_last", "atLeast": 7}})
    assert moved(model, since, surroundings(), NOW_MS - DAY_MS // 4) == {2, 4, 5}
    assert not is_rolling(parse.rule(EVERYBODY), surroundings())
    assert moved(model, parse.rule(EVERYBODY), surroundings(), 0) == set()


def test_each_condition_is_explained_by_what_was_found() -> None:
    ann = Person(
        [("user_id", "a"), ("email", "ann@example.com")],
        [
            *viewed(9, 5, 4),
            order(10, "10.50", "EUR", days_ago=2, size=3),
            order(11, "4.5", "EUR", days_ago=1, size=3.0),
        ],
        {"plan": "vip"},
        [("marketing", True, 3), ("marketing", False, 2)],
    )
    bought = {"names": ["Order Completed"]}
    measures = {
        "sum": {"property": "revenue", "currency": "EUR", "atLeast": 15},
        "average": {"property": "revenue", "currency": "EUR", "atMost": 7},
        "distinct": {"property": "size", "atMost": 1},
    }
    rule = parse.rule({"all": [
        {"trait": {"name": "plan", "is": "vip"}}, {"consents": "marketing"}, {"holds": {"namespace": "email"}},
        {"did": {"touchpoint": bought, **measures}}, {"not": {"trait": {"name": "age", "exists": True}}},
        {"sequence": {"steps": [{"names": ["View"]}, bought], "withinDays": 3}},
        {"sequence": {"steps": [{"names": ["View"]}, {"names": ["View"]}], "withinDays": 2, "notFollowedBy": bought}},
    ]})  # fmt: skip
    explained = explain(filled(ann), rule, surroundings(), 1)
    plan, agreed, email, did, age, match, broken = explained.conditions
    assert [it.holds for it in explained.conditions] == [True, True, True, False, True, True, False]
    assert isinstance(plan.found, TraitFound)
    assert (plan.found.value, plan.found.source, plan.found.identifier.value) == ("vip", "shop", "ann@example.com")
    assert isinstance(agreed.found, ConsentFound)
    assert (agreed.found.given, agreed.found.at_ms, agreed.found.identifier) == (True, 3, ("user_id", "a"))
    assert email.found == IdentifiersFound(1, (("email", "ann@example.com"),))  # type: ignore[arg-type]
    assert isinstance(did.found, BehaviourFound)
    assert (did.found.times, did.found.sum, did.found.average, did.found.distinct) == (
        2,
        Decimal(15),
        Decimal("7.5"),
        1,
    )
    assert (did.found.currency, did.found.last_ms) == ("EUR", NOW_MS - DAY_MS)
    assert age.conditions[0].found is None
    assert isinstance(match.found, SequenceFound)
    assert [it.id for it in match.found.steps] == [encode("tp", n.to_bytes(16, "big")) for n in (3, 10)]
    assert isinstance(broken.found, SequenceFound)
    assert [it.at_ms for it in broken.found.steps] == [NOW_MS - 5 * DAY_MS, NOW_MS - 4 * DAY_MS]
    assert broken.found.breach is not None
    assert broken.found.breach.at_ms == NOW_MS - 2 * DAY_MS


def test_touchpoints_in_other_currencies_count_where_they_count_for_something() -> None:
    """They are left out at once only where a rule asks for nothing but one currency."""
    model = filled(
        Person([("user_id", "one")], [order(1, "10", "EUR")]),
        Person([("user_id", "two")], [order(2, "10", "EUR"), order(3, "10", "USD")]),
        Person([("user_id", "dollars")], [order(4, "30", "USD")]),
    )
    euros, dollars = ({"property": "revenue", "currency": currency, "atLeast": 10} for currency in ("EUR", "USD"))
    orders = {"touchpoint": {"names": ["Order Completed"]}}
    assert ids(model, {"did": orders | {"sum": euros}}) == [1, 2]
    assert ids(model, {"did": orders | {"sum": euros, "average": dollars}}) == [2]
    assert ids(model, {"did": orders | {"sum": euros, "times": {"atLeast": 2}}}) == [2]
    assert ids(model, {"did": orders | {"sum": {"property": "revenue", "currency": "EUR", "atMost": 5}}}) == [3]
    rates = Rates("EUR", {"EUR": Decimal(1), "USD": Decimal("0.5")})
    rich = parse.rule({"did": orders | {"sum": euros | {"atLeast": 15}}})
    assert [it.customer for it in page(model, rich, surroundings(rates))] == [2, 3]


def test_once_never_and_up_to_once_are_three_things() -> None:
    model = filled(
        *(Person([("user_id", str(n))], [order(n * 10 + o, "1", "EUR") for o in range(n)]) for n in range(3))
    )
    for times, found in (
        (None, [2, 3]), ({"atLeast": 1}, [2, 3]), ({"is": 0}, [1]), ({"atMost": 0}, [1]), ({"atMost": 1}, [1, 2]),
        ({"is": 1}, [2]), ({"atLeast": 0}, [1, 2, 3]), ({"atLeast": 1, "atMost": 1}, [2]),
    ):  # fmt: skip
        did = {"touchpoint": {"names": ["Order Completed"]}, "times": times}
        assert ids(model, {"did": did}) == found, times
