"""One connection: what it is told, and what it tells, until either side closes it.

What it holds is bounded: one message of the client's is read at a time, it may have so many operations under way, and
an operation makes its next answer when the last one was taken. A client that takes nothing is cut off.
"""

from contextlib import aclosing, suppress
from typing import Final, cast

import anyio
import orjson
from anyio.abc import TaskGroup
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from onefold.api.asking import Asker, Gate
from onefold.api.graphql.execution import Plan, Refused, Request, told
from onefold.api.graphql.sockets import messages
from onefold.api.graphql.sockets.answering import Answering
from onefold.api.graphql.sockets.messages import Closing, Complete, Init, Ping, Pong, Subscribe
from onefold.errors import OnefoldError

INIT_SECONDS: Final = 5.0
"""How long a client may take to say who it is."""
STALLED_SECONDS: Final = 30.0
"""How long a message of ours may wait to be taken."""
GOODBYE_SECONDS: Final = 1.0


class Socket:
    """A connection that was accepted. `run` ends when it is closed."""

    def __init__(self, websocket: WebSocket, gate: Gate, answering: Answering, most: int) -> None:
        """`most`: how many operations may be under way at once."""
        self._websocket: Final = websocket
        self._gate: Final = gate
        self._answering: Final = answering
        self._most: Final = most
        self._operations: Final[dict[str, anyio.CancelScope]] = {}
        self._whole: Final = anyio.CancelScope()
        self._closing: Closing | None = None

    async def run(self) -> None:
        """Talk until the connection is closed."""
        with self._whole:
            try:
                asker = await self._initialised()
                async with anyio.create_task_group() as tasks:
                    await self._listen(tasks, asker)
            except* Closing as closing:
                self._closing = cast(Closing, closing.exceptions[0])
            except* (WebSocketDisconnect, TimeoutError):
                pass  # whoever is gone needs no goodbye
        if self._closing is not None:
            with anyio.CancelScope(shield=True), anyio.move_on_after(GOODBYE_SECONDS), suppress(WebSocketDisconnect):
                self._check_there()
                await self._websocket.close(self._closing.code, self._closing.reason)

    def end(self, closing: Closing) -> None:
        """Close it, from the event loop."""
        self._closing = closing
        self._whole.cancel()

    # -- what the client says

    async def _initialised(self) -> Asker:
        """Who it is, when it said so and was told that all is well. Raises Closing."""
        with anyio.move_on_after(INIT_SECONDS):
            while not isinstance(message := await self._received(), Init):
                if isinstance(message, Subscribe | Complete):
                    raise Closing(messages.UNAUTHORIZED, "Unauthorized")
                await self._alive(message)
            try:
                asker = self._gate.admit_socket(self._websocket, message.payload or {})
            except OnefoldError as error:
                raise Closing(messages.FORBIDDEN, f"Forbidden: {error}") from error
            await self._send("connection_ack")
            return asker
        raise Closing(messages.INIT_TIMEOUT, "Connection initialisation timeout")

    async def _listen(self, tasks: TaskGroup, asker: Asker) -> None:
        while True:
            match await self._received():
                case Init():
                    raise Closing(messages.TOO_MANY_INITS, "Too many initialisation requests")
                case Subscribe() as message:
                    await self._begin(tasks, message, asker)
                case Complete(id=name):
                    if scope := self._operations.pop(name, None):
                        scope.cancel()
                case Ping() | Pong() as message:
                    await self._alive(message)

    async def _begin(self, tasks: TaskGroup, message: Subscribe, asker: Asker) -> None:
        self._check_key(asker)
        if message.id in self._operations:
            raise Closing(messages.SUBSCRIBER_EXISTS, f"Subscriber for {message.id} already exists")
        if len(self._operations) >= self._most:
            await self._refuse(message.id, Refused([_too_many(self._most)]))
            return
        scope = self._operations[message.id] = anyio.CancelScope()
        tasks.start_soon(self._answer, message.id, message.payload.request(), asker, scope)

    async def _alive(self, message: Ping | Pong) -> None:
        if isinstance(message, Ping):
            await self._send("pong")

    async def _received(self) -> messages.Received:
        event = await self._websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", messages.GOING_AWAY))
        return messages.received(event.get("text"))

    # -- what it is told

    async def _answer(self, name: str, asked: Request, asker: Asker, scope: anyio.CancelScope) -> None:
        with scope:
            kind, payload = "complete", None
            try:
                await self._tell(name, await self._answering.plan(asked, asker), asker)
            except Refused as refused:
                kind, payload = "error", told(refused)
            del self._operations[name]  # from now on its client may use the id again
            await self._send(kind, name, payload)

    async def _tell(self, name: str, plan: Plan, asker: Asker) -> None:
        async with aclosing(self._answering.answers(plan)) as answers:
            async for answer in answers:
                self._check_key(asker)
                await self._send("next", name, orjson.Fragment(answer.body))

    async def _refuse(self, name: str, refused: Refused) -> None:
        await self._send("error", name, told(refused))

    async def _send(self, kind: str, operation: str | None = None, payload: object = None) -> None:
        self._check_there()
        with anyio.fail_after(STALLED_SECONDS):
            await self._websocket.send_text(messages.said(kind, operation, payload))

    def _check_key(self, asker: Asker) -> None:
        """Raise Closing when the key that let them in was revoked meanwhile."""
        if not self._gate.holds(asker):
            raise Closing(messages.FORBIDDEN, "Forbidden: the key is not taken any more")

    def _check_there(self) -> None:
        """Raise WebSocketDisconnect when it is known that nobody hears us any more."""
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnect(messages.GOING_AWAY)


def _too_many(most: int) -> OnefoldError:
    return OnefoldError(
        "subscription.too_many",
        f"the connection has {most} operations under way, and no more than {most} may be",
        "Complete one of them, or raise max_subscriptions.",
    )
