"""The rules that docs/segments.md shows are rules, and it shows every key that a rule may have."""

import pytest

from onefold.analytics.segments import parse, plain, rule_file
from tests.docs.guides import blocks
from tests.tables import ROOT

GUIDE = "docs/segments.md"
RULES = [block.text for block in blocks(GUIDE) if block.language == "yaml"]


@pytest.mark.parametrize("text", RULES)
def test_a_rule_that_is_shown_can_be_read(text: str) -> None:
    rule = rule_file.load(text, GUIDE)
    assert parse.rule(plain.plain(rule)) == rule


def test_every_key_of_a_rule_is_explained() -> None:
    guide = (ROOT / GUIDE).read_text()
    keys = (
        *parse.BRANCHES, *parse.LEAVES, *parse.COMPARISONS, *parse.MEASURES, *parse.FILTERS,
        "touchpoint", "times", "within", "lastDays", "between", "after", "before", "steps", "withinDays",
        "notFollowedBy",
        "currency", "property", "namespace", "value",
    )  # fmt: skip
    assert [key for key in keys if f"{key}:" not in guide and f"`{key}`" not in guide] == []
