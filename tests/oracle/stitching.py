"""The rules of stitching (design, sections 4 and 5) as code, recomputed from all evidence: slow on purpose, to be read.

The order of arrival enters in one place only: which of equally strong identifiers is the elder (`anchor`).
"""

from dataclasses import dataclass

from tests.oracle.evidence import (
    PUBLIC,
    TRUSTS,
    Evidence,
    Identifier,
    Links,
    MessageKey,
    Pair,
    Rules,
    classes,
    ends,
)


@dataclass(frozen=True, slots=True)
class Stitched:
    """What follows from the evidence. `generic[SERVER]` is so by server evidence alone, `generic[PUBLIC]` by all."""

    customers: dict[Identifier, Identifier]
    refusals: dict[Pair, str]
    generic: dict[int, frozenset[Identifier]]
    subjects: dict[MessageKey, Identifier]

    def groups(self) -> frozenset[frozenset[Identifier]]:
        """The customers as sets, whatever their ids."""
        members: dict[Identifier, set[Identifier]] = {}
        for identifier, anchor in self.customers.items():
            members.setdefault(anchor, set()).add(identifier)
        return frozenset(map(frozenset, members.values()))


def stitch(evidence: Evidence) -> Stitched:
    """Steps 1 to 4 of section 4; a customer is named by its anchor (section 5), the strongest and eldest member.

    A link of a generic identifier is refused wherever its ends are: even where judgements make them one customer.
    """
    links, groups = evidence.links(), _Groups(evidence)
    generic = {trust: generic_identifiers(evidence, links, trust) for trust in TRUSTS}
    same = set(evidence.judged("same"))
    silent = {pair for pair in links if pair not in same and generic[trust_of(links, pair)].intersection(pair)}
    for pair in same:
        groups.join(pair)
    for pair in sorted(set(links) - same - silent, key=lambda pair: rank(evidence.rules, links, pair)):
        if groups.broken_rule(pair) is None:
            groups.join(pair)
    refusals = dict.fromkeys(silent, "generic") | {
        pair: groups.broken_rule(pair) or "none" for pair in set(links) - silent if groups.apart(pair)
    }
    assert "none" not in refusals.values(), "a link was refused, yet its customers may be joined"
    return Stitched(groups.anchors(), refusals, generic, subjects(evidence, generic[PUBLIC]))


def generic_identifiers(evidence: Evidence, links: Links, trust: int) -> frozenset[Identifier]:
    """Step 1, by evidence of this trust or better: seen with too many values of one stronger, limited namespace.

    Values that are judged the same count once.
    """
    rules = evidence.rules
    one_of = classes(evidence.identifiers(), evidence.judged("same"))
    seen: dict[tuple[Identifier, str], set[Identifier]] = {}
    for pair in links:
        for own, other in ends(pair):
            theirs = rules[other[0]]
            stronger = theirs.priority < rules[own[0]].priority
            if stronger and theirs.limit is not None and trust_of(links, pair) <= trust:
                seen.setdefault((own, other[0]), set()).add(one_of[other])
    may = {(own, name): max(rules[own[0]].fanout, rules[name].limit or 0) for own, name in seen}
    return frozenset(own for (own, name), values in seen.items() if len(values) > may[own, name])


def trust_of(links: Links, pair: Pair) -> int:
    """A link is as trusted as the best of the sources that saw it."""
    return min(source.trust for source in links[pair])


def rank(rules: Rules, links: Links, pair: Pair) -> tuple[int, int, int, int, Pair]:
    """Step 2: smaller is stronger, and taken earlier. Of ends of equal priority the second in plain order is weaker."""
    stronger, weaker = sorted((rules[namespace] for namespace, _ in pair), key=lambda rule: rule.priority)
    trust = trust_of(links, pair)
    best = [seen for source, seen in links[pair].items() if source.trust == trust]
    age = min(s.first_ms for s in best) if weaker.prefer == "oldest" else -max(s.last_ms for s in best)
    return trust, weaker.priority, stronger.priority, age, pair


def subjects(evidence: Evidence, generic: frozenset[Identifier]) -> dict[MessageKey, Identifier]:
    """Section 1: a touchpoint's subject is the strongest of its identifiers that is not generic by all evidence.

    Where all of them are generic it is the strongest.
    """
    return {
        key: min(usable := evidence.linking(event), key=lambda i: (i in generic, usable.index(i)))
        for key, event in evidence.events.items()
    }


class _Groups:
    """Step 3: the groups while they grow, and the rules that a joined group may not break."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._age = evidence.identifiers()
        self._one_of = classes(self._age, evidence.judged("same"))
        self._different = evidence.judged("different")
        self._strongest_first = sorted(evidence.rules, key=lambda name: (evidence.rules[name].priority, name))
        self._group = {identifier: {identifier} for identifier in self._age}

    def apart(self, pair: Pair) -> bool:
        return self._group[pair[0]] is not self._group[pair[1]]

    def join(self, pair: Pair) -> None:
        joined = self._group[pair[0]] | self._group[pair[1]]
        self._group.update(dict.fromkeys(joined, joined))

    def broken_rule(self, pair: Pair) -> str | None:
        """The first rule that joining the groups at the ends of this link would break."""
        left, right = (self._group[end] for end in pair)
        if left is right:
            return None
        if any((a in left and b in right) or (a in right and b in left) for a, b in self._different):
            return "judged_different"
        return self._limit(left | right) or self._weak_bridge(left, right, pair) or self._size_limit(left | right)

    def _limit(self, joined: set[Identifier]) -> str | None:
        """Identifiers judged the same count once."""
        held: dict[str, set[Identifier]] = {}
        for identifier in joined:
            held.setdefault(identifier[0], set()).add(self._one_of[identifier])
        for name in self._strongest_first:
            limit = self._evidence.rules[name].limit
            if limit is not None and len(held.get(name, ())) > limit:
                return f"limit:{name}"
        return None

    def _weak_bridge(self, left: set[Identifier], right: set[Identifier], pair: Pair) -> str | None:
        """Both groups hold one that distinguishes, and the link's weaker end is weaker than it."""
        rules = self._evidence.rules
        weaker = max(rules[namespace].priority for namespace, _ in pair)
        for name in self._strongest_first:
            distinguishes = rules[name].distinguishes and weaker > rules[name].priority
            if distinguishes and all(any(i[0] == name for i in side) for side in (left, right)):
                return f"weak_bridge:{name}"
        return None

    def _size_limit(self, joined: set[Identifier]) -> str | None:
        return "size_limit" if len(joined) > self._evidence.size_limit else None

    def anchors(self) -> dict[Identifier, Identifier]:
        """Section 5: identifier -> the strongest of its customer, the eldest among equals."""
        rules = self._evidence.rules
        return {
            identifier: min(group, key=lambda i: (rules[i[0]].priority, self._age[i]))
            for identifier, group in self._group.items()
        }
