"""What a store must hold after each turn: the oracle's answers, and caches that are true of them."""

from collections.abc import Mapping
from typing import TypeVar

from onefold.model.graph import Customer, Identifier, Link
from onefold.stitch.rules import FIRST_RULE, GENERIC, INSIDE, is_generic
from tests.oracle.evidence import PUBLIC, SERVER, Pair
from tests.oracle.evidence import Identifier as Named
from tests.oracle.stitching import trust_of
from tests.property.growth import ALWAYS, NEVER
from tests.property.playing import Expected
from tests.support.memory import MemoryStore

K = TypeVar("K")
V = TypeVar("V")


def same(what: str, found: Mapping[K, V], expected: Mapping[K, V]) -> None:
    """Both are equal; else the message shows only where they differ."""
    if found != expected:
        keys = [key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)]
        wrong = {key: (found.get(key), expected.get(key)) for key in keys}
        raise AssertionError(f"{what} (found, expected): {wrong}")


def named(row: Identifier) -> Named:
    return row.key.namespace, row.key.value


def pair_of(store: MemoryStore, link: Link) -> Pair:
    first, second = sorted((named(store.identifiers[link.a]), named(store.identifiers[link.b])))
    return first, second


def check(store: MemoryStore, expected: Expected) -> None:
    """All that is to be checked of a store on its own."""
    check_answers(store, expected)
    check_evidence(store, expected)
    check_customers(store, expected)
    check_links(store, expected)


def check_answers(store: MemoryStore, expected: Expected) -> None:
    """What readers are told: customers by their anchors, refusals, who is generic, whose touchpoint it is."""
    stitched = expected.stitched
    same("customers", customers(store), stitched.customers)
    same("refusals", refusals(store), stitched.refusals)
    for trust in (SERVER, PUBLIC):
        generic = {named(row) for row in store.identifiers.values() if row.generic <= trust}
        assert generic == stitched.generic[trust], f"generic by trust {trust}: {generic ^ stitched.generic[trust]}"
    # Touchpoints are numbered in order of arrival, as the oracle keeps its events.
    assert len(store.touchpoints) == len(stitched.subjects)
    rows = zip(stitched.subjects, store.touchpoints, strict=True)
    same("subjects", {key: named(store.identifiers[row[1]]) for key, row in rows}, stitched.subjects)


def customers(store: MemoryStore) -> dict[Named, Named]:
    """Identifier -> the anchor of its customer, which is its customer's public id."""
    anchors = {key: named(store.identifiers[row.anchor]) for key, row in store.customers.items()}
    return {named(row): anchors[row.customer] for row in store.identifiers.values()}


def refusals(store: MemoryStore) -> dict[Pair, str]:
    """Why links do not join, as doors derive it: the first rule that two customers, as they are, would break."""
    rules, standing = store.rules, [j for j in store.judgements.values() if j.retracted_ms is None]
    judged_same = {frozenset((j.a, j.b)) for j in standing if j.same}
    apart = {
        frozenset((store.identifiers[j.a].customer, store.identifiers[j.b].customer)) for j in standing if not j.same
    }
    found: dict[Pair, str] = {}
    for link in store.links.values():
        a, b = store.identifiers[link.a], store.identifiers[link.b]
        rank = rules.rank(a.key, b.key, link.seen, store.trusts())
        one, other = store.customers[a.customer], store.customers[b.customer]
        if frozenset((link.a, link.b)) in judged_same:
            continue
        if is_generic(a, b, rank):
            found[pair_of(store, link)] = "generic"
        elif one is not other and frozenset((one.key, other.key)) in apart:
            found[pair_of(store, link)] = "judged_different"
        elif one is not other:
            broken = list(rules.over(one.counts, one.size, other.counts, other.size, rank))
            found[pair_of(store, link)] = rules.reason(broken[0]) if broken else "none"
    return found


def check_evidence(store: MemoryStore, expected: Expected) -> None:
    """Links' sightings by source, and the times that identifiers carry."""
    names = {number: (source.trust, source.name) for source, number in store.sources.items()}
    seen = {
        pair_of(store, link): {names[s.source]: (s.first_ms, s.last_ms, s.count) for s in link.seen}
        for link in store.links.values()
    }
    said = {pair: {tuple(k): tuple(v) for k, v in sources.items()} for pair, sources in expected.links.items()}
    same("evidence", seen, said)
    times: dict[Named, list[int]] = {}
    touched: dict[Named, list[int]] = {}
    for event in expected.events:
        touched.setdefault(expected.stitched.subjects[event.key], []).append(event.at_ms)
        for identifier in event.identifiers:
            times.setdefault(identifier, []).append(event.at_ms)
    for row in store.identifiers.values():
        carried, mine = times[named(row)], touched.get(named(row), [])
        assert (row.first_ms, row.last_ms) == (min(carried), max(carried)), f"times of {row.key}"
        if mine:
            assert row.touched_first_ms is not None
            assert row.touched_last_ms is not None
            bounds = row.touched_first_ms <= min(mine) and row.touched_last_ms >= max(mine)
            assert bounds, f"touchpoints of {row.key} lie outside its bounds"


def check_customers(store: MemoryStore, expected: Expected) -> None:
    """A customer's row is true of its members: size, counts, judgements, bounds."""
    members: dict[int, list[Identifier]] = {}
    for row in store.identifiers.values():
        members.setdefault(row.customer, []).append(row)
    assert members.keys() == store.customers.keys(), "customers are there exactly while they have members"
    judged = [end for pair in expected.different for end in pair]
    for row in store.identifiers.values():
        assert row.apart == judged.count(named(row)), f"judgements that {row.key} is another's"
    for key, customer in store.customers.items():
        mine = members[key]
        anchor = store.identifiers[customer.anchor]
        assert customer.anchor_priority == store.rules.priority[anchor.key.namespace]
        assert customer.size == len(mine), f"size of {anchor.key}"
        assert customer.apart == sum(1 for row in mine if row.apart), f"judged different in {anchor.key}"
        for slot, name in enumerate(store.rules.counted):
            held = {row.one or row.id for row in mine if row.key.namespace == name}
            assert customer.counts[slot] == len(held), f"counts of {name} in {anchor.key}"
        check_bounds(store, customer, mine, expected)


def check_bounds(store: MemoryStore, customer: Customer, members: list[Identifier], expected: Expected) -> None:
    """What bounds claim of every rank above them: members are with the customer's core (its anchor when it was last
    settled; of a join since, that of the larger side), and the core's group holds all that counts for a limit, and at
    least one that distinguishes."""
    cores = [row for row in members if row.joined == ALWAYS]
    wrong = [wrong_bound(store, customer, members, expected.growth.bounds(named(core))) for core in cores]
    assert None in wrong, f"bounds of {named(store.identifiers[customer.anchor])}: {wrong}"


def wrong_bound(
    store: MemoryStore, customer: Customer, members: list[Identifier], since: Mapping[Named, int]
) -> str | None:
    """The first bound that claims too much; `since`: from which rank on members are with the core."""
    rules = store.rules
    for row in members:
        if row.joined < since[named(row)]:
            return f"{row.key} joined later"
    for slot, name in enumerate(rules.counted):
        ranks = [since[named(row)] for row in members if row.key.namespace == name]
        if customer.whole[slot] < max(ranks, default=ALWAYS):
            return f"limit of {name}: whole only later"
    for bridge in rules.bridges:
        ranks = [since[named(row)] for row in members if row.key.namespace == rules.counted[bridge.slot]]
        if customer.whole[bridge.mark - FIRST_RULE] < min(ranks, default=NEVER):
            return f"{rules.counted[bridge.slot]} is held only later"
    return "size: whole only later" if customer.whole[rules.size_mark - FIRST_RULE] < max(since.values()) else None


def check_links(store: MemoryStore, expected: Expected) -> None:
    """Marks and ranks of links say what happened at their place. Where both ends were in one customer by then, a mark
    from before that was so is harmless."""
    grown = expected.growth
    for link in store.links.values():
        pair = pair_of(store, link)
        if expected.stitched.generic[trust_of(expected.links, pair)].intersection(pair):
            assert link.mark != INSIDE, f"{pair} is refused as generic, and stands"
            continue
        assert link.rank == grown.ranks[pair], f"rank of {pair}"
        broken = grown.broken[pair]
        if link.mark == INSIDE:
            assert not broken, f"{pair} stands, and breaks {broken}"
        elif broken is not None:
            assert link.mark != GENERIC, f"{pair} is marked as generic, and neither end is"
            assert store.rules.reason(link.mark) in broken, f"{pair} is marked {link.mark}, and breaks {broken}"
