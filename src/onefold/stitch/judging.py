"""What people say of two identifiers, and how it is taken back.

Invariant: judgements that stand never contradict one another, and always hold; identifiers judged the same form a
*class* that counts once. Making one and retracting it leaves customers, ids, profiles and journeys as they were.
"""

from collections.abc import Generator, Iterable, Sequence
from typing import Any

from onefold.errors import Problem
from onefold.model.changes import ChangeSet, Decision, DecisionKind, Retraction
from onefold.model.graph import Identifier, Judgement, Link
from onefold.model.identifiers import IdentifierKey
from onefold.model.sources import Trust
from onefold.stitch.ledger import record_flips
from onefold.stitch.needs import ByKey, ByNumber, LinksOf, Need
from onefold.stitch.observe import add_seen, saw
from onefold.stitch.ranks import best_trust
from onefold.stitch.resolver import change_set
from onefold.stitch.rules import NO_TRUST, Rules, is_generic
from onefold.stitch.settle import settle
from onefold.stitch.subjects import set_anew
from onefold.stitch.work import Asking, Work


def judge(
    rules: Rules, trusts: dict[int, Trust], judgement: Judgement, ends: Sequence[IdentifierKey], *, last_customer: int
) -> Generator[Need, Any, ChangeSet | Problem]:
    """What a new judgement changes.

    Args:
        judgement: its `a` and `b` are not yet known and are filled in here; everything else is.
        ends: the two identifiers, normalised.

    Returns: the change set, its `judged` the judgement with its ends; or the problem `judgement.one_identifier`,
        `judgement.unknown_identifier` or `judgement.contradicts`.
    """
    work = Work(rules, trusts, 0, last_customer + 1)
    work.take((yield ByKey(list(dict.fromkeys(ends)))))
    for k, key in enumerate(ends):
        if key not in work.by_key or not work.by_key[key].customer:
            return unknown(key, "ab"[k])
    a, b = (work.by_key[key] for key in ends)
    if a is b:
        return Problem(
            "judgement.one_identifier", f"{a.key.namespace}:{a.key.value} is named twice.", "Name two identifiers.", "b"
        )
    yield from work.load_customers([a, b])
    if (problem := contradiction(work, judgement.same, a, b)) is not None:
        return problem
    first, second = sorted((a.id, b.id))
    table = work.same if judgement.same else work.apart
    standing = second in table.get(first, ())
    kept = Judgement(
        judgement.number, judgement.same, first, second, judgement.author, judgement.reason, judgement.at_ms
    )
    if not standing:
        yield from add(work, kept, a, b)
    tell(work, DecisionKind.JUDGED, kept)
    changes = change_set(work, [])
    changes.judged = kept
    return changes


def retract(
    rules: Rules, trusts: dict[int, Trust], judgement: Judgement, retraction: Retraction, *, last_customer: int
) -> Generator[Need, Any, ChangeSet]:
    """What taking a standing judgement back changes. The pair stays judged while another judgement of it stands."""
    work = Work(rules, trusts, 0, last_customer + 1)
    work.withdrawn = judgement.number
    rows = {row.id: row for row in work.take((yield ByNumber([judgement.a, judgement.b])))}
    a, b = rows[judgement.a], rows[judgement.b]
    yield from work.load_customers([a, b])
    table = work.same if judgement.same else work.apart
    if b.id not in table.get(a.id, ()):
        yield from remove(work, judgement, a, b)
    tell(work, DecisionKind.RETRACTED, judgement)
    changes = change_set(work, [])
    changes.retracted = retraction
    return changes


def unknown(key: IdentifierKey, field: str) -> Problem:
    """A judgement names an identifier that nobody was seen with."""
    return Problem(
        "judgement.unknown_identifier",
        f"{key.namespace}:{key.value} has never been seen.",
        "Judge identifiers that are in the store: look them up with resolve or search.",
        field,
    )


def contradiction(work: Work, same: bool, a: Identifier, b: Identifier) -> Problem | None:
    """The problem of a judgement that the standing ones forbid."""
    one, other = work.one(a), work.one(b)
    against = any(work.apart.get(i, set()) & other for i in one) if same else b.id in one
    if not against:
        return None
    return Problem(
        "judgement.contradicts",
        "Standing judgements say that the two are " + ("different customers." if same else "the same customer."),
        "Retract those first: decisions of kind JUDGED about either of the two name them.",
    )


def add(work: Work, judgement: Judgement, a: Identifier, b: Identifier) -> Asking:
    """A pair is judged that was not."""
    one, other = work.one(a), work.one(b)
    table = work.same if judgement.same else work.apart
    table.setdefault(a.id, set()).add(b.id)
    table.setdefault(b.id, set()).add(a.id)
    if not judgement.same:
        count_apart(work, (a, b), 1)
    elif one is not other and a.id not in other:
        yield from regroup(work, one, other, [one | other])
        return
    yield from settle(work, [], {i: work.one(work.identifiers[i]) for i in one | other})


def remove(work: Work, judgement: Judgement, a: Identifier, b: Identifier) -> Asking:
    """A pair is judged no more."""
    if not judgement.same:
        count_apart(work, (a, b), -1)
    one, other = reach(work, a.id), reach(work, b.id)
    if judgement.same and a.id not in other:
        yield from regroup(work, one, other, [one, other])
    else:
        yield from settle(work, [], {i: work.one(work.identifiers[i]) for i in one | other})


def count_apart(work: Work, ends: Iterable[Identifier], more: int) -> None:
    """One judgement `different` more or less names these."""
    for identifier in ends:
        identifier.apart += more
        work.changed_identifiers[identifier.id] = identifier


def reach(work: Work, number: int) -> frozenset[int]:
    """What is judged one with it by the judgements in hand."""
    found, stack = {number}, [number]
    while stack:
        fresh = work.same.get(stack.pop(), set()) - found
        found |= fresh
        stack.extend(fresh)
    return frozenset(found)


def regroup(work: Work, one: frozenset[int], other: frozenset[int], classes: Sequence[frozenset[int]]) -> Asking:
    """Two classes become one, or one becomes two; -> settled. Values counted once count twice now, or the reverse."""
    before = {i: work.one(work.identifiers[i]) for i in one | other}
    for members in classes:
        root = min(members) if len(members) > 1 else None
        for number in members:
            identifier = work.identifiers[number]
            identifier.one = root
            work.changed_identifiers[number] = identifier
        if root is not None:
            work.classes[root] = members
    yield from recount(work, one, other, -1 if len(classes) == 1 else 1)
    yield from settle(work, (yield from released(work)), before)
    yield from set_anew(work)
    record_flips(work)


def recount(work: Work, one: frozenset[int], other: frozenset[int], more: int) -> Asking:
    """Weaker identifiers that saw both classes under one namespace have seen one value less, or more."""
    names = {work.identifiers[i].key.namespace for i in one} & {work.identifiers[i].key.namespace for i in other}
    for name in names:
        left = [i for i in one if work.identifiers[i].key.namespace == name]
        right = [i for i in other if work.identifiers[i].key.namespace == name]
        links = work.take_links((yield LinksOf([*left, *right])))
        neighbours = {link.a for link in links if link.b in left} & {link.a for link in links if link.b in right}
        yield from load_numbers(work, neighbours)
        for number in neighbours:
            weak = work.identifiers[number]
            counter = work.rules.watched[weak.key.namespace].get(name)
            if counter is None:
                continue
            for trust in range(NO_TRUST):
                if all(any(saw(work, weak, i, trust) for i in side) for side in (left, right)):
                    add_seen(work, weak, counter + trust, more)


def released(work: Work) -> Asking:
    """Links that are no longer refused as generic, since an end of theirs is not: they wait to be decided."""
    found: dict[int, Link] = {}
    for number, was in list(work.flipped.items()):
        links = work.take_links((yield LinksOf([number])))
        yield from load_numbers(work, {end for link in links for end in (link.a, link.b)})
        for link in links:
            a, b = work.ends(link)
            rank = work.rank(link)
            if best_trust(link.seen, work.trusts) >= was and not is_generic(a, b, rank):
                link.rank = None
                found[link.pair] = link
    return list(found.values())


def load_numbers(work: Work, numbers: Iterable[int]) -> Asking:
    """Take in these identifiers and their customers."""
    missing = set(numbers) - work.identifiers.keys()
    if missing:
        work.take((yield ByNumber(sorted(missing))))
    yield from work.load_customers([work.identifiers[number] for number in numbers])


def tell(work: Work, kind: DecisionKind, judgement: Judgement) -> None:
    """The ledger's line of the judgement itself, before those of what it changed."""
    verdict = "same" if judgement.same else "different"
    ends = (judgement.a, judgement.b)
    anchors = dict.fromkeys(work.group(work.identifiers[end]).row.anchor for end in ends)
    work.decisions.insert(0, Decision(kind, verdict, tuple(anchors), ends, None, judgement.number))
