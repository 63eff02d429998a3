"""What docs/computed.md says of computed traits is so, and what it shows works."""

import re
from pathlib import Path
from typing import Any

import msgspec

from onefold.analytics.segments import parse
from onefold.model import computed_file
from onefold.model.computed import Kind
from onefold.schema_files import schema_file
from tests.api.graphql_shop import key, opened
from tests.contract.stores import Place
from tests.docs.guides import blocks
from tests.tables import ROOT, plain, rows

GUIDE = "docs/computed.md"
ORDERS = "computed:\n  orders: {kind: count, description: Orders.}\n"
TEXTS = {block.language: block.text for block in blocks(GUIDE)}


def test_it_lists_the_shipped_traits_with_their_descriptions() -> None:
    listed = [(plain(name), said) for name, said in rows("computed.md", "| trait | what it is |")]
    shipped = computed_file.load(schema_file("computed.yaml"))
    assert listed == [(name, trait.description) for name, trait in shipped.items()]


def test_it_describes_every_kind_and_what_it_may_be_of() -> None:
    header = "| kind | of | value | for those without such touchpoints |"
    table = {plain(kind): (of, nothing) for kind, of, _, nothing in rows("computed.md", header)}
    assert set(table) == {str(kind) for kind in Kind}
    for kind, (of, nothing) in table.items():
        for choice in re.findall(r"`([^`]+)`", of) or [""]:
            said = f", of: {choice}" if choice else ""
            trait = computed_file.parse(f"{ORDERS}  mine: {{kind: {kind}{said}, description: Mine.}}")["mine"]
            assert (trait.nothing == 0) == (nothing == "0"), kind


def test_the_file_it_shows_is_understood() -> None:
    traits = computed_file.parse(TEXTS["yaml"])
    assert [trait.kind for trait in traits.values()] == [Kind.COUNT, Kind.SUM, Kind.LAST]
    assert all(trait.touchpoints.names for trait in traits.values())


def test_the_rule_it_shows_is_one() -> None:
    shown: Any = msgspec.json.decode(TEXTS["json"])
    parse.rule(shown)
    names = [test["computed"]["name"] for test in shown["all"]]
    assert set(names) <= set(computed_file.load(schema_file("computed.yaml")))


def test_the_query_it_shows_is_answered(tmp_path: Path) -> None:
    story = [line.encode() for line in (ROOT / "src/onefold/demo/story.jsonl").read_text().splitlines()]
    with opened(Place("sqlite", tmp_path)) as shop:
        shop.onefold.ingest(story)
        ann = shop.ask(TEXTS["graphql"], who=key("user_id:u-1001"))["customer"]
    assert ann["summary"]["revenue"] == [{"amount": "140", "currency": "GBP"}]
    assert ann["computed"] == [
        {"name": "revenue", "value": 140, "currency": "GBP"},
        {"name": "first_campaign", "value": "spring-brew", "currency": None},
    ]
    assert sum(edge["node"]["touchpoints"] for edge in ann["sessions"]["edges"]) == ann["summary"]["touchpoints"]
