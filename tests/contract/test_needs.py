"""What stitching asks for is answered as `stitch/needs.py` says."""

from collections.abc import Iterable

from onefold.model.changes import Retraction
from onefold.model.graph import Link, Seen
from onefold.stitch.needs import (
    ByKey,
    ByNumber,
    Customers,
    HoldRefused,
    InsideOf,
    Judgements,
    Links,
    LinksOf,
    Members,
    Need,
    Ones,
    RefusedAbove,
    RefusedBelow,
    TouchpointsBy,
)
from onefold.stitch.rules import GENERIC, INSIDE
from onefold.store.base import Store
from tests.contract.building import SHOP, WEB, Batch, at, empty, key, stored

LIMIT = 3
BRIDGE = 5


def pairs(links: Iterable[Link]) -> list[int]:
    return sorted(link.pair for link in links)


def test_identifiers_come_back_as_they_were_written(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        customer = batch.customer("user_id:Ünï \"'", "anonymous_id:x")
        rich = batch["anonymous_id:x"]
        rich.joined, rich.generic, rich.seen, rich.one, rich.apart = 1 << 61, 1, [3, 4, 0, 1], 1, 2
        rich.touched_first_ms, rich.touched_last_ms = at(1), at(9)
        batch.apply()
    with store.write() as transaction:
        asked = [key("anonymous_id:x"), key("user_id:nobody"), key("user_id:Ünï \"'"), key("user_id:x")]
        found = {row.key: row for row in transaction.answer(ByKey(asked))}
        assert found.keys() == {asked[0], asked[2]}
        plain = batch["user_id:Ünï \"'"]
        assert len(found[rich.key].public) == 16
        for expected in (rich, plain):
            expected.public = found[expected.key].public
        assert found == {rich.key: rich, plain.key: plain}
        by_number = transaction.answer(ByNumber([rich.id, 77, plain.id]))
        assert sorted(by_number, key=lambda row: row.id) == [plain, rich]
        assert transaction.answer(Customers([customer.key, 99])) == [customer]
        assert {row.id for row in transaction.answer(Members([customer.key]))} == {plain.id, rich.id}


def test_nothing_asked_is_nothing_answered(store: Store) -> None:
    needs: list[Need] = [
        ByKey([]), ByNumber([]), Customers([]), Members([]), Links([]), LinksOf([]), InsideOf([]), RefusedBelow([]),
        HoldRefused([], []), HoldRefused([1], []), Ones([]), Judgements([]), TouchpointsBy([]),
    ]  # fmt: skip
    with store.write() as transaction:
        for need in needs:
            assert transaction.answer(need) == [], need


def test_changed_rows_replace_what_was_there(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann", "email:a@x.de")
        batch.customer("user_id:bob")
        batch.link("email:a@x.de", "user_id:ann")
        batch.apply()
    with store.write() as transaction:
        batch = Batch(transaction)
        row = batch["email:a@x.de"]
        row.joined, row.generic, row.seen, row.apart, row.one = 7, 0, [1, 1], 1, row.id
        row.first_ms, row.last_ms, row.touched_first_ms, row.touched_last_ms = at(-5), at(5), at(-4), at(4)
        batch.changed(row)
        one, other = batch.stored_customer(1), batch.stored_customer(2)
        batch.move("email:a@x.de", other)
        one.size, other.size, other.anchor_priority, other.apart, other.counts, other.whole = 1, 2, 3, 1, [1, 2], [7]
        other.anchor = batch["email:a@x.de"].id
        batch.changes.changed_customers += [one, other]
        link = batch.stored_link("email:a@x.de", "user_id:ann")
        link.mark, link.rank = LIMIT, 1 << 60
        link.seen.append(Seen(batch.source(WEB), at(2), at(3), 4))
        batch.changes.marked_links.append(link)
        batch.apply()
    assert stored(store, "email:a@x.de") == [row]
    with store.write() as transaction:
        found = transaction.answer(Customers([1, 2]))
        assert sorted(found, key=lambda customer: customer.key) == [one, other]
        assert transaction.answer(Links([link.pair])) == [link]
        assert [row.id for row in transaction.answer(Members([1]))] == [1]


def test_a_link_seen_again_keeps_its_place(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann", "email:a@x.de")
        link = batch.link("email:a@x.de", "user_id:ann", mark=LIMIT, rank=40)
        batch.apply()
    with store.write() as transaction:
        batch = Batch(transaction)
        link = batch.stored_link("email:a@x.de", "user_id:ann")
        link.seen = [Seen(batch.source(SHOP), at(0), at(9), 2), Seen(batch.source(WEB), at(1), at(1), 1)]
        batch.changes.seen_links.append(link)
        batch.apply()
    with store.write() as transaction:
        assert transaction.answer(Links([link.pair, 5])) == [link]


def test_customers_that_were_dropped_are_gone(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        stays = batch.customer("user_id:ann")
        gone = batch.customer("anonymous_id:x")
        batch.apply()
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.move("anonymous_id:x", stays)
        batch.changes.dropped_customers.append(gone.key)
        batch.apply()
    with store.write() as transaction:
        assert [row.key for row in transaction.answer(Customers([stays.key, gone.key]))] == [stays.key]
        assert transaction.answer(Members([gone.key])) == []
        assert transaction.head.customer == gone.key, "a key is never given out twice"


def linked(store: Store) -> dict[str, Link]:
    """d is below a and b and beside e; a is below b; some links stand, some were refused."""
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:b", "email:a", "device_id:d", "device_id:e")
        links = {
            "d-a": batch.link("device_id:d", "email:a", mark=INSIDE, rank=9),
            "d-b": batch.link("device_id:d", "user_id:b", mark=LIMIT, rank=8),
            "e-b": batch.link("device_id:e", "user_id:b", mark=LIMIT, rank=3),
            "a-b": batch.link("email:a", "user_id:b", mark=BRIDGE, rank=1),
            "e-a": batch.link("device_id:e", "email:a", mark=GENERIC, rank=2),
            "e-d": batch.link("device_id:e", "device_id:d", mark=INSIDE, rank=5),
        }
        batch.apply()
    return links


def test_links_are_found_at_both_ends(store: Store) -> None:
    links = linked(store)
    [b, a, d, e] = stored(store, "user_id:b", "email:a", "device_id:d", "device_id:e")

    def expect(*names: str) -> list[int]:
        return pairs(links[name] for name in names)

    with store.write() as transaction:
        assert pairs(transaction.answer(LinksOf([d.id]))) == expect("d-a", "d-b", "e-d")
        assert pairs(transaction.answer(LinksOf([d.id, e.id, b.id, a.id]))) == pairs(links.values()), "each once"
        assert pairs(transaction.answer(InsideOf([d.id]))) == expect("d-a", "e-d")
        assert pairs(transaction.answer(InsideOf([d.id, e.id]))) == expect("d-a", "e-d")
        assert pairs(transaction.answer(InsideOf([b.id]))) == []
        assert pairs(transaction.answer(RefusedBelow([d.id, e.id, b.id]))) == expect("d-b", "e-b")
        assert pairs(transaction.answer(Links([links["a-b"].pair, links["e-d"].pair]))) == expect("a-b", "e-d")


def test_refused_links_are_known_by_their_stronger_end(store: Store) -> None:
    linked(store)
    [b, a, d] = stored(store, "user_id:b", "email:a", "device_id:d")
    with store.write() as transaction:
        found = transaction.answer(HoldRefused([a.id, b.id, d.id], [LIMIT, BRIDGE, 9]))
        assert sorted(found) == [(b.id, LIMIT), (b.id, BRIDGE)]
        assert sorted(transaction.answer(HoldRefused([a.id, b.id], [GENERIC]))) == [(a.id, GENERIC)]


def test_refused_links_above_come_in_order_and_in_pages(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:hub", "user_id:other", *(f"anonymous_id:{n}" for n in range(8)))
        ranks = [30, 10, 20, 20, 20, 40, 10, 50]
        links = [batch.link(f"anonymous_id:{n}", "user_id:hub", mark=LIMIT, rank=rank) for n, rank in enumerate(ranks)]
        batch.link("anonymous_id:0", "user_id:other", mark=LIMIT, rank=20)
        links[7].mark = BRIDGE
        hub = batch["user_id:hub"].id
        batch.apply()
    ordered = sorted((link for link in links if link.mark == LIMIT), key=lambda link: (link.rank or 0, link.pair))
    with store.write() as transaction:

        def above(low: int, high: int, after: int = 0, limit: int = 100) -> list[Link]:
            found: list[Link] = transaction.answer(RefusedAbove(hub, LIMIT, low, high, after, limit))
            return found

        assert above(0, 100) == ordered
        assert above(20, 30) == ordered[2:6]
        assert above(10, 100, limit=3) == ordered[:3]
        assert above(20, 100, after=ordered[2].pair) == ordered[3:]
        assert above(20, 20, after=ordered[4].pair) == []
        assert above(41, 100) == []


def test_judged_classes_and_judgements(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:a", "user_id:b", "user_id:c")
        batch["user_id:a"].one = batch["user_id:b"].one = batch["user_id:a"].id
        judged = batch.judgement("user_id:a", "user_id:b")
        batch.decision("judged", [1], ["user_id:a", "user_id:b"], judgement=judged.number)
        batch.apply()
    with store.write() as transaction:
        batch = Batch(transaction)
        apart = batch.judgement("user_id:b", "user_id:c", same=False)
        batch.decision("judged", [1], ["user_id:b", "user_id:c"], judgement=apart.number)
        batch.apply()
        assert transaction.head.judgement == apart.number == judged.number + 1
    [a, b, c] = stored(store, "user_id:a", "user_id:b", "user_id:c")
    with store.write() as transaction:
        assert {row.id for row in transaction.answer(Ones([a.id]))} == {a.id, b.id}
        assert transaction.answer(Ones([b.id, c.id])) == []
        assert transaction.answer(Judgements([a.id])) == [judged]
        assert transaction.answer(Judgements([c.id])) == [apart]
        found = transaction.answer(Judgements([a.id, b.id, c.id]))
        assert sorted(found, key=lambda judgement: judgement.number) == [judged, apart], "each once"
        assert transaction.judgement(judged.number) == judged
        assert transaction.judgement(99) is None


def test_a_judgement_taken_back_stands_no_more(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:a", "user_id:b")
        judged = batch.judgement("user_id:a", "user_id:b")
        batch.apply()
    with store.write() as transaction:
        changes = empty()
        changes.retracted = Retraction(judged.number, "bob", "a slip", at(7))
        transaction.apply(changes, [], at(7))
    with store.write() as transaction:
        assert transaction.answer(Judgements([1, 2])) == []
        kept = transaction.judgement(judged.number)
        assert kept is not None
        assert kept.retracted_ms == at(7)
    with store.read() as view:
        assert view.judgements([1, 2]) == []
        assert view.judgements_by_number([judged.number, 9]) == {judged.number: kept}


def test_touchpoints_by_subject_name_no_operators(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:a", "device_id:d")
        batch.touchpoint("user_id:a", "device_id:d", minute=3, operators=("staff_id:till 4",))
        batch.touchpoint("user_id:a", "device_id:d", minute=4, subject="device_id:d")
        batch.apply()
    [a, d] = stored(store, "user_id:a", "device_id:d")
    with store.write() as transaction:
        assert transaction.answer(TouchpointsBy([a.id])) == [(1, a.id, at(3), [a.id, d.id])]
        assert sorted(transaction.answer(TouchpointsBy([a.id, d.id, 9]))) == [
            (1, a.id, at(3), [a.id, d.id]),
            (2, d.id, at(4), [a.id, d.id]),
        ]


def test_touchpoints_may_get_another_subject(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:a", "device_id:d")
        batch.touchpoint("user_id:a", "device_id:d", minute=3)
        batch.apply()
    [a, d] = stored(store, "user_id:a", "device_id:d")
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.changes.subjects[1] = d.id
        seq = batch.apply()
    with store.write() as transaction:
        assert transaction.answer(TouchpointsBy([a.id])) == []
        assert transaction.answer(TouchpointsBy([d.id])) == [(1, d.id, at(3), [a.id, d.id])]
    with store.read() as view:
        [line] = view.feed(seq - 1, 10)
        assert (line.kind.value, line.identifier, line.touchpoint) == ("subject", d.id, 1)
