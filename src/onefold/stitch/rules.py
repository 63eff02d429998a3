"""The rules of stitching, compiled from the namespaces, and the numbers they go by.

Every rule that two customers may break together has a number, in the order in which a reader is told of them:
APART (judged different), a limit per limited namespace, a weak bridge per namespace that distinguishes, the size limit.
A link's `mark` is INSIDE, GENERIC or such a number: a rule that it broke *at its rank* when it was last turned down.
It is a witness, not the reason people read: that is derived from the two customers as they are (`broken`).

Namespaces that are limited or distinguish are *counted*: customers know how many judged classes they hold of each.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from onefold.model.graph import Identifier, Seen
from onefold.model.identifiers import IdentifierKey
from onefold.model.namespaces import Namespace, Namespaces, Prefer
from onefold.model.sources import Trust
from onefold.stitch.ranks import STRONG_SHIFT, TRUST_SHIFT, WEAK_SHIFT, rank_of, weaker_priority

INSIDE: Final = 0
GENERIC: Final = 1
APART: Final = 2
FIRST_RULE: Final = 3

SIZE_LIMIT: Final = 10_000
NO_TRUST: Final = 2
UNLIMITED: Final = 1 << 40


class Bridge:
    """A namespace that distinguishes: its rule's number, its place among the counted, its priority."""

    __slots__ = ("mark", "priority", "slot")

    def __init__(self, mark: int, slot: int, priority: int) -> None:
        """All three are fixed for good."""
        self.mark, self.slot, self.priority = mark, slot, priority


class Rules:
    """What the namespaces say, in the form that stitching uses.

    Attributes:
        counted: names of the counted namespaces, strongest first; slot: name -> place in it.
        limits: by slot, the limit, or UNLIMITED.
        bridges: of the namespaces that distinguish, strongest first.
        marks: all rules' numbers; size_mark: the size rule's, the last.
        size_limit: most identifiers of one customer.
        watched: name -> {stronger limited namespace: place of its counters in `Identifier.seen`}.
        thresholds: name -> per counter pair, how many values are still not generic.
    """

    def __init__(self, namespaces: Namespaces, size_limit: int = SIZE_LIMIT) -> None:
        """Compile the namespaces. Operators' take no part."""
        linking = [n for n in namespaces if n.links]
        counted = [n for n in linking if n.limit is not None or n.distinguishes]
        self.namespaces = namespaces
        self.priority = {n.name: n.priority for n in linking}
        self.counted = tuple(n.name for n in counted)
        self.slot = {name: slot for slot, name in enumerate(self.counted)}
        self.limits = tuple(UNLIMITED if n.limit is None else n.limit for n in counted)
        self._limited = [(FIRST_RULE + slot, slot, n.limit) for slot, n in enumerate(counted) if n.limit is not None]
        first_bridge = FIRST_RULE + len(counted)
        telling = [n for n in counted if n.distinguishes]
        self.bridges = tuple(Bridge(first_bridge + k, self.slot[n.name], n.priority) for k, n in enumerate(telling))
        self.size_mark = first_bridge + len(telling)
        self.size_limit = size_limit
        self.marks = tuple(range(APART, self.size_mark + 1))
        self.whole_count = self.size_mark - FIRST_RULE + 1
        self.watched = {n.name: self._watched(n) for n in linking}
        self.thresholds = {
            n.name: tuple(max(n.fanout, namespaces[m].limit or 0) for m in self.watched[n.name]) for n in linking
        }
        self._newest = {n.name: n.prefer is Prefer.NEWEST for n in linking}
        self._base = {
            (weak.name, strong.name): weak.priority << WEAK_SHIFT | strong.priority << STRONG_SHIFT
            for weak in linking
            for strong in linking
        }

    def _watched(self, namespace: Namespace) -> dict[str, int]:
        stronger = [n.name for n in self.namespaces.limited if n.links and n.priority < namespace.priority]
        return {name: 2 * k for k, name in enumerate(stronger)}

    # -- links

    def a_is_weaker(self, a: IdentifierKey, b: IdentifierKey) -> bool:
        """Of two identifiers of different namespaces, whether `a` is a link's weaker end: by priority, then by name."""
        one, other = self.priority[a.namespace], self.priority[b.namespace]
        return one > other or (one == other and a.namespace > b.namespace)

    def rank(self, a: IdentifierKey, b: IdentifierKey, seen: list[Seen], trusts: dict[int, Trust]) -> int:
        """The rank of a link between `a`, its weaker end, and `b`."""
        return rank_of(self._base[a.namespace, b.namespace], self._newest[a.namespace], seen, trusts)

    # -- generic identifiers

    def generic_from(self, namespace: str, seen: Sequence[int]) -> int:
        """The trust from which on links of an identifier with these counters are refused; NO_TRUST: none is."""
        thresholds = self.thresholds[namespace]
        for trust in range(NO_TRUST):
            for count, most in zip(seen[trust::NO_TRUST], thresholds, strict=True):
                if count > most:
                    return trust
        return NO_TRUST

    # -- customers

    def single(self, namespace: str) -> list[int]:
        """The counts of a customer that is one identifier."""
        counts = [0] * len(self.counted)
        if (slot := self.slot.get(namespace)) is not None:
            counts[slot] = 1
        return counts

    def whole_at(self, mark: int) -> int:
        """The place in `Customer.whole` that speaks for a rule. What is judged apart may be any member."""
        return (self.size_mark if mark == APART else mark) - FIRST_RULE

    def over(self, counts: Sequence[int], size: int, theirs: Sequence[int], more: int, rank: int) -> Iterator[int]:
        """Numbers of the rules, judgements aside, that two groups with these counts and sizes break by a link of
        this rank; in the order in which readers are told of them."""
        for mark, slot, limit in self._limited:
            mine, other = counts[slot], theirs[slot]
            if mine and other and mine + other > limit:
                yield mark
        weak = weaker_priority(rank)
        for bridge in self.bridges:
            if counts[bridge.slot] and theirs[bridge.slot] and bridge.priority < weak:
                yield bridge.mark
        if size + more > self.size_limit:
            yield self.size_mark

    def reason(self, mark: int) -> str:
        """The reason code of a rule's number: `limit:user_id`, `weak_bridge:email`, `generic`, …."""
        if mark == GENERIC:
            return "generic"
        if mark == APART:
            return "judged_different"
        if mark == self.size_mark:
            return "size_limit"
        slot = mark - FIRST_RULE
        if slot < len(self.counted):
            return f"limit:{self.counted[slot]}"
        bridge = next(b for b in self.bridges if b.mark == mark)
        return f"weak_bridge:{self.counted[bridge.slot]}"


def is_generic(a: Identifier, b: Identifier, rank: int) -> bool:
    """Whether a link of this rank is refused because one of its ends is generic by evidence trusted as well."""
    return generic_at(rank, a.generic, b.generic)


def generic_at(rank: int, a: int, b: int) -> bool:
    """Whether a link of this rank is refused as generic when its ends are so from the trusts `a` and `b` on."""
    return rank >> TRUST_SHIFT >= min(a, b)
