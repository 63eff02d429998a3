"""What a request must pass before anything looks at it: who asks, from where, and how much is sent.

Without keys whoever reaches onefold may do everything, and a browser on this machine reaches it for every web page.
So a request must name a host that is ours (no page can have its own name point here: DNS rebinding) and must not come
from a foreign page (no page can send what its visitor did not mean to: CSRF). With keys no page gets anywhere without
one, so hosts are looked at only if the settings name some; which pages may use which key is looked at when the key is
known (`onefold.api.asking`).
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Final

import anyio
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onefold.api.keyring import Keyring
from onefold.api.problems import problem_response
from onefold.errors import OnefoldError, Problem
from onefold.keys import ANY_ORIGIN
from onefold.settings import Settings

JSON: Final = "application/json"
INLINE_BYTES: Final = 32_768
"""What is sent in a larger body is decoded and run on a thread, so that the others do not wait for it."""
LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
POLICY_VIOLATION: Final = 1008
SCHEME_OF: Final = {"ws": "http", "wss": "https"}

DRAINED_BODIES: Final = 8
"""A body that is too large is read to its end, up to so many times the limit, before it is refused: a sender that is
cut off while it still sends sees a broken connection instead of the answer."""
DRAIN_SECONDS: Final = 10.0

BODY_SECONDS: Final = 60.0
"""How long a body may take to come. What came of it is held meanwhile."""

_STOPPING: Final = Problem("ingest.stopping", "onefold is shutting down", "Send it again when it runs.")
_SLOW: Final = Problem(
    "body.too_slow", f"the body was not there after {BODY_SECONDS:.0f} seconds", "Send it again, or less at once."
)
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::\d+)?")


def guards(settings: Settings, ring: Keyring) -> list[Middleware]:
    """The middleware that every request passes, the outermost first. Which hosts may be asked for does not change."""
    hosts = settings.allowed_hosts or (() if settings.keys else LOOPBACK_HOSTS)
    return [
        Middleware(LastWord),
        Middleware(OriginGuard, hosts=hosts, ring=ring),
        Middleware(PagesMayAsk, ring=ring),
        Middleware(BodyLimit, most=settings.max_body_bytes),
    ]


def own_origin(scope: Scope, headers: Headers) -> str:
    """The origin of onefold's own pages, as the request names them."""
    return f"{SCHEME_OF.get(scope['scheme'], scope['scheme'])}://{headers.get('host', '').lower()}"


def check_json(content_type: str) -> None:
    """Raise `body.unsupported_media_type` for any other type than JSON: a web form can send the others anywhere."""
    if content_type.partition(";")[0].strip().lower() != JSON:
        raise OnefoldError(
            "body.unsupported_media_type",
            f"the content type is {content_type[:100]!r}",
            f"Send JSON, and say so: content-type: {JSON}.",
        )


class LastWord:
    """Answers a request that the server gives up when it is told to stop (`ingest.stopping`)."""

    def __init__(self, app: ASGIApp) -> None:
        """Servers give a request up by cancelling it; nothing else does."""
        self._app: Final = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        answering = False

        async def noticed(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self._app(scope, receive, noticed)
        except asyncio.CancelledError:
            if answering or scope["type"] != "http":
                raise
            await problem_response(_STOPPING)(scope, receive, send)


class OriginGuard:
    """Turns away requests for other hosts and from foreign pages (`request.forbidden_origin`)."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str], ring: Keyring) -> None:
        """`hosts`: names without port, none for any; `ring`: knows the origins of other pages that may ask."""
        self._app: Final = app
        self._hosts: Final = frozenset(host.lower() for host in hosts)
        self._ring: Final = ring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        error = self._refusal(scope) if scope["type"] in {"http", "websocket"} else None
        if error is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": error.code})
        else:
            await problem_response(error.problem)(scope, receive, send)

    def _refusal(self, scope: Scope) -> OnefoldError | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        name = _HOST.fullmatch(host)
        if self._hosts and (name is None or name[1] not in self._hosts):
            return OnefoldError(
                "request.forbidden_origin",
                f"the request is for the host {host[:100]!r}",
                "Ask for 127.0.0.1 or localhost, or name the host in the setting allowed_hosts.",
                "host",
            )
        origin = headers.get("origin")
        if origin is None:
            return None
        origin = origin.lower()
        if origin == own_origin(scope, headers) or not self._ring.known().origins.isdisjoint({origin, ANY_ORIGIN}):
            return None
        return OnefoldError(
            "request.forbidden_origin",
            f"the request comes from a page of {origin[:100]!r}",
            "If that page is yours, name its origin in the setting allowed_origins, or in the key's origins.",
            "origin",
        )


class PagesMayAsk(CORSMiddleware):
    """Tells browsers that pages of these origins may ask, and read the answer."""

    def __init__(self, app: ASGIApp, ring: Keyring) -> None:
        """`ring`: knows the origins."""
        super().__init__(
            app,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "x-retry-count"],
            expose_headers=["retry-after"],
        )
        self._ring: Final = ring

    def is_allowed_origin(self, origin: str) -> bool:
        """Whether its pages may."""
        return not self._ring.known().origins.isdisjoint({origin, ANY_ORIGIN})


class _TooLarge(Exception):  # noqa: N818 (it never leaves this module)
    """More of the body came than is allowed; `more`: and it goes on."""

    def __init__(self, *, more: bool) -> None:
        super().__init__()
        self.more: Final = more


class _TooSlow(Exception):  # noqa: N818 (nor this)
    """The rest of the body does not come."""


class BodyLimit:
    """Turns away bodies of more than `most` bytes (`body.too_large`), however they are sent, and those that do not come
    to their end (`body.too_slow`)."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        """`most`: of the body as it is sent; what is compressed is also measured when it is inflated."""
        self._app: Final = app
        self._most: Final = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        announced = int(length) if length.isascii() and length.isdigit() else 0
        if announced > self._most:
            # Whoever waits to be told to go on has not sent anything yet.
            waits = headers.get("expect", "").lower() == "100-continue"
            await self._refuse(scope, receive, send, 0 if waits or announced > self._drained else announced)
            return
        read, whole = 0, False
        end = asyncio.get_running_loop().time() + BODY_SECONDS

        async def limited() -> Message:
            nonlocal read, whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout_at(end):
                    message = await receive()
            except TimeoutError:
                raise _TooSlow from None
            whole = not message.get("more_body", False)
            read += len(message.get("body", b""))
            if read > self._most:
                raise _TooLarge(more=message.get("more_body", False))
            return message

        try:
            await self._app(scope, limited, send)
        except _TooLarge as large:
            await self._refuse(scope, receive, send, self._drained if large.more else 0)
        except _TooSlow:
            await problem_response(_SLOW)(scope, receive, send)

    @property
    def _drained(self) -> int:
        return self._most * DRAINED_BODIES

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, drained: int) -> None:
        with anyio.move_on_after(DRAIN_SECONDS):
            while drained > 0:
                message = await receive()
                drained -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    break
        await problem_response(too_large(self._most).problem)(scope, receive, send)


def too_large(most: int) -> OnefoldError:
    """The failure of a body of more than `most` bytes."""
    return OnefoldError(
        "body.too_large",
        f"the body has more than {most} bytes",
        "Send fewer events at once, or raise max_body_bytes.",
    )
