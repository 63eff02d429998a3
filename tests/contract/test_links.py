"""Reading links."""

from onefold.model.graph import Seen
from onefold.model.reading import KnownLink
from onefold.stitch.rules import GENERIC, INSIDE
from onefold.store.base import Store
from tests.contract.building import SHOP, WEB, Batch, at, customer_of, identifiers, key

LIMIT = 3


def known(links: list[KnownLink]) -> list[tuple[int, int]]:
    return [(link.a, link.b) for link in links]


def test_links_carry_their_evidence_by_source(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann", "email:a@x.de")
        seen = [Seen(batch.source(WEB), at(1), at(2), 3), Seen(batch.source(SHOP), at(0), at(9), 1)]
        written = batch.link("email:a@x.de", "user_id:ann", mark=LIMIT, rank=1 << 61, seen=seen)
        batch.apply()
    with store.read() as view:
        expected = KnownLink(written.a, written.b, LIMIT, 1 << 61, tuple(seen))
        assert view.links_by_pair([written.pair, 3]) == {written.pair: expected}
        assert view.links_between([written.a, written.b, 9]) == [expected]
        assert view.links([written.b], 10) == {written.b: [expected]}


def test_links_to_stronger_ends_come_before_those_to_weaker_ones(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:1", "user_id:2", "email:m", "device_id:1", "device_id:2", "device_id:3")
        batch.link("email:m", "user_id:2", mark=LIMIT, rank=1)
        batch.link("email:m", "user_id:1", mark=INSIDE, rank=2)
        batch.link("device_id:1", "email:m", mark=LIMIT, rank=3)
        batch.link("device_id:2", "email:m", mark=INSIDE, rank=9)
        batch.link("device_id:3", "email:m", mark=INSIDE, rank=4)
        ends = [batch[text].id for text in ("user_id:1", "user_id:2", "device_id:3", "device_id:2", "device_id:1")]
        m = batch["email:m"].id
        batch.apply()
    ordered = [(m, ends[0]), (m, ends[1]), (ends[2], m), (ends[3], m), (ends[4], m)]
    with store.read() as view:
        assert known(view.links([m], 50)[m]) == ordered
        for limit in (1, 2, 3):
            pages, after = [], None
            while page := view.links([m], limit, after).get(m):
                assert len(page) <= limit
                pages += known(page)
                after = page[-1].pair
            assert pages == ordered, limit
        several = view.links([m, ends[0], ends[4], 99], 2)
        assert {number: known(found) for number, found in several.items()} == {
            m: ordered[:2],
            ends[0]: [ordered[0]],
            ends[4]: [ordered[4]],
        }


def test_links_between_leave_out_what_leads_elsewhere(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:1", "user_id:2", "email:m", "device_id:kiosk")
        for weaker, stronger in (
            ("email:m", "user_id:1"),
            ("email:m", "user_id:2"),
            ("device_id:kiosk", "user_id:1"),
            ("device_id:kiosk", "user_id:2"),
            ("device_id:kiosk", "email:m"),
        ):
            batch.link(weaker, stronger)
        batch["device_id:kiosk"].generic = 0
        one, two, m, kiosk = (batch[text].id for text in ("user_id:1", "user_id:2", "email:m", "device_id:kiosk"))
        batch.apply()
    with store.read() as view:
        assert sorted(known(view.links_between([one, m, kiosk]))) == [(m, one), (kiosk, one), (kiosk, m)]
        assert sorted(known(view.links_between([two, kiosk]))) == [(kiosk, two)]
        assert view.links_between([one, two]) == []
        assert view.links_between([]) == []


def test_refused_links_lead_to_other_customers_and_come_in_pages(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        mine = batch.customer("user_id:1", "email:m", "user_id:3", "device_id:d")
        others = batch.customer("user_id:2", "device_id:1", "device_id:2", "device_id:3")
        inside = batch.link("email:m", "user_id:1", mark=INSIDE, rank=1)
        released = batch.link("device_id:d", "user_id:1", mark=LIMIT, rank=1)
        refused = [
            batch.link("email:m", "user_id:2", mark=LIMIT, rank=2),
            batch.link("device_id:d", "user_id:2", mark=GENERIC, rank=8),
            batch.link("device_id:2", "user_id:1", mark=GENERIC, rank=9),
            batch.link("device_id:3", "user_id:1", mark=LIMIT, rank=3),
            batch.link("device_id:1", "user_id:1", mark=LIMIT, rank=4),
            batch.link("device_id:1", "email:m", mark=LIMIT, rank=5),
            batch.link("device_id:1", "user_id:3", mark=LIMIT, rank=1),
        ]
        batch.apply()
    ordered = [(link.a, link.b) for link in refused]
    with store.read() as view:
        found = known(view.refused_links([mine.key], 50)[mine.key])
        assert found == ordered
        assert (inside.a, inside.b) not in found
        assert (released.a, released.b) not in found, "its ends are one customer today"
        for limit in (1, 2, 3, 4):
            pages, after = [], None
            while page := view.refused_links([mine.key], limit, after).get(mine.key):
                pages += known(page)
                after = page[-1].pair
            assert pages == ordered, limit
        both = view.refused_links([mine.key, others.key, 99], 2)
        assert known(both[mine.key]) == ordered[:2]
        assert {link.pair for link in view.refused_links([others.key], 50)[others.key]} == {
            link.pair for link in refused
        }
        assert both.keys() == {mine.key, others.key}


def test_linked_at_is_when_a_stronger_one_of_today_was_first_seen_with_it(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:1", "email:m", "anonymous_id:x", "anonymous_id:y")
        batch.customer("user_id:2")
        batch.customer("device_id:alone")
        shop, web = batch.source(SHOP), batch.source(WEB)
        batch.link("email:m", "user_id:1", seen=[Seen(shop, at(7), at(9), 1), Seen(web, at(5), at(8), 1)])
        batch.link("anonymous_id:x", "user_id:1", seen=[Seen(shop, at(9), at(9), 1)])
        batch.link("anonymous_id:x", "email:m", seen=[Seen(shop, at(6), at(6), 1)])
        batch.link("anonymous_id:x", "user_id:2", seen=[Seen(shop, at(1), at(1), 1)], mark=LIMIT)
        batch.link("anonymous_id:y", "anonymous_id:x", seen=[Seen(shop, at(1), at(1), 1)])  # the elder is no stronger
        batch.link("device_id:alone", "user_id:2", seen=[Seen(shop, at(1), at(1), 1)], mark=GENERIC)
        batch.apply()
    texts = ("user_id:1", "email:m", "anonymous_id:x", "anonymous_id:y", "user_id:2", "device_id:alone")
    with store.read() as view:
        found = view.by_key([key(text) for text in texts])
        numbers = {text: found[key(text)].number for text in texts}
        assert view.linked_at(list(numbers.values())) == {numbers["email:m"]: at(5), numbers["anonymous_id:x"]: at(6)}

    with store.write() as transaction:
        batch = Batch(transaction)
        batch.move("anonymous_id:x", batch.stored_customer(2))
        other = batch.stored_customer(2)
        other.size = 2
        batch.changes.changed_customers.append(other)
        batch.apply()
    with store.read() as view:
        assert customer_of(view, "anonymous_id:x") == 2
        [x] = identifiers(view, "anonymous_id:x")
        assert view.linked_at([x.number]) == {x.number: at(1)}
