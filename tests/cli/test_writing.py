"""init, import, judge, retract: what changes the store."""

import json
import re
from pathlib import Path

from onefold import demo
from tests.cli.conftest import Run

COUPLE = ("user_id:u-1002", "user_id:u-1003")


def event(number: int, **fields: object) -> str:
    said = {"messageId": f"m{number}", "timestamp": "2025-01-01T00:00:00Z", "type": "page", "anonymousId": "a"}
    return json.dumps({**said, **fields})


def test_init_makes_the_store_once_and_says_where(onefold: Run, tmp_path: Path) -> None:
    first, second = onefold("init", "--json"), onefold("init", "--json")
    assert first.json == {"store": str(tmp_path / "onefold.db"), "created": True}
    assert second.json == {"store": str(tmp_path / "onefold.db"), "created": False}
    assert (tmp_path / "onefold.db").is_file()


def test_importing_a_file_again_changes_nothing(onefold: Run, tmp_path: Path) -> None:
    (tmp_path / "story.jsonl").write_bytes(b"\n".join(demo.events()))
    first = onefold("import", "story.jsonl", "--json").json
    assert (first["accepted"], first["joins"], first["resumedAfter"]) == (40, 9, None)
    assert 0 < first["seconds"] < 60
    before = onefold("status", "--json").json
    again = onefold("import", "story.jsonl")
    counts, joins = again.out.splitlines()
    assert counts == "0 accepted, 40 duplicates, 0 rejected"
    assert re.fullmatch(r"0 joins, [1-9][0-9,]* lines a second", joins)
    assert {path.name for path in tmp_path.iterdir()} >= {"story.jsonl", "onefold.db"}
    assert not list(tmp_path.glob("*.progress.json*"))
    assert onefold("status", "--json").json == before


def test_import_takes_the_rest_when_lines_are_bad_and_says_what_is_wrong_beside_the_file(
    onefold: Run, tmp_path: Path
) -> None:
    lines = [event(1), "{", event(2, anonymousId="null"), event(3), event(1, anonymousId="b")]
    (tmp_path / "shop.jsonl").write_text("\n".join(lines))
    ended = onefold("import", "shop.jsonl", "--json")
    assert ended.code == 0
    report = ended.json
    assert [report[name] for name in ("accepted", "duplicates", "rejected", "conflicts")] == [2, 1, 2, 1]
    rejects = [json.loads(line) for line in (tmp_path / report["rejects"]).read_text().splitlines()]
    assert [(reject["line"], reject["code"]) for reject in rejects] == [
        (2, "event.invalid"),
        (3, "event.no_identifier"),
        (5, "event.message_id_reused"),
    ]
    assert "shop.rejects.jsonl" in onefold("import", "shop.jsonl").out


def test_import_reads_standard_input_and_names_its_source(onefold: Run) -> None:
    assert onefold("import", "-", "--source", "crm", stdin=event(1)).code == 0
    journey = onefold("customer", "anonymous_id:a", "--json").json["journey"]["items"]
    assert [item["source"] for item in journey] == ["crm"]


def test_an_import_says_which_lines_its_warnings_are_about(onefold: Run) -> None:
    lines = [event(1), "", *(event(number, userId="null") for number in range(2, 9))]
    ended = onefold("import", "-", stdin="\n".join(lines))
    assert "1 of 9 lines are blank\n" in ended.out
    said = 'identifier.blocked (lines 3, 4, 5, 6, 7, …), first: the value is blocked by the pattern "null"'
    assert f"7 warnings: {said}\n" in ended.out
    said = onefold("import", "-", "--source", "again", "--json", stdin="\n".join(lines)).json
    assert said["lines"] == said["accepted"] + said["duplicates"] + said["rejected"] + said["blank"] == 9
    assert said["warningLines"] == {"identifier.blocked": [3, 4, 5, 6, 7]}


def test_message_ids_count_within_their_source(onefold: Run) -> None:
    assert onefold("import", "-", stdin=event(1)).code == 0
    assert onefold("import", "-", "--source", "crm", "--json", stdin=event(1)).json["accepted"] == 1


def test_an_import_of_which_nothing_can_be_used_is_not_done(onefold: Run) -> None:
    ended = onefold("import", "-", stdin="not json")
    assert ended.code == 3
    assert "0 accepted, 0 duplicates, 1 rejected" in ended.out


def test_a_file_that_cannot_be_read_is_a_wrong_call(onefold: Run) -> None:
    ended = onefold("import", "nowhere.jsonl")
    assert ended.code == 2
    assert "nowhere.jsonl" in ended.err


def test_a_judgement_joins_and_its_retraction_gives_everything_back(onefold: Run) -> None:
    assert onefold("demo", "--story", "--no-serve", "--store", "sqlite:///onefold.db").code == 0
    people = [f"user_id:{key.value}" for key in demo.PEOPLE]
    before = [onefold("customer", who, "--json").json for who in people]
    [tablet] = onefold("resolve", "device_id:tablet-19", "--json").json
    judged = onefold("judge", "same", *COUPLE, "--reason", "one household, one account", "--json").json
    assert judged["judgement"]["verdict"] == "SAME"
    assert [row["id"] for row in judged["joined"]] == [before[1]["id"]]
    ben, chloe, of_both = onefold("resolve", *COUPLE, "device_id:tablet-19", "--json").json
    assert ben["customer"] == chloe["customer"] == of_both["customer"]
    retracted = onefold("retract", judged["judgement"]["id"], "--reason", "they are two", "--json").json
    assert {row["id"] for row in retracted["split"]} == {before[1]["id"], before[2]["id"], tablet["customer"]["id"]}
    assert retracted["judgement"]["retractedAt"]
    history = onefold("customer", people[1], "--json").json["history"]["items"]
    of_kind = {item["kind"]: item["judgement"] for item in history}
    assert of_kind["JUDGED"] == of_kind["RETRACTED"] == retracted["judgement"]
    assert of_kind["GENERIC"] is None
    shown = onefold("customer", people[1]).out
    assert f"{judged['judgement']['id']} by " in shown
    assert ": one household, one account\n" in shown
    after = [onefold("customer", who, "--json").json for who in people]
    for was, now in zip(before, after, strict=True):
        for told in (was, now):
            del told["history"], told["summary"]["asOfSeq"]
        assert was == now


def test_a_judgement_says_who_made_it(told: Run) -> None:
    ended = told("judge", "different", "user_id:u-1001", "user_id:u-1002", "--reason", "met both", "--author", "Kim")
    assert ended.code == 0
    assert "nobody was joined or split by it" in ended.out
    apart = told("why", "user_id:u-1001", "user_id:u-1002", "--json").json
    assert [(row["author"], row["reason"]) for row in apart["judgements"]] == [("Kim", "met both")]
