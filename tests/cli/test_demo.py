"""`onefold demo`: the story, what was stitched of it and why; then it is served."""

import json
import os
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from onefold import demo
from tests.cli.conftest import Run
from tests.docs.guides import without_ids

GOLDEN = Path(__file__).parents[1] / "golden" / "demo.txt"


def test_the_demo_prints_the_story_as_written_down(onefold: Run) -> None:
    ended = onefold("demo", "--story", "--no-serve")
    assert (ended.code, ended.err) == (0, "")
    assert without_ids(ended.out) == GOLDEN.read_text()


def test_the_demo_may_be_run_again(onefold: Run, tmp_path: Path) -> None:
    first, second = onefold("demo", "--story", "--no-serve"), onefold("demo", "--story", "--no-serve")
    assert second.code == 0
    assert second.out.splitlines()[1:] == first.out.splitlines()[1:]
    assert second.out.startswith("0 events came in, one after the other; 40 were there already.")
    assert [path.name for path in tmp_path.glob("*.db")] == ["onefold-demo.db"]


def test_the_story_stays_out_of_the_store_of_the_settings(onefold: Run, tmp_path: Path) -> None:
    (tmp_path / "onefold.toml").write_text('store = "sqlite:///precious.db"')
    assert onefold("demo", "--story", "--no-serve").code == 0
    assert onefold("demo", "--story", "--no-serve", variables={"ONEFOLD_STORE": "sqlite:///precious.db"}).code == 0
    assert not (tmp_path / "precious.db").exists()
    assert onefold("demo", "--story", "--no-serve", "--store", "sqlite:///chosen.db").code == 0
    assert (tmp_path / "chosen.db").exists()


def test_the_story_is_of_forty_events_and_four_people(onefold: Run) -> None:
    told = onefold("demo", "--story", "--no-serve", "--json").json
    assert (told["accepted"], told["duplicates"]) == (40, 0)
    assert len({row["id"] for row in told["customers"]}) == 4
    assert told["customer"]["id"] == told["customers"][0]["id"]


def test_the_story_shows_its_four_themes(told: Run) -> None:
    ann, ben, chloe, dora = (told("customer", f"user_id:{key.value}", "--json").json for key in demo.PEOPLE)
    anonymous_phase = [row for row in ann["journey"]["items"] if row["linkedAt"] == "2025-03-08T18:03:12.000Z"]
    assert sum(row["retroactive"] for row in anonymous_phase) == 12

    [tablet] = told("resolve", "device_id:tablet-19", "--json").json
    assert tablet["generic"]
    for person, of in ((ben, {"app-3d10aa", "app-f0021b"}), (chloe, {"app-9be4c2"})):
        at_the_tablet = [row for row in person["journey"]["items"] if row["type"] == "screen"]
        assert {row["subject"]["value"] for row in at_the_tablet} == of

    held = {row["namespace"] for row in dora["identifiers"]["items"]}
    assert {"crm_id", "email", "phone", "loyalty_card"} <= held
    assert {row["channel"] for row in dora["journey"]["items"]} == {"call_center", "email", "store", "crm", "web"}

    inbox = {"namespace": "email", "value": "hello@cafe-morrow.example"}
    assert inbox in [{"namespace": row["namespace"], "value": row["value"]} for row in ben["identifiers"]["items"]]
    assert {link["refused"]["reason"] for link in dora["refusedLinks"]["items"]} == {"limit:user_id"}


@pytest.mark.slow
def test_the_demo_serves_the_story_says_where_to_look_and_ends_when_told(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(sys.prefix)
    not_activated = {**os.environ, "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        [".venv/bin/onefold", "demo", "--story", "--port", "0"],
        cwd=tmp_path,
        env=not_activated,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "curl" in line)
        hint = process.stdout.readline()
        _, url, _, header, _, body = shlex.split(line)
        name, value = header.split(": ")
        request = urllib.request.Request(url, body.encode(), {name: value})
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        why = subprocess.run(
            ["sh", "-c", hint], cwd=tmp_path, env=not_activated, capture_output=True, text=True, timeout=60, check=False
        )
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert [trait["value"] for trait in answer["data"]["customer"]["profile"]["traits"]] == [
        "Hull",
        "ann@example.com",
        "Ann Keller",
    ]
    assert "are two customers" in why.stdout
    assert (process.returncode, errors) == (0, "")
