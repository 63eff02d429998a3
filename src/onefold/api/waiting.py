"""onefold while its store cannot be opened yet: it lives, is not ready, and opens the store as soon as it can."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from onefold.api import pixel
from onefold.api.app import ALL_METHODS, create_app
from onefold.api.graphql.sockets.door import Sockets
from onefold.api.guards import guards
from onefold.api.health import healthz
from onefold.api.keyring import Keyring
from onefold.api.problems import problem_response
from onefold.service import Onefold
from onefold.settings import Settings
from onefold.store.passing import PassingError

AGAIN_SECONDS: Final = 1.0

_log: Final = logging.getLogger(__name__)


class Waiting:
    """An application that tells everybody why the store cannot be used, and becomes the whole one once it can."""

    def __init__(
        self,
        settings: Settings,
        opened: Callable[[], AbstractContextManager[Onefold]],
        why: PassingError,
        sockets: Sockets,
        ring: Keyring,
    ) -> None:
        """`opened`: opens the service, or raises. `why`: what it raised when it was tried before. `sockets`: where the
        whole application is to keep its own. `ring`: knows the keys."""
        self._opened: Final = opened
        self._sockets: Final = sockets
        self._ring: Final = ring
        self._why = why
        routes = [
            Route("/healthz", healthz),
            Route(pixel.PATH, self._no_event),
            Route("/{path:path}", self._unavailable, methods=ALL_METHODS),
        ]
        self._app: ASGIApp = Starlette(routes=routes, middleware=guards(settings, ring))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._app(scope, receive, send)

    @contextmanager
    def until_open(self, give_up: Callable[[], None]) -> Iterator[None]:
        """Inside the block, try to open the service; it is closed when the block ends. What will not pass calls
        `give_up`, and is raised at the end of the block."""
        _log.warning("%s; trying again until it answers", self._why)
        over, failures = threading.Event(), list[BaseException]()
        with ExitStack() as stack:

            def open_service() -> None:
                try:
                    self._open(stack, over)
                except BaseException as error:  # noqa: BLE001  # it is raised in the thread that waits
                    failures.append(error)
                    give_up()

            thread = threading.Thread(target=open_service, name="onefold-opener")
            thread.start()
            try:
                yield
            finally:
                over.set()
                thread.join()
        if failures:
            raise failures[0]

    def _open(self, stack: ExitStack, over: threading.Event) -> None:
        while not over.wait(AGAIN_SECONDS):
            try:
                onefold = stack.enter_context(self._opened())
            except PassingError as error:
                self._why = error
            else:
                self._app = create_app(onefold, self._sockets, self._ring)
                _log.warning("the store answers")
                return

    async def _no_event(self, request: Request) -> Response:
        return pixel.image(self._why.code)

    async def _unavailable(self, request: Request) -> Response:
        return problem_response(self._why.problem)
