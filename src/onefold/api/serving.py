"""Answering over HTTP, until told to end; if need be before the store can be opened."""

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from onefold.api.app import create_app
from onefold.api.graphql.sockets.door import Sockets
from onefold.api.keyring import Keyring
from onefold.api.waiting import Waiting
from onefold.errors import OnefoldError
from onefold.service import Onefold
from onefold.settings import Settings
from onefold.store.passing import PassingError

STOPPING_SECONDS: Final = 5
"""How long requests may still take when the server is told to end: who stalls would otherwise keep it for ever."""

CUT_SECONDS: Final = 5.0
MOST_MESSAGE_BYTES: Final = 1_000_000
"""The largest message that a client may send over WebSocket."""

MOST_FILES: Final = 65_536

Ready = Callable[[str], None]
"""Is told the base URL as soon as requests are answered."""


def serve(onefold: Onefold, ready: Ready, keys_file: Path | None = None) -> None:
    """Answer on the host and port of the settings until SIGINT or SIGTERM; then finish what was begun, as far as that
    takes no longer than a few seconds. `keys_file`: where keys are declared, to be looked at now and then.

    Raises: OnefoldError `settings.invalid` when the address cannot be listened on.
    """
    sockets = Sockets(onefold.settings.max_sockets)
    with closing(_listen(onefold.settings.host, onefold.settings.port)) as listening:
        app = create_app(onefold, sockets, Keyring(onefold.settings, keys_file))
        _Server(app, sockets, listening, ready).run(sockets=[listening])


def serve_once_open(
    settings: Settings,
    opened: Callable[[], AbstractContextManager[Onefold]],
    ready: Ready,
    keys_file: Path | None = None,
) -> None:
    """As `serve`, also while the store cannot be opened, as long as that may pass: then all requests are told so.

    Raises: OnefoldError as `serve`, and what `opened` raises and will not pass.
    """
    sockets, ring = Sockets(settings.max_sockets), Keyring(settings, keys_file)
    with closing(_listen(settings.host, settings.port)) as listening, ExitStack() as stack:
        waiting: Waiting | None = None
        try:
            app: ASGIApp = create_app(stack.enter_context(opened()), sockets, ring)
        except PassingError as error:
            app = waiting = Waiting(settings, opened, error, sockets, ring)
        server = _Server(app, sockets, listening, ready)
        if waiting is not None:
            stack.enter_context(waiting.until_open(server.end))
        server.run(sockets=[listening])


class _Frames(WSProtocol):
    """A connection over WebSocket, which is cut when it is over, also if its client takes nothing more."""

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(CUT_SECONDS, self.transport.abort)


class _Server(uvicorn.Server):
    """Says when it answers, and ends like any other function when it is told to end."""

    def __init__(self, app: ASGIApp, open_sockets: Sockets, listening: socket.socket, ready: Ready) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http="h11",
                ws=_Frames,
                ws_max_size=MOST_MESSAGE_BYTES,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=STOPPING_SECONDS,
            )
        )
        self._open_sockets: Final = open_sockets
        self._listening: Final = listening
        self._ready: Final = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        _allow_many_connections()
        await super().startup(sockets)
        host, port = self._listening.getsockname()[:2]
        self._ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._open_sockets.end()
        await super().shutdown(sockets)

    def end(self) -> None:
        """Tell it to end, from any thread."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        # Told twice, uvicorn would break off, with a traceback; how long it may take is bounded all the same.
        before = {number: signal.signal(number, lambda *_: self.end()) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _allow_many_connections() -> None:
    """Each is an open file. Many systems let a process have 1,024 unless it asks for more: so few are soon used up by
    clients that say nothing, and then the store could not be read either."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # there is none on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens on the address. Raises `settings.invalid`."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server(address, family=family, backlog=2048)
    except OSError as error:
        raise OnefoldError(
            "settings.invalid",
            f"onefold cannot listen on {host}, port {port}: {error.strerror}",
            "Choose another port with --port; 0 takes any free one.",
            "port",
        ) from error
    # Whoever is let in has it too. Else the body of an answer, which goes out after its head, waits here until the
    # other side has said that it has the head: 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
