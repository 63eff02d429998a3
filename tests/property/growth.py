"""How the customers of some evidence grew, link by link, and which rules each link broke at its place.

The oracle says only how it ended. What stitching keeps between batches (bounds, marks, ranks) speaks of the way there,
so it is told once more here, from the oracle's own evidence, order and generic identifiers.
"""

from collections.abc import Iterable
from typing import NamedTuple

from tests.oracle.evidence import Evidence, Identifier, Links, Pair, Rules, classes
from tests.oracle.stitching import Stitched, rank, trust_of

ALWAYS, NEVER = -1, 1 << 62
"""Bounds that every rank is above, and none."""
OLDEST = 1 << 44
"""The age from which on those stand that prefer the oldest; before it, those that prefer the newest."""


class Join(NamedTuple):
    """Two groups that became one at this rank."""

    rank: int
    left: frozenset[Identifier]
    right: frozenset[Identifier]


class Growth(NamedTuple):
    """`ranks`: of every link. `broken`: link -> all rules that it broke at its place, none where it joined two groups,
    None where its ends were in one; of links that are not refused as generic. `joins`: in order, judgements first."""

    ranks: dict[Pair, int]
    broken: dict[Pair, frozenset[str] | None]
    joins: list[Join]

    def bounds(self, anchor: Identifier) -> dict[Identifier, int]:
        """Member of the anchor's customer -> the rank at which it came to be in one group with it."""
        found = {anchor: ALWAYS}
        for join in self.joins:
            for here, there in ((join.left, join.right), (join.right, join.left)):
                if anchor in here:
                    found.update(dict.fromkeys(there, join.rank))
        return found


def growth(evidence: Evidence, links: Links, stitched: Stitched) -> Growth:
    """Take judgements, then the links that are not generic in the oracle's order."""
    same = set(evidence.judged("same"))
    groups = {identifier: frozenset((identifier,)) for identifier in stitched.customers}
    breaking = _Breaking(evidence, list(groups))
    found = Growth({pair: packed(evidence.rules, links, pair) for pair in links}, {}, [])
    ordered = sorted(links, key=lambda pair: rank(evidence.rules, links, pair))
    silent = {pair for pair in links if stitched.generic[trust_of(links, pair)].intersection(pair)}
    for pair in [*same, *(pair for pair in ordered if pair not in silent | same)]:
        left, right = groups[pair[0]], groups[pair[1]]
        broken = frozenset() if pair in same else frozenset(breaking.rules(left, right, pair))
        if pair in found.ranks and pair not in silent:
            found.broken[pair] = None if left is right else broken
        if left is not right and not broken:
            found.joins.append(Join(ALWAYS if pair in same else found.ranks[pair], left, right))
            groups.update(dict.fromkeys(left | right, left | right))
    assert frozenset(groups.values()) == stitched.groups(), "told twice, the rules give the same customers"
    return found


def packed(rules: Rules, links: Links, pair: Pair) -> int:
    """A link's rank as one number: trust, the weaker end's priority, the stronger end's, age; 1 + 8 + 8 + 45 bits."""
    trust, weaker, stronger, age, _ = rank(rules, links, pair)
    return trust << 61 | weaker << 53 | stronger << 45 | (OLDEST + age if age >= 0 else OLDEST - 1 + age)


class _Breaking:
    """Every rule that two groups would break together, not only the first."""

    def __init__(self, evidence: Evidence, identifiers: list[Identifier]) -> None:
        self._rules, self._size_limit = evidence.rules, evidence.size_limit
        self._one_of = classes(identifiers, evidence.judged("same"))
        self._different = evidence.judged("different")

    def rules(self, left: frozenset[Identifier], right: frozenset[Identifier], pair: Pair) -> Iterable[str]:
        if any({a in left, b in left} == {True, False} and {a, b} <= left | right for a, b in self._different):
            yield "judged_different"
        weaker = max(self._rules[name].priority for name, _ in pair)
        for name, rule in self._rules.items():
            mine, theirs = ({self._one_of[i] for i in side if i[0] == name} for side in (left, right))
            if rule.limit is not None and mine and theirs and len(mine | theirs) > rule.limit:
                yield f"limit:{name}"
            if rule.distinguishes and mine and theirs and rule.priority < weaker:
                yield f"weak_bridge:{name}"
        if len(left) + len(right) > self._size_limit:
            yield "size_limit"
