"""The links around identifiers: as the store has them, read once, and as this transaction has changed them since."""

from collections.abc import Iterable

from onefold.model.graph import Link
from onefold.stitch.needs import HoldRefused, InsideOf, RefusedBelow
from onefold.stitch.rules import GENERIC, INSIDE
from onefold.stitch.work import Asking, Work


class Surroundings:
    """Links by their ends.

    `above` tells by number the marks of links in the store whose stronger end it is. Those links themselves may be very
    many, and are read only where they are needed (`onefold.stitch.widening`).
    """

    def __init__(self, work: Work) -> None:
        """Nothing is read yet."""
        self.work = work
        self.above: dict[int, set[int]] = {}
        self._stored: dict[int, list[Link]] = {}

    def load(self, numbers: Iterable[int]) -> Asking:
        """Read what surrounds these, in one go."""
        missing = [number for number in numbers if number not in self._stored]
        if not missing:
            return
        self._stored.update((number, []) for number in missing)
        self.above.update((number, set()) for number in missing)
        for link in self.work.take_links((yield InsideOf(missing))):
            for end in (link.a, link.b):
                if end in self._stored:
                    self._stored[end].append(link)
        for link in self.work.take_links((yield RefusedBelow(missing))):
            self._stored[link.a].append(link)
        for number, mark in (yield HoldRefused(missing, self.work.rules.marks)):
            self.above[number].add(mark)

    def at(self, number: int) -> tuple[list[Link], list[Link]]:
        """The links at it that were decided: those not turned down, and those turned down by a rule whose weaker end it
        is."""
        links = self._stored[number]
        if changed := self.work.changed_at(number):
            links = list({link.pair: link for link in (*links, *changed)}.values())
        inside = [link for link in links if link.mark == INSIDE and link.rank is not None]
        return inside, [link for link in links if link.mark > GENERIC and link.a == number]
