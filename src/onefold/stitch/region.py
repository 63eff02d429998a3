"""The customers that are settled together, and the links among them; it widens, customer by customer."""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from onefold.model.graph import Identifier, Link
from onefold.stitch.history import History, Placed, Profile
from onefold.stitch.ranks import Place
from onefold.stitch.rules import APART, FIRST_RULE, GENERIC, INSIDE, Rules, is_generic
from onefold.stitch.surroundings import Links, Surroundings
from onefold.stitch.work import Asking


class Region:
    """A set of whole customers in hand.

    Attributes:
        identifiers: of all of them, by number. links: among them, by pair: all that are not turned down, those turned
            down within the region, and those to decide; the latter's pairs are `pending`.
        below: number -> links turned down whose weaker end it is, by pair.
        before: number -> numbers judged one with it before this change; only where that is another set now.
    """

    def __init__(self, around: Surroundings, pending: Iterable[Link], before: Mapping[int, frozenset[int]]) -> None:
        """Nothing is in it yet but the links to decide."""
        self.around, self.work = around, around.work
        self.identifiers: dict[int, Identifier] = {}
        self.links = {link.pair: link for link in pending}
        self.pending = frozenset(self.links)
        self.below: dict[int, Links] = {}
        self.before = before
        self._singles: dict[str, Profile] = {}

    def widen(self, customers: Iterable[int]) -> Asking:
        """Take in these customers whole."""
        work, keys = self.work, sorted(set(customers))
        yield from work.load_members(keys)
        fresh = [i for key in keys for i in work.members(key).values() if i.id not in self.identifiers]
        numbers = [i.id for i in fresh]
        self.identifiers.update(zip(numbers, fresh, strict=True))
        yield from work.load_judgements(i.id for i in fresh if i.apart)
        yield from self.around.load(numbers)
        for number in numbers:
            inside, self.below[number] = self.around.at(number)
            self.links.update(inside)
        for below in self.below.values():
            self.links.update((pair, link) for pair, link in below.items() if link.b in self.identifiers)

    # -- replays

    def rank(self, link: Link) -> int:
        """Its rank by the evidence that counts so far: what it was, for a link that is settled later."""
        if link.rank is None or link.pair in self.pending:
            return self.work.rank(link)
        return link.rank

    def place(self, link: Link, rank: int) -> Place:
        """Where a link of this rank stands."""
        a, b = self.work.ends(link)
        first, second = (a.key, b.key) if a.key < b.key else (b.key, a.key)
        return rank, first, second

    def replays(self) -> tuple[History, History]:
        """How the customers grew over the links that stood, and how they grow by all evidence in hand; one and the same
        where nothing changes but marks of links to decide.

        Up to the first link to decide that is not turned down both are one, and what was turned down there stays so.
        """
        asked = in_order((self.place(link, self.rank(link)), link) for link in self.links.values())
        if self.before or not self.work.flipped.keys().isdisjoint(self.identifiers):
            was, now, common = self._history(self.before), self._history({}), 0
        else:
            now = self._history({})
            common = self._take_common(now, asked)
            if common == len(asked):
                return now, now
            was = now.fork()
        for place, link in in_order(self._stood(placed) for placed in asked[common:] if stood(placed[1])):
            was.take(place, link)
        now.replay(asked[common:], Refusing(self, now).mark)
        return was, now

    def _stood(self, placed: Placed) -> Placed:
        """Where a link stood that stands here now. None has moved back."""
        _place, link = placed
        return (self.place(link, link.rank or 0), link) if link.pair in self.pending else placed

    def _take_common(self, history: History, asked: Sequence[Placed]) -> int:
        """Take the links until one to decide is not turned down; -> how many.

        One that stood and is turned down further in front joined nobody: what may be one in the end may be so before.
        """
        refusal = Refusing(self, history)
        for k, (place, link) in enumerate(asked):
            mark = link.mark
            if link.pair in self.pending:
                mark = refusal.mark(history.find(link.a), history.find(link.b), link, place)
                if mark == INSIDE:
                    return k
            if mark == INSIDE:
                history.take(place, link)
            else:
                history.marks[link.pair] = mark
        return len(asked)

    def _history(self, before: Mapping[int, frozenset[int]]) -> History:
        of: dict[int, int] = {}
        profiles: dict[int, Profile] = {}
        for number, identifier in self.identifiers.items():
            if number not in of:
                alike = before.get(number) or self.work.one(identifier)
                of.update(dict.fromkeys(alike, number))
                profiles[number] = (
                    self._profile(alike) if len(alike) > 1 or identifier.apart else self._single(identifier)
                )
        return History(profiles, of)

    def _single(self, identifier: Identifier) -> Profile:
        """The profile of an identifier that nothing was judged about."""
        namespace = identifier.key.namespace
        if (profile := self._singles.get(namespace)) is None:
            profile = self._singles[namespace] = Profile(tuple(self.work.rules.single(namespace)), 1, frozenset())
        return profile

    def _profile(self, alike: frozenset[int]) -> Profile:
        held = {self.work.identifiers[number].key.namespace for number in alike}
        counts = tuple(int(name in held) for name in self.work.rules.counted)
        apart = self.work.apart
        outside = frozenset(i for i in alike if i in apart and apart[i] - self.identifiers.keys())
        return Profile(counts, len(alike), outside)


def stood(link: Link) -> bool:
    """Whether a link was decided and not turned down."""
    return link.mark == INSIDE and link.rank is not None


def in_order(links: Iterable[Placed]) -> list[Placed]:
    """Links by their places."""
    return sorted(links, key=itemgetter(0))


class Refusing:
    """The rules as one replay meets them: it also knows who is judged apart within the region."""

    def __init__(self, region: Region, history: History) -> None:
        """Nothing is joined yet."""
        self.rules: Rules = region.work.rules
        self.identifiers, self.history = region.identifiers, history
        self.apart = {
            i: others & region.identifiers.keys()
            for i, others in region.work.apart.items()
            if i in region.identifiers and others & region.identifiers.keys()
        }

    def mark(self, left: int, right: int, link: Link, place: Place) -> int:
        """Why this link may not join these groups; INSIDE if it may, or if they are one."""
        if is_generic(self.identifiers[link.a], self.identifiers[link.b], place[0]):
            return GENERIC
        if left == right:
            return INSIDE
        if self.apart and self._held_apart(left, right):
            return APART
        one, other = self.history.profile(left), self.history.profile(right)
        return next(self.rules.over(one.counts, one.size, other.counts, other.size, place[0]), INSIDE)

    def _held_apart(self, left: int, right: int) -> bool:
        find = self.history.find
        return any({find(i), find(other)} == {left, right} for i, others in self.apart.items() for other in others)


def lost(rules: Rules, was: Profile, now: Profile) -> set[int]:
    """Marks that no longer witness a refusal, when a group holds `now` where it held `was`."""
    marks = {FIRST_RULE + slot for slot, count in enumerate(now.counts) if count < was.counts[slot]}
    marks.update(b.mark for b in rules.bridges if was.counts[b.slot] and not now.counts[b.slot])
    if now.size < was.size:
        marks.add(rules.size_mark)
    if was.apart - now.apart:
        marks.add(APART)
    return marks
