"""The wire format: an event of the Segment spec (https://segment.com/docs/connections/spec/common/), and besides it
`identifiers` and `channel`. Fields that are not named here are ignored."""

import re
from typing import Final

import msgspec
import orjson

from onefold.errors import Problem
from onefold.model.events import EVENT_TYPES, EventType

Said = str | int | float | None
"""An id or a time: SDKs send texts, exports numbers too."""

JsonObject = dict[str, object]
MaybeObject = JsonObject | list[object] | None
"""PHP writes an empty object as []."""

# All that decoding what others wrote may end with: half a character, wrong bytes and 1e999 each have their own.
NOT_STRICT_JSON: Final = (msgspec.DecodeError, orjson.JSONEncodeError, UnicodeDecodeError, RecursionError)


class WireIdentifier(msgspec.Struct, gc=False):
    """An item of `identifiers`."""

    namespace: str
    value: object = None


class WireEvent(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """One event as sent. docs/events.md says what each field means."""

    type: EventType | None = None
    message_id: Said = None
    timestamp: Said = None
    original_timestamp: Said = None
    sent_at: object = None
    user_id: object = None
    anonymous_id: object = None
    previous_id: object = None
    group_id: object = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    channel: str | None = None
    identifiers: list[WireIdentifier] | None = None
    traits: MaybeObject = None
    properties: MaybeObject = None
    context: MaybeObject = None


class WireBatch(msgspec.Struct, rename="camel", gc=False):
    """The body of a batch. Each event is decoded on its own. What `context` says holds for every event that does not
    say otherwise."""

    batch: list[msgspec.Raw]
    sent_at: object = None
    context: object = None
    write_key: object = None


class WireCall(msgspec.Struct, rename="camel", gc=False):
    """The body of a request that is one event: what it says of its sender."""

    sent_at: object = None
    write_key: object = None


_PLACE: Final = re.compile(r" - at `\$\.?(.*)`$")
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
_WORDS: Final = {"object": "an object", "array": "a list", "str": "a text", "int": "a whole number"} | {
    "float": "a number",
    "bool": "true or false",
    "null": "null",
}
_HINT: Final = "docs/events.md says what each field holds."


def problem_of(error: msgspec.ValidationError) -> Problem:
    """What is wrong with an event that is JSON but not of this format, and where."""
    text = str(error)
    place = _PLACE.search(text)
    field = place[1] if place else ""
    said = _PLACE.sub("", text)
    if missing := _MISSING.search(said):
        field = f"{field}.{missing[1]}".lstrip(".")
        said = "it is missing"
    if field == "type":
        return _no_type("the event's type is none that onefold knows")
    if not field:
        return Problem("event.invalid", "the event is not an object", _HINT)
    return Problem("event.invalid", f"{field} cannot be used: {_in_words(said)}", _HINT, field)


def _no_type(said: str) -> Problem:
    return Problem("event.invalid", said, f"The types are {', '.join(EVENT_TYPES)}.", "type")


def _in_words(said: str) -> str:
    """A message of msgspec's, with types called as people call them."""
    words = re.sub(r"`([^`]*)`", lambda kinds: " or ".join(_WORDS.get(k, k) for k in kinds[1].split(" | ")), said)
    return words[:1].lower() + words[1:]


NO_TYPE: Final = _no_type("the event has no type")
