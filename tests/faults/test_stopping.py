"""Being told to stop: what was begun is finished, what was acknowledged is stored, and nobody keeps it from ending."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.support.crowd import crowd
from tests.support.load import loading
from tests.support.locks import locked
from tests.support.server import Server, serving, until
from tests.support.whole import check_store, stored_ids

SOON_SECONDS = 30.0
"""Within which a server ends that is told to, on a machine that has other things to do."""
HEAD = "POST /v1/batch HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"
BATCH: dict[str, Any] = {"batch": [next(crowd(seed=3, people=1)).wire()]}


@pytest.mark.slow
def test_a_server_that_is_stopped_under_load_ends_by_itself_and_has_stored_what_it_acknowledged(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with serving(tmp_path) as server, loading(crowd(seed=2, people=60), tmp_path / "acknowledged") as load:
        load.send_to(server.port)
        load.more_acknowledged(150)
        until(load.unanswered, "requests are in flight")
        assert server.stop(SOON_SECONDS) == 0
        load.end()
        assert server.complaints() == ""
        assert set(load.refused) <= {"ingest.stopping"}
    assert load.log() <= set(stored_ids(store))
    check_store(store, load.sent)
    assert not (tmp_path / "store.db-wal").exists(), "it has tidied up"


def test_a_request_that_waits_for_its_commit_when_the_server_is_stopped_gets_its_answer(tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.client() as waiting, server.client() as idle:
        assert idle.get("/healthz").status == 200
        with locked(tmp_path / "store.db"):
            waiting.send("POST", "/v1/batch", BATCH)
            taken_up(server)
            server.terminate()
            until(lambda: turned_away(server), "nobody new is let in")
            with pytest.raises((HTTPException, OSError)):
                idle.get("/healthz")
            assert server.process.poll() is None
        answer = waiting.receive()
        assert (answer.status, answer.said["accepted"]) == (200, 1)
        assert server.process.wait(SOON_SECONDS) == 0
        assert server.complaints() == ""
    assert len(stored_ids(tmp_path / "store.db")) == 1


@pytest.mark.slow
def test_senders_that_stall_do_not_keep_the_server_from_stopping(tmp_path: Path) -> None:
    with serving(tmp_path) as server, stalling(server, "", "POST /v1/ba", HEAD, HEAD + '{"batch"') as stalled:
        assert server.stop(SOON_SECONDS) == 0
        answers = [connection.makefile("rb").read().decode() for connection in stalled]
        assert answers[:2] == ["", ""], "they had not asked for anything yet"
        for answer in answers[2:]:
            assert answer.startswith("HTTP/1.1 503 ")
            assert "retry-after: 5\r\n" in answer
            assert '"code":"ingest.stopping"' in answer
        assert "Traceback" not in server.complaints()


@pytest.mark.slow
def test_a_store_that_somebody_else_holds_does_not_keep_the_server_from_stopping(tmp_path: Path) -> None:
    """Longer than the server waits: the sender is not told that its event is stored, and it is not."""
    with serving(tmp_path) as server, server.client() as waiting, locked(tmp_path / "store.db"):
        waiting.send("POST", "/v1/batch", BATCH)
        taken_up(server)
        server.terminate()
        answer = waiting.receive()
        assert (answer.status, answer.said["code"]) == (503, "ingest.stopping")
        assert server.process.wait(SOON_SECONDS) == 0
        assert "Traceback" not in server.complaints()
    assert stored_ids(tmp_path / "store.db") == []


def test_a_server_may_be_told_to_stop_twice(tmp_path: Path) -> None:
    """As with Ctrl-C: who is impatient does not break anything."""
    with serving(tmp_path) as server, server.client() as client:
        assert client.ingest(BATCH["batch"]).said["accepted"] == 1
        server.interrupt()
        server.interrupt()
        assert server.process.wait(SOON_SECONDS) == 0
        assert server.complaints() == ""
    assert len(stored_ids(tmp_path / "store.db")) == 1


def taken_up(server: Server) -> None:
    """Wait until the server has read what was sent to it so far: a later request has its answer."""
    with server.client() as later:
        assert later.get("/healthz").status == 200


def turned_away(server: Server) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), SOON_SECONDS).close()
    except ConnectionRefusedError:
        return True
    return False


@contextmanager
def stalling(server: Server, *starts: str) -> Iterator[list[socket.socket]]:
    """Connections that begin a request each, and say no more."""
    with ExitStack() as stack:
        connections = []
        for start in starts:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), SOON_SECONDS))
            connection.sendall(start.encode())
            connections.append(connection)
        taken_up(server)
        yield connections
