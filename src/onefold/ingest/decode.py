"""Makes events of what senders send. Each event of a batch is decoded on its own, so that none sinks the others.

A `Decoder` serves a process, from any thread. What it makes of an event is a value: `Decoded`, or `Rejected` with the
field at fault and what to do about it.
"""

from hashlib import blake2b
from typing import Final

import msgspec
import orjson

from onefold.errors import OnefoldError, Problem
from onefold.ingest import split
from onefold.ingest.consents import consents_of
from onefold.ingest.context import channel_of, kept
from onefold.ingest.envelope import Envelope
from onefold.ingest.identifiers import IdentifierReader, Identifiers, ambiguous
from onefold.ingest.mend import mend
from onefold.ingest.money import currency_of, revenue_of
from onefold.ingest.stamps import NOTHING, Arrival, message_id_of, slow_by, time_of
from onefold.ingest.wire import NO_TYPE, NOT_STRICT_JSON, JsonObject, WireEvent, problem_of
from onefold.model.events import Event
from onefold.model.namespaces import Namespaces
from onefold.model.normalise import Normaliser
from onefold.model.sources import Source, Trust

MOST_EVENT_BYTES: Final = 32_768
MOST_BATCH_BYTES: Final = 512_000
MOST_EVENTS: Final = 5_000

_EVENT: Final = msgspec.json.Decoder(WireEvent)
_CANONICAL: Final = msgspec.json.Encoder(order="deterministic")


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """An event that may be stored, what of it was dropped, and the bytes it was made of."""

    event: Event
    warnings: tuple[Problem, ...]
    raw: bytes

    @property
    def source(self) -> Source:
        """Who said it."""
        return self.event.source

    @property
    def message_id(self) -> str:
        """As sent, or as made at the door."""
        return self.event.message_id


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """An event that cannot be stored, and why. `message_id`: as sent, if it was understood that far."""

    problem: Problem
    source: Source
    message_id: str | None
    warnings: tuple[Problem, ...]
    raw: bytes


class Decoder:
    """Decodes the wire format by one set of namespaces."""

    def __init__(
        self,
        namespaces: Namespaces,
        normaliser: Normaliser,
        secret: bytes,
        *,
        max_event_bytes: int = MOST_EVENT_BYTES,
        max_batch_bytes: int = MOST_BATCH_BYTES,
        max_events: int = MOST_EVENTS,
    ) -> None:
        """`secret`: the store's, 16 to 64 bytes, which message ids are hashed with. The rest bounds what is taken."""
        self._namespaces: Final = namespaces
        self._reader: Final = IdentifierReader(namespaces, normaliser.key)
        self._keyed: Final = blake2b(key=secret, digest_size=16)
        self._max_event_bytes: Final = max_event_bytes
        self._max_batch_bytes: Final = max(max_batch_bytes, max_event_bytes)
        self._max_events: Final = max_events

    def decode_sent(
        self, sent: Envelope, source: Source, received_ms: int, *, may_judge: bool = True
    ) -> list[Decoded | Rejected]:
        """The events of a request, in order. Those beyond the first `max_batch_bytes` are rejected, and so is an event
        that is too large by itself, which takes no room from the others.

        Raises OnefoldError `body.too_large` when there are too many.
        """
        if len(sent.events) > self._max_events:
            raise OnefoldError(
                "body.too_large",
                f"the batch has {len(sent.events)} events; it may have {self._max_events}",
                "Send smaller batches, or raise max_events_per_batch.",
                "batch",
            )
        arrival = Arrival(
            source,
            received_ms,
            live=True,
            type=sent.type,
            slow_ms=slow_by(sent.sent_at, received_ms),
            context=sent.context,
            may_judge=may_judge,
        )
        room = self._max_batch_bytes
        found: list[Decoded | Rejected] = []
        for raw in sent.events:
            if len(raw) <= self._max_event_bytes:
                room -= len(raw)
            found.append(self._decode(raw, arrival) if room >= 0 else self._left_over(raw, arrival))
        return found

    def decode_event(
        self, raw: bytes, source: Source, received_ms: int, *, may_judge: bool = True
    ) -> Decoded | Rejected:
        """One event that is happening, as JSON."""
        return self._decode(raw, Arrival(source, received_ms, live=True, may_judge=may_judge))

    def decode_line(self, line: bytes, source: Source, received_ms: int) -> Decoded | Rejected:
        """One event of a file: it must say when it happened, as the time of receipt says nothing."""
        return self._decode(line, Arrival(source, received_ms, live=False))

    def _left_over(self, raw: bytes, arrival: Arrival) -> Rejected:
        said = f"the events before it have all but {self._max_batch_bytes} bytes, the most of a batch"
        return _rejected(Problem("body.too_large", said, "Send it again, in a smaller batch.", "batch"), raw, arrival)

    def _decode(self, raw: bytes, arrival: Arrival) -> Decoded | Rejected:
        if len(raw) > self._max_event_bytes:
            return _rejected(_too_large(self._max_event_bytes), raw, arrival)
        if split.too_deep(raw):
            return _rejected(_TOO_DEEP, raw, arrival)
        try:
            return self._event(_EVENT.decode(raw), raw, arrival, [])
        except NOT_STRICT_JSON:
            return self._decode_leniently(raw, arrival)

    def _decode_leniently(self, raw: bytes, arrival: Arrival) -> Decoded | Rejected:
        try:
            value, warnings = mend(raw)
        except (ValueError, RecursionError) as error:
            return _rejected(_not_json(error), raw, arrival)
        try:
            event = msgspec.convert(value, WireEvent)
        except msgspec.ValidationError as error:
            said = value.get("messageId") if isinstance(value, dict) else None
            message_id = said if isinstance(said, str) else None
            return Rejected(problem_of(error), arrival.source, message_id, tuple(warnings), raw)
        return self._event(event, raw, arrival, warnings)

    def _event(self, event: WireEvent, raw: bytes, arrival: Arrival, warnings: list[Problem]) -> Decoded | Rejected:
        made = self._made(event, arrival, warnings)
        if isinstance(made, Event):
            return Decoded(made, tuple(warnings), raw)
        message_id = None if event.message_id is None else str(event.message_id)
        return Rejected(made, arrival.source, message_id, tuple(warnings), raw)

    def _made(self, event: WireEvent, arrival: Arrival, warnings: list[Problem]) -> Event | Problem:
        kind = event.type = arrival.type or event.type
        if kind is None:
            return NO_TYPE
        traits, properties, context = event.traits or {}, event.properties or {}, event.context or {}
        if isinstance(traits, list) or isinstance(properties, list) or isinstance(context, list):
            return _a_list_for_an_object(event)
        at_ms = time_of(event, arrival)
        if isinstance(at_ms, Problem):
            return at_ms
        event.sent_at = None
        said = blake2b(_CANONICAL.encode(event), digest_size=16).digest()
        message_id = message_id_of(event, said, arrival)
        if isinstance(message_id, Problem):
            return message_id
        if arrival.context:
            context = {**arrival.context, **context}
        identifiers = self._identifiers(event, traits, properties, context, arrival, warnings)
        if isinstance(identifiers, Problem):
            return identifiers
        if kind == "identify" and not traits:
            traits = _object(context.get("traits"))
        if identifiers.crowded and arrival.source.trust is Trust.PUBLIC:
            # Whether it is taken would tell anybody whether its values were judged to be one customer's.
            return ambiguous(self._namespaces, identifiers.linked, kind)
        consents = consents_of(context, warnings)
        keeping = kept(context, event.group_id, consents)
        if event.category and "category" not in properties:
            properties = {**properties, "category": event.category}
        message = self._keyed.copy()
        message.update(f"{_sender(arrival.source)}\0{message_id}".encode())
        return Event(
            message=message.digest(),
            content=said[:8],
            message_id=message_id,
            source=arrival.source,
            at_ms=at_ms,
            received_ms=arrival.received_ms,
            type=kind,
            name=_name(event),
            channel=channel_of(event.channel, kind, context),
            campaign=_campaign(keeping),
            revenue=revenue_of(properties, warnings),
            currency=currency_of(properties, warnings),
            identifiers=identifiers.linked,
            operators=identifiers.operators,
            device=identifiers.device,
            crowded=identifiers.crowded,
            alias=identifiers.alias,
            traits=_claimed(traits) if kind == "identify" else NOTHING,
            body=orjson.dumps({"properties": properties, "context": keeping, "traits": traits}),
            consents=consents,
        )

    def _identifiers(
        self,
        event: WireEvent,
        traits: JsonObject,
        properties: JsonObject,
        context: JsonObject,
        arrival: Arrival,
        warnings: list[Problem],
    ) -> Identifiers | Problem:
        # The traits of a group event are the group's: its e-mail address is nobody's.
        said = self._reader.said(event, NOTHING if event.type == "group" else traits, properties, context)
        previous = self._reader.previous(event) if event.type == "alias" else None
        if isinstance(previous, Problem):
            return previous
        may_judge = arrival.may_judge and arrival.source.trust is Trust.SERVER
        return self._reader.read(said, previous, may_judge=may_judge, warnings=warnings)


def _sender(source: Source) -> str:
    """What message ids count within: nobody forges one of a server's by what is public under the same name."""
    return source.name if source.trust is Trust.SERVER else f"\0{source.name}"


def _name(event: WireEvent) -> str | None:
    if event.type == "track":
        return event.event or event.name or None
    return event.name or None if event.type in {"page", "screen"} else None


def _campaign(keeping: JsonObject) -> str | None:
    campaign = keeping.get("campaign")
    name = campaign.get("name") if isinstance(campaign, dict) else None
    return str(name) if isinstance(name, str | int | float) and name != "" else None


def _object(said: object) -> JsonObject:
    return said if isinstance(said, dict) else NOTHING


def _claimed(traits: JsonObject) -> JsonObject:
    """Null is no value: it claims nothing."""
    if None in traits.values():
        return {name: value for name, value in traits.items() if value is not None}
    return traits


def _rejected(problem: Problem, raw: bytes, arrival: Arrival) -> Rejected:
    return Rejected(problem, arrival.source, None, (), raw)


def _a_list_for_an_object(event: WireEvent) -> Problem:
    field = next(name for name in ("traits", "properties", "context") if isinstance(getattr(event, name), list))
    return Problem("event.invalid", f"{field} is a list, not an object", "Name each value.", field)


def _too_large(most: int) -> Problem:
    return Problem("event.too_large", f"the event has more than {most} bytes", "Send less, or raise max_event_bytes.")


def _not_json(error: Exception) -> Problem:
    return Problem("event.invalid", f"the event is not JSON: {error}", "Write it with a JSON library.")


_TOO_DEEP: Final = Problem(
    "event.invalid", f"the event nests deeper than {split.MOST_LEVELS} levels", "Send flatter properties."
)
