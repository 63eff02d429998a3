"""How an event came in, when it happened, and by which message id it is told from others."""

import secrets
from datetime import UTC, datetime
from typing import Final

import msgspec

from onefold.errors import Problem
from onefold.ingest.wire import JsonObject, WireEvent
from onefold.model.events import DAY_MS, EventType
from onefold.model.sources import Source

LONGEST_MESSAGE_ID: Final = 512
LEAST_ERROR_MS: Final = 1_000

_SECONDS_BELOW: Final = 100_000_000_000
"""A smaller number counts seconds (it would be the year 5138), a larger one milliseconds (1973 and later)."""
_MOST: Final = 10**18

NOTHING: Final[JsonObject] = {}


class Arrival(msgspec.Struct, frozen=True):
    """How events came in.

    Attributes:
        live: they are happening, so what they do not say of the time is the time of receipt; False: from a file.
        type: of all of them, whatever they say themselves; None: each says its own.
        slow_ms: by how much the sender's clock is slow.
        context: what holds for those that do not say otherwise.
        may_judge: the sender's alias of two user ids is a judgement, if the source is no public one.
    """

    source: Source
    received_ms: int
    live: bool
    type: EventType | None = None
    slow_ms: int = 0
    context: JsonObject = NOTHING
    may_judge: bool = True


def epoch_ms(said: object) -> int | None:
    """Milliseconds since 1970 of a time in ISO 8601, UTC where it names no offset, or of a number of seconds or
    milliseconds since then; None for anything else."""
    if type(said) is str:
        return _from_text(said)
    if isinstance(said, int | float) and not isinstance(said, bool) and abs(said) < _MOST:
        return round(said if abs(said) >= _SECONDS_BELOW else said * 1000)
    return None


def slow_by(sent_at: object, received_ms: int) -> int:
    """By how many milliseconds the clock is slow of whoever says `sent_at`; 0 for less than a second, which is as much
    as the way takes, or if it is no time."""
    sent_ms = epoch_ms(sent_at)
    slow_ms = 0 if sent_ms is None else received_ms - sent_ms
    return slow_ms if abs(slow_ms) >= LEAST_ERROR_MS else 0


def time_of(event: WireEvent, arrival: Arrival) -> int | Problem:
    """When an event happened, by the sender's corrected clock. Its `timestamp` is a number from then on: the moment
    counts, not how it is written."""
    said = event.timestamp if event.timestamp is not None else event.original_timestamp
    if said is None:
        if arrival.live:
            return arrival.received_ms
        return _NO_TIME if event.message_id else _NO_MESSAGE_ID
    at_ms = epoch_ms(said)
    if at_ms is None:
        return _BAD_TIME
    event.timestamp = at_ms
    latest = arrival.received_ms + DAY_MS
    corrected = at_ms + arrival.slow_ms
    if 0 <= corrected <= latest:
        return corrected
    # A correction that leads out of all bounds says that `sentAt` is wrong, not the time.
    return at_ms if 0 <= at_ms <= latest else _OUT_OF_RANGE


def message_id_of(event: WireEvent, said: bytes, arrival: Arrival) -> str | Problem:
    """The message id; without one, the hash `said` of all that the event says if that tells it from the next of its
    kind, else an id for this receipt."""
    message_id = event.message_id
    if message_id is not None and message_id != "":
        text = str(message_id)
        return text if len(text) <= LONGEST_MESSAGE_ID else _LONG_MESSAGE_ID
    if event.timestamp is not None or event.original_timestamp is not None:
        return f"content-{said.hex()}"
    return f"receipt-{arrival.received_ms}-{secrets.token_hex(8)}"


def _from_text(said: str) -> int | None:
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        try:
            moment = datetime.fromisoformat(said.strip().upper())
        except ValueError:
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


_LONG_MESSAGE_ID: Final = Problem(
    "event.invalid",
    f"messageId is longer than {LONGEST_MESSAGE_ID} characters",
    "Send an id, such as a UUID.",
    "messageId",
)
_NO_MESSAGE_ID: Final = Problem(
    "event.message_id_missing",
    "the event has neither a message id nor a timestamp to make one from",
    "Give each event of a file a timestamp, and best a messageId too.",
    "messageId",
)
_NO_TIME: Final = Problem(
    "event.invalid", "timestamp is missing", "Say when each event of a file happened.", "timestamp"
)
_BAD_TIME: Final = Problem(
    "event.invalid", "timestamp is not a time", "Send ISO 8601, as 2026-03-01T09:30:00Z.", "timestamp"
)
_OUT_OF_RANGE: Final = Problem(
    "event.time_out_of_range",
    "the event happened before 1970, or more than a day from now",
    "Check the sender's clock, and that the timestamp is in ISO 8601 or in milliseconds since 1970.",
    "timestamp",
)
