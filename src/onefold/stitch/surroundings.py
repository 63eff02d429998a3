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

    def inside(self, number: int) -> Iterable[Link]:
        """The links at it that were decided and not turned down."""
        return (link for link in self._at(number) if link.mark == INSIDE and link.rank is not None)

    def below(self, number: int) -> list[Link]:
        """The links that were turned down by a rule whose weaker end it is."""
        return [link for link in self._at(number) if link.a == number and link.mark > GENERIC]

    def _at(self, number: int) -> Iterable[Link]:
        found = {link.pair: link for link in self._stored[number]}
        found.update((link.pair, link) for link in self.work.changed_at(number))
        return found.values()
