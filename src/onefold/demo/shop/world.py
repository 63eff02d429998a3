"""The shop's year as a stream: town after town, so that millions of people are never held at once."""

from collections.abc import Iterator
from typing import Final

import msgspec

from onefold.demo.shop.telling import Told
from onefold.demo.shop.town import Town

PEOPLE: Final = 5_000
SEED: Final = 7
TOWN: Final = 5_000
"""So many people, at most, live in a town. Each has kiosks, offices and a bot: the world is as hard at any size."""


class World(msgspec.Struct, frozen=True):
    """A shop with `people` customers; the same people and `seed` tell the same, byte by byte."""

    people: int = PEOPLE
    seed: int = SEED

    def towns(self) -> int:
        """How many there are."""
        return -(-self.people // TOWN)

    def told(self) -> Iterator[Told]:
        """All that happens, with the truth about it: a town's year by arrival, then the next town's."""
        for number in range(self.towns()):
            first = number * TOWN
            yield from Town(self.seed, number, first, min(TOWN, self.people - first)).told()
