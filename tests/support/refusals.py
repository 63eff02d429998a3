"""Refusals as readers are to see them, derived from a `MemoryStore` in the plainest way."""

from collections.abc import Iterator

from onefold.model.graph import Identifier, Link
from onefold.stitch.rules import APART, is_generic
from tests.support.memory import MemoryStore


def refusals(store: MemoryStore) -> Iterator[tuple[tuple[Identifier, Identifier], str]]:
    """Every refused link with its reason: generic, or the first rule that its two customers would break together."""
    judged = [j for j in store.judgements.values() if j.retracted_ms is None]
    same = {frozenset((j.a, j.b)) for j in judged if j.same}
    for link in store.links.values():
        a, b = store.identifiers[link.a], store.identifiers[link.b]
        rank = store.rules.rank(a.key, b.key, link.seen, store.trusts())
        if frozenset((link.a, link.b)) in same:
            continue
        if is_generic(a, b, rank):
            yield (a, b), "generic"
        elif a.customer != b.customer:
            yield (a, b), reason(store, link, rank, {frozenset((j.a, j.b)) for j in judged if not j.same})


def reason(store: MemoryStore, link: Link, rank: int, apart: set[frozenset[int]]) -> str:
    """The first rule that the customers at a link's ends, as they are now, would break together."""
    left, right = (store.customers[store.identifiers[end].customer] for end in (link.a, link.b))
    if any(frozenset((x, y)) in apart for x in store.members[left.key] for y in store.members[right.key]):
        return store.rules.reason(APART)
    broken = store.rules.over(left.counts, left.size, right.counts, right.size, rank)
    return store.rules.reason(next(broken))
