"""Rules of segments read from JSON: what is refused, where, and what stands in the way of too much."""

from typing import Any

import pytest

from onefold.analytics.segments import parse, plain, rule_file
from onefold.errors import OnefoldError
from onefold.model.segments import DEEPEST, MOST_CONDITIONS, MOST_STEPS, MOST_VALUES, Comparison, TraitTest, conditions

CONSENT = {"consents": "marketing"}


def refused(value: Any) -> tuple[str | None, str, str | None]:
    with pytest.raises(OnefoldError) as raised:
        parse.rule(value)
    assert raised.value.code == "segment.invalid"
    return raised.value.field, raised.value.message, raised.value.hint


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], "rule"),
        ({}, "rule"),
        (None, "rule"),
        ({"consents": None}, "rule"),
        ({"all": []}, "rule.all"),
        ({"all": CONSENT}, "rule.all"),
        ({"all": [CONSENT], "any": [CONSENT]}, "rule"),
        ({"al": [CONSENT]}, "rule"),
        ({"all": [CONSENT, {"not": {"trait": {"name": "a"}}}]}, "rule.all[1].not.trait"),
        ({"all": [CONSENT, {"trait": {"name": "a", "above": [1]}}]}, "rule.all[1].trait.above"),
        ({"trait": {"name": "a", "above": True}}, "rule.trait.above"),
        ({"trait": {"name": " ", "is": 1}}, "rule.trait.name"),
        ({"trait": {"is": 1}}, "rule.trait"),
        ({"trait": {"name": "a", "is": None}}, "rule.trait"),
        ({"trait": {"name": "a", "in": [1, None]}}, "rule.trait.in[1]"),
        ({"trait": {"name": "a", "is": float("inf")}}, "rule.trait.is"),
        ({"trait": {"name": "a", "is": 10**400}}, "rule.trait.is"),
        ({"trait": {"name": "a", "is": "\ud800"}}, "rule.trait.is"),
        ({"trait": {"name": "a", "contains": 1}}, "rule.trait.contains"),
        ({"trait": {"name": "a", "exists": "yes"}}, "rule.trait.exists"),
        ({"did": {}}, "rule.did"),
        ({"did": {"touchpoint": {"name": "a"}}}, "rule.did.touchpoint"),
        ({"did": {"touchpoint": {"names": "a"}}}, "rule.did.touchpoint.names"),
        ({"did": {"touchpoint": {"names": [1]}}}, "rule.did.touchpoint.names[0]"),
        ({"did": {"touchpoint": {"after": "yesterday"}}}, "rule.did.touchpoint.after"),
        ({"did": {"touchpoint": {"properties": [{"property": "a"}]}}}, "rule.did.touchpoint.properties[0]"),
        (
            {"did": {"touchpoint": {"properties": [{"property": "a", "is": []}]}}},
            "rule.did.touchpoint.properties[0].is",
        ),
        ({"did": {"touchpoint": {}, "times": {}}}, "rule.did.times"),
        ({"did": {"touchpoint": {}, "times": {"atLeast": -1}}}, "rule.did.times.atLeast"),
        ({"did": {"touchpoint": {}, "times": {"atLeast": 1.5}}}, "rule.did.times.atLeast"),
        ({"did": {"touchpoint": {}, "times": {"atLeast": True}}}, "rule.did.times.atLeast"),
        ({"did": {"touchpoint": {}, "sum": {"property": "a"}}}, "rule.did.sum"),
        ({"did": {"touchpoint": {}, "sum": {"property": "a", "atLeast": 0.0000000001}}}, "rule.did.sum.atLeast"),
        ({"did": {"touchpoint": {}, "sum": {"property": "a", "atLeast": 10**15}}}, "rule.did.sum.atLeast"),
        (
            {"did": {"touchpoint": {}, "sum": {"property": "a", "currency": "euro", "atLeast": 1}}},
            "rule.did.sum.currency",
        ),
        ({"did": {"touchpoint": {}, "within": {"lastDays": 0}}}, "rule.did.within.lastDays"),
        ({"did": {"touchpoint": {}, "within": {"lastDays": 1, "between": {"after": 0}}}}, "rule.did.within"),
        ({"did": {"touchpoint": {}, "within": {"between": {}}}}, "rule.did.within.between"),
        ({"sequence": {"steps": []}}, "rule.sequence.steps"),
        ({"sequence": {"steps": [{}] * (MOST_STEPS + 1)}}, "rule.sequence.steps"),
        ({"holds": {"value": "a"}}, "rule.holds"),
        ({"in": 7}, "rule.in"),
    ],
)
def test_a_mistake_is_named_by_its_place(value: Any, field: str) -> None:
    assert refused(value)[0] == field


def test_a_slip_is_answered_with_what_was_meant() -> None:
    _, message, hint = refused({"trait": {"name": "a", "startWith": "b"}})
    assert message == 'rule.trait: "startWith" is not a key that is known here'
    assert hint is not None
    assert hint.startswith("Did you mean startsWith?")


def nested(levels: int) -> dict[str, Any]:
    rule: dict[str, Any] = CONSENT
    for _ in range(levels - 1):
        rule = {"not": rule}
    return rule


def test_rules_have_so_many_levels() -> None:
    assert conditions(parse.rule(nested(DEEPEST))) == DEEPEST
    assert "levels" in refused(nested(DEEPEST + 1))[1]
    assert "levels" in refused(nested(900))[1]


def test_rules_have_so_many_conditions_and_steps_count() -> None:
    assert conditions(parse.rule({"all": [CONSENT] * (MOST_CONDITIONS - 1)})) == MOST_CONDITIONS
    assert "200" in refused({"all": [CONSENT] * MOST_CONDITIONS})[1]
    sequence: dict[str, Any] = {"sequence": {"steps": [{}] * 9}}
    assert conditions(parse.rule({"all": [sequence] * 19})) == 191
    assert "201" in refused({"all": [sequence] * 20})[1]


def test_lists_have_so_many_values() -> None:
    parse.rule({"trait": {"name": "a", "in": [1] * MOST_VALUES}})
    assert refused({"trait": {"name": "a", "in": [1] * (MOST_VALUES + 1)}})[0] == "rule.trait.in"
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    assert "deep" in refused({"trait": {"name": "a", "is": deep}})[1]


def test_what_is_null_is_not_given() -> None:
    assert parse.rule({"trait": {"name": "a", "is": 1, "isNot": None}, "any": None}) == TraitTest(
        "a", Comparison(is_=1)
    )


@pytest.mark.parametrize(
    "value",
    [
        {"did": {"touchpoint": {"after": "2026-03-01T10:30:00.001+01:00", "before": 1_790_000_000_000}}},
        {"did": {"touchpoint": {"properties": [{"property": "", "is": None}, {"property": "a", "is": 1e300}]}}},
        {"did": {"touchpoint": {}, "sum": {"property": "p", "atLeast": 0.1, "atMost": 999_999_999_999_999}}},
        {"trait": {"name": "a", "is": {"b": [None, 1.5, "\u0000"]}, "in": [], "exists": False}},
    ],
)
def test_a_rule_is_written_as_it_is_read(value: Any) -> None:
    rule = parse.rule(value)
    assert parse.rule(plain.plain(rule)) == rule


def test_yaml_says_on_which_line_it_is_none() -> None:
    for text, said in (
        ("all:\n  - [", "line 2"),
        ("consents: a\nconsents: b", "line 2: 'consents' stands twice, here and on line 1"),
        ("all: &a\n  - *a", "line 2: aliases"),
        ("!!python/object/apply:os.system [ls]", "line 1: tags"),
        ("[" * 100, "levels of nesting"),
        ("", "is empty"),
        ("x" * 200_001, "longer than"),
    ):
        with pytest.raises(OnefoldError) as raised:
            rule_file.load(text, "rule.yaml")
        assert raised.value.code == "segment.invalid"
        assert said in raised.value.message


def test_yaml_values_are_those_of_json() -> None:
    said = "trait: {name: 2026-01-01, in: [yes, 08, 0x1, 1_000, 2026-01-01, .5, ~x, 1, 1.5e3, true, 'true', -0]}"
    assert rule_file.load(said, "rule.yaml") == TraitTest(
        "2026-01-01",
        Comparison(in_=("yes", "08", "0x1", "1_000", "2026-01-01", ".5", "~x", 1, 1500.0, True, "true", 0)),
    )
    assert rule_file.load('rule: {"consents": "a"}', "rule.yaml") == parse.rule({"consents": "a"})
    assert rule_file.load('{"consents": "\\ud83d\\ude00"}', "rule.json") == parse.rule({"consents": "😀"})
