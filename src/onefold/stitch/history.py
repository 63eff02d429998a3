"""How groups grew, rank by rank: one replay for what was and one for what is, to be compared.

Links are taken strongest first (Kruskal, 1956) over nodes that are judged classes: what people judged to be one is one
from the start. A group's *profile* at some place says what counts for the rules.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter

import msgspec

from onefold.model.graph import Link
from onefold.stitch.ranks import FIRST, LAST, Place


class Profile(msgspec.Struct, frozen=True, gc=False):
    """What a group holds: judged classes of each counted namespace, identifiers, and those of its identifiers that are
    judged different from one outside the region."""

    counts: tuple[int, ...]
    size: int
    apart: frozenset[int]

    def __add__(self, other: "Profile") -> "Profile":
        """What the union holds."""
        counts = tuple(map(int.__add__, self.counts, other.counts))
        return Profile(counts, self.size + other.size, self.apart | other.apart)


Placed = tuple[Place, Link]

Refusal = Callable[[int, int, Link, Place], int]
"""(root, root, link, place) -> the mark of a link between two groups: INSIDE if it may join them."""


class History:
    """Groups over nodes, and how they came about.

    Attributes:
        of: identifier number -> its node.
        tree: the links that joined two groups, in order, with their places.
        marks: pair -> why a link was turned down; of those that were.
    """

    def __init__(self, profiles: Mapping[int, Profile], of: Mapping[int, int]) -> None:
        """Every node is a group of its own."""
        self.of = of
        self.tree: list[Placed] = []
        self.marks: dict[int, int] = {}
        self._parent = {node: node for node in profiles}
        self._until: dict[int, Place] = {}
        self._log = {node: [(FIRST, profile)] for node, profile in profiles.items()}

    def fork(self) -> "History":
        """Another one that has grown like this so far."""
        twin = History({}, self.of)
        twin.tree, twin.marks = self.tree.copy(), self.marks.copy()
        twin._parent, twin._until = self._parent.copy(), self._until.copy()
        twin._log = {node: log.copy() for node, log in self._log.items()}
        return twin

    def replay(self, links: Iterable[Placed], refusal: Refusal) -> None:
        """Take these links, which are in order."""
        for place, link in links:
            left, right = self.find(link.a), self.find(link.b)
            mark = refusal(left, right, link, place)
            if mark:
                self.marks[link.pair] = mark
            elif left != right:
                self._join(left, right, place, link)

    def take(self, place: Place, link: Link) -> None:
        """Take a link that is known to stand."""
        left, right = self.find(link.a), self.find(link.b)
        if left != right:
            self._join(left, right, place, link)

    def find(self, identifier: int) -> int:
        """The root of its group."""
        node, parent = self.of[identifier], self._parent
        while parent[node] != node:
            node = parent[node]
        return node

    def profile(self, root: int) -> Profile:
        """What a group holds in the end, or so far."""
        return self._log[root][-1][1]

    def _join(self, left: int, right: int, place: Place, link: Link) -> None:
        one, other = self.profile(left), self.profile(right)
        if one.size < other.size:
            left, right = right, left
        self._parent[right], self._until[right] = left, place
        self._log[left].append((place, one + other))
        self.tree.append((place, link))

    def steps(self, identifier: int) -> list[tuple[Place, Profile]]:
        """What its group held, and from which place on; in order."""
        since, node = FIRST, self.of[identifier]
        found: list[tuple[Place, Profile]] = []
        while True:
            log = self._log[node]
            start = bisect_left(log, since, key=itemgetter(0))
            until = self._until.get(node)
            if until is None:
                return found + log[start:]
            found += log[start : bisect_left(log, until, key=itemgetter(0))]
            since, node = until, self._parent[node]


def differences(
    before: list[tuple[Place, Profile]], after: list[tuple[Place, Profile]]
) -> list[tuple[Place, Place, Profile, Profile]]:
    """Where two ways in which a group grew differ: (from, until, what it held, what it holds), in order."""
    if before == after:
        return []
    was, now = dict(before), dict(after)
    places = sorted(was.keys() | now.keys())
    found: list[tuple[Place, Place, Profile, Profile]] = []
    old, new = before[0][1], after[0][1]
    for place, until in zip(places, [*places[1:], LAST], strict=True):
        old, new = was.get(place, old), now.get(place, new)
        if old != new:
            found.append((place, until, old, new))
    return found
