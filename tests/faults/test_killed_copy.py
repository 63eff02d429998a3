"""kill -9 while a store is copied: the same command goes on, until the copy has every row."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from subprocess import Popen
from typing import Any

import apsw
import msgspec
import pytest

from onefold.cli.call import Access
from onefold.model.copying import Progress, Row, RowKind
from onefold.settings import Settings
from onefold.wiring import build
from tests.support.crowd import crowd
from tests.support.filled import all_rows
from tests.support.neo4j_server import ask
from tests.support.server import ONEFOLD, SECONDS, run, until, variables

EVENTS = 4_000
PATIENCE_SECONDS = 240.0
"""A Neo4j that was just started plans each statement for the first time, which on a busy machine takes long."""
SOURCE = "sqlite:///store.db"
DEATHS = (RowKind.SOURCES, RowKind.LINKS, RowKind.TOUCHPOINTS, RowKind.TOUCHPOINTS, RowKind.DECISIONS, RowKind.CHANGES)
"""What has just been written when it is killed."""
PROGRESS = "MATCH (s:Meta {name: 'store'}) RETURN s.copy"


@pytest.fixture(params=["sqlite", pytest.param("neo4j", marks=pytest.mark.xdist_group("neo4j"))])
def target(request: pytest.FixtureRequest) -> str:
    """The URL that is copied to."""
    return "sqlite:///copy.db" if request.param == "sqlite" else str(request.getfixturevalue("neo4j_url"))


def copy(target: str) -> tuple[str, ...]:
    """How it is called."""
    return ("--json", "copy", "--from", SOURCE, "--to", target)


@contextmanager
def copying(folder: Path, target: str) -> Iterator[Popen[bytes]]:
    """`onefold copy`, which does not outlive the block."""
    with (
        (folder / "said").open("wb") as said,
        (folder / "complaints").open("wb") as complaints,
        Popen([*ONEFOLD, *copy(target)], cwd=folder, env=variables({}), stdout=said, stderr=complaints) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def noted_in_sqlite(path: Path) -> bytes | None:
    """The progress that is noted in a file, as a bare SQLite reads it."""
    if not path.exists():
        return None
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
        try:
            rows: list[Any] = connection.execute("SELECT value FROM meta WHERE name = 'copy'").fetchall()
        except apsw.Error:  # it is being made
            return None
    return bytes(rows[0][0]) if rows else None


def progress(folder: Path, target: str) -> Progress | None:
    """How far an unfinished copy is; None where there is none."""
    if target.startswith("sqlite"):
        noted: str | bytes | None = noted_in_sqlite(folder / "copy.db")
    else:
        noted = next((row[0] for row in ask(target, PROGRESS)), None)
    return msgspec.json.decode(noted, type=Progress) if noted else None


def rows_of(folder: Path, url: str) -> dict[RowKind, list[Row]]:
    absolute = url.replace("sqlite:///", f"sqlite:///{folder}/")
    with build(Settings(store=absolute), Access.READ) as onefold, onefold.read() as reading:
        return all_rows(reading.view)


def gone_on(
    folder: Path, target: str, before: Progress | None, kind: RowKind, process: Popen[bytes]
) -> Callable[[], Progress | None]:
    """Whether a copy has written something more, and rows of this kind."""
    kinds = list(RowKind)

    def look() -> Progress | None:
        assert process.poll() is None, f"it was not caught: {(folder / 'complaints').read_text()}"
        found = progress(folder, target)
        further = found is not None and found != before and kinds.index(found.kind) >= kinds.index(kind)
        return found if further else None

    return look


@pytest.mark.slow
def test_a_copy_that_is_killed_again_and_again_ends_with_every_row(tmp_path: Path, target: str) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text("".join(json.dumps(it.wire()) + "\n" for it in islice(crowd(seed=4, people=300), EVENTS)))
    assert run(tmp_path, "--store", SOURCE, "import", events).returncode == 0
    before = None
    reached = []
    for kind in DEATHS:
        with copying(tmp_path, target) as process:
            until(gone_on(tmp_path, target, before, kind, process), f"{kind} are copied", PATIENCE_SECONDS)
            process.send_signal(signal.SIGKILL)
            assert process.wait(SECONDS) == -signal.SIGKILL, "it was not done"
        after = progress(tmp_path, target)
        assert after is not None
        if before is not None:
            assert sum(it.count for it in after.tallies.values()) > sum(it.count for it in before.tallies.values())
        refused = run(tmp_path, "--json", "--store", target, "status")
        assert json.loads(refused.stderr)["code"] == "store.unfinished_copy"
        before = after
        reached.append(after.kind)
    assert len(set(reached)) >= 3, reached
    with copying(tmp_path, target) as process:
        assert process.wait(PATIENCE_SECONDS) == 0, (tmp_path / "complaints").read_text()
    said = json.loads((tmp_path / "said").read_text())
    assert (said["resumed"], said["anew"]) == (True, False)
    assert said["rows"]["touchpoints"] == EVENTS
    assert rows_of(tmp_path, target) == rows_of(tmp_path, SOURCE)
