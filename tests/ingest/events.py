"""Events as senders write them, and a decoder with the namespaces onefold comes with."""

import json
from functools import cache
from typing import Any

from onefold.errors import Problem
from onefold.ingest.decode import Decoded, Decoder, Rejected
from onefold.ingest.envelope import open_batch
from onefold.model import namespaces_file
from onefold.model.events import Event
from onefold.model.identifiers import IdentifierKey
from onefold.model.namespaces import Namespaces
from onefold.model.normalise import Normaliser
from onefold.model.sources import Source, Trust
from onefold.schema_files import schema_file

LOCAL = Source("local", Trust.SERVER)
BROWSER = Source("browser", Trust.PUBLIC)
SECRET = bytes(range(32))

NOON_MS = 1_772_366_400_000
"""2026-03-01T12:00:00Z."""
RECEIVED_MS = NOON_MS + 5_000


@cache
def namespaces() -> Namespaces:
    return namespaces_file.load(schema_file("namespaces.yaml"))


@cache
def decoder() -> Decoder:
    return decoder_of(namespaces())


def decoder_of(declared: Namespaces, **limits: int) -> Decoder:
    return Decoder(declared, Normaliser(declared, "US"), SECRET, **limits)


def sent(**fields: Any) -> dict[str, Any]:
    """An event that needs nothing more, with these fields besides; None leaves a field out."""
    event: dict[str, Any] = {
        "type": "track",
        "event": "Ordered",
        "messageId": "m-1",
        "timestamp": "2026-03-01T12:00:00Z",
    }
    event |= {"userId": "ann"} | fields
    return {name: value for name, value in event.items() if value is not None}


def decode(event: dict[str, Any] | bytes, source: Source = LOCAL) -> Decoded | Rejected:
    raw = event if isinstance(event, bytes) else json.dumps(event).encode()
    return decoder().decode_event(raw, source, RECEIVED_MS)


def decode_batch(body: bytes, by: Decoder | None = None) -> list[Decoded | Rejected]:
    return (by or decoder()).decode_sent(open_batch(body), LOCAL, RECEIVED_MS)


def decoded(event: dict[str, Any] | bytes, source: Source = LOCAL) -> Decoded:
    found = decode(event, source)
    assert isinstance(found, Decoded), found
    return found


def event_of(**fields: Any) -> Event:
    return decoded(sent(**fields)).event


def rejected(event: dict[str, Any] | bytes, source: Source = LOCAL) -> Problem:
    found = decode(event, source)
    assert isinstance(found, Rejected), found
    return found.problem


def warnings_of(**fields: Any) -> list[tuple[str, str | None]]:
    """The code and field of each warning."""
    return [(warning.code, warning.field) for warning in decode(sent(**fields)).warnings]


def keys(*pairs: str) -> tuple[IdentifierKey, ...]:
    """Identifiers written as `namespace:value`."""
    return tuple(IdentifierKey(*pair.split(":", 1)) for pair in pairs)
