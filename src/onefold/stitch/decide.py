"""Second step: decide each new or changed link by what is known of its two ends, where that is enough.

Why this is exact. Evidence only adds links, or moves one *forward* in rank; a link turned down at its rank stays so
while both its groups only grow. Growth can undo an *accepted* link only by a weak bridge: when a group comes to hold an
identifier that distinguishes before a weak link that joined it to another. So:

* INSIDE, both ends in one customer: safe if the customer holds at most one value of every namespace that
  distinguishes, or all of them are together before the link's rank, or its two ends are.
* JOIN, a union that keeps every rule: accepted at whatever rank it comes. It is the only link across. Where only one
  side holds an e-mail (say), each side's groups stay as they were, and so does who holds one. Where both do, the same,
  provided that at its rank both groups held one: weak links across were turned down before, and still are.
* APPEND, a union that breaks a rule: refused, if before its rank both groups held what breaks it.
* Everything else waits for `onefold.stitch.settle`.
"""

from collections.abc import Iterable

from onefold.model.graph import Identifier, Link
from onefold.stitch.ledger import record_joined, record_refused
from onefold.stitch.ranks import NEVER
from onefold.stitch.rules import APART, FIRST_RULE, GENERIC, INSIDE, is_generic
from onefold.stitch.work import Asking, Group, Work


def decide_changed(work: Work) -> Asking:
    """Decide every link whose rank is new, strongest first; -> those that have to be settled."""
    changed = []
    for pair in work.new_links.keys() | work.seen_links.keys():
        link = work.links[pair]
        rank = work.rank(link)
        if rank != link.rank:
            changed.append((rank, pair, link))
    changed.sort(key=lambda entry: entry[:2])
    yield from load_smaller_sides(work, changed)
    pending: list[Link] = []
    for rank, _, link in changed:
        if not (yield from decide(work, link, rank)):
            pending.append(link)
    return pending


def load_smaller_sides(work: Work, links: Iterable[tuple[int, int, Link]]) -> Asking:
    """Take in, in one go, the members that joins over these links are likely to move."""
    wanted, over = set(), work.rules.over
    for rank, _, link in links:
        a, b = work.ends(link)
        if a.customer != b.customer:
            one, other = work.group(a).row, work.group(b).row
            if not any(over(one.counts, one.size, other.counts, other.size, rank)):
                wanted.add(one.key if one.size < other.size else other.key)
    yield from work.load_members(wanted)


def decide(work: Work, link: Link, rank: int) -> Asking:
    """Decide one link; -> False where that takes more than its two ends."""
    a, b = work.ends(link)
    if link.rank is not None and (a.id in work.flipped or b.id in work.flipped):
        return False
    if is_generic(a, b, rank):
        work.decide(link, GENERIC, rank)
        return True
    left, right = work.group(a), work.group(b)
    near = max(a.joined, b.joined)
    if left is right:
        return decide_inside(work, link, rank, left, near)
    mark = broken_by(work, left, right, rank, near)
    if mark == INSIDE:
        if both_held_late(work, left, right, rank, near):
            return False
        yield from join(work, link, rank, left, right, near)
        return True
    if mark is None:
        return False
    fresh = link.rank is None or link.mark == GENERIC
    work.decide(link, mark, rank)
    if fresh:
        record_refused(work, link, left, right)
    return True


def decide_inside(work: Work, link: Link, rank: int, group: Group, near: int) -> bool:
    """A link within one customer."""
    a, b = work.ends(link)
    counts, whole = group.row.counts, group.row.whole
    if rank <= near and not (a.one is not None and a.one == b.one):
        for bridge in work.rules.bridges:
            if counts[bridge.slot] > 1 and rank <= whole[bridge.slot]:
                return False
    work.decide(link, INSIDE, rank)
    nearer(work, a, max(b.joined, rank))
    nearer(work, b, max(a.joined, rank))
    return True


def nearer(work: Work, identifier: Identifier, bound: int) -> None:
    """It is known to be with its customer's anchor from an earlier rank on."""
    if bound < identifier.joined:
        identifier.joined = bound
        work.changed_identifiers[identifier.id] = identifier


def broken_by(work: Work, left: Group, right: Group, rank: int, near: int) -> int | None:
    """INSIDE if their union keeps every rule; the number of a rule that both groups surely broke before this rank;
    None if it breaks one, but perhaps not yet at this rank."""
    rules, one, other = work.rules, left.row, right.row
    broken = [APART] if work.judged_apart(left, right) else []
    broken.extend(rules.over(one.counts, one.size, other.counts, other.size, rank))
    if not broken:
        return INSIDE
    for mark in broken:
        k = rules.whole_at(mark)
        if near < rank and one.whole[k] < rank and other.whole[k] < rank:
            return mark
    return None


def both_held_late(work: Work, left: Group, right: Group, rank: int, near: int) -> bool:
    """Whether both sides hold an identifier that distinguishes, but one perhaps not yet at this rank."""
    for bridge in work.rules.bridges:
        k = bridge.mark - FIRST_RULE
        if rank <= max(near, left.row.whole[k], right.row.whole[k]) < NEVER:
            return True
    return False


def join(work: Work, link: Link, rank: int, left: Group, right: Group, near: int) -> Asking:
    """Two customers become one: the larger keeps its key, the identifiers of the smaller move."""
    if left.row.size < right.row.size:
        left, right = right, left
    yield from work.load_members([right.row.key, left.row.key] if right.row.apart else [right.row.key])
    work.decide(link, INSIDE, rank)
    record_joined(work, link, left, right)
    moved, bound = work.members(right.row.key), max(near, rank)
    for identifier in moved.values():
        identifier.joined = max(identifier.joined, bound)
        work.move(identifier, left.row.key)
        work.changed_identifiers[identifier.id] = identifier
    if left.members is not None:
        left.members.update(moved)
    absorb(work, left, right, bound)
    work.drop(right)


def absorb(work: Work, left: Group, right: Group, bound: int) -> None:
    """The larger customer's row after the union. `bound`: from there on both anchors are in one group."""
    one, other, rules = left.row, right.row, work.rules
    bridges = {bridge.mark - FIRST_RULE for bridge in rules.bridges}
    for k in range(rules.whole_count):
        if k in bridges:
            one.whole[k] = min(one.whole[k], max(other.whole[k], bound))
        elif k >= len(other.counts) or other.counts[k]:
            one.whole[k] = max(one.whole[k], other.whole[k], bound)
    one.counts = [mine + theirs for mine, theirs in zip(one.counts, other.counts, strict=True)]
    one.size += other.size
    one.apart += other.apart
    if (other.anchor_priority, other.anchor) < (one.anchor_priority, one.anchor):
        one.anchor, one.anchor_priority = other.anchor, other.anchor_priority
    left.born = min(left.born, right.born)
    work.changed_customers.add(one.key)
