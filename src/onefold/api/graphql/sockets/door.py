"""Where connections come in: so many at once, each with a protocol that we speak, until onefold ends."""

import asyncio
from typing import Final

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from onefold.api.asking import Gate
from onefold.api.graphql.sockets import messages
from onefold.api.graphql.sockets.answering import Answering
from onefold.api.graphql.sockets.connection import Socket
from onefold.api.graphql.sockets.messages import Closing
from onefold.api.problems import problem_response
from onefold.errors import Problem

ENDING_SECONDS: Final = 2.0
_STOPPING: Final = Problem("ingest.stopping", "onefold is shutting down", "Connect again when it runs.")


class Sockets:
    """The connections that are open. It belongs to one event loop."""

    def __init__(self, most: int) -> None:
        """`most`: how many there may be."""
        self._most: Final = most
        self._open: Final[set[Socket]] = set()
        self._empty: Final = asyncio.Event()
        self._ending = False

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._open)

    def refusal(self) -> Problem | None:
        """Why there may be no other one, None if there may."""
        if self._ending:
            return _STOPPING
        if len(self._open) < self._most:
            return None
        said = f"{self._most} connections over WebSocket are open, and no more may be"
        return Problem("socket.too_many", said, "Close some, use one for many subscriptions, or raise max_sockets.")

    async def run(self, socket: Socket) -> None:
        """Talk with a client that was let in, until it is gone."""
        self._open.add(socket)
        try:
            await socket.run()
        finally:
            self._open.discard(socket)
            if not self._open:
                self._empty.set()

    async def end(self) -> None:
        """Say goodbye to all, and let nobody in any more."""
        self._ending = True
        for socket in self._open:
            socket.end(Closing(messages.GOING_AWAY, "onefold is shutting down"))
        self._empty.clear()
        with anyio.move_on_after(ENDING_SECONDS):
            if self._open:
                await self._empty.wait()


class SocketsDoor:
    """The endpoint for connections."""

    def __init__(self, sockets: Sockets, gate: Gate, answering: Answering, most: int) -> None:
        """`most`: how many operations each may have under way."""
        self._sockets: Final = sockets
        self._gate: Final = gate
        self._answering: Final = answering
        self._most: Final = most

    async def __call__(self, websocket: WebSocket) -> None:
        """Talk with one client."""
        if problem := self._sockets.refusal():
            await websocket.send_denial_response(problem_response(problem))
            return
        spoken = messages.PROTOCOL in websocket.scope.get("subprotocols", ())
        try:
            await websocket.accept(messages.PROTOCOL if spoken else None)
            if not spoken:
                await websocket.close(messages.PROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
                return
        except WebSocketDisconnect:
            return
        await self._sockets.run(Socket(websocket, self._gate, self._answering, self._most))
