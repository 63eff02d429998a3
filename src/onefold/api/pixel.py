"""The tracking pixel: `GET /v1/pixel.gif?data=…`, for e-mails and pages without scripts.

Whatever becomes of the event, the answer is the image: people see it. What became of it stands in a header, for whoever
looks into it, and what is rejected is in the reject log; without a key that may track, nothing is kept. A key stands in
the event, as `writeKey`, or in the address.

Whoever reads the mail or the page reads the address, and can send it again with other words in it: so what comes in
here is never trusted more than a public source, and judges nothing. A key that is to be kept secret is refused there.
"""

import asyncio
import base64
import binascii
import logging
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from onefold.api.asking import Asker, Door, Gate
from onefold.api.keyring import as_browsers_name_it
from onefold.errors import OnefoldError
from onefold.ingest.commit import Outcome
from onefold.ingest.envelope import Envelope, open_call
from onefold.keys import Scope
from onefold.model.sources import Source, Trust
from onefold.service import Onefold

PATH: Final = "/v1/pixel.gif"
RESULT: Final = "x-onefold"
"""The header that says what became of the event."""
GIF: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One pixel that nobody sees."""

_OWN_SITE: Final = ("same-origin", "none")
_URL_SAFE: Final = str.maketrans("-_ ", "+/+")  # a + that was not written as %2B arrives as a blank

_log: Final = logging.getLogger(__name__)


def pixel_routes(onefold: Onefold, gate: Gate) -> list[Door]:
    """The route of the pixel."""
    allowed = {as_browsers_name_it(origin) for origin in onefold.settings.allowed_origins}
    betrayed: set[str] = set()

    async def pixel(request: Request) -> Response:
        if request.method == "HEAD":
            return image("nothing was sent")
        try:
            if not gate.needs_key():
                _check_page(request, allowed)
            [outcome] = await _taken(onefold, gate, request, betrayed)
        except OnefoldError as error:
            # Strangers may knock as often as they like; but of what we owe to take, nobody else is told.
            level = logging.DEBUG if error.http_status < 429 else logging.WARNING
            _log.log(level, "a pixel's event was not taken: %s", error)
            return image(error.code)
        except Exception:  # noqa: BLE001  # whatever it is, people see an image
            _log.exception("a pixel's event was not taken")
            return image("internal")
        return image(f"{outcome.status.value} {outcome.problem.code}" if outcome.problem else outcome.status.value)

    return [Door(PATH, pixel, Scope.TRACK, ["GET"])]


def image(result: str) -> Response:
    """The image, never to be kept by anybody on the way. `result`: what became of the event."""
    headers = {
        "cache-control": "no-store, no-cache, must-revalidate, private, max-age=0",
        "cross-origin-resource-policy": "cross-origin",
        "x-content-type-options": "nosniff",
        RESULT: result,
    }
    return Response(GIF, headers=headers, media_type="image/gif")


async def _taken(onefold: Onefold, gate: Gate, request: Request, betrayed: set[str]) -> Sequence[Outcome]:
    sent = _opened(request.query_params.get("data", ""))
    asker = gate.by_header(request) or _by_address(gate, request, sent, betrayed)
    source = Source(asker.source.name, Trust.PUBLIC)
    return await asyncio.wrap_future(onefold.submit_sent(sent, source, may_judge=False))


def _by_address(gate: Gate, request: Request, sent: Envelope, betrayed: set[str]) -> Asker:
    """Who asks by a key in the address, where only public ones may stand. `betrayed`: names of those that whoever runs
    onefold was told of. It raises as `Gate.by_write_key`."""
    asker = gate.by_write_key(request, request.query_params.get("writeKey") or sent.write_key)
    if asker.key is None or asker.source.trust is Trust.PUBLIC:
        return asker
    name = asker.source.name
    if name not in betrayed:
        betrayed.add(name)
        _log.warning("the key %s is to be kept secret, and stands in the address of a pixel: revoke it", name)
    raise OnefoldError(
        "key.forbidden",
        f"the key {name} is to be kept secret, and stands in an address, which mails, proxies and logs keep",
        "Put a public key there (onefold key new), and revoke this one.",
    )


def _opened(data: str) -> Envelope:
    """The event, of the type that it says itself. What is none is handed on, to be rejected as others are."""
    body = _decoded(data)
    try:
        return msgspec.structs.replace(open_call(body, "track"), type=None)
    except OnefoldError:
        return Envelope(events=[body])


def _decoded(data: str) -> bytes:
    """JSON as it is, or in base64, of either alphabet, padded or not."""
    packed = data.strip().translate(_URL_SAFE).rstrip("=")
    try:
        body = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        body = b""
    return body if body.lstrip().startswith(b"{") else data.encode("utf-8", "replace")


def _check_page(request: Request, allowed: set[str]) -> None:
    """Without keys no foreign page may send anything, as with every other door; but images do not name an origin.

    Raises `request.forbidden_origin`.
    """
    page = urlsplit(request.headers.get("referer", ""))
    site = request.headers.get("sec-fetch-site", "none")
    if site not in _OWN_SITE and f"{page.scheme}://{page.netloc}".lower() not in allowed:
        raise OnefoldError(
            "request.forbidden_origin",
            f"the pixel is in a page of {page.netloc[:100]!r}",
            "Make a key with onefold key new, or name the page's origin in the setting allowed_origins.",
            "origin",
        )
