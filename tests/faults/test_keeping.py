"""Two servers keep the segments of one store while both take events in, and one after the other is killed in the middle
of it: the other goes on, nobody enters twice and nobody is left out."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import apsw
import pytest

from onefold.model.saved import SavedSegment, SegmentDraft
from onefold.service.keeping.keeper import LEASE_MS
from onefold.settings import Settings
from onefold.wiring import build
from tests.support.crowd import crowd
from tests.support.kept import check_kept
from tests.support.load import Load, loading
from tests.support.server import Server, serving, until

RULES: Final[dict[str, Any]] = {
    "busy": {"did": {"touchpoint": {"names": ["Visited"]}, "times": {"atLeast": 20}}},
    "quiet": {"did": {"touchpoint": {"names": ["Visited"]}, "times": {"atMost": 3}}},
    "named": {"all": [{"trait": {"name": "plan", "is": "free"}}, {"holds": {"namespace": "email"}}]},
    "named and busy": {"sequence": {"steps": [{"types": ["identify"]}, {"types": ["track"]}, {"types": ["identify"]}]}},
}
SLACK_SECONDS: Final = 60.0
"""What a busy machine may take besides for a pass and its pause."""


def save_all(folder: Path) -> None:
    with build(Settings(store=f"sqlite:///{folder}/store.db", read_model="memory")) as onefold:
        for name, rule in RULES.items():
            saved = onefold.save_segment(SegmentDraft(name, json.dumps(rule)), allow_unknown=True)
            assert isinstance(saved, SavedSegment), saved


def ask(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """As another process sees the file."""
    connection = apsw.Connection(str(folder / "store.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        connection.set_busy_timeout(10_000)
        return list(connection.execute(sql))
    finally:
        connection.close()


def holds_lease(folder: Path, server: Server) -> bool:
    """Whether it is in the middle of a pass."""
    [(holder, until_ms)] = ask(folder, "SELECT holder, until_ms FROM leases WHERE name = 'segments'")
    return holder.startswith(f"{server.process.pid}-") and int(until_ms) > time.time_ns() // 1_000_000


def kept_upto(folder: Path) -> int:
    """The state that all segments are right for."""
    [(seq,)] = ask(folder, "SELECT min(coalesce(as_of_seq, 0)) FROM segments WHERE deleted_ms IS NULL")
    return int(seq)


def kept_beyond(folder: Path, seq: int) -> bool:
    return kept_upto(folder) > seq


def head(folder: Path) -> int:
    [(seq,)] = ask(folder, "SELECT max(seq) FROM commits")
    return int(seq)


@contextmanager
def loaded(folder: Path, seed: int) -> Iterator[Load]:
    happenings = (it._replace(message_id=f"{seed}-{it.message_id}") for it in crowd(seed=seed, people=60))
    with loading(happenings, folder / f"acknowledged-{seed}", senders=2) as load:
        yield load


@pytest.mark.slow
def test_two_servers_keep_the_segments_of_one_store_though_each_is_killed_in_the_middle_of_it(tmp_path: Path) -> None:
    save_all(tmp_path)
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(tmp_path, read_model="memory")) for _ in range(2)]
        loads = [stack.enter_context(loaded(tmp_path, seed)) for seed in (1, 2)]
        for load, server in zip(loads, servers, strict=True):
            load.send_to(server.port)
        for number in (0, 1):
            before = kept_upto(tmp_path)
            until(partial(kept_beyond, tmp_path, before), "segments are kept")
            until(partial(holds_lease, tmp_path, servers[number]), "this one keeps them")
            loads[number].send_to(None)
            servers[number].kill()
            killed, committed = time.monotonic(), head(tmp_path)
            until(partial(kept_beyond, tmp_path, committed - 1), "the other keeps them")
            assert time.monotonic() - killed < LEASE_MS / 1_000 + SLACK_SECONDS
            servers[number] = stack.enter_context(serving(tmp_path, read_model="memory"))
            loads[number].send_to(servers[number].port)
            loads[number].more_acknowledged(20)
        for load in loads:
            load.end()
        for server in servers:
            assert server.stop() == 0
            assert server.complaints() == ""
    with build(Settings(store=f"sqlite:///{tmp_path}/store.db", read_model="memory")) as onefold:
        log = check_kept(onefold)
    assert len(log) > 100, "much has happened"
    assert {line.cause.value for line in log} >= {"event", "join", "split"}
