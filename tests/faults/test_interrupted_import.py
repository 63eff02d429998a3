"""An import that is killed goes on where it was; one whose pipe fills slowly does not keep what it has."""

import json
import os
import pty
import re
import signal
import subprocess
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO

import apsw
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.server import ONEFOLD, SECONDS, run, until, variables
from tests.support.whole import stored_ids

LINES = 6_000
BROKEN_EVERY = 500
STORE = "sqlite:///store.db"


def write_events(file: Path) -> None:
    """So many, in which one account is seen on many devices; a few lines are broken."""
    with file.open("w") as out:
        for number in range(LINES):
            event = {"messageId": f"m{number}", "timestamp": "2026-03-01T12:00:00Z", "type": "page"}
            event |= {"anonymousId": f"a{number % 700}", "userId": f"u{number % 70}"}
            out.write("{broken\n" if number % BROKEN_EVERY == 0 else json.dumps(event) + "\n")


def until_noted(folder: Path, lines: int, name: str = "events.progress.json") -> None:
    """Wait until it is noted that so many lines are done."""

    def noted() -> bool:
        try:
            return bool(json.loads((folder / name).read_text())["stand"]["pieces"] >= lines)
        except FileNotFoundError:
            return False

    until(noted, f"{lines} lines are noted as done")


@pytest.mark.slow
def test_an_import_that_is_killed_again_and_again_does_each_part_about_once(tmp_path: Path) -> None:
    write_events(tmp_path / "events.jsonl")
    arguments = ("--json", "--store", STORE, "import", "events.jsonl")
    for done in (600, 2_000, 4_000):
        with Popen([*ONEFOLD, *arguments], cwd=tmp_path, env=variables({"batch_size": 100}), stdout=PIPE) as importing:
            until_noted(tmp_path, done)
            importing.kill()
            assert importing.wait(SECONDS) == -signal.SIGKILL, "it was killed at work"
    ended = run(tmp_path, *arguments, batch_size=100)
    report = json.loads(ended.stdout)
    assert report["resumedAfter"] >= 4_000
    broken = LINES // BROKEN_EVERY
    assert (report["lines"], report["rejected"]) == (LINES, broken)
    assert report["accepted"] + report["duplicates"] == LINES - broken
    assert report["duplicates"] <= 3 * 3 * 100, "at most the last batches before each kill"
    names = stored_ids(tmp_path / "store.db")
    assert len(names) == len(set(names)) == LINES - broken
    rejected = [json.loads(line)["line"] for line in Path(tmp_path / report["rejects"]).read_text().splitlines()]
    assert rejected == list(range(1, LINES, BROKEN_EVERY))
    assert not (tmp_path / "events.progress.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_table_goes_on_where_it_was_too(tmp_path: Path, form: str) -> None:
    rows = [(f"K-{number}", f"p{number % 900}@example.com", "2026-03-01") for number in range(LINES)]
    if form == "csv":
        (tmp_path / "events.csv").write_text("\n".join(map(",".join, [("no", "email", "changed"), *rows])))
    else:
        columns = dict(zip(("no", "email", "changed"), map(list, zip(*rows, strict=True)), strict=True))
        pq.write_table(pa.table(columns), tmp_path / "events.parquet")
    mapping = "record: {id: no}\ntimestamp: changed\nidentifiers: {crm_id: no, email: email}\n"
    (tmp_path / "map.yaml").write_text(mapping)
    arguments = ("--json", "--store", STORE, "import", f"events.{form}", "--map", "map.yaml")
    with Popen([*ONEFOLD, *arguments], cwd=tmp_path, env=variables({"batch_size": 100}), stdout=PIPE) as importing:
        until_noted(tmp_path, 1_000, f"events.{form}.progress.json")
        importing.kill()
        assert importing.wait(SECONDS) == -signal.SIGKILL
    report = json.loads(run(tmp_path, *arguments, batch_size=100).stdout)
    assert report["resumedAfter"] >= 1_000
    assert (report["lines"], report["accepted"] + report["duplicates"]) == (LINES, LINES)
    assert report["duplicates"] <= 3 * 100
    assert len(stored_ids(tmp_path / "store.db")) == LINES


@pytest.mark.slow
def test_what_is_interrupted_by_hand_goes_on_too(tmp_path: Path) -> None:
    write_events(tmp_path / "events.jsonl")
    arguments = ("--json", "--store", STORE, "import", "events.jsonl")
    with Popen([*ONEFOLD, *arguments], cwd=tmp_path, env=variables({"batch_size": 100}), stdout=PIPE) as importing:
        until_noted(tmp_path, 1_000)
        importing.send_signal(signal.SIGINT)
        assert importing.wait(SECONDS) == 130
    report = json.loads(run(tmp_path, *arguments, batch_size=100).stdout)
    assert report["resumedAfter"] >= 1_000
    assert report["lines"] == LINES


def test_a_pipe_that_says_nothing_can_be_left(tmp_path: Path) -> None:
    command = [*ONEFOLD, "--json", "--store", STORE, "import", "-"]
    assert run(tmp_path, "init", "--store", STORE).returncode == 0
    with Popen(command, cwd=tmp_path, env=variables({}), stdin=PIPE, stdout=PIPE, stderr=PIPE) as importing:
        told(importing.stdin, "a")
        until(lambda: stored_ids(tmp_path / "store.db") == ["a"], "it is stored")
        importing.send_signal(signal.SIGINT)
        assert importing.wait(SECONDS) == 130
        assert importing.stderr
        assert b"Traceback" not in importing.stderr.read()


def test_a_named_pipe_is_read_as_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "events")
    assert run(tmp_path, "init", "--store", STORE).returncode == 0
    command = [*ONEFOLD, "--json", "--store", STORE, "import", "events"]
    with Popen(command, cwd=tmp_path, env=variables({}), stdout=PIPE) as importing:
        with (tmp_path / "events").open("wb") as pipe:
            told(pipe, "a")
            until(lambda: stored_ids(tmp_path / "store.db") == ["a"], "it is stored before the pipe ends")
        out, _ = importing.communicate(timeout=SECONDS)
    assert json.loads(out)["accepted"] == 1
    assert {path.name for path in tmp_path.iterdir()} == {"events", "store.db"}


def test_a_terminal_shows_how_far_it_is_how_fast_and_what_it_led_to(tmp_path: Path) -> None:
    write_events(tmp_path / "events.jsonl")
    ours, theirs = pty.openpty()
    command = [*ONEFOLD, "--store", STORE, "import", "events.jsonl"]
    environment = variables({"batch_size": 100}) | {"TERM": "xterm", "COLUMNS": "150"}
    with Popen(command, cwd=tmp_path, env=environment, stdout=PIPE, stderr=theirs) as importing:
        os.close(theirs)
        shown = drained(ours)
        assert importing.wait(SECONDS) == 0
    assert re.search(rb"[1-9][0-9]?%", shown)
    assert re.search(
        rb"[0-9,]+ accepted, 0 duplicates, [1-9]+ rejected, [0-9,]+ joins, [1-9][0-9,]* lines a second", shown
    )


def drained(descriptor: int) -> bytes:
    """All that comes out of a terminal until nobody writes to it any more."""
    shown = b""
    try:
        while chunk := os.read(descriptor, 65_536):
            shown += chunk
    except OSError:  # how Linux says that nobody does
        pass
    finally:
        os.close(descriptor)
    return shown


def told(pipe: IO[bytes] | None, *names: str) -> None:
    assert pipe
    for name in names:
        event = {"messageId": name, "timestamp": "2026-03-01T12:00:00Z", "type": "page", "anonymousId": "a"}
        pipe.write(json.dumps(event).encode() + b"\n")
    pipe.flush()


def test_what_comes_in_slowly_is_stored_as_it_comes(tmp_path: Path) -> None:
    command = [*ONEFOLD, "--json", "--store", STORE, "import", "-"]
    assert run(tmp_path, "init", "--store", STORE).returncode == 0
    with Popen(command, cwd=tmp_path, env=variables({}), stdin=PIPE, stdout=PIPE) as importing:
        for names in (["a"], ["b", "c"], ["d"]):
            told(importing.stdin, *names)
            until(lambda: stored_ids(tmp_path / "store.db")[-1:] == names[-1:], f"{names} are stored")  # noqa: B023
        told(importing.stdin, "e")
        assert importing.stdin
        importing.stdin.write(b'{"half a line')
        importing.stdin.flush()
        until(lambda: "e" in stored_ids(tmp_path / "store.db"), "a line does not wait for the next one to be whole")
        out, _ = importing.communicate(timeout=SECONDS)
    report = json.loads(out)
    assert (report["accepted"], report["rejected"], report["lines"]) == (5, 1, 6)


def test_what_comes_in_fast_is_taken_in_batches(tmp_path: Path) -> None:
    write_events(tmp_path / "events.jsonl")
    content = (tmp_path / "events.jsonl").read_bytes()
    done = subprocess.run(
        [*ONEFOLD, "--json", "--store", STORE, "import", "-"],
        input=content,
        cwd=tmp_path,
        env=variables({}),
        capture_output=True,
        timeout=SECONDS,
        check=True,
    )
    assert json.loads(done.stdout)["lines"] == LINES
    with closing(apsw.Connection(str(tmp_path / "store.db"))) as connection:
        [[commits, stored]] = connection.execute("SELECT (SELECT count(*) FROM commits), count(*) FROM touchpoints")
    assert stored == LINES - LINES // BROKEN_EVERY
    assert commits < LINES / 20
