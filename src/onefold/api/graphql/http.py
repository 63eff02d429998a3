"""GraphQL over HTTP, by https://graphql.github.io/graphql-over-http/draft/: POST with a JSON body, one operation each.

A request that is not well-formed GraphQL over HTTP, and one that is not run, is answered like any other: a JSON object
with `errors`, each with its code.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

import anyio
import anyio.to_thread
import msgspec
import orjson
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from onefold.api.asking import Asker, Gate
from onefold.api.graphql.execution import Answer, Engine, Plan, Refused, Request, refusal
from onefold.api.guards import INLINE_BYTES, JSON, check_json
from onefold.api.problems import ASK_FOR_KEY
from onefold.api.threads import in_thread
from onefold.errors import OnefoldError

RESPONSE_JSON: Final = "application/graphql-response+json"
ANYTHING: Final = ("*/*", "application/*")
EXAMPLE: Final = 'POST {"query": "{ status { touchpoints } }"} as application/json.'
SUBSCRIBE: Final = "Open a WebSocket at this very path, with the subprotocol graphql-transport-ws."
TOO_DEEP: Final = "depth limit exceeded"
"""How orjson words that a body nests deeper than it reads: 1,024 levels."""
MOST_READERS: Final = 8
MOST_WRITERS: Final = 64

Given = TypeVar("Given")
Made = TypeVar("Made")


class GraphQLDoor:
    """The endpoint: quick queries run on the event loop; longer ones, mutations and what has to wait on threads."""

    def __init__(self, engine: Engine, gate: Gate) -> None:
        """Readers keep the processor busy, writers only wait: so there may be many more of these."""
        self._engine: Final = engine
        self._gate: Final = gate
        self._readers: Final = anyio.CapacityLimiter(MOST_READERS)
        self._writers: Final = anyio.CapacityLimiter(MOST_WRITERS)

    async def __call__(self, request: HttpRequest) -> Response:
        """Answer one request."""
        media = _media_type(request.headers.get("accept", "*/*"))
        if media is None:
            return _refuse(_error(f"the answer is {JSON} or {RESPONSE_JSON}"), JSON, 406)
        if request.method != "POST":
            return _refuse(_error("queries are sent with POST"), media, 405, {"allow": "POST"})
        try:
            asker = self._gate.admit(request)
            content_type, body = request.headers.get("content-type", ""), await request.body()
            small = len(body) <= INLINE_BYTES
            read = partial(_asked, content_type, body)
            asked = read() if small else await in_thread(read)
        except OnefoldError as error:
            return _refuse(error, media, error.http_status, ASK_FOR_KEY if error.http_status == 401 else None)
        answer = await self._answer(asked, asker, small=small)
        # A client of the older media type takes any other status for a failure of the network.
        return _response(answer.body, media, 200 if answer.executed or media == JSON else 400)

    async def _answer(self, asked: Request, asker: Asker, *, small: bool) -> Answer:
        try:
            plan = await self._plan(asked, asker)
        except Refused as refused:
            return refusal(refused)
        if plan.subscribes:
            error = OnefoldError("query.invalid", "a subscription is not answered over HTTP", SUBSCRIBE)
            return refusal(Refused([error]))
        if small and plan.quick and (answer := self._engine.run_at_once(plan)) is not None:
            return answer
        return await self._in_thread(self._writers if plan.writes else self._readers, self._engine.run, plan)

    async def _plan(self, asked: Request, asker: Asker) -> Plan:
        if self._engine.known(asked):
            return self._engine.plan(asked, asker)
        return await self._in_thread(self._readers, partial(self._engine.plan, asker=asker), asked)

    @staticmethod
    async def _in_thread(limiter: anyio.CapacityLimiter, work: Callable[[Given], Made], given: Given) -> Made:
        return await anyio.to_thread.run_sync(work, given, limiter=limiter)


def _asked(content_type: str, body: bytes) -> Request:
    """The request in a body.

    Raises `body.unsupported_media_type`, `body.invalid_json`, `body.too_deep`, `query.invalid`.
    """
    check_json(content_type)
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith(TOO_DEEP):
            raise OnefoldError("body.too_deep", "the body nests too deep", "Send flatter values.") from error
        raise OnefoldError(
            "body.invalid_json", f"the body is not JSON: {error}", "Write it with a JSON library."
        ) from error
    try:
        return msgspec.convert(said, Body).request()
    except msgspec.ValidationError as error:
        raise OnefoldError("query.invalid", f"the body is no request: {error}", EXAMPLE) from error


class Body(msgspec.Struct, rename="camel"):
    """The body of a request. What else it holds is ignored."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None

    def request(self) -> Request:
        """As the engine takes it."""
        return Request(self.query, self.operation_name, self.variables or {})


def _media_type(accept: str) -> str | None:
    """The media type to answer with; None when the client takes neither of ours. The older one wins unless the newer is
    asked for by name."""
    wanted = dict(_accepted(part) for part in accept.split(","))
    newer, older = (
        wanted.get(RESPONSE_JSON, 0.0),
        wanted.get(JSON, max(wanted.get(any_, 0.0) for any_ in ANYTHING)),
    )
    if newer and newer >= older:
        return RESPONSE_JSON
    return JSON if older else None


def _accepted(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((piece.removeprefix("q=") for piece in parameters if piece.startswith("q=")), "1")
    try:
        return name, float(quality)
    except ValueError:
        return name, 0.0


def _error(message: str) -> OnefoldError:
    return OnefoldError("query.invalid", message, EXAMPLE)


def _refuse(error: OnefoldError, media: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return _response(refusal(Refused([error])).body, media, status, headers)


def _response(body: bytes, media: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status, headers, f"{media}; charset=utf-8")
