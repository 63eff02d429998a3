"""The links around identifiers: as the store has them, read once, and as this transaction has changed them since."""

from collections.abc import Iterable

from onefold.model.graph import Link
from onefold.stitch.needs import HoldRefused, InsideOf, RefusedBelow
from onefold.stitch.rules import GENERIC, INSIDE
from onefold.stitch.work import Asking, Work

Links = dict[int, Link]
"""Links by their pairs."""


class Surroundings:
    """Links by their ends.

    `above` tells by number the marks of links in the store whose stronger end it is. Those links themselves may be very
    many, and are read only where they are needed (`onefold.stitch.widening`).
    """

    def __init__(self, work: Work) -> None:
        """Nothing is read yet."""
        self.work = work
        self.above: dict[int, set[int]] = {}
        self._inside: dict[int, Links] = {}
        self._below: dict[int, Links] = {}

    def load(self, numbers: Iterable[int]) -> Asking:
        """Read what surrounds these, in one go."""
        inside, below = self._inside, self._below
        missing = [number for number in numbers if number not in inside]
        if not missing:
            return
        for number in missing:
            inside[number], below[number], self.above[number] = {}, {}, set()
        for link in self.work.take_links((yield InsideOf(missing))):
            pair = link.pair
            for end in (link.a, link.b):
                if end in inside:
                    inside[end][pair] = link
        for link in self.work.take_links((yield RefusedBelow(missing))):
            below[link.a][link.pair] = link
        for number, mark in (yield HoldRefused(missing, self.work.rules.marks)):
            self.above[number].add(mark)

    def at(self, number: int) -> tuple[Links, Links]:
        """The links at it that were decided: those not turned down, and those turned down by a rule whose weaker end it
        is."""
        inside, below = self._inside[number], self._below[number]
        if not (changed := self.work.changed_at(number)):
            return inside, below
        links = inside | below | {link.pair: link for link in changed}
        inside = {pair: link for pair, link in links.items() if link.mark == INSIDE and link.rank is not None}
        return inside, {pair: link for pair, link in links.items() if link.mark > GENERIC and link.a == number}
