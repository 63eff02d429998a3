"""Several processes on one file."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from onefold.errors import OnefoldError
from onefold.store.sqlite import connections
from onefold.store.sqlite.open import open_sqlite
from onefold.store.sqlite.store import SqliteStore
from tests.contract.building import Batch
from tests.contract.stores import NAMESPACES, TRAITS
from tests.tables import ROOT

WRITERS = 3
COMMITS = 40

WRITER = """
import sys
from pathlib import Path
from tests.contract.building import Batch
from tests.contract.test_sqlite_processes import opened

store = opened(Path(sys.argv[1]))
name, commits = sys.argv[2], int(sys.argv[3])
for number in range(commits):
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer(f"user_id:{name}-{number}")
        batch.touchpoint(f"user_id:{name}-{number}", message_id=f"{name}-{number}")
        print(batch.apply(), flush=True)
store.close()
"""


def opened(path: Path) -> SqliteStore:
    return open_sqlite(path, NAMESPACES, TRAITS)


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(processes: Sequence[subprocess.Popen[str]]) -> list[list[int]]:
    """What each printed; all must have gone well."""
    printed = []
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        printed.append([int(line) for line in out.split()])
    return printed


@pytest.mark.slow
def test_processes_that_write_at_once_take_turns_and_lose_nothing(tmp_path: Path) -> None:
    """They even make the store at once."""
    path = tmp_path / "store.db"
    heads = finish([start(WRITER, path, name, COMMITS) for name in range(WRITERS)])
    everything = sorted(head for printed in heads for head in printed)
    assert everything == list(range(2, 2 * WRITERS * COMMITS + 1, 2)), "each commit has numbers of its own"
    assert all(printed == sorted(printed) for printed in heads)
    store = opened(path)
    with store.read() as view:
        assert view.counts().touchpoints == view.counts().customers == WRITERS * COMMITS
        assert [line.seq for line in view.feed(0, 10_000)] == list(range(1, everything[-1] + 1))
        names = {point.message_id for point in view.touchpoints_by_number(range(everything[-1] + 1)).values()}
        assert names == {f"{writer}-{number}" for writer in range(WRITERS) for number in range(COMMITS)}
    store.close()


def test_a_writer_waits_for_another_process_and_then_says_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(tmp_path / "store.db").close()
    monkeypatch.setattr(connections, "BUSY_MS", 100)
    one, other = opened(tmp_path / "store.db"), opened(tmp_path / "store.db")
    with one.write() as transaction:
        Batch(transaction).customer("user_id:ann")
        with pytest.raises(OnefoldError) as raised, other.write():
            pass
        assert raised.value.code == "store.busy"
        with other.read() as view:
            assert view.head().seq == 0, "readers are not kept waiting"
    with other.write() as transaction:
        assert transaction.head.seq == 0
    one.close()
    other.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.contract.building import Batch
from tests.contract.test_sqlite_processes import opened

store = opened(Path(sys.argv[1]))
with store.write() as transaction:
    batch = Batch(transaction)
    batch.customer("user_id:kept")
    batch.apply()
with store.write() as transaction:
    batch = Batch(transaction)
    batch.customer("user_id:lost")
    batch.apply()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed_leaves_whole_commits(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    process = start(KILLED, path)
    process.communicate(timeout=60)
    assert process.returncode == -9
    store = opened(path)
    with store.read() as view:
        assert [hit.value for hit in view.search("user", 10)] == []
        assert [hit.value for hit in view.search("kept", 10)] == ["kept"]
        assert view.search("lost", 10) == []
        assert view.head().identifier == 1
    with store.write() as transaction:
        assert transaction.head.identifier == 1
    store.close()
