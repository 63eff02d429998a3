"""Conditions, and what was found, in words."""

from decimal import Decimal

import pytest

from onefold.analytics.segments import parse, shown, words
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
from onefold.model.identifiers import IdentifierKey

AT = 1_741_457_189_000
ANN = IdentifierKey("email", "ann@example.com")
STEP = Step("tp_1", AT)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"all": [{"consents": "a"}]}, "all of these"),
        ({"any": [{"consents": "a"}]}, "any of these"),
        ({"not": {"consents": "a"}}, "not this"),
        ({"trait": {"name": "city", "is": "Hull"}}, 'city is "Hull"'),
        ({"trait": {"name": "age", "atLeast": 18, "below": 30}}, "age is at least 18 and is below 30"),
        ({"trait": {"name": "x", "isNot": True, "in": [1, "a"]}}, 'x is not true and is one of 1, "a"'),
        ({"trait": {"name": "x", "contains": "a", "startsWith": "b"}}, 'x contains "a" and starts with "b"'),
        ({"trait": {"name": "x", "above": 1, "atMost": 2, "exists": True}}, "x is above 1 and is at most 2 and exists"),
        ({"trait": {"name": "x", "in": []}}, "x is one of nothing"),
        ({"trait": {"name": "x", "exists": False}}, "x does not exist"),
        ({"computed": {"name": "revenue", "currency": "EUR", "above": 9}}, "computed.revenue in EUR is above 9"),
        ({"did": {"touchpoint": {}}}, "did anything"),
        ({"did": {"touchpoint": {"names": []}}}, "did nothing"),
        ({"did": {"touchpoint": {"names": ["A", "B"]}, "times": {"is": 1}}}, "did A or B 1 time"),
        (
            {"did": {
                "touchpoint": {
                    "types": ["track"], "channels": ["web"], "campaigns": ["c"],
                    "properties": [{"property": "p", "is": None}], "after": "2026-01-01",
                    "before": "2026-02-01T10:30:00Z",
                },
                "times": {"atLeast": 2, "atMost": 3},
                "sum": {"property": "revenue", "currency": "EUR", "atLeast": 19.9},
                "average": {"property": "q", "atMost": 3},
                "distinct": {"property": "sku", "atLeast": 2},
                "within": {"lastDays": 90},
            }},
            ("did anything (type track, channel web, campaign c, p is null, since 2026-01-01, before 2026-02-01 10:30) "
            "at least 2 times and at most 3 times, sum of revenue in EUR at least 19.9, average of q at most 3, "
            "different values of sku at least 2, in the last 90 days"),
        ),
        ({"did": {"touchpoint": {}, "within": {"between": {"after": "2026-01-01"}}}}, "did anything, since 2026-01-01"),
        ({"sequence": {"steps": [{"names": ["A"]}, {}]}}, "did A, then anything"),
        ({"sequence": {"steps": [{"names": ["A"]}], "withinDays": 1}}, "did A, within 1 day"),
        (
            {"sequence": {"steps": [{"names": ["A"]}], "withinDays": 7, "notFollowedBy": {"names": ["B"]}}},
            "did A, within 7 days, and not B after it within 7 days",
        ),
        ({"holds": {"namespace": "email"}}, "holds any email"),
        ({"holds": {"namespace": "email", "value": "a@b.c"}}, "holds email a@b.c"),
        ({"consents": "letters"}, "agreed to letters"),
        ({"in": "seg_1"}, "meets the rule of seg_1"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_condition_is_said(rule: object, said: str) -> None:
    assert words.said(parse.rule(rule)) == said


@pytest.mark.parametrize(
    ("found", "said", "told"),
    [
        (None, "nothing", None),
        (
            TraitFound("Hull", "crm", AT, ANN), "Hull, said by crm on 2025-03-08",
            {"value": "Hull", "source": "crm", "at": "2025-03-08T18:06:29.000Z",
             "identifier": {"namespace": "email", "value": "ann@example.com"}},
        ),
        (ComputedFound(2), "2", {"value": 2}),
        (ComputedFound(Decimal("124.500000000"), "GBP"), "124.5 GBP", {"value": "124.5", "currency": "GBP"}),
        (ComputedFound(None), "nothing", {}),
        (BehaviourFound(0, None, None), "never", {"times": 0}),
        (
            BehaviourFound(1, AT, AT, sum=Decimal(100), average=Decimal("0.5"), distinct=3, currency="EUR"),
            "1 time, the last on 2025-03-08, sum 100 EUR, average 0.5 EUR, 3 different",
            {"times": 1, "first": "2025-03-08T18:06:29.000Z", "last": "2025-03-08T18:06:29.000Z", "sum": "100",
             "average": "0.5", "distinct": 3, "currency": "EUR"},
        ),
        (SequenceFound(()), "not the first step", {"steps": []}),
        (
            SequenceFound((STEP,), STEP), "2025-03-08 18:06, but then 2025-03-08 18:06",
            {"steps": [{"touchpoint": "tp_1", "at": "2025-03-08T18:06:29.000Z"}],
             "followedBy": {"touchpoint": "tp_1", "at": "2025-03-08T18:06:29.000Z"}},
        ),
        (IdentifiersFound(0, ()), "none", {"count": 0, "identifiers": []}),
        (
            IdentifiersFound(12, (ANN,) * 10), "ann@example.com, ann@example.com, ann@example.com and 9 more",
            {"count": 12, "identifiers": [{"namespace": "email", "value": "ann@example.com"}] * 10},
        ),
        (
            ConsentFound(False, AT, "crm", ANN), "withdrawn on 2025-03-08, said by crm",
            {"given": False, "at": "2025-03-08T18:06:29.000Z", "source": "crm",
             "identifier": {"namespace": "email", "value": "ann@example.com"}},
        ),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_was_found_is_said_and_told(found: Found | None, said: str, told: object) -> None:
    assert shown.in_words(found) == said
    assert shown.as_json(found) == told
