"""Events of a year for benchmarks: people with cookies that expire, devices, late log-ins and a few shared devices.

Every event is one line of JSON in the Segment form. The same seed gives the same events.
"""

import random
from bisect import bisect
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate
from typing import Final

import orjson

START_MS: Final = 1_761_955_200_000
YEAR_MS: Final = 365 * 86_400_000
NOW_MS: Final = START_MS + YEAR_MS + 86_400_000
"""When all of it is received."""

CHANNELS: Final = (
    ("paid_search", 18),
    ("organic", 22),
    ("email", 14),
    ("social", 13),
    ("direct", 14),
    ("referral", 6),
    ("display", 6),
    ("affiliate", 3),
    ("store", 2),
    ("callcenter", 2),
)
NAMES: Final = (
    ("page_view", 52),
    ("product_view", 18),
    ("add_to_cart", 8),
    ("purchase", 6),
    ("email_open", 7),
    ("complaint", 1),
    ("signup", 2),
    ("search", 6),
)


class Person:
    """Somebody with several cookies one after another, perhaps a log-in from some time of the year on."""

    __slots__ = ("cookies", "crm", "devices", "email", "known_from", "late")

    def __init__(self, rng: random.Random, number: int) -> None:
        """Drawn from `rng`."""
        cookies = rng.choices((1, 2, 3, 4, 5, 6), (42, 26, 14, 9, 6, 3))[0]
        self.late = rng.random() < 0.05
        identified = self.late or rng.random() < 0.45
        if self.late:
            cookies = max(cookies, 3)
        self.cookies = [f"{rng.getrandbits(128):032x}" for _ in range(cookies)]
        self.devices = [f"{rng.getrandbits(128):032x}" if rng.random() < 0.4 else None for _ in self.cookies]
        share = 0.9 + 0.1 * rng.random() if self.late else 0.6 * rng.random()
        self.known_from = share if identified else 9.0
        self.email = f"u{rng.getrandbits(48):012x}@example.com"
        self.crm = str(1_000_000 + number) if identified and rng.random() < 0.5 else None


COUNTRIES: Final = (("DE", 30), ("FR", 18), ("GB", 16), ("NL", 9), ("ES", 9), ("IT", 9), ("PL", 6), ("SE", 3))
PLANS: Final = (("free", 70), ("plus", 24), ("pro", 6))


class World:
    """`people` persons; `events` are spread over a year, in order of time."""

    def __init__(self, people: int, seed: int = 7, *, telling: bool = False) -> None:
        """Draw the people. A few devices are shared by two of them. With `telling`, those who are
        signed in say who they are when they sign up or search."""
        self.people = people
        self._telling = telling
        self._seed = seed
        rng = random.Random(seed)
        self._people = [Person(rng, number) for number in range(people)]
        for person in rng.sample(self._people, people // 250):
            other = rng.choice(self._people)
            person.devices[0] = other.devices[0] = f"{rng.getrandbits(128):032x}"
        weights = [1 / (k + 50) ** 0.8 for k in range(people)]
        rng.shuffle(weights)
        self._weights = list(accumulate(weights))

    def events(self, count: int, since: float = 0.0, until: float = 1.0, seed: int = 0) -> Iterator[bytes]:
        """Lines of JSON for `count` events between two shares of the year; another seed gives other events of the
        same people."""
        rng = random.Random(f"{self._seed} {seed}")
        for position in range(count):
            yield orjson.dumps(self._event(rng, since + (until - since) * (position + 1) / count))

    def _event(self, rng: random.Random, share: float) -> dict[str, object]:
        person = self._people[bisect(self._weights, rng.random() * self._weights[-1])]
        slot = min(int(len(person.cookies) * share), len(person.cookies) - 1)
        known = share >= person.known_from
        if rng.random() < (0.5 if person.late and known else 0.1):
            slot = rng.randrange(len(person.cookies))
        channel, name = _drawn(rng, CHANNELS), _drawn(rng, NAMES)
        login = known and (rng.random() < 0.3 or name in ("purchase", "signup"))
        offline = login and channel in ("store", "callcenter")
        identifiers = []
        if login and person.crm and (offline or name == "purchase"):
            identifiers.append({"namespace": "crm_id", "value": person.crm})
        context: dict[str, object] = {"page": {"path": f"/p/{rng.randrange(1, 4000)}"}, "userAgent": "web"}
        if login:
            context["traits"] = {"email": person.email}
        if not offline and person.devices[slot] and rng.random() < 0.5:
            context["device"] = {"id": person.devices[slot], "type": "phone"}
        event: dict[str, object] = {
            "type": "track",
            "event": name,
            "messageId": f"{rng.getrandbits(128):032x}",
            "timestamp": iso(START_MS + int(share * YEAR_MS)),
            "channel": channel,
            "context": context,
            "properties": {"revenue": round(rng.gammavariate(2, 30), 2), "currency": "EUR"}
            if name == "purchase"
            else {},
        }
        if not offline:
            event["anonymousId"] = person.cookies[slot]
        if identifiers:
            event["identifiers"] = identifiers
        if self._telling and login and name in ("signup", "search"):
            event["type"] = "identify"
            event["traits"] = _told(person)
        return event


def _told(person: Person) -> dict[str, object]:
    """What somebody says, the same each time."""
    own = random.Random(person.email)
    return {
        "email": person.email,
        "country": _drawn(own, COUNTRIES),
        "plan": _drawn(own, PLANS),
        "score": own.randrange(100),
        "born": f"{own.randrange(1945, 2008)}-{own.randrange(1, 13):02}-{own.randrange(1, 29):02}",
    }


def _drawn(rng: random.Random, shares: tuple[tuple[str, int], ...]) -> str:
    point = rng.random() * sum(weight for _, weight in shares)
    for value, weight in shares:
        point -= weight
        if point < 0:
            return value
    return shares[-1][0]


def iso(at_ms: int) -> str:
    """A time as events carry it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
