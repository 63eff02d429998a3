"""A disk that is full, or broken: everybody is told so, and onefold goes on by itself when the disk is well again."""

import json
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from onefold.errors import Exit
from tests.faults.disks import Disk, SimulatedDisk, mounted
from tests.support.crowd import Happening, crowd
from tests.support.load import loading
from tests.support.server import Client, Server, run, serving
from tests.support.whole import check_store, stored_ids

INGEST = "mutation ($events: [EventInput!]!) { ingest(events: $events) { accepted } }"
JUDGE = """mutation ($a: IdentifierInput!, $b: IdentifierInput!) {
    judge(verdict: SAME, a: $a, b: $b, reason: "the clerk asked") { judgement { id } } }"""
HARDLY_ANY_ROOM = (
    "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (4096, 4096)); from onefold.wiring import main; main()"
)
READ = """query ($who: IdentifierInput!) {
    status { touchpoints rejects }
    customer(by: {identifier: $who}) { journey(first: 1) { edges { node { messageId } } } } }"""


@pytest.fixture(params=["simulated", "mounted"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    if request.param == "simulated":
        yield SimulatedDisk(tmp_path)
        return
    with mounted(tmp_path / "disk") as real:
        if real is None:
            pytest.skip("no file system can be mounted here; the simulated disk is tested instead")
        yield real


@pytest.fixture
def happenings() -> list[Happening]:
    return list(islice(crowd(seed=4, people=10), 100))


class Doors:
    """All ways to write to one server's store, and to read from it. Each answers with a code, "" for success."""

    def __init__(self, server: Server, client: Client, folder: Path, disk: Disk) -> None:
        self.server, self._client, self._folder, self._disk = server, client, folder, disk

    def batch(self, events: Sequence[dict[str, Any]]) -> str:
        """The SDKs' door. Who is refused is told that to try again helps, and when."""
        answer = self._client.ingest(events)
        if answer.status == 200:
            return ""
        assert (answer.status, answer.headers["content-type"]) == (507, "application/problem+json")
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.said["message"]
        assert answer.said["hint"]
        return str(answer.said["code"])

    def ingest(self, events: Sequence[dict[str, Any]]) -> str:
        inputs = [event | {"type": event["type"].upper()} for event in events]
        return self._mutation(INGEST, events=inputs)

    def judge(self, happening: Happening) -> str:
        a, b, *_ = happening.wire()["identifiers"]
        return self._mutation(JUDGE, a=a, b=b)

    def _mutation(self, text: str, **given: Any) -> str:
        said = self._client.graphql(text, **given)
        return str(said["errors"][0]["extensions"]["code"]) if "errors" in said else ""

    def import_(self, events: Sequence[dict[str, Any]]) -> str:
        """The command line, as the same source. It fails with one line and its exit code."""
        file = self._folder / "events.jsonl"
        file.write_text("".join(json.dumps(event) + "\n" for event in events))
        done = self._command("import", file, "--source", "local")
        if done.returncode == 0:
            return ""
        assert done.returncode == Exit.STORE
        [line] = done.stderr.splitlines()
        return line.partition(":")[0]

    def read(self, happening: Happening) -> Any:
        """Over GraphQL and by the command line."""
        who = happening.wire()["identifiers"][0]
        said = self._client.graphql(READ, who=who)
        shown = self._command("resolve", f"{who['namespace']}:{who['value']}")
        assert shown.returncode == 0, shown.stderr
        assert self._client.get("/readyz").status == 200
        return said

    def _command(self, *arguments: object) -> CompletedProcess[str]:
        store = f"sqlite:///{self._disk.folder}/store.db"
        return run(self._folder, *arguments, "--store", store, command=self._disk.command)


@pytest.fixture
def doors(disk: Disk, tmp_path: Path) -> Iterator[Doors]:
    with (
        serving(tmp_path, f"sqlite:///{disk.folder}/store.db", disk.command) as server,
        server.client() as client,
    ):
        yield Doors(server, client, tmp_path, disk)


@pytest.mark.slow
def test_a_full_disk_is_told_at_every_door_while_reads_go_on_and_writing_does_when_there_is_room(
    doors: Doors, disk: Disk, happenings: list[Happening]
) -> None:
    events = [happening.wire() for happening in happenings]
    judged = next(happening for happening in happenings if len(happening.identifiers) > 1)
    assert doors.batch(events[:20]) == ""
    before = doors.read(happenings[0])
    disk.fill()
    assert doors.batch(events[20:40]) == "store.full"
    assert doors.batch([{"type": "track"}]) == "store.full", "what is rejected is to be kept in the reject log"
    assert doors.ingest(events[40:60]) == "store.full"
    assert doors.judge(judged) == "store.full"
    assert doors.import_(events[60:80]) == "store.full"
    assert doors.read(happenings[0]) == before, "nothing of what failed is there"
    disk.clear()
    assert doors.batch(events[20:40]) == ""
    assert doors.batch([{"type": "track"}]) == ""
    assert doors.ingest(events[40:60]) == ""
    assert doors.import_(events[60:80]) == ""
    assert doors.read(happenings[0])["data"]["status"] == {"touchpoints": 80, "rejects": 1}
    assert doors.server.stop() == 0
    assert doors.server.complaints() == ""
    check_store(disk.folder / "store.db", {happening.message_id: happening for happening in happenings})


def test_a_store_that_nobody_has_open_says_that_the_disk_is_full(tmp_path: Path) -> None:
    """Opening it takes a little room, even for reading."""
    store = ("--store", "sqlite:///store.db")
    assert run(tmp_path, "init", *store).returncode == 0
    for command in ("status", "serve"):
        ended = run(tmp_path, *store, command, command=(sys.executable, "-c", HARDLY_ANY_ROOM))
        assert ended.returncode == Exit.STORE
        [line] = ended.stderr.splitlines()
        assert line.startswith("store.full: ")
    assert run(tmp_path, *store, "status").returncode == 0


def test_rejected_lines_that_find_no_room_end_an_import_with_what_is_wrong(tmp_path: Path) -> None:
    """What could be used is imported nevertheless."""
    (tmp_path / "shop.jsonl").write_text(json.dumps(next(crowd(seed=4, people=1)).wire()) + "\nno event\n")
    (tmp_path / "shop.rejects.jsonl").symlink_to("/dev/full")
    ended = run(tmp_path, "import", "shop.jsonl", "--store", "sqlite:///store.db")
    assert ended.returncode == Exit.SETTINGS
    [line] = ended.stderr.splitlines()
    assert line.startswith("settings.invalid: rejected lines cannot be written to shop.rejects.jsonl: No space left")
    assert len(stored_ids(tmp_path / "store.db")) == 1


@pytest.mark.slow
def test_a_disk_that_fills_up_under_load_loses_nothing_that_was_acknowledged(disk: Disk, tmp_path: Path) -> None:
    path = disk.folder / "store.db"
    with (
        serving(tmp_path, f"sqlite:///{path}", disk.command) as server,
        loading(crowd(seed=5, people=60), tmp_path / "acknowledged", senders=4) as load,
    ):
        load.send_to(server.port)
        for _ in range(2):
            load.more_acknowledged(50)
            disk.fill()
            load.more_refused(20)
            disk.clear()
        load.more_acknowledged(50)
        load.end()
        assert server.stop() == 0
        assert server.complaints() == ""
    assert load.refused.keys() == {"store.full"}
    stored = stored_ids(path)
    assert load.log() <= set(stored)
    assert len(stored) == len(set(stored))
    check_store(path, load.sent)


def test_a_broken_disk_is_told_and_the_server_is_ready_again_when_it_works(
    tmp_path: Path, happenings: list[Happening]
) -> None:
    disk = SimulatedDisk(tmp_path)
    events = [happening.wire() for happening in happenings]
    with serving(tmp_path, command=disk.command) as server, server.client() as client:
        assert client.ingest(events[:20]).said["accepted"] == 20
        disk.break_down()
        for answer in (client.get("/readyz"), client.ingest(events[20:40])):
            assert (answer.status, answer.said["code"]) == (503, "store.unavailable")
            assert int(answer.headers["retry-after"]) >= 1
        said = client.graphql("{ status { touchpoints } }")
        assert [error["extensions"]["code"] for error in said["errors"]] == ["store.unavailable"]
        assert client.get("/healthz").status == 200, "to start it anew would not help"
        disk.clear()
        assert client.get("/readyz").status == 200
        assert client.ingest(events[20:40]).said["accepted"] == 20
        assert server.stop() == 0
        assert "Traceback" not in server.complaints()
    check_store(tmp_path / "store.db", {happening.message_id: happening for happening in happenings})
