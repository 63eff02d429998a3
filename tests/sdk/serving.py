"""onefold as its users run it, asked over HTTP: in a process of its own, or in this one where a test holds its hand."""

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onefold.api.app import create_app
from onefold.service import Onefold
from tests.support.server import SECONDS, serving

ENDED_WITHIN_SECONDS = 30


class Served:
    """A running onefold. `key`: whom GraphQL is asked by, if there are keys."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = url
        self._headers = {} if key is None else {"authorization": f"Bearer {key}"}

    def ask(self, query: str, **variables: Any) -> Any:
        """The data that GraphQL answers."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        status, answer = self.post("/graphql", body, **self._headers)
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


class Answered(NamedTuple):
    """A request to the tracking door and the status of its answer. `kind`: its content type."""

    path: str
    kind: str
    encoding: str
    status: int


class Watched:
    """An application, and what it answered to requests that send events.

    Attributes:
        duplicates: how many events it had already. losing: whether the next answer is lost on its way.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.answers: list[Answered] = []
        self.duplicates = 0
        self.losing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        posted = scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith("/v1/")
        lost, self.losing = posted and self.losing, self.losing and not posted

        status = 0

        async def noticed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = Headers(scope=scope)
                kind, encoding = headers.get("content-type", ""), headers.get("content-encoding", "")
                self.answers.append(Answered(scope["path"], kind.partition(";")[0], encoding, status))
            elif status == 200:
                self.duplicates += json.loads(message["body"])["duplicates"]
            if not lost:
                await send(message)

        await self._app(scope, receive, noticed if posted else send)
        if lost:
            await PlainTextResponse("nobody answers", 502)(scope, receive, send)


class InProcess(Served):
    """onefold in a thread of this process. `answers`: what it answered to senders so far."""

    def __init__(self, url: str, key: str | None, service: Onefold, watched: Watched) -> None:
        super().__init__(url, key)
        self.service = service
        self._watched = watched

    @property
    def answers(self) -> list[Answered]:
        return list(self._watched.answers)

    @property
    def duplicates(self) -> int:
        """How many events came again."""
        return self._watched.duplicates

    def rejects(self) -> list[str]:
        """The codes in the reject log."""
        with self.service.read() as reading:
            return [reject.code for reject in reading.view.rejects(100)]

    def lose_an_answer(self) -> None:
        """Have the next sender told, as by a proxy, that nobody answers, when its events were taken."""
        self._watched.losing = True

    @contextmanager
    def no_room(self) -> Iterator[None]:
        """Until the block ends nothing is written, and the queue is full."""
        entered, open_ = threading.Event(), threading.Event()

        def wait() -> None:
            entered.set()
            assert open_.wait(SECONDS)

        self.service.batcher.call(wait)
        assert entered.wait(SECONDS)
        event = json.dumps({"type": "track", "event": "Before", "userId": "before"}).encode()
        filling = self.service.submit([event] * self.service.settings.queue_size)
        try:
            yield
        finally:
            open_.set()
            filling.result(SECONDS)


@contextmanager
def served(folder: Path, store: str = "sqlite:///onefold.db") -> Iterator[Served]:
    """onefold on a new store, on a free port; it is told to end when the block does. A file is in `folder`."""
    with serving(folder, store) as server:
        yield Served(f"http://127.0.0.1:{server.port}")
        assert server.stop() == 0
        assert server.complaints() == ""


@contextmanager
def in_process(onefold: Onefold, key: str | None = None) -> Iterator[InProcess]:
    """onefold answering over HTTP from a thread of this process."""
    watched = Watched(create_app(onefold))
    config = uvicorn.Config(watched, ws="none", log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield InProcess(f"http://127.0.0.1:{listening.getsockname()[1]}", key, onefold, watched)
        finally:
            server.should_exit = True
            thread.join(ENDED_WITHIN_SECONDS)
