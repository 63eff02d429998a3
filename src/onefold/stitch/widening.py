"""Which customers beyond a region must be settled with it: those across links that may now be accepted.

A link turned down that leaves the region stays turned down while the group at this end holds no less, by its rank, for
the rule that it is marked with (its witness), or breaks another with what the other end's group surely held by then:
then that is its new witness. The rest are at risk. They are read in order of rank, a few at a time: once their
customers are in the region, what they bring is often what the others need as a witness.
"""

from collections.abc import Iterable
from heapq import heappop, heappush

from onefold.model.graph import Identifier, Link
from onefold.stitch.history import History, Profile, differences
from onefold.stitch.needs import ByNumber, RefusedAbove
from onefold.stitch.ranks import Place
from onefold.stitch.region import Region, lost
from onefold.stitch.rules import GENERIC, is_generic
from onefold.stitch.work import Asking

PAGE = 16


class Stretch:
    """The links of one mark, at one identifier, that leave the region within a stretch of places where its group holds
    less than it did; read in order, page by page."""

    def __init__(self, region: Region, identifier: Identifier, mark: int, since: Place, until: Place, now: Profile):
        """`now`: what its group holds there."""
        self.region, self.identifier, self.mark = region, identifier, mark
        self.since, self.until, self.now = since, until, now
        self._page, self._low, self._after = PAGE, max(since[0], 0), -1
        self._more = mark in region.around.above[identifier.id]
        self._waiting: list[tuple[Place, Link]] = []

    def in_hand(self) -> list[Link]:
        """Those that are in hand already: links to stronger ends, and those changed in this transaction."""
        number = self.identifier.id
        mine = self.region.below[number]
        if changed := self.region.work.changed_at(number):
            mine = mine | {link.pair: link for link in changed}
        return self.leaving(mine.values())

    def next(self) -> Asking:
        """The first link not yet given out, with its place; None at the end."""
        while self._more and (not self._waiting or self._waiting[0][0][0] >= self._low):
            yield from self._read()
        return heappop(self._waiting) if self._waiting else None

    def _read(self) -> Asking:
        need = RefusedAbove(self.identifier.id, self.mark, self._low, self.until[0], self._after, self._page)
        rows: list[Link] = yield need
        self._more = len(rows) == self._page
        self._page *= 2
        if rows:
            self._low, self._after = rows[-1].rank or 0, rows[-1].pair
            links, number = self.region.work.links, self.identifier.id
            changed = {link.pair for link in self.region.work.changed_at(number)}
            found = self.leaving(links.setdefault(row.pair, row) for row in rows if row.pair not in changed)
            yield from load_far_ends(self.region, [far_end(link, number) for link in found])
            self.wait(found)

    def leaving(self, links: Iterable[Link]) -> list[Link]:
        """Those of them that may be among these."""
        number, inside = self.identifier.id, self.region.identifiers
        low, high = self.since[0], self.until[0]
        return [
            link
            for link in links
            if link.mark == self.mark
            and link.rank is not None
            and low <= link.rank <= high
            and far_end(link, number) not in inside
        ]

    def wait(self, leaving: Iterable[Link]) -> None:
        """Links whose far ends are in hand: those within the stretch wait to be given out."""
        for link in leaving:
            place = self.region.place(link, link.rank or 0)
            if self.since <= place < self.until:
                heappush(self._waiting, (place, link))


def far_end(link: Link, number: int) -> int:
    """The end of a link that is not this one."""
    return link.a if link.b == number else link.b


def load_far_ends(region: Region, numbers: Iterable[int]) -> Asking:
    """Take in these identifiers and their customers."""
    work, wanted = region.work, set(numbers)
    known = work.identifiers
    missing = [number for number in wanted if number not in known]
    if missing:
        work.take((yield ByNumber(missing)))
    yield from work.load_customers([known[number] for number in wanted])


class Widening:
    """One look at what leaves the region.

    Attributes:
        customers: keys of those at risk. witnesses: pair -> its new witness; complete only if no customer is at risk.
    """

    def __init__(self, region: Region, was: History, now: History) -> None:
        """`was` and `now`: how the region's customers grew before, and do."""
        self.region, self.was, self.now = region, was, now
        self.customers: set[int] = set()
        self.witnesses: dict[int, int] = {}

    def look(self, most: int) -> Asking:
        """Find customers at risk, at most `most`, those across the strongest links first."""
        heap: list[tuple[Place, int, Link, Stretch]] = []
        stretches = [(stretch, stretch.in_hand()) for stretch in self._stretches()]
        far_ends = {far_end(link, stretch.identifier.id) for stretch, links in stretches for link in links}
        yield from load_far_ends(self.region, far_ends)
        for k, (stretch, links) in enumerate(stretches):
            stretch.wait(links)
            if (found := (yield from stretch.next())) is not None:
                heappush(heap, (found[0], k, found[1], stretch))
        while heap and len(self.customers) < most:
            place, k, link, stretch = heappop(heap)
            self._judge(place, link, stretch)
            if (found := (yield from stretch.next())) is not None:
                heappush(heap, (found[0], k, found[1], stretch))

    def _stretches(self) -> Iterable[Stretch]:
        """Where groups hold less than they did, at identifiers from which links turned down leave the region."""
        region = self.region
        for identifier in self._members_of_changed():
            number = identifier.id
            if not (held := self._marks_at(number)):
                continue
            for since, until, was, now in differences(self.was.steps(number), self.now.steps(number)):
                for mark in lost(region.work.rules, was, now) & held:
                    yield Stretch(region, identifier, mark, since, until, now)

    def _marks_at(self, number: int) -> set[int]:
        """Marks of the links turned down that touch it."""
        region = self.region
        near = (*region.below[number].values(), *region.work.changed_at(number))
        return region.around.above[number] | {link.mark for link in near if link.mark > GENERIC}

    def _members_of_changed(self) -> Iterable[Identifier]:
        """Of the customers that may have lost something: those that grew over all the links of before have not."""
        old, new = ({(place, link.pair) for place, link in history.tree} for history in (self.was, self.now))
        if old <= new and not self.region.before:
            return []
        ends = {end for _, pair in old ^ new for end in (pair >> 32, pair & 0xFFFFFFFF)} | self.region.before.keys()
        identifiers = self.region.identifiers
        keys = {identifiers[number].customer for number in ends}
        return [i for i in identifiers.values() if i.customer in keys]

    def _judge(self, place: Place, link: Link, stretch: Stretch) -> None:
        """Give a link another witness, or put its far customer at risk."""
        work, near = self.region.work, stretch.identifier
        far = work.identifiers[far_end(link, near.id)]
        if is_generic(near, far, place[0]):
            return
        there, held = work.group(far).row, stretch.now
        for mark in work.rules.over(held.counts, held.size, there.counts, there.size, place[0]):
            if far.joined < place[0] and there.whole[work.rules.whole_at(mark)] < place[0]:
                self.witnesses[link.pair] = mark
                return
        self.customers.add(there.key)
