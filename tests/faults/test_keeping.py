"""Two servers keep the segments of one store while both take events in, and one after the other is killed in the middle
of it: the other goes on, nobody enters twice and nobody is left out."""

import json
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import apsw
import pytest

from onefold.model.saved import SavedSegment, SegmentDraft
from onefold.service import Onefold
from onefold.service.keeping.keeper import LEASE_MS
from onefold.settings import Settings
from onefold.wiring import build
from tests.support import neo4j_server
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


class Stored:
    """A store that servers write, as another process sees it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def open(self) -> AbstractContextManager[Onefold]:
        return build(Settings(store=self.url, read_model="memory"))

    def save_all(self) -> None:
        with self.open() as onefold:
            for name, rule in RULES.items():
                saved = onefold.save_segment(SegmentDraft(name, json.dumps(rule)), allow_unknown=True)
                assert isinstance(saved, SavedSegment), saved

    def ask(self, sql: str, cypher: str) -> list[Any]:
        """The one row that a question finds."""
        raise NotImplementedError

    def is_kept_by(self, server: Server) -> bool:
        """Whether a server is in the middle of a pass."""
        holder, until_ms = self.ask(
            "SELECT holder, until_ms FROM leases WHERE name = 'segments'",
            "MATCH (l:Lease {name: 'segments'}) RETURN l.holder, l.until_ms",
        )
        return str(holder).startswith(f"{server.process.pid}-") and int(until_ms) > time.time_ns() // 1_000_000

    def kept_upto(self) -> int:
        """The state that all segments are right for."""
        [seq] = self.ask(
            "SELECT min(coalesce(as_of_seq, 0)) FROM segments WHERE deleted_ms IS NULL",
            "MATCH (s:Segment) WHERE s.deleted_ms IS NULL RETURN min(coalesce(s.as_of_seq, 0))",
        )
        return int(seq)

    def kept_beyond(self, seq: int) -> bool:
        return self.kept_upto() > seq

    def head(self) -> int:
        [seq] = self.ask("SELECT max(seq) FROM commits", "MATCH (c:Commit) RETURN max(c.seq)")
        return int(seq)


class InFile(Stored):
    def ask(self, sql: str, cypher: str) -> list[Any]:
        flags = apsw.SQLITE_OPEN_READONLY
        with closing(apsw.Connection(self.url.removeprefix("sqlite:///"), flags=flags)) as connection:
            connection.set_busy_timeout(10_000)
            [row] = connection.execute(sql)
        return list(row)


class InNeo4j(Stored):
    def ask(self, sql: str, cypher: str) -> list[Any]:
        [row] = neo4j_server.ask(self.url, cypher)
        return row


@pytest.fixture(params=["sqlite", pytest.param("neo4j", marks=pytest.mark.xdist_group("neo4j"))])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Stored:
    if request.param == "sqlite":
        return InFile(f"sqlite:///{tmp_path}/store.db")
    return InNeo4j(neo4j_server.wiped(request.getfixturevalue("neo4j_database")))


@contextmanager
def loaded(folder: Path, seed: int) -> Iterator[Load]:
    happenings = (it._replace(message_id=f"{seed}-{it.message_id}") for it in crowd(seed=seed, people=60))
    with loading(happenings, folder / f"acknowledged-{seed}", senders=2) as load:
        yield load


@pytest.mark.slow
@pytest.mark.long
def test_two_servers_keep_the_segments_of_one_store_though_each_is_killed_in_the_middle_of_it(
    stored: Stored, tmp_path: Path
) -> None:
    stored.save_all()
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(tmp_path, stored.url, read_model="memory")) for _ in range(2)]
        loads = [stack.enter_context(loaded(tmp_path, seed)) for seed in (1, 2)]
        for load, server in zip(loads, servers, strict=True):
            load.send_to(server.port)
        for number in (0, 1):
            until(partial(stored.kept_beyond, stored.kept_upto()), "segments are kept")
            until(partial(stored.is_kept_by, servers[number]), "this one keeps them")
            loads[number].send_to(None)
            servers[number].kill()
            killed, committed = time.monotonic(), stored.head()
            until(partial(stored.kept_beyond, committed - 1), "the other keeps them")
            assert time.monotonic() - killed < LEASE_MS / 1_000 + SLACK_SECONDS
            servers[number] = stack.enter_context(serving(tmp_path, stored.url, read_model="memory"))
            loads[number].send_to(servers[number].port)
            loads[number].more_acknowledged(20)
        for load in loads:
            load.end()
        for server in servers:
            assert server.stop() == 0
            assert server.complaints() == ""
    with stored.open() as onefold:
        log = check_kept(onefold)
    assert len(log) > 100, "much has happened"
    assert {line.cause.value for line in log} >= {"event", "join", "split"}
