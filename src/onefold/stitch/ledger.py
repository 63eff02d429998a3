"""What the ledger is told: one line for each thing that a person would want explained.

A join is told when customers that were there before it become one, or when a newcomer takes over as their anchor;
an identifier that merely comes to a known customer is told by its links. A refusal is told when the link is new or
stood before; what generic identifiers do not join is told once, by their own line.

The causes of a line are the observations that brought its link or moved it; of an older link that settling accepts or
turns down, those that had its customers settled.
"""

from collections.abc import Iterable

from onefold.model.changes import Decision, DecisionKind
from onefold.model.graph import Link
from onefold.stitch.history import History
from onefold.stitch.ranks import trust_of
from onefold.stitch.region import Region
from onefold.stitch.rules import APART, GENERIC, INSIDE
from onefold.stitch.work import Group, Work

LINK_REASONS = ("link:server", "link:public")
NO_LONGER_SAME = "not_judged_same"
"""The reason of a split of what nothing but a judgement held together."""


def causes_of(work: Work, links: Iterable[Link]) -> tuple[int, ...]:
    """Positions of the observations that brought these links or moved them."""
    return tuple(sorted({work.causes[link.pair] for link in links if link.pair in work.causes}))


def record_joined(work: Work, link: Link, left: Group, right: Group) -> None:
    """Two customers are about to become one over this link."""
    cause = work.causes[link.pair]
    first, second = sorted((left, right), key=lambda g: (g.row.anchor_priority, g.row.anchor))
    older = min(left.born, right.born)
    if max(left.born, right.born) < cause or (older < cause and first.born != older):
        tell_link(work, DecisionKind.JOINED, trust_reason(link), link, (first.row.anchor, second.row.anchor), (cause,))


def trust_reason(link: Link) -> str:
    """The reason code of what a link brings together: how far it is trusted."""
    return LINK_REASONS[trust_of(link.rank or 0)]


def record_refused(work: Work, link: Link, left: Group, right: Group, causes: tuple[int, ...] | None = None) -> None:
    """A link between two customers was turned down. `causes`: unless it has its own."""
    anchors, reason = (left.row.anchor, right.row.anchor), refusal(work, link, left, right)
    tell_link(work, DecisionKind.REFUSED, reason, link, anchors, causes or causes_of(work, [link]))


def tell_link(
    work: Work, kind: DecisionKind, reason: str, link: Link, anchors: tuple[int, ...], causes: tuple[int, ...]
) -> None:
    """Something became of one link; of a join, the customer that remains stands first."""
    work.decisions.append(Decision(kind, reason, anchors, (link.a, link.b), link.pair, None, causes))


def refusal(work: Work, link: Link, left: Group, right: Group) -> str:
    """The reason code of a link between two customers: the first rule they would break together."""
    if link.mark == GENERIC:
        return work.rules.reason(GENERIC)
    if work.judged_apart(left, right):
        return work.rules.reason(APART)
    one, other = left.row, right.row
    broken = work.rules.over(one.counts, one.size, other.counts, other.size, link.rank or 0)
    return work.rules.reason(next(broken, link.mark))


class Settled:
    """What settling a region changes, seen before and after: made before its rows are written, told after."""

    def __init__(self, work: Work, region: Region, history: History) -> None:
        """Remember how things stand. `history`: the replay of the region, as it is going to be."""
        self.work, self.history, self.judged = work, history, region.before.keys()
        self.links = list(region.links.values())
        self.pending = [link for link in self.links if link.pair in region.pending]
        self.stood = {link.pair for link in self.links if link.mark == INSIDE and link.rank is not None}
        self.owner = {i.id: i.customer for i in region.identifiers.values()}
        self.anchors = {key: work.customers[key].row.anchor for key in set(self.owner.values())}
        self.born = {key: work.customers[key].born for key in self.anchors}
        self.refused = {link.pair for link in self.links if self._refused_by(self.owner, link)}

    def record(self) -> None:
        """Tell the ledger: what was torn apart and why, what came together, which links changed sides."""
        self._record_splits()
        self._record_joins()
        now = {number: self._customer(number) for number in self.owner}
        for link in self.links:
            refused = self._refused_by(now, link)
            if refused and link.pair not in self.refused and link.pair not in self.stood:
                record_refused(self.work, link, *self._ends(link), self._causes_of(link))
            elif link.pair in self.refused and now[link.a] == now[link.b]:
                left, _ = self._ends(link)
                anchors, causes = (left.row.anchor,), self._causes_of(link)
                tell_link(self.work, DecisionKind.RELEASED, trust_reason(link), link, anchors, causes)

    def _refused_by(self, owner: dict[int, int], link: Link) -> bool:
        """Whether a rule keeps its ends apart; generic identifiers have a line of their own."""
        return link.mark != GENERIC and link.rank is not None and owner[link.a] != owner[link.b]

    def _record_splits(self) -> None:
        parts: dict[int, list[int]] = {}
        for number, key in self.owner.items():
            customer = self.work.identifiers[number].customer
            if customer not in parts.setdefault(key, []):
                parts[key].append(customer)
        torn = [link for link in self.links if link.pair in self.stood and link.mark != INSIDE]
        for key, customers in parts.items():
            if len(customers) > 1:
                self._tell_split(key, customers, [link for link in torn if self.owner[link.a] == key])

    def _tell_split(self, key: int, customers: list[int], torn: list[Link]) -> None:
        work = self.work
        for customer in customers:
            work.customers[customer].born = -1  # it is told of, so it is told, too, when it joins another
        anchors = [work.customers[customer].row.anchor for customer in customers]
        stays = self.anchors[key]
        anchors.sort(key=lambda anchor: (anchor != stays, anchor))
        torn.sort(key=lambda link: link.rank or 0)
        if not torn:
            ends = tuple(number for number in self.judged if self.owner[number] == key)
            work.decisions.append(
                Decision(DecisionKind.SPLIT, NO_LONGER_SAME, tuple(anchors), ends, None, work.withdrawn)
            )
            return
        reason = refusal(work, torn[0], *self._ends(torn[0]))
        ends = tuple(dict.fromkeys(end for link in torn for end in (link.a, link.b)))
        causes = self._causes(key, *customers)
        work.decisions.append(Decision(DecisionKind.SPLIT, reason, tuple(anchors), ends, torn[0].pair, None, causes))

    def _record_joins(self) -> None:
        for _, link in self.history.tree:
            one, other = self.owner[link.a], self.owner[link.b]
            if one == other or self.anchors[one] == self.anchors[other]:
                continue
            into = self.work.group(self.work.identifiers[link.a]).row.anchor
            others = [key for key in (one, other) if self.anchors[key] != into]
            cause = self.work.causes.get(link.pair, -1)
            if any(self.born[key] < max(cause, 0) for key in others):
                named = (into, *(self.anchors[key] for key in others))
                tell_link(self.work, DecisionKind.JOINED, trust_reason(link), link, named, self._causes_of(link))
        for members in self._classes():
            anchors = {self.anchors[self.owner[number]] for number in members}
            if len(anchors) > 1:
                into = self.work.group(self.work.identifiers[members[0]]).row.anchor
                customers = (into, *sorted(anchors - {into}))
                self.work.decisions.append(Decision(DecisionKind.JOINED, "judged_same", customers, tuple(members)))

    def _classes(self) -> list[list[int]]:
        nodes: dict[int, list[int]] = {}
        for number, node in self.history.of.items():
            nodes.setdefault(node, []).append(number)
        return [members for members in nodes.values() if len(members) > 1]

    def _causes_of(self, link: Link) -> tuple[int, ...]:
        """What brought a link or moved it, or had its customers settled."""
        return causes_of(self.work, [link]) or self._causes(*(self._customer(end) for end in (link.a, link.b)))

    def _causes(self, *customers: int) -> tuple[int, ...]:
        """What had customers settled: links to decide at one of them, as it was or is, or else any."""
        concerned = [
            link
            for link in self.pending
            if any(self.owner[end] in customers or self._customer(end) in customers for end in (link.a, link.b))
        ]
        return causes_of(self.work, concerned or self.pending) or self._causes_of_flips()

    def _causes_of_flips(self) -> tuple[int, ...]:
        """What made identifiers of the region generic, or no longer so."""
        flips = causes_of_flips(self.work)
        return tuple(sorted({cause for number, cause in flips.items() if number in self.owner}))

    def _ends(self, link: Link) -> tuple[Group, Group]:
        a, b = self.work.ends(link)
        return self.work.group(a), self.work.group(b)

    def _customer(self, number: int) -> int:
        return self.work.identifiers[number].customer


def causes_of_flips(work: Work) -> dict[int, int]:
    """Identifier that became generic or stopped being so -> the last observation that linked it, if one did."""
    last: dict[int, int] = {}
    for pair, cause in work.causes.items() if work.flipped else ():
        for end in (pair >> 32, pair & 0xFFFFFFFF):
            if end in work.flipped:
                last[end] = max(cause, last.get(end, 0))
    return last


def lasting(work: Work) -> list[Decision]:
    """What is told of all this: not of a link refused whose ends came together after that over a weaker one, if that is
    no join to be told of. Nobody ever saw them apart."""
    undone = {d.link for d in work.decisions if d.kind is DecisionKind.RELEASED}
    return [
        d for d in work.decisions if d.kind is not DecisionKind.REFUSED or d.link in undone or not _together(work, d)
    ]


def _together(work: Work, decision: Decision) -> bool:
    a, b = decision.identifiers
    return work.identifiers[a].customer == work.identifiers[b].customer


def record_flips(work: Work) -> None:
    """Identifiers that became generic by all evidence, or stopped being so."""
    last = causes_of_flips(work)
    for number, was in work.flipped.items():
        identifier = work.identifiers[number]
        anchor = work.group(identifier).row.anchor
        reason = "generic" if identifier.generic < was else "not_generic"
        causes = (last[number],) if number in last else ()
        work.decisions.append(Decision(DecisionKind.GENERIC, reason, (anchor,), (number,), None, None, causes))
