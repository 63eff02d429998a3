"""How HTTP says that a whole request failed: `application/problem+json` (RFC 9457), with `code` and `message`, which
SDKs log."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from onefold.errors import CODES, OnefoldError, Problem

MEDIA_TYPE: Final = "application/problem+json"

# After how many seconds the same request may succeed; SDKs do not heed 0.
RETRY_AFTER_SECONDS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "ingest.queue_full": 1,
        "ingest.stopping": 5,
        "store.busy": 1,
        "store.full": 10,
        "store.unavailable": 10,
    }
)

ASK_FOR_KEY: Final[Mapping[str, str]] = MappingProxyType({"www-authenticate": 'Bearer realm="onefold"'})
"""What goes with every 401. Browsers would put a window of their own before the page if it said Basic."""


def said(problem: Problem) -> dict[str, Any]:
    """A problem as JSON has it: what it does not say is absent."""
    return {name: value for name, value in msgspec.structs.asdict(problem).items() if value is not None}


def problem_response(problem: Problem, more: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that failed. `more`: headers it has besides."""
    status = CODES[problem.code].http_status
    body = {"title": HTTPStatus(status).phrase, "status": status, "detail": problem.message, **said(problem)}
    seconds = RETRY_AFTER_SECONDS.get(problem.code)
    headers = {} if seconds is None else {"retry-after": str(seconds)}
    if status == HTTPStatus.UNAUTHORIZED:
        headers |= ASK_FOR_KEY
    return Response(msgspec.json.encode(body), status, headers | dict(more or {}), MEDIA_TYPE)


async def on_no_route(request: Request, error: Exception) -> Response:
    """The answer to a request for a path at which nothing is served."""
    said = f"nothing is served at {request.url.path[:100]!r}"
    return problem_response(Problem("request.not_found", said, "GET / says what is served."))


async def on_other_method(request: Request, error: Exception) -> Response:
    """The answer to a request of a method that its path does not take; `error` names those it takes."""
    named = error.headers or {} if isinstance(error, HTTPException) else {}
    allowed = ", ".join(sorted(named.get("Allow", "").split(", ")))
    said = f"{request.url.path[:100]!r} does not take {request.method[:20]}"
    return problem_response(Problem("request.method_not_allowed", said, f"It takes {allowed}."), {"allow": allowed})


async def on_failure(request: Request, error: Exception) -> Response:
    """The answer to a request during which `error` was raised; of a bug it tells nothing."""
    if isinstance(error, OnefoldError):
        return problem_response(error.problem)
    return problem_response(Problem("internal", "the request failed, for a reason that onefold has no name for"))
