"""onefold as its users run it: a process of its own, asked over HTTP."""

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from onefold.api.app import create_app
from onefold.service import Onefold
from tests.support.server import serving

ENDED_WITHIN_SECONDS = 30


class Served:
    """A running onefold."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: str, **variables: Any) -> Any:
        """The data that GraphQL answers."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        status, answer = self.post("/graphql", body)
        assert status == 200, answer
        assert "errors" not in answer, answer
        return answer["data"]

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, Any]:
        """The status and the JSON of an answer."""
        request = urllib.request.Request(self.url + path, body, {"content-type": "application/json"} | headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


@contextmanager
def served(folder: Path, store: str = "sqlite:///onefold.db") -> Iterator[Served]:
    """onefold on a new store, on a free port; it is told to end when the block does. A file is in `folder`."""
    with serving(folder, store) as server:
        yield Served(f"http://127.0.0.1:{server.port}")
        assert server.stop() == 0
        assert server.complaints() == ""


@contextmanager
def in_process(onefold: Onefold) -> Iterator[Served]:
    """onefold answering over HTTP from a thread of this process, so that a test can hold its hand."""
    config = uvicorn.Config(create_app(onefold), ws="none", log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join(ENDED_WITHIN_SECONDS)
