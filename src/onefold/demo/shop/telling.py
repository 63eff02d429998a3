"""What the shop's systems send, and beside it, never in it, whose it is."""

import random
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from onefold.model.sources import Source, Trust

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
YEAR_DAYS: Final = 365
START_MS: Final = 1_735_689_600_000
"""The year begins: 2025-01-01T00:00Z."""
END_MS: Final = START_MS + YEAR_DAYS * DAY_MS

NOBODY: Final = -1
"""Whose a script's touchpoints are."""

WEB: Final = Source("shop-web", Trust.PUBLIC)
APP: Final = Source("shop-app", Trust.PUBLIC)
SERVER: Final = Source("shop-server", Trust.SERVER)
TILL: Final = Source("shop-till", Trust.SERVER)
CALLS: Final = Source("shop-calls", Trust.SERVER)
MAILS: Final = Source("shop-mails", Trust.SERVER)
SOCIAL: Final = Source("shop-social", Trust.SERVER)
SURVEYS: Final = Source("shop-surveys", Trust.SERVER)
CRM: Final = Source("shop-crm", Trust.SERVER)
SOURCES: Final = (WEB, APP, SERVER, TILL, CALLS, MAILS, SOCIAL, SURVEYS, CRM)

_DOUBLED: Final = 0.015
_OFFLINE: Final = 0.08


class Trap(StrEnum):
    """What makes a touchpoint hard to place."""

    TABLET = "family tablet"
    KIOSK = "kiosk"
    INBOX = "shared inbox"
    TYPO = "typing error"
    RECYCLED = "recycled number"
    BOT = "bot"
    CARD = "lent card"
    ADDRESS = "couple's address"
    CHANGED = "changed e-mail"
    DUPLICATE = "double CRM row"


class Sent(msgspec.Struct, frozen=True, gc=False):
    """An event as it reaches the door: one JSON object, who says so, and when it arrives."""

    line: bytes
    source: Source
    received_ms: int


class Truth(msgspec.Struct, frozen=True, gc=False):
    """Whose a touchpoint is. `person`, `household`: numbers, NOBODY for a script; `again`: it arrived before."""

    message_id: str
    town: int
    person: int
    household: int
    trap: Trap | None
    again: bool = False


class Told(msgspec.Struct, frozen=True, gc=False):
    """An event and the truth about it."""

    sent: Sent
    truth: Truth


class Whose(msgspec.Struct, frozen=True, gc=False):
    """Who does something, and the trap in it."""

    person: int
    household: int
    trap: Trap | None = None


class Log:
    """What happened in one town, in the order in which it arrives."""

    def __init__(self, rng: random.Random, town: int) -> None:
        """Nothing happened yet in the town of this number."""
        self._rng: Final = rng
        self._town: Final = town
        self._told: Final[list[Told]] = []

    def add(self, source: Source, at_ms: int, whose: Whose, event: dict[str, Any]) -> None:
        """Somebody did something. What happens after the year's end is left out."""
        if at_ms >= END_MS:
            return
        rng = self._rng
        message_id = _uuid(rng)
        line = msgspec.json.encode({**event, "messageId": message_id, "timestamp": iso(at_ms)})
        truth = Truth(message_id, self._town, whose.person, whose.household, whose.trap)
        arrives_ms = at_ms + _delay_ms(rng, source, at_ms)
        self._told.append(Told(Sent(line, source, arrives_ms), truth))
        if rng.random() < _DOUBLED:
            later_ms = arrives_ms + int(rng.expovariate(1 / (6 * HOUR_MS)))
            again = msgspec.structs.replace(truth, again=True)
            self._told.append(Told(Sent(line, source, later_ms), again))

    def arrived(self) -> list[Told]:
        """All of it, by arrival; a repeat never before what it repeats."""
        return sorted(self._told, key=lambda told: told.sent.received_ms)


def iso(at_ms: int) -> str:
    """A time as events write it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _uuid(rng: random.Random) -> str:
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _delay_ms(rng: random.Random, source: Source, at_ms: int) -> int:
    """Browsers send at once, apps when they have a network; tills are read at night, the CRM once a week."""
    soon = rng.randrange(200, 4_000)
    if source is APP and rng.random() < _OFFLINE:
        return int(rng.expovariate(1 / DAY_MS)) + soon
    if source is TILL:
        return DAY_MS - (at_ms - START_MS) % DAY_MS + soon
    if source is CRM:
        return 7 * DAY_MS - (at_ms - START_MS) % (7 * DAY_MS) + soon
    return soon
