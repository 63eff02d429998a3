"""Who may ask, from where, and how much may be sent."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from onefold.api.guards import DRAINED_BODIES, guards
from onefold.api.keyring import Keyring
from onefold.settings import Settings

MOST = 1_000


async def echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


def app(*origins: str) -> Starlette:
    settings = Settings(max_body_bytes=MOST, max_event_bytes=MOST, allowed_origins=origins)
    routes = [Route("/", echo, methods=["GET", "POST"]), WebSocketRoute("/talk", talk)]
    return Starlette(routes=routes, middleware=guards(settings, Keyring(settings)))


def client(*origins: str) -> TestClient:
    return TestClient(app(*origins), base_url="http://127.0.0.1:8470")


def answer(headers: dict[str, str], *origins: str) -> int:
    found = client(*origins).post("/", content=b"x", headers=headers)
    if found.status_code == 403:
        assert found.json()["code"] == "request.forbidden_origin"
        assert found.json()["hint"]
    return found.status_code


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8470", "localhost:1", "LocalHost", "[::1]", "[::1]:8470"])
def test_hosts_of_this_machine_are_taken(host: str) -> None:
    assert answer({"host": host}) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8470", "127.0.0.1.evil.example", "localhost.", "evil@localhost", "", "::1",
     "127.0.0.1:8470:1", "localhost:x", "[::1", "192.168.0.1:8470"],
)  # fmt: skip
def test_any_other_host_is_turned_away(host: str) -> None:
    assert answer({"host": host}) == 403


def test_a_request_that_names_no_host_is_turned_away() -> None:
    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}
    assert asyncio.run(statuses(scope, [])) == [403]


async def statuses(scope: dict[str, Any], messages: list[dict[str, Any]]) -> list[int]:
    """The statuses of the answers to a raw request."""
    found: list[int] = []
    coming: Iterator[dict[str, Any]] = iter(messages)

    async def receive() -> Any:
        return next(coming)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            found.append(message["status"])

    await app()(scope | {"http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 8470)}, receive, send)
    return found


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://127.0.0.1:9999",
        "https://127.0.0.1:8470",
        "http://localhost:8470",
        "",
        "x",
    ],
)
def test_foreign_pages_are_turned_away(origin: str) -> None:
    assert answer({"origin": origin}) == 403


def test_pages_of_our_own_may_ask_and_programs_have_no_page() -> None:
    assert answer({"origin": "http://127.0.0.1:8470"}) == 200
    assert answer({"origin": "http://localhost:8470", "host": "localhost:8470"}) == 200
    assert answer({}) == 200


def test_pages_that_are_named_may_ask_and_read_the_answer() -> None:
    page = "http://localhost:3000"
    found = client(page).post("/", content=b"x", headers={"origin": page})
    assert (found.status_code, found.headers["access-control-allow-origin"]) == (200, page)
    asked_before = {
        "origin": page,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    assert client(page).options("/", headers=asked_before).status_code == 200
    too_large = client(page).post("/", content=b"x" * 1_001, headers={"origin": page})
    assert (too_large.status_code, too_large.headers["access-control-allow-origin"]) == (413, page)
    assert answer({"origin": "http://localhost:3001"}, page) == 403


def test_websockets_are_guarded_alike() -> None:
    with client().websocket_connect("ws://127.0.0.1:8470/talk", headers={"origin": "http://127.0.0.1:8470"}) as socket:
        assert socket.receive_text() == "hello"
    with (
        pytest.raises(WebSocketDisconnect) as caught,
        client().websocket_connect("ws://127.0.0.1:8470/talk", headers={"origin": "http://evil.example"}),
    ):
        pass
    assert caught.value.code == 1008


# -- size


def test_a_body_may_be_as_large_as_the_limit() -> None:
    assert client().post("/", content=b"x" * MOST).text == str(MOST)


def test_a_larger_body_is_refused() -> None:
    found = client().post("/", content=b"x" * (MOST + 1))
    assert (found.status_code, found.json()["code"]) == (413, "body.too_large")


def test_a_body_that_does_not_say_how_large_it_is_is_counted_as_it_comes() -> None:
    def chunks(count: int) -> Iterator[bytes]:
        return (b"x" * 100 for _ in range(count))

    assert client().post("/", content=chunks(10)).text == "1000"
    assert client().post("/", content=chunks(11)).status_code == 413


HTTP = {"type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b""}
LOCALHOST = (b"host", b"127.0.0.1")


class Sender:
    """Sends a body in chunks, and knows how much of it was taken."""

    def __init__(self, size: int, chunk: int = 500) -> None:
        self.messages = [
            {"type": "http.request", "body": b"x" * chunk, "more_body": begin + chunk < size}
            for begin in range(0, size, chunk)
        ]
        self.taken = 0

    def __iter__(self) -> "Iterator[dict[str, Any]]":
        for message in self.messages:
            self.taken += len(message["body"])  # type: ignore[arg-type]
            yield message


def refuse(sender: Sender, *headers: tuple[bytes, bytes]) -> int:
    """How much of the body was taken before it was refused."""
    assert asyncio.run(statuses(HTTP | {"headers": [LOCALHOST, *headers]}, sender)) == [413]  # type: ignore[arg-type]
    return sender.taken


def test_a_sender_is_let_finish_so_that_it_sees_the_answer() -> None:
    assert refuse(Sender(4_000), (b"content-length", b"4000")) == 4_000
    assert refuse(Sender(4_000)) == 4_000


def test_nobody_is_listened_to_for_ever() -> None:
    assert refuse(Sender(100_000)) <= MOST * (DRAINED_BODIES + 1) + 500
    assert refuse(Sender(100_000), (b"content-length", b"100000")) == 0
    assert refuse(Sender(4_000), (b"content-length", b"4000"), (b"expect", b"100-continue")) == 0


def test_a_length_that_is_a_lie_is_not_believed() -> None:
    for length in (b"10", b"-1", b"x", "٣".encode()):
        assert refuse(Sender(4_000), (b"content-length", length)) == 4_000


@pytest.mark.parametrize("sent", [b"", b"x" * 500])
def test_a_body_that_does_not_come_to_its_end_is_refused(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr("onefold.api.guards.BODY_SECONDS", 0.05)
    parts = [{"type": "http.request", "body": sent, "more_body": True}] if sent else []
    assert asyncio.run(stalled(parts)) == (408, "body.too_slow")


async def stalled(parts: list[dict[str, Any]]) -> tuple[int, str]:
    """What is answered to a sender that says no more than this."""
    told: list[Any] = []

    async def receive() -> Any:
        return parts.pop(0) if parts else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        told.append(message)

    server = {"http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 8470), "headers": [LOCALHOST]}
    await app()(HTTP | server, receive, send)
    return told[0]["status"], json.loads(told[1]["body"])["code"]
