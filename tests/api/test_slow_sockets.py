"""A client that takes nothing is cut off, whatever it asks for, and keeps nobody else from being answered."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
import wsproto
from wsproto.events import AcceptConnection, Request, TextMessage

from onefold.api import serving
from onefold.api.app import create_app
from onefold.api.graphql.sockets import connection
from onefold.api.graphql.sockets.door import Sockets
from onefold.service import Onefold
from tests.api.graphql_shop import opened
from tests.contract.stores import Place
from tests.support.server import SECONDS, Client, until

TYPES: Final = "__schema { types { name description fields { name description args { name description } } } }"
LARGE: Final = "{ " + " ".join(f"a{n}: {TYPES}" for n in range(10)) + " }"
SUBSCRIPTIONS: Final = 50


@contextmanager
def served(onefold: Onefold, sockets: Sockets) -> Iterator[int]:
    """The port of a server in a thread of this process."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        server = serving._Server(create_app(onefold, sockets), sockets, listening, lambda url: None)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.end()
            thread.join(SECONDS)


@contextmanager
def client_that_takes_nothing(port: int) -> Iterator[socket.socket]:
    """It asks for much, and reads no answer."""
    frames = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
    with closing(socket.socket()) as plug:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        plug.settimeout(SECONDS)
        plug.connect(("127.0.0.1", port))
        request = Request(host=f"127.0.0.1:{port}", target="/graphql", subprotocols=["graphql-transport-ws"])
        plug.sendall(frames.send(request))
        frames.receive_data(plug.recv(4_096))
        assert [type(event) for event in frames.events()] == [AcceptConnection]
        said: list[Any] = [{"type": "connection_init"}]
        said += [{"type": "subscribe", "id": str(n), "payload": {"query": LARGE}} for n in range(SUBSCRIPTIONS)]
        for message in said:
            plug.sendall(frames.send(TextMessage(orjson.dumps(message).decode())))
        yield plug


@pytest.mark.slow
def test_it_is_cut_off_and_others_are_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STALLED_SECONDS", 0.5)
    monkeypatch.setattr(serving, "CUT_SECONDS", 0.1)
    sockets = Sockets(10)
    with (
        opened(Place("sqlite", tmp_path)) as shop,
        served(shop.onefold, sockets) as port,
        client_that_takes_nothing(port) as plug,
        closing(Client(port)) as other,
    ):
        until(lambda: sockets.open, "it is connected")
        until(lambda: not sockets.open, "it is given up")
        answer = orjson.dumps(other.graphql(LARGE))
        assert taken(plug) < SUBSCRIPTIONS * len(answer) / 2, "most was never sent"


def taken(plug: socket.socket) -> int:
    """How many bytes are still to be had, until the connection ends."""
    found = 0
    try:
        while part := plug.recv(1_000_000):
            found += len(part)
    except ConnectionError:
        pass
    return found
