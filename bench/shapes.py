"""Traffic at which identifiers are shared, and the same traffic with nothing shared beside it.

Each shape yields events for ever, as lines of JSON. `shared=False` gives its twin: as many identifiers and events, but
each person has what otherwise many share.
"""

import random
from collections.abc import Iterator
from itertools import count
from typing import Final

import orjson

from bench.world import START_MS, YEAR_MS, World, iso

SINCE_MS: Final = START_MS + int(0.97 * YEAR_MS)
"""Where the world's events of the first million end."""

PEOPLE_AT_TABLETS: Final = 3_000
SHOPPERS: Final = 20_000


class Writer:
    """Writes events of one shape. Its name is part of every value, so that shapes share nothing with each other."""

    def __init__(self, name: str, shared: bool) -> None:
        """`shared`: whether this is the shape itself, not its twin."""
        self.name = f"{name}{'' if shared else '-apart'}"
        self.rng = random.Random(self.name)

    def event(self, at_ms: int, **identifiers: str) -> bytes:
        """A page view. `identifiers`: user, cookie, device, email, phone."""
        given = {kind: f"{self.name}-{value}" for kind, value in identifiers.items()}
        context: dict[str, object] = {"page": {"path": f"/p/{self.rng.randrange(1, 4000)}"}, "userAgent": "web"}
        if "email" in given:
            context["traits"] = {"email": f"{given['email']}@example.com"}
        if "device" in given:
            context["device"] = {"id": given["device"], "type": "phone"}
        event: dict[str, object] = {
            "type": "track",
            "event": "page_view",
            "messageId": f"{self.rng.getrandbits(128):032x}",
            "timestamp": iso(at_ms),
            "channel": "organic",
            "context": context,
            "properties": {},
        }
        if "user" in given:
            event["userId"] = given["user"]
        if "cookie" in given:
            event["anonymousId"] = given["cookie"]
        return orjson.dumps(event)


def contested(world: World, shared: bool) -> Iterator[bytes]:
    """The world's traffic; every fifth event is at a tablet that three people share. Of half of the tablets the people
    have accounts, of the others only e-mail addresses."""
    writer = Writer("tablet", shared)
    rng = writer.rng
    for number, line in enumerate(world.events(1_000_000, 0.97, 1.0, seed=2 + shared)):
        if number % 5:
            yield line
            continue
        person = rng.randrange(PEOPLE_AT_TABLETS)
        tablet = person // 3 if shared else person
        held = {"cookie": f"{person}.{rng.randrange(6)}", "device": f"{tablet}"}
        way = rng.random()
        if way >= 0.5:
            held["user" if person // 3 % 2 else "email"] = f"{person}"
        if way >= 0.85:
            held["cookie"] = f"{tablet}.browser"
        yield writer.event(SINCE_MS + number, **held)


def kiosk(shared: bool) -> Iterator[bytes]:
    """One device on which everybody logs in, each with an account and a fresh cookie."""
    writer = Writer("kiosk", shared)
    for k in count():
        yield writer.event(SINCE_MS + k, user=f"{k}", cookie=f"{k}", device="kiosk" if shared else f"{k}")


def bot(shared: bool) -> Iterator[bytes]:
    """One account that comes with a fresh cookie every time."""
    writer = Writer("bot", shared)
    for k in count():
        yield writer.event(SINCE_MS + k, user="bot" if shared else f"{k}", cookie=f"{k}")


def giant(shared: bool, since: int = 0, late: int = 0) -> Iterator[bytes]:
    """Families, offices and internet cafés at random: accounts meet at e-mail addresses, telephones and cookies that
    have few owners each, so most links are refused by a limit or as weak bridges, and hold nearly all identifiers
    together. From event `since` on; with `late`, dated at random among the first `late` events."""
    writer = Writer("giant", shared)
    rng = writer.rng = random.Random(f"{writer.name} {since} {late}")
    for k in count(since):
        at_ms = SINCE_MS + (rng.randrange(late) if late else k)
        person = rng.randrange(SHOPPERS)
        yield writer.event(at_ms, **_shopping(rng, person, shared))


def _shopping(rng: random.Random, person: int, shared: bool) -> dict[str, str]:
    """Whoever shops alone does so under names of his own."""

    def one_of(many: int) -> str:
        return f"{rng.randrange(many)}" if shared else f"{person}.{rng.randrange(2)}"

    way = rng.random()
    own = f"{person}.{rng.randrange(2)}"
    if way < 0.35:
        return {"user": f"{person}", "cookie": f"home{one_of(SHOPPERS)}"}
    if way < 0.6:
        return {"user": f"{person}", "email": one_of(SHOPPERS), "cookie": own}
    if way < 0.8:
        return {"email": one_of(SHOPPERS), "cookie": f"home{one_of(SHOPPERS)}"}
    if way < 0.9:
        return {"email": one_of(SHOPPERS), "device": one_of(SHOPPERS)}
    return {"cookie": own, "device": one_of(SHOPPERS)}
