"""Who asks, and whether they may: every route says what a key needs to pass it (`Door`), and its endpoint lets in
whoever has such a key (`Gate`).

Without keys everybody who reaches onefold, which is then this machine alone, is `local` and may do everything.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Collection, Mapping
from enum import Enum
from functools import lru_cache
from typing import Final

import msgspec
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Send
from starlette.types import Scope as Connection
from starlette.websockets import WebSocket

from onefold.api.guards import own_origin
from onefold.api.keyring import Keyring, as_browsers_name_it
from onefold.errors import OnefoldError
from onefold.keys import ANY_ORIGIN, Key, KeyTrust, Scope, find
from onefold.model.sources import Source, Trust
from onefold.service.onefold import LOCAL

_NEEDS: Final = "onefold.needs"


class Entry(Enum):
    """What a route needs, where it is no scope."""

    OPEN = "open"
    """Nothing: it tells no more than that onefold is there."""
    ANY_KEY = "any key"
    """A key, and then what each part of the request needs by itself."""


Needs = Scope | Entry


class Asker(msgspec.Struct, frozen=True):
    """Who asks: the source of their events, whose name is the author of their judgements, and what they may do. `key`:
    what let them in, None where none is needed."""

    source: Source
    scopes: frozenset[Scope]
    key: Key | None = None

    @property
    def may_judge(self) -> bool:
        """Whether their word on who is who counts."""
        return Scope.STEWARD in self.scopes

    def check(self, scope: Scope, what: str) -> None:
        """Raise `key.forbidden` unless they have the scope that `what` needs."""
        if scope not in self.scopes:
            raise OnefoldError(
                "key.forbidden",
                f"{what} needs the scope {scope}, and the key {self.source.name} has {', '.join(sorted(self.scopes))}",
                "Use a key that has it: onefold key new makes one.",
            )


EVERYBODY: Final = Asker(LOCAL, frozenset(Scope))
"""Who asks when there are no keys."""


class Door(Route):
    """A route that says what a key needs to pass it."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[[Request], Awaitable[Response] | Response],
        needs: Needs,
        methods: Collection[str] | None = None,
    ) -> None:
        """The endpoint lets in whoever may pass, unless it is open."""
        super().__init__(path, endpoint, methods=methods)
        self.needs: Final = needs

    async def handle(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Let the endpoint know what is needed."""
        scope[_NEEDS] = self.needs
        await super().handle(scope, receive, send)


class SocketDoor(WebSocketRoute):
    """The same for connections over WebSocket: what is sent by them says itself what it needs."""

    def __init__(self, path: str, endpoint: Callable[[WebSocket], Awaitable[None]]) -> None:
        """The endpoint lets in who has any key."""
        super().__init__(path, endpoint)
        self.needs: Final = Entry.ANY_KEY

    async def handle(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Let the endpoint know what is needed."""
        scope[_NEEDS] = self.needs
        await super().handle(scope, receive, send)


class Gate:
    """Lets in who has a key."""

    def __init__(self, ring: Keyring) -> None:
        """`ring`: knows the keys."""
        self._ring: Final = ring

    def needs_key(self) -> bool:
        """Whether whoever asks needs one."""
        return self._ring.known().needed

    def holds(self, asker: Asker) -> bool:
        """Whether what let them in still does: they may stay for long."""
        known = self._ring.known()
        return not known.needed if asker.key is None else asker.key in known.keys

    def by_header(self, request: HTTPConnection) -> Asker | None:
        """Who asks by the header Authorization; None when there is none, and the key may stand elsewhere.

        Raises `key.unknown`, `key.forbidden`, `request.forbidden_origin`.
        """
        if not self.needs_key():
            return EVERYBODY
        header = request.headers.get("authorization")
        return None if header is None else self._admit(request, _secret(header))

    def by_write_key(self, request: HTTPConnection, secret: object) -> Asker:
        """Who asks by a key in what was sent, for those who can set no header. It raises as `admit` does."""
        if not self.needs_key():
            return EVERYBODY
        if not isinstance(secret, str) or not secret:
            raise OnefoldError("key.missing", "the request has no key", _HOW)
        return self._admit(request, secret)

    def admit(self, request: HTTPConnection) -> Asker:
        """Who asks by the header.

        Raises `key.missing`, `key.unknown`; `key.forbidden` when the key lacks what the route needs;
        `request.forbidden_origin` when the page it comes from may not use this key.
        """
        return self.by_header(request) or self.by_write_key(request, None)

    def admit_socket(self, connection: HTTPConnection, said: Mapping[str, object]) -> Asker:
        """Who asks by the header, else by what the first message over the connection says, as `authorization` or as
        `key`: pages can set no header. It raises as `admit` does."""
        if asker := self.by_header(connection):
            return asker
        header = said.get("authorization")
        return self.by_write_key(connection, _secret(header) if isinstance(header, str) else said.get("key"))

    def _admit(self, request: HTTPConnection, secret: str) -> Asker:
        known = self._ring.known()
        key = find(known.keys, secret)
        if key is None:
            raise OnefoldError("key.unknown", "no key is like the one the request has", _HOW)
        _check_origin(request, key, known.everywhere)
        asker, needs = _asker(key), request.scope[_NEEDS]
        if isinstance(needs, Scope):
            asker.check(needs, request.url.path[:100])
        return asker


def _check_origin(request: HTTPConnection, key: Key, everywhere: frozenset[str]) -> None:
    origin = request.headers.get("origin")
    if origin is None or ANY_ORIGIN in key.origins:
        return
    origin = origin.lower()
    named = everywhere.union(map(as_browsers_name_it, key.origins))
    if origin not in named and origin != own_origin(request.scope, request.headers):
        raise OnefoldError(
            "request.forbidden_origin",
            f"the key {key.name} is not for pages of {origin[:100]!r}",
            "If that page is yours, name its origin in the key's origins.",
            "origin",
        )


@lru_cache
def _asker(key: Key) -> Asker:
    trust = Trust.SERVER if key.trust is KeyTrust.SERVER else Trust.PUBLIC
    return Asker(Source(key.name, trust), frozenset(key.scopes), key)


def _secret(header: str) -> str:
    """The key in a header `Authorization`: Bearer, or Basic as its user. What is neither is no key."""
    kind, _, given = header.strip().partition(" ")
    given = given.strip()
    if kind.lower() == "bearer":
        return given
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


_HOW: Final = "Send it as Authorization: Bearer KEY, or as the user of Basic, or as an SDK's write key."
