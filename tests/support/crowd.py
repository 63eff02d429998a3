"""A crowd of people who share things: events as senders write them, and as the oracle reads them.

Among few people many events meet, so links are contested, shared identifiers turn generic, and times go back and forth.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from tests.oracle.evidence import SERVER, Event, Identifier

START_MS: Final = 1_772_366_400_000
"""2026-03-01T12:00:00Z."""
SPAN_MS: Final = 40 * 24 * 3_600_000
SHARED: Final[Sequence[Identifier]] = (
    ("email", "office@example.com"),
    ("phone", "+493012345678"),
    ("device_id", "till tablet"),
    ("anonymous_id", "library browser"),
)
PLANS: Final = ("free", "basic", "team")

Wire = dict[str, Any]


class Happening(NamedTuple):
    """One event before it is sent."""

    message_id: str
    at_ms: int
    identifiers: tuple[Identifier, ...]
    traits: dict[str, Any]

    def wire(self) -> Wire:
        """As a sender writes it. It does not say when it was sent, so it may be sent again and be the same."""
        at = datetime.fromtimestamp(self.at_ms // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return {
            "type": "identify" if self.traits else "track",
            "event": "Visited",
            "messageId": self.message_id,
            "timestamp": f"{at}.{self.at_ms % 1_000:03d}Z",
            "identifiers": [{"namespace": namespace, "value": value} for namespace, value in self.identifiers],
            "traits": self.traits,
            "properties": {"seats": len(self.identifiers), "note": "as told at the counter " * 4},
        }

    def event(self, source: str) -> Event:
        """As the oracle reads it when `source`, a server, sends it."""
        return Event(self.message_id, source, SERVER, self.at_ms, self.at_ms, self.identifiers, self.traits)


def crowd(seed: int, people: int) -> Iterator[Happening]:
    """What happens among so many people, without end; always the same for one seed."""
    dice = random.Random(seed)
    households = [_household(number) for number in range(people)]
    number = 0
    while True:
        own = dice.choice(households)
        seen = dice.sample(own, dice.randint(1, 3))
        if dice.random() < 0.2:
            seen.append(dice.choice(SHARED))
        if dice.random() < 0.08:
            seen.append(dice.choice(dice.choice(households)))
        traits = {"name": f"Name {dice.randrange(5)}", "plan": dice.choice(PLANS)} if dice.random() < 0.3 else {}
        yield Happening(f"m-{number}", START_MS + dice.randrange(SPAN_MS), _fitting(seen), traits)
        number += 1


def _household(number: int) -> list[Identifier]:
    """What one person is known by; some of it is also the next person's, who lives with them."""
    shared = number // 2
    return [
        ("user_id", f"user {number}"),
        ("crm_id", f"record {number}"),
        ("email", f"person{number}@example.com"),
        ("email", f"family{shared}@example.com"),
        ("phone", f"+4930{20_000_000 + shared}"),
        ("anonymous_id", f"cookie {number}"),
        ("anonymous_id", f"cookie {number} at work"),
        ("device_id", f"device {shared}"),
    ]


def _fitting(seen: Sequence[Identifier]) -> tuple[Identifier, ...]:
    """No event names two persons: it would be rejected as ambiguous."""
    held: dict[str, Identifier] = {}
    for identifier in seen:
        of_a_person = identifier[0] in {"user_id", "crm_id"}
        held.setdefault(identifier[0] if of_a_person else "/".join(identifier), identifier)
    return tuple(held.values())
