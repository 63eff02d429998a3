"""kill -9 while a store is copied: the same command goes on, until the copy has every row."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from subprocess import DEVNULL, Popen
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
from tests.support.server import ONEFOLD, SECONDS, run, until, variables

EVENTS = 6_000
DEATHS = (RowKind.SOURCES, RowKind.LINKS, RowKind.TOUCHPOINTS, RowKind.TOUCHPOINTS, RowKind.DECISIONS, RowKind.CHANGES)
"""What has just been written when it is killed."""
COPY = ("--json", "copy", "--from", "sqlite:///store.db", "--to", "sqlite:///copy.db")


@contextmanager
def copying(folder: Path) -> Iterator[Popen[bytes]]:
    """`onefold copy`, which does not outlive the block."""
    with Popen([*ONEFOLD, *COPY], cwd=folder, env=variables({}), stdout=DEVNULL, stderr=DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def progress(target: Path) -> Progress | None:
    """How far an unfinished copy is, as a bare SQLite reads it; None where there is none."""
    if not target.exists():
        return None
    with closing(apsw.Connection(str(target), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
        try:
            noted: list[Any] = connection.execute("SELECT value FROM meta WHERE name = 'copy'").fetchall()
        except apsw.Error:  # it is being made
            return None
    return msgspec.json.decode(bytes(noted[0][0]), type=Progress) if noted else None


def rows_of(path: Path) -> dict[RowKind, list[Row]]:
    with build(Settings(store=f"sqlite:///{path}"), Access.READ) as onefold, onefold.read() as reading:
        return all_rows(reading.view)


def gone_on(target: Path, before: Progress | None, kind: RowKind) -> Callable[[], Progress | None]:
    """Whether a copy has written something more, and rows of this kind."""
    kinds = list(RowKind)

    def ask() -> Progress | None:
        found = progress(target)
        further = found is not None and found != before and kinds.index(found.kind) >= kinds.index(kind)
        return found if further else None

    return ask


@pytest.mark.slow
def test_a_copy_that_is_killed_again_and_again_ends_with_every_row(tmp_path: Path) -> None:
    events, target = tmp_path / "events.jsonl", tmp_path / "copy.db"
    events.write_text("".join(json.dumps(it.wire()) + "\n" for it in islice(crowd(seed=4, people=300), EVENTS)))
    assert run(tmp_path, "--store", "sqlite:///store.db", "import", events).returncode == 0
    before = None
    reached = []
    for kind in DEATHS:
        with copying(tmp_path) as process:
            until(gone_on(target, before, kind), f"{kind} are copied")
            process.send_signal(signal.SIGKILL)
            assert process.wait(SECONDS) == -signal.SIGKILL, "it was not done"
        after = progress(target)
        assert after is not None
        if before is not None:
            assert sum(it.count for it in after.tallies.values()) > sum(it.count for it in before.tallies.values())
        refused = run(tmp_path, "--json", "--store", "sqlite:///copy.db", "status")
        assert json.loads(refused.stderr)["code"] == "store.unfinished_copy"
        before = after
        reached.append(after.kind)
    assert len(set(reached)) >= 3, reached
    done = run(tmp_path, *COPY)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["resumed"], said["anew"]) == (True, False)
    assert said["rows"]["touchpoints"] == EVENTS
    assert rows_of(target) == rows_of(tmp_path / "store.db")
