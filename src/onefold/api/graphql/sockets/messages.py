"""The messages of graphql-transport-ws (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md) and the codes
with which a connection is closed."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import orjson

from onefold.api.graphql.http import Body

PROTOCOL: Final = "graphql-transport-ws"

GOING_AWAY: Final = 1001
INVALID_MESSAGE: Final = 4400
UNAUTHORIZED: Final = 4401
FORBIDDEN: Final = 4403
PROTOCOL_NOT_ACCEPTABLE: Final = 4406
INIT_TIMEOUT: Final = 4408
SUBSCRIBER_EXISTS: Final = 4409
TOO_MANY_INITS: Final = 4429

LONGEST_REASON: Final = 123
"""How many bytes a close frame holds besides its code."""
LONGEST_ID: Final = 200


class Closing(Exception):  # noqa: N818 (it is how a connection ends, not a failure of ours)
    """The connection is to be closed, with this code."""

    def __init__(self, code: int, reason: str) -> None:
        """`reason`: as much of it as fits is told."""
        super().__init__(code, reason)
        self.code: Final = code
        self.reason: Final = reason.encode()[:LONGEST_REASON].decode(errors="ignore")


class Init(msgspec.Struct, frozen=True, tag_field="type", tag="connection_init"):
    """The client's first message."""

    payload: Mapping[str, Any] | None = None


class Ping(msgspec.Struct, frozen=True, tag_field="type", tag="ping"):
    """Wants a pong."""

    payload: Mapping[str, Any] | None = None


class Pong(msgspec.Struct, frozen=True, tag_field="type", tag="pong"):
    """The answer to a ping, or a sign of life."""

    payload: Mapping[str, Any] | None = None


class Subscribe(msgspec.Struct, frozen=True, tag_field="type", tag="subscribe"):
    """An operation of any kind; `id`: what its answers are told apart by."""

    id: str
    payload: Body


class Complete(msgspec.Struct, frozen=True, tag_field="type", tag="complete"):
    """No more answers are wanted."""

    id: str


Received = Init | Ping | Pong | Subscribe | Complete

_DECODER: Final = msgspec.json.Decoder(Received)


def received(text: str | None) -> Received:
    """What a client says. Raises Closing when it is no message of the protocol; None: it was not even text."""
    if text is None:
        raise Closing(INVALID_MESSAGE, "Messages are text")
    try:
        message: Received = _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Closing(INVALID_MESSAGE, f"Invalid message: {error}") from error
    if isinstance(message, Subscribe | Complete) and not 0 < len(message.id) <= LONGEST_ID:
        raise Closing(INVALID_MESSAGE, f"Invalid message: an id has 1 to {LONGEST_ID} characters")
    return message


def said(kind: str, operation: str | None = None, payload: Any = None) -> str:
    """A message of ours as text. `operation`: the id its client gave it."""
    message = {"type": kind, "id": operation, "payload": payload}
    return orjson.dumps({name: value for name, value in message.items() if value is not None}).decode()
