"""`onefold segment`: rules in files and in the call, saved segments, exports, and why."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from onefold.analytics.segments import evaluate
from onefold.service import segment_exporting
from onefold.store.sqlite.connections import Connections
from onefold.store.sqlite.errors import unwritable
from tests.cli.conftest import Run

BUYERS = "{did: {touchpoint: {names: [Order Completed]}, times: {atLeast: 2}}}"
CONSENTS = [
    {"messageId": "c1", "type": "identify", "userId": "u-1001", "context": {"consent": {"letters": True}}},
    {"messageId": "c2", "type": "identify", "userId": "u-1004", "context": {"consent": {"letters": False}}},
]


@pytest.fixture
def shop(onefold: Run) -> Run:
    """Calls onefold in a folder whose store holds the story, without segments; Ann wants letters, Dora does not."""
    assert onefold("demo", "--story", "--no-serve", "--store", "sqlite:///onefold.db").code == 0
    for saved in onefold("segment", "list", "--json").json:
        assert onefold("segment", "delete", saved["id"]).code == 0
    lines = "\n".join(json.dumps({**event, "timestamp": "2025-05-01T00:00:00Z"}) for event in CONSENTS)
    assert onefold("import", "-", stdin=lines).code == 0
    return onefold


def test_a_rule_comes_from_a_file_from_a_pipe_or_in_the_call(shop: Run, tmp_path: Path) -> None:
    (tmp_path / "buyers.yaml").write_text(f"# who bought twice\n{BUYERS[1:-1]}\n")
    (tmp_path / "buyers.json").write_text(
        '{"did": {"touchpoint": {"names": ["Order Completed"]}, "times": {"atLeast": 2}}}'
    )
    told = [
        shop("segment", "preview", "buyers.yaml", "--json"),
        shop("segment", "preview", "buyers.json", "--json"),
        shop("segment", "preview", "-", "--json", stdin=BUYERS),
        shop("segment", "preview", "--rule", BUYERS, "--json"),
    ]
    assert [ended.code for ended in told] == [0] * 4
    assert {ended.json["count"] for ended in told} == {2}
    shown = told[0].json
    assert (shown["share"], shown["withoutConsent"], len(shown["customers"])) == (0.4, 0, 2)


def test_what_show_prints_is_a_file_that_preview_takes(shop: Run, tmp_path: Path) -> None:
    description = ("--description", "first: line\nsecond")
    assert shop("segment", "save", "buyers", "--rule", BUYERS, "--require-consent", "letters", *description).code == 0
    (tmp_path / "shown.yaml").write_text(shop("segment", "show", "buyers").out)
    assert shop("segment", "preview", "shown.yaml", "--json").json["count"] == 2


def test_no_segment_is_named_as_another_may_be_called(shop: Run) -> None:
    refused = shop("segment", "save", "seg_0000000000001", "--rule", BUYERS, "--json")
    assert (refused.error["code"], refused.error["field"]) == ("segment.invalid", "name")


def test_a_purpose_that_is_required_is_one_wherever_it_is_said(shop: Run) -> None:
    everybody = ("--rule", "holds: {namespace: user_id}")
    assert shop("segment", "preview", *everybody, "--require-consent", " letters ", "--json").json["count"] == 1
    for purpose, code in (("  ", "segment.invalid"), ("lettres", "segment.unknown_name")):
        for call in (("preview",), ("save", "all")):
            refused = shop("segment", *call, *everybody, "--require-consent", purpose, "--json").error
            assert (refused["code"], refused["field"]) == (code, "requireConsent"), (call, refused)
    assert shop("segment", "save", "all", *everybody, "--json").code == 0
    refused = shop("segment", "export", "all", "-o", "all.csv", "--require-consent", " ", "--json").error
    assert (refused["code"], refused["field"]) == ("segment.invalid", "requireConsent")


def test_what_settling_makes_of_a_rule_is_known_where_it_is_previewed_and_where_it_is_saved(
    shop: Run, tmp_path: Path
) -> None:
    """Rates are in a base that no event has to have named, and a purpose is the same with blanks around it."""
    (tmp_path / "rates.yaml").write_text("base: CHF\nrates: {GBP: 1.1, EUR: 0.9}\n")
    spent = "did: {touchpoint: {}, sum: {property: revenue, currency: CHF, atLeast: 100}}"
    for number, rule in enumerate((spent, 'consents: " letters "')):
        for call in (("preview",), ("save", f"rule {number}")):
            ended = shop("segment", *call, "--rule", rule, "--json", variables={"ONEFOLD_RATES": "rates.yaml"})
            assert ended.code == 0, ended.err
            assert ended.json["count"] >= 1, rule


def test_a_currency_that_nobody_named_is_told_wherever_it_stands(shop: Run) -> None:
    computed = "computed: {name: revenue, currency: CHF, atLeast: 1}"
    refused = shop("segment", "preview", "--rule", computed, "--json").error
    assert (refused["code"], refused["field"]) == ("segment.unknown_name", "rule.computed.currency")


@pytest.mark.parametrize("given", [(), ("a.yaml", "--rule", BUYERS)])
def test_there_is_one_way_to_a_rule(onefold: Run, given: tuple[str, ...]) -> None:
    refused = onefold("segment", "preview", *given, "--json")
    assert (refused.code, refused.error["code"]) == (2, "call.invalid")


def test_a_mistake_in_a_file_is_told_with_its_line_and_place(shop: Run, tmp_path: Path) -> None:
    (tmp_path / "mistaken.yaml").write_text(
        "all:\n  - holds:\n      namespace: email\n  - trait:\n      nmae: city\n      is: York\n"
    )
    refused = shop("segment", "preview", "mistaken.yaml", "--json")
    assert (refused.code, refused.error["code"]) == (3, "segment.invalid")
    assert refused.error["message"].startswith("mistaken.yaml, line 5: rule.all[1].trait")
    assert "Did you mean name?" in refused.error["hint"]
    assert shop("segment", "preview", "nothing.yaml", "--json").error["code"] == "call.invalid"
    unknown = shop("segment", "preview", "--rule", "trait: {name: cty, is: York}", "--json").error
    assert (unknown["code"], unknown["field"]) == ("segment.unknown_name", "rule.trait.name")
    assert unknown["hint"].startswith("Did you mean city?")


def test_words_without_quotes_are_texts_unless_they_are_json(shop: Run) -> None:
    def count(rule: str) -> int:
        counted: int = shop("segment", "preview", "--rule", rule, "--json").json["count"]
        return counted

    assert count("trait: {name: city, is: York}") == 1
    assert count("trait: {name: city, is: no}") == 0
    assert count("trait: {name: city, in: [York, 5, true]}") == 1
    refused = shop("segment", "preview", "--rule", 'trait: {name: city, exists: "true"}', "--json")
    assert refused.error["field"] == "rule.trait.exists"


def test_pages_go_on_where_the_list_ended(shop: Run) -> None:
    rule = ("--rule", "{holds: {namespace: email}}")
    first = shop("segment", "preview", *rule, "--limit", "3", "--json").json
    rest = shop("segment", "preview", *rule, "--limit", "3", "--after", first["endCursor"], "--json").json
    assert (first["more"], rest["more"], len(first["customers"]), len(rest["customers"])) == (True, False, 3, 1)
    assert not {row["id"] for row in first["customers"]} & {row["id"] for row in rest["customers"]}
    assert f"--after {first['endCursor']} shows" in shop("segment", "preview", *rule, "--limit", "3").out


def test_a_segment_is_saved_listed_shown_changed_and_deleted(shop: Run, tmp_path: Path) -> None:
    saved = shop("segment", "save", "buyers", "--rule", BUYERS, "--description", "for the letter", "--json").json
    assert (saved["name"], saved["description"], saved["count"]) == ("buyers", "for the letter", 2)
    assert shop("segment", "save", "buyers", "--rule", BUYERS, "--json").error["code"] == "segment.exists"
    [listed] = shop("segment", "list", "--json").json
    assert listed == saved
    shown = shop("segment", "show", "buyers").out
    (tmp_path / "again.yaml").write_text(shown)
    assert shop("segment", "preview", "again.yaml", "--json").json["count"] == 2
    assert len(shop("segment", "members", saved["id"], "--json").json["customers"]) == 2
    changed = shop(
        "segment", "save", "of York", "--change", "buyers", "--rule", "trait: {name: city, is: York}", "--json"
    )
    assert (changed.json["id"], changed.json["count"]) == (saved["id"], 1)
    missed = shop("segment", "show", "of york", "--json")
    assert (missed.code, missed.error["code"]) == (4, "segment.not_found")
    assert missed.error["hint"] == "Did you mean of York?"
    assert shop("segment", "delete", "of York", "--json").json == {"id": saved["id"], "name": "of York"}
    assert shop("segment", "list", "--json").json == []
    assert "no segments are saved" in shop("segment", "list").out


def test_members_are_right_without_a_server(shop: Run) -> None:
    assert shop("segment", "save", "buyers", "--rule", BUYERS).code == 0
    order = {"type": "track", "event": "Order Completed", "userId": "u-1002", "timestamp": "2025-05-02T00:00:00Z"}
    assert shop("import", "-", stdin=json.dumps({**order, "messageId": "late"})).code == 0
    assert shop("segment", "list", "--json").json[0]["count"] == 3
    assert len(shop("segment", "members", "buyers", "--json").json["customers"]) == 3


def test_why_is_a_tree_of_ticks(shop: Run) -> None:
    either = "{any: [{computed: {name: orders, atLeast: 9}}, {holds: {namespace: crm_id}}]}"
    rule = f"{{all: [{{trait: {{name: city, is: York}}}}, {either}]}}"
    told = shop("segment", "why", "user_id:u-1004", "--rule", rule).out
    assert [line[line.index(mark) :] for line in told.splitlines()[1:] for mark in "✓✗" if mark in line] == [
        "✓ all of these",
        '✓ city is "York": York, said by demo on 2025-03-05',
        "✓ any of these",
        "✗ computed.orders is at least 9: 3",
        "✓ holds any crm_id: C-2207",
    ]
    assert "Dora Lind meets the rule" in told.splitlines()[0]
    assert shop("segment", "save", "of York", "--rule", rule, "--require-consent", "letters").code == 0
    kept = shop("segment", "why", "user_id:u-1004", "of York", "--json").json
    assert (kept["holds"], kept["segment"]["name"]) == (False, "of York")
    assert [line["path"] for line in kept["conditions"] if not line["holds"]] == [
        "rule.all[1].any[0]",
        "requireConsent",
    ]
    both = shop("segment", "why", "user_id:u-1004", "of York", "--rule", rule, "--json")
    neither = shop("segment", "why", "user_id:u-1004", "--json")
    assert {both.error["code"], neither.error["code"]} == {"call.invalid"}


def test_an_export_has_the_traits_that_are_chosen_and_leaves_out_who_has_not_consented(
    shop: Run, tmp_path: Path
) -> None:
    assert shop("segment", "save", "buyers", "--rule", BUYERS).code == 0
    every = shop("segment", "export", "buyers", "--traits", "email, city", "-o", "all.csv", "--json").json
    assert (every["rows"], every["withoutConsent"]) == (2, 0)
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["customer_id", "email", "city"]
    assert {row[1] for row in rows[1:]} == {"ann@example.com", "hello@cafe-morrow.example"}
    asked = ("--traits", "name", "--require-consent", "letters", "--format", "parquet", "-o", "some.parquet")
    some = shop("segment", "export", "buyers", *asked)
    assert some.out.splitlines() == [
        "some.parquet is written: 1 customer",
        "1 left out: they have not agreed to letters",
    ]
    assert parquet.read_table(tmp_path / "some.parquet").column("name").to_pylist() == ["Ann Keller"]


def test_an_export_holds_few_people_at_once(shop: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    ask = evaluate.page

    def watched(*asked: Any, **named: Any) -> list[evaluate.Person]:
        found = ask(*asked, **named)
        held.append(len(found))
        return found

    rule = "{not: {holds: {namespace: user_id, value: nobody}}}"
    assert shop("segment", "save", "all", "--rule", rule, "--allow-unknown").code == 0
    ids = [
        one["id"] for one in shop("segment", "preview", "--rule", rule, "--allow-unknown", "--json").json["customers"]
    ]
    assert len(ids) == 5
    monkeypatch.setattr(evaluate, "page", watched)
    for people, page in ((2, 1), (3, 2), (5, 5), (9, 4)):
        monkeypatch.setattr(segment_exporting, "PEOPLE", people)
        monkeypatch.setattr(segment_exporting, "PAGE", page)
        held.clear()
        assert shop("segment", "export", "all", "--traits", "email", "-o", f"{people}.csv").code == 0
        with (tmp_path / f"{people}.csv").open(encoding="utf-8", newline="") as file:
            assert [row[0] for row in csv.reader(file)] == ["customer_id", *ids]
        assert max(held) <= people


def test_an_export_that_fails_leaves_nothing_behind_and_writes_over_nothing(shop: Run, tmp_path: Path) -> None:
    assert shop("segment", "save", "buyers", "--rule", BUYERS).code == 0
    (tmp_path / "mine.csv").write_text("precious")
    before = sorted(path.name for path in tmp_path.iterdir())
    for asked, code in (
        (("--traits", "cty", "-o", "new.csv"), "segment.unknown_name"),
        (("--traits", "city,city", "-o", "new.csv"), "query.invalid"),
        (("--require-consent", "ltters", "-o", "new.csv"), "segment.unknown_name"),
        (("--format", "xlsx", "-o", "new.csv"), "call.invalid"),
        (("-o", "mine.csv"), "call.invalid"),
        (("-o", "nowhere/new.csv"), "call.invalid"),
    ):
        assert shop("segment", "export", "buyers", *asked, "--json").error["code"] == code
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "mine.csv").read_text() == "precious"


def test_names_of_anybody_are_shown_without_harm(shop: Run) -> None:
    hostile = "\x1b[31mred\u202e[bold]"
    traits = {"traits": {"name": hostile, hostile: "x"}}
    event = {"type": "identify", "messageId": "h", "userId": "h", "timestamp": "2025-05-02T00:00:00Z", **traits}
    assert shop("import", "-", stdin=json.dumps(event)).code == 0
    shown = [
        shop("segment", "preview", "--rule", "{holds: {namespace: user_id, value: h}}").out,
        shop("segment", "why", "user_id:h", "--rule", "{trait: {name: name, exists: true}}").out,
    ]
    for told in shown:
        assert "\\x1b[31mred\\x202e[bold]" in told
        assert "\x1b" not in told


MINE = """computed:
  orders: {kind: count, touchpoints: {names: [Order Completed]}, description: How many orders were completed.}
  mine: {kind: count, touchpoints: {names: [%s]}, description: What counts here.}
"""


def test_who_reads_segments_leaves_them_as_they_were_found_by_what_is_declared_elsewhere(
    shop: Run, tmp_path: Path
) -> None:
    (tmp_path / "one.yaml").write_text(MINE % "Order Completed")
    (tmp_path / "other.yaml").write_text(MINE % "Nothing")
    one, other = ({"ONEFOLD_COMPUTED": f"{name}.yaml"} for name in ("one", "other"))
    rule = "{computed: {name: mine, atLeast: 1}}"
    saved = shop("segment", "save", "mine", "--rule", rule, "--json", variables=one).json
    assert saved["count"] > 0
    assert shop("segment", "list", "--json", variables=other).json == [saved]
    assert shop("segment", "show", "mine", "--json", variables=other).json == saved
    members = shop("segment", "members", "mine", "--json", variables=other).json
    assert len(members["customers"]) == saved["count"]


def test_segments_can_be_read_where_the_store_can_only_be_read(shop: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = shop("segment", "save", "buyers", "--rule", BUYERS, "--json").json

    def protected(connections: Connections) -> None:
        raise unwritable(connections.place)

    monkeypatch.setattr(Connections, "prepare_to_write", protected)
    assert shop("segment", "save", "others", "--rule", BUYERS, "--json").error["code"] == "store.unwritable"
    assert shop("segment", "list", "--json").json == [saved]
    assert shop("segment", "show", "buyers", "--json").json == saved
    assert len(shop("segment", "members", "buyers", "--json").json["customers"]) == saved["count"]


def test_a_segment_that_cannot_be_kept_is_told_of(shop: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE % "Order Completed")
    saved = shop(
        "segment", "save", "mine", "--rule", "{computed: {name: mine, atLeast: 1}}", "--json",
        variables={"ONEFOLD_COMPUTED": "mine.yaml"},
    ).json  # fmt: skip
    shop("segment", "save", "buyers", "--rule", BUYERS)
    assert "is not kept" not in shop("segment", "list").out
    visit = {
        "messageId": "v1",
        "type": "track",
        "userId": "u-1001",
        "event": "Visit",
        "timestamp": "2025-05-02T00:00:00Z",
    }
    assert shop("import", "-", stdin=json.dumps(visit)).code == 0
    listed = shop("segment", "list")
    assert (listed.code, listed.out.count("is not kept")) == (0, 1)
    assert f"{saved['id']} is not kept: who is in it was found last at " in listed.out
