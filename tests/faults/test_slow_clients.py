"""Clients that say nothing, little, or too much at once: others are served, and memory does not grow with them."""

import json
import resource
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.crowd import Happening, crowd
from tests.support.locks import locked
from tests.support.server import ONEFOLD, SECONDS, Answer, Client, Server, serving, until
from tests.support.whole import check_store, stored_ids

pytestmark = pytest.mark.slow

IDLE: Final = 1_000
MORE: Final = 200
HALVES: Final = 50
HALF_BYTES: Final = 300_000
FLOODERS: Final = 8
FLOODS: Final = 60
"""Requests of each of them."""
GROWN_MB: Final = 48.0
"""Less than a quarter of what the flood sends."""


FEW_FILES: Final = ("sh", "-c", 'ulimit -Sn 1024; exec "$0" "$@"', *ONEFOLD)
"""onefold as it is started where a process may have 1,024 files open unless it asks for more."""


@pytest.fixture(autouse=True)
def enough_files() -> Iterator[None]:
    """Each connection is an open file here, too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4 * IDLE, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def connected(server: Server, *starts: bytes) -> Iterator[list[socket.socket]]:
    """Connections that say this much, and no more."""
    with ExitStack() as stack:
        connections = []
        for start in starts:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), SECONDS))
            connection.sendall(start)
            connections.append(connection)
        yield connections


def request(happening: Happening, padding: int = 0) -> bytes:
    """One event, whole, as it goes over the wire; `padding`: bytes that mean nothing."""
    body = json.dumps({"batch": [happening.wire()], "x": "x" * padding}).encode()
    head = "POST /v1/batch HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body


def check_served(client: Client, happenings: Iterator[Happening], asked: int = 20) -> None:
    """Events are taken, and questions are answered."""
    for happening in islice(happenings, asked):
        assert client.ingest([happening.wire()]).said["accepted"] == 1
        namespace, value = happening.identifiers[0]
        query = "query ($who: IdentifierInput!) { customer(by: {identifier: $who}) { id } }"
        said = client.graphql(query, who={"namespace": namespace, "value": value})
        assert said["data"]["customer"]["id"].startswith("cus_")


def test_a_thousand_connections_that_say_nothing_keep_nobody_from_being_served(tmp_path: Path) -> None:
    happenings = crowd(seed=41, people=20)
    with (
        serving(tmp_path, command=FEW_FILES) as server,
        connected(server, *[b""] * (IDLE + MORE)),
        server.client() as client,
    ):
        check_served(client, happenings)
        assert server.stop() == 0, "nor from stopping"
        assert server.complaints() == ""


def test_senders_that_stop_in_the_middle_keep_nobody_from_being_served_and_may_go_on(tmp_path: Path) -> None:
    happenings = crowd(seed=42, people=20)
    halves = list(islice(happenings, HALVES))
    whole = [request(happening, HALF_BYTES) for happening in halves]
    middle = HALF_BYTES // 2
    with serving(tmp_path) as server, server.client() as client:
        starts = [*(text[:40] for text in whole[:10]), *(text[:middle] for text in whole[10:])]
        with connected(server, *starts) as connections:
            check_served(client, happenings)
            for connection, text, start in zip(connections, whole, starts, strict=True):
                connection.sendall(text[len(start) :])
            for connection in connections:
                assert connection.recv(15) == b"HTTP/1.1 200 OK"
        assert len(stored_ids(tmp_path / "store.db")) == HALVES + 20
        assert server.complaints() == ""


def test_a_sender_that_drips_is_taken_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Byte by byte, while others come and go."""
    happenings = crowd(seed=43, people=20)
    text = request(next(happenings))
    with serving(tmp_path) as server, server.client() as client, connected(server, b"") as [dripping]:
        dripping.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(len(text)):
            dripping.sendall(text[place : place + 1])
            if place % 20 == 0:
                check_served(client, happenings, 1)
        assert dripping.recv(15) == b"HTTP/1.1 200 OK"
        assert server.complaints() == ""


def test_senders_that_do_not_read_their_answers_keep_nobody_from_being_served(tmp_path: Path) -> None:
    """They ask for far more than what fits on the way, one question after the other."""
    happenings = crowd(seed=44, people=20)
    body = json.dumps({"query": "{ __schema { types { name description fields { name description } } } }"}).encode()
    head = b"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    asking = (head % len(body) + body) * 200
    with serving(tmp_path) as server, connected(server, b"", b"", b"") as deaf, server.client() as client:
        for connection in deaf:
            connection.setblocking(False)
            connection.send(asking)
        check_served(client, happenings)
        before = server.memory_mb()
        check_served(client, happenings)
        assert server.memory_mb() < before + GROWN_MB, "what nobody reads is not made"
        assert server.complaints() == ""


def test_memory_does_not_grow_with_what_a_full_queue_turns_away(tmp_path: Path) -> None:
    happenings = list(islice(crowd(seed=45, people=200), 1_200))
    batches = [happenings[start : start + 10] for start in range(0, 200, 10)]
    flood = padded(happenings[200:])
    with (
        serving(tmp_path, batch_size=10, queue_size=50, max_events_per_batch=50) as server,
        ThreadPoolExecutor(len(batches) + FLOODERS) as threads,
    ):
        with locked(tmp_path / "store.db"):
            sent = [threads.submit(post, server, [one.wire() for one in batch]) for batch in batches]
            until(lambda: sum(future.done() for future in sent) >= len(batches) - 6, "the queue is full")
            assert turned_away(server, flood[:FLOODERS], threads) == {429}
            before = server.memory_mb()
            assert turned_away(server, flood, threads) == {429}
            assert server.memory_mb() < before + GROWN_MB
        taken = [batch for batch, future in zip(batches, sent, strict=True) if future.result().status == 200]
        assert taken, "who waited was stored"
        assert set(stored_ids(tmp_path / "store.db")) == {one.message_id for batch in taken for one in batch}
        assert server.stop() == 0
        assert server.complaints() == ""
    check_store(tmp_path / "store.db", {one.message_id: one for one in happenings})


def padded(happenings: list[Happening]) -> list[list[dict[str, Any]]]:
    """Batches of as many bytes as may be: 480 of them are 200 MB."""
    few = [happening.wire() | {"properties": {"x": "x" * 20_000}} for happening in happenings[:20]]
    return [few] * (FLOODERS * FLOODS)


def turned_away(server: Server, batches: list[list[dict[str, Any]]], threads: ThreadPoolExecutor) -> set[int]:
    """Send all of them, some at a time; -> the statuses of the answers."""

    def send(share: list[list[dict[str, Any]]]) -> set[int]:
        with server.client() as client:
            return {client.ingest(batch).status for batch in share}

    shares = [batches[number::FLOODERS] for number in range(FLOODERS)]
    return set[int]().union(*threads.map(send, shares))


def post(server: Server, events: list[dict[str, Any]]) -> Answer:
    with server.client() as client:
        return client.ingest(events)
