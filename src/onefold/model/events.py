"""An interaction as it leaves the door: decoded, normalised, checked; nothing in it is yet resolved to a customer."""

from typing import Final, Literal, get_args

import msgspec

from onefold.model.identifiers import IdentifierKey
from onefold.model.sources import Source, Trust

DAY_MS: Final = 86_400_000
EventType = Literal["identify", "track", "page", "screen", "group", "alias"]
EVENT_TYPES: Final[tuple[EventType, ...]] = get_args(EventType)


class Event(msgspec.Struct, frozen=True, gc=False):
    """One touchpoint to be.

    Attributes:
        message: 16 bytes, the keyed hash of (source, message id): what duplicates are found by.
        content: 8 bytes, a hash of what the sender said: tells a repeat from a message id used again.
        message_id: as the sender wrote it, or as made at the door.
        source: who said it, and how far it is trusted.
        at_ms: when it happened, by the sender's corrected clock; received_ms: when it reached the door.
        type: one of EVENT_TYPES. name: of a track event, page or screen.
        campaign: the campaign's name. revenue: a plain decimal number as text. currency: ISO 4217, upper case.
        identifiers: that may be linked, distinct, strongest first (priority, then namespace, then value).
        operators: identifiers of kind `operator`, kept with the touchpoint and never linked.
        device: the one of `identifiers` that is its device, if any.
        crowded: it holds more values of a limited namespace than the limit; allowed only if they are judged the same.
        alias: on an alias event between two person identifiers that may judge: the pair to be judged the same.
        traits: of an identify event: what becomes claims.
        consents: what was agreed to (True) or withdrawn, by purpose.
        body: JSON object with `properties`, `context` (what is kept of it) and `traits`.
    """

    message: bytes
    content: bytes
    message_id: str
    source: Source
    at_ms: int
    received_ms: int
    type: str
    name: str | None
    channel: str
    campaign: str | None
    revenue: str | None
    currency: str | None
    identifiers: tuple[IdentifierKey, ...]
    operators: tuple[IdentifierKey, ...]
    device: IdentifierKey | None
    crowded: bool
    alias: tuple[IdentifierKey, IdentifierKey] | None
    traits: dict[str, object]
    body: bytes
    consents: dict[str, bool] = {}

    @property
    def evidence_ms(self) -> int:
        """The time its evidence counts from: a public source cannot date it back by more than a day."""
        if self.source.trust is Trust.PUBLIC:
            return max(self.at_ms, self.received_ms - DAY_MS)
        return self.at_ms

    @property
    def consent_ms(self) -> int:
        """The time its consents count from: nobody dates them ahead, or until then no other word would count. To date
        them back wins nothing, for the newest counts; and what comes late must not count as if it were said today."""
        return min(self.at_ms, self.received_ms)
