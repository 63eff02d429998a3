"""Tracking, as the SDKs of Segment and RudderStack do it: `POST /v1/batch`, `POST /v1/track` and so on for each type of
event, and the short forms that SDKs in browsers use, `/v1/b`, `/v1/t`, …
(https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/).

The answer is 200 with a result for each event, whatever becomes of it: SDKs drop a batch that is answered otherwise, or
send all of it again. The key stands in the header Authorization, or is the `writeKey` of the body.
"""

import asyncio
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from onefold.api.asking import Door, Gate
from onefold.api.guards import INLINE_BYTES, JSON, check_json, too_large
from onefold.api.problems import problem_response, said
from onefold.api.threads import in_thread
from onefold.errors import OnefoldError
from onefold.ingest.commit import Outcome, Status
from onefold.ingest.envelope import Envelope, open_batch, open_call
from onefold.keys import Scope
from onefold.model.events import EVENT_TYPES
from onefold.service import Onefold

PLAIN_TEXT: Final = "text/plain"
_GZIP: Final = 16 + zlib.MAX_WBITS

Opened = Callable[[bytes], Envelope]
"""Opens the body of a request."""

DOORS: Final[Mapping[str, Opened]] = {"/v1/batch": open_batch, "/v1/b": open_batch} | {
    f"/v1/{name}": partial(open_call, kind=kind) for kind in EVENT_TYPES for name in (kind, kind[0])
}
"""What stands behind each path."""


def tracking_routes(onefold: Onefold, gate: Gate) -> list[Door]:
    """The routes of the tracking door."""

    def door(opened: Opened) -> Callable[[Request], Awaitable[Response]]:
        async def track(request: Request) -> Response:
            try:
                _check_type(request.headers)
                # A name for the future would tie a failure to this frame, and keep the body until garbage is collected.
                outcomes: list[Outcome] = await asyncio.wrap_future(await _submitted(onefold, gate, opened, request))
            except OnefoldError as error:
                return problem_response(error.problem)
            return _answer(outcomes)

        return track

    return [Door(path, door(opened), Scope.TRACK, ["POST"]) for path, opened in DOORS.items()]


def _check_type(headers: Headers) -> None:
    """Raise `body.unsupported_media_type` for any other type than JSON, unless no web form can have sent it.

    SDKs in browsers call their JSON a plain text, to be spared a question beforehand: a page names its origin, which
    was looked at before. Others compress it and say no more than what their HTTP client makes of that: a form cannot.
    """
    kind = headers.get("content-type", "")
    from_page = "origin" in headers and kind.partition(";")[0].strip().lower() == PLAIN_TEXT
    if not from_page and not headers.get("content-encoding"):
        check_json(kind)


async def _submitted(onefold: Onefold, gate: Gate, opened: Opened, request: Request) -> "Future[list[Outcome]]":
    known = gate.by_header(request)
    encoding, body = request.headers.get("content-encoding", ""), await request.body()

    def submit() -> "Future[list[Outcome]]":
        sent = opened(unpacked(body, encoding, onefold.settings.max_body_bytes))
        asker = known or gate.by_write_key(request, sent.write_key)
        return onefold.submit_sent(sent, asker.source, may_judge=asker.may_judge)

    if len(body) <= INLINE_BYTES and not encoding:
        return submit()
    return await in_thread(submit)


def unpacked(body: bytes, encoding: str, most: int) -> bytes:
    """The body without its content encoding.

    Raises OnefoldError `body.unsupported_media_type`, `body.too_large` (more than `most` bytes), `body.invalid_json`.
    """
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return body
    if encoding not in {"gzip", "x-gzip"}:
        raise OnefoldError(
            "body.unsupported_media_type",
            f"the content encoding {encoding[:100]!r} is not understood",
            "Send the body as gzip, or as it is.",
        )
    try:
        return _inflated(body, most)
    except zlib.error as error:
        raise OnefoldError("body.invalid_json", f"the body is not gzip: {error}", "Send it again.") from error


def _inflated(body: bytes, most: int) -> bytes:
    """All members of a gzip file, one after the other."""
    parts: list[bytes] = []
    room = most + 1
    while body:
        inflating = zlib.decompressobj(_GZIP)
        parts.append(inflating.decompress(body, room))
        room -= len(parts[-1])
        if room <= 0:
            raise too_large(most)
        if not inflating.eof:
            raise zlib.error("it ends too early")
        body = inflating.unused_data
    return b"".join(parts)


def _answer(outcomes: Sequence[Outcome]) -> Response:
    counts = Counter(outcome.status for outcome in outcomes)
    body = {
        "accepted": counts[Status.ACCEPTED],
        "duplicates": counts[Status.DUPLICATE],
        "rejected": counts[Status.REJECTED],
        "results": [_result(outcome) for outcome in outcomes],
    }
    return Response(msgspec.json.encode(body), media_type=JSON)


def _result(outcome: Outcome) -> dict[str, Any]:
    result: dict[str, Any] = {"messageId": outcome.message_id, "status": outcome.status.value}
    if outcome.problem is not None:
        result |= said(outcome.problem)
    if outcome.warnings:
        result["warnings"] = [said(warning) for warning in outcome.warnings]
    return result
