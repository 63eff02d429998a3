"""Third step: what two ends alone could not tell. Replay the customers concerned, as they were and as they are.

The region begins with the customers that hold an end of an undecided link, an identifier that became or stopped
being generic, or one of a judgement. It is replayed, and widened over links turned down whose refusal no longer
follows, until none is left. By induction over rank everything beyond it went as before.
"""

from collections.abc import Collection, Iterable, Mapping

import networkx as nx

from onefold.model.graph import Customer, Identifier, Link
from onefold.stitch.history import History
from onefold.stitch.ledger import Settled, record_refused
from onefold.stitch.ranks import ALWAYS, NEVER
from onefold.stitch.region import Region
from onefold.stitch.rules import FIRST_RULE, GENERIC, INSIDE
from onefold.stitch.surroundings import Surroundings
from onefold.stitch.widening import Widening
from onefold.stitch.work import Asking, Group, Work

FIRST_LOOK = 8

Part = tuple[list[Link], set[int]]
"""Links that wait, and identifiers that turned generic or not."""


def settle(work: Work, pending: list[Link], before: Mapping[int, frozenset[int]]) -> Asking:
    """Settle what waits to be decided, what changed between generic and not, and what was judged.

    What has no customer in common is settled apart, one after the other: evidence that still waits is evidence that has
    not come yet, and the order in which it comes does not matter. A judgement is settled as one.

    Args:
        pending: links whose mark and rank are still what they were (None if they are new).
        before: number -> what it was judged one with, where that is another set now.
    """
    work.index_changed()
    around = Surroundings(work)
    if before:
        yield from settle_part(around, pending, work.flipped.keys() | before.keys(), before)
        return
    parts = parted(work, pending)
    yield from load_first_ring(around, parts)
    for links, flipped in parts:
        yield from settle_part(around, links, flipped, before)


def load_first_ring(around: Surroundings, parts: Iterable[Part]) -> Asking:
    """Take in, in one go, the customers that all parts begin with and what surrounds them."""
    work = around.work
    keys = {work.identifiers[number].customer for links, flipped in parts for number in concerned(links, flipped)}
    yield from work.load_members(keys)
    yield from around.load([number for key in keys for number in work.members(key)])


def concerned(pending: Iterable[Link], changed: Iterable[int]) -> set[int]:
    """The identifiers whose customers a part begins with."""
    return {end for link in pending for end in (link.a, link.b)}.union(changed)


def parted(work: Work, pending: list[Link]) -> list[Part]:
    """The links that wait and the identifiers that turned generic, so that no two parts share a customer."""
    parts: nx.Graph[int] = nx.Graph()
    parts.add_nodes_from(work.identifiers[number].customer for number in work.flipped)
    parts.add_edges_from((a.customer, b.customer) for a, b in map(work.ends, pending))
    found: list[Part] = []
    place: dict[int, Part] = {}
    for keys in nx.connected_components(parts):
        found.append(([], set()))
        place.update(dict.fromkeys(keys, found[-1]))
    for link in pending:
        place[work.identifiers[link.a].customer][0].append(link)
    for number in work.flipped:
        place[work.identifiers[number].customer][1].add(number)
    return found


def settle_part(
    around: Surroundings, pending: list[Link], changed: Collection[int], before: Mapping[int, frozenset[int]]
) -> Asking:
    """Settle one part; `changed`: identifiers that turned generic or not, or were judged."""
    work, region = around.work, Region(around, pending, before)
    wanted: Iterable[int] = {work.identifiers[number].customer for number in concerned(pending, changed)}
    most = FIRST_LOOK
    while wanted:
        yield from region.widen(wanted)
        was, now = region.replays()
        if was is now:
            leave(work, region, now)
            return
        widening = Widening(region, was, now)
        yield from widening.look(most)
        wanted, most = widening.customers, most * 2
    for pair, mark in widening.witnesses.items():
        link = work.links[pair]
        work.decide(link, mark, link.rank or 0)
    settled = Settled(work, region, now)
    for link in region.links.values():
        work.decide(link, now.marks.get(link.pair, INSIDE), region.rank(link))
    if before or was.tree != now.tree:
        Regrouping(work, region, now).write()
    settled.record()


def leave(work: Work, region: Region, history: History) -> None:
    """Nobody comes or goes: only the links to decide are turned down, some of them anew."""
    for pair in region.pending:
        link = region.links[pair]
        left, right = map(work.group, work.ends(link))
        told = link.mark != GENERIC and link.rank is not None
        work.decide(link, history.marks[pair], region.rank(link))
        if not told and link.mark != GENERIC and left is not right:
            record_refused(work, link, left, right)


class Regrouping:
    """The customers of a region after a replay."""

    def __init__(self, work: Work, region: Region, history: History) -> None:
        """`history`: the replay of the whole region."""
        self.work, self.region, self.history = work, region, history
        self.born = {key: work.customers[key].born for key in {i.customer for i in region.identifiers.values()}}
        self.near: dict[int, list[tuple[int, int]]] = {}
        for place, link in history.tree:
            a, b = history.of[link.a], history.of[link.b]
            self.near.setdefault(a, []).append((place[0], b))
            self.near.setdefault(b, []).append((place[0], a))

    def write(self) -> None:
        """Give every group a customer: each old key stays with the largest part of what it was."""
        groups: dict[int, list[Identifier]] = {}
        for identifier in self.region.identifiers.values():
            groups.setdefault(self.history.find(identifier.id), []).append(identifier)
        taken: dict[int, int] = {}
        for root, key in self._claims(groups):
            if root not in taken and key not in taken.values():
                taken[root] = key
        gone = self.born.keys() - set(taken.values())
        for root, members in groups.items():
            self._write_group(taken.get(root), members, self.history.profile(root).counts)
        for key in gone:
            self.work.drop(self.work.customers[key])

    def _claims(self, groups: Mapping[int, list[Identifier]]) -> Iterable[tuple[int, int]]:
        """(root, old key), most identifiers in common first, then the eldest."""
        shared: dict[tuple[int, int], tuple[int, int]] = {}
        for root, members in groups.items():
            for identifier in members:
                count, eldest = shared.get((root, identifier.customer), (0, -identifier.id))
                shared[root, identifier.customer] = count + 1, max(eldest, -identifier.id)
        return sorted(shared, key=lambda pair: shared[pair], reverse=True)

    def _write_group(self, key: int | None, members: list[Identifier], counts: tuple[int, ...]) -> None:
        work = self.work
        anchor = min(members, key=lambda i: (work.rules.priority[i.key.namespace], i.id))
        group = self._new_group(anchor) if key is None else work.customers[key]
        self._write_joined(anchor, members)
        apart = sum(1 for i in members if i.apart)
        whole = self._whole(members)
        priority = work.rules.priority[anchor.key.namespace]
        group.row = Customer(group.row.key, anchor.id, priority, len(members), apart, list(counts), whole)
        group.members = {i.id: i for i in members}
        group.born = min(self.born[i.customer] for i in members)
        work.changed_customers.add(group.row.key)
        for identifier in members:
            if identifier.customer != group.row.key:
                work.move(identifier, group.row.key)

    def _new_group(self, anchor: Identifier) -> Group:
        group = self.work.make_group(self.work.next_customer, anchor, -1)
        self.work.customers[self.work.next_customer] = group
        self.work.next_customer += 1
        return group

    def _write_joined(self, anchor: Identifier, members: list[Identifier]) -> None:
        """From which rank on each is in one group with the anchor: the highest on its way there."""
        core = self.history.of[anchor.id]
        bounds, stack = {core: ALWAYS}, [core]
        while stack:
            node = stack.pop()
            for rank, other in self.near.get(node, ()):
                if other not in bounds:
                    bounds[other] = max(bounds[node], rank)
                    stack.append(other)
        for identifier in members:
            bound = bounds[self.history.of[identifier.id]]
            if bound != identifier.joined:
                identifier.joined = bound
                self.work.changed_identifiers[identifier.id] = identifier

    def _whole(self, members: list[Identifier]) -> list[int]:
        rules = self.work.rules
        whole = [ALWAYS] * rules.whole_count
        bridges = {bridge.slot: bridge.mark - FIRST_RULE for bridge in rules.bridges}
        for k in bridges.values():
            whole[k] = NEVER
        size = rules.size_mark - FIRST_RULE
        for identifier in members:
            slot = rules.slot.get(identifier.key.namespace)
            whole[size] = max(whole[size], identifier.joined)
            if slot is not None:
                whole[slot] = max(whole[slot], identifier.joined)
                if slot in bridges:
                    whole[bridges[slot]] = min(whole[bridges[slot]], identifier.joined)
        return whole
