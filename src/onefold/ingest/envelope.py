"""Opens what a request brings: a batch of events, or one. They are not decoded yet, so that none sinks the others.

The forms are those of Segment's HTTP API (https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/).
"""

from typing import Final

import msgspec

from onefold.errors import OnefoldError
from onefold.ingest import split
from onefold.ingest.mend import mend
from onefold.ingest.stamps import NOTHING
from onefold.ingest.wire import NOT_STRICT_JSON, JsonObject, WireBatch, WireCall
from onefold.model.events import EventType

_BATCH: Final = msgspec.json.Decoder(WireBatch)
_CALL: Final = msgspec.json.Decoder(WireCall)
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Events as they were sent, and what was said of all of them.

    Attributes:
        events: each as JSON. type: of all of them, whatever they say themselves; None: each says its own.
        sent_at: when the sender sent them, by its clock, as it wrote it.
        context: what holds for those that do not say otherwise.
        write_key: the sender's, if the body names it.
    """

    events: list[bytes]
    type: EventType | None = None
    sent_at: object = None
    context: JsonObject = NOTHING
    write_key: str | None = None


def open_batch(body: bytes) -> Envelope:
    """The events of a body `{"batch": […], "sentAt": …, "context": …, "writeKey": …}`, in order.

    Raises OnefoldError: `body.invalid_json`; `event.invalid` when it has no list `batch`.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        batch = _BATCH.decode(body)
    except NOT_STRICT_JSON:
        batch = _batch_leniently(body)
    return Envelope(
        events=[bytes(event) for event in batch.batch],
        sent_at=batch.sent_at,
        context=batch.context if isinstance(batch.context, dict) else NOTHING,
        write_key=_text(batch.write_key),
    )


def open_call(body: bytes, kind: EventType) -> Envelope:
    """The one event that a body is; its type is `kind`. Raises OnefoldError `body.invalid_json`."""
    body = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        call = _CALL.decode(body)
    except NOT_STRICT_JSON:
        said = _members(body, ("sentAt", "writeKey"), "Send an event.")[1]
        call = WireCall(said.get("sentAt"), said.get("writeKey"))
    return Envelope(events=[body], type=kind, sent_at=call.sent_at, write_key=_text(call.write_key))


def _batch_leniently(body: bytes) -> WireBatch:
    """The body taken apart, when a part of it is not JSON, or when it is no batch."""
    events, said = _members(body, ("sentAt", "context", "writeKey"), _A_BATCH)
    if events is None:
        raise OnefoldError("event.invalid", "the body has no list batch", _A_BATCH, "batch")
    return WireBatch([msgspec.Raw(e) for e in events], said.get("sentAt"), said.get("context"), said.get("writeKey"))


def _members(body: bytes, names: tuple[str, ...], hint: str) -> tuple[list[bytes] | None, dict[str, object]]:
    """The items of the member `batch`, if that is a list, and what the members of these names say."""
    try:
        members = split.members(body)
        batch = members.get("batch", b"")
        events = split.items(batch) if batch.startswith(b"[") else None
        return events, {name: mend(members[name])[0] for name in names if name in members}
    except (ValueError, RecursionError) as error:
        raise OnefoldError("body.invalid_json", f"the body is not a JSON object: {error}", hint) from error


def _text(said: object) -> str | None:
    return said if isinstance(said, str) and said else None


_A_BATCH: Final = 'Send {"batch": [an event, …]}.'
