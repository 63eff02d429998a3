"""Reading identifiers, customers and claims."""

from collections.abc import Mapping
from typing import Any

import pytest

from onefold.model.claims import Claim
from onefold.model.ids import PublicIds
from onefold.model.reading import KnownCustomer
from onefold.model.sources import Source, Trust
from onefold.store.base import Store
from tests.contract.building import SHOP, WEB, Batch, at, customer_of, identifiers, key, stored


def test_identifiers_are_found_by_key_public_id_and_number(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        customer = batch.customer("user_id:Ann O'Nym", "email:änn@x.de", minute=2)
        batch["email:änn@x.de"].generic = 1
        batch.apply()
    asked = [key("email:änn@x.de"), key("user_id:Ann O'Nym"), key("email:Ann O'Nym")]
    with store.read() as view:
        found = view.by_key(asked)
        assert found.keys() == set(asked[:2])
        email = found[asked[0]]
        assert (email.key, email.customer, email.generic, email.first_ms) == (asked[0], customer.key, True, at(2))
        assert not found[asked[1]].generic
        assert email.public == PublicIds(store.secret).digest(asked[0])
        assert view.by_public([email.public, b"?" * 16]) == {email.public: email}
        assert view.by_number([email.number, 99]) == {email.number: email}


@pytest.mark.parametrize(("generic", "shown"), [(0, True), (1, True), (2, False)])
def test_generic_means_by_all_evidence(store: Store, generic: int, shown: bool) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("email:info@x.de")
        batch["email:info@x.de"].generic = generic
        batch.apply()
    with store.read() as view:
        assert identifiers(view, "email:info@x.de")[0].generic is shown


def test_a_customer_is_as_old_as_its_eldest_touchpoint(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        customer = batch.customer("user_id:ann", "anonymous_id:x", minute=10)
        batch.customer("anonymous_id:y", minute=1)
        batch.touchpoint("user_id:ann", minute=12)
        batch.touchpoint("anonymous_id:x", minute=3)
        customer.apart, customer.counts = 1, [1, 0, 2]
        batch.apply()
    with store.read() as view:
        [ann] = identifiers(view, "user_id:ann")
        assert view.customers([customer.key, 99]) == {
            customer.key: KnownCustomer(customer.key, ann.number, ann.public, 2, at(3), at(12), False, (1, 0, 2), 1)
        }


def test_customers_without_person_or_contact_are_anonymous(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        keys = [
            batch.customer("anonymous_id:x", "device_id:d").key,
            batch.customer("email:a@x.de", "device_id:e").key,
            batch.customer("anonymous_id:z", "user_id:zoe").key,
        ]
        batch.apply()
    with store.read() as view:
        assert [view.customers(keys)[number].anonymous for number in keys] == [True, False, False]


def test_members_come_eldest_first(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        one = batch.customer("anonymous_id:x", "user_id:ann", "email:a@x.de")
        other = batch.customer("user_id:bob")
        batch.apply()
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.move("email:a@x.de", other)
        batch.apply()
    with store.read() as view:
        found = view.members([other.key, one.key, 99])
        assert [member.key.value for member in found[one.key]] == ["x", "ann"]
        assert [member.key.value for member in found[other.key]] == ["a@x.de", "bob"]
        assert found.keys() == {one.key, other.key}


def test_operators_are_kept_with_their_touchpoints_and_belong_to_nobody(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        batch.touchpoint("user_id:ann", minute=5, message_id="a", operators=("staff_id:kim", "staff_id:lee"))
        batch.touchpoint("user_id:ann", minute=3, message_id="b", operators=("staff_id:kim",))
        batch.apply()
        assert transaction.head.identifier == 3
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:bob")
        batch.touchpoint("user_id:bob", minute=9, message_id="c", operators=("staff_id:kim", "staff_id:new"))
        batch.apply()
        assert transaction.head.identifier == 5
    with store.read() as view:
        ann, bob, kim, lee, new = identifiers(
            view, "user_id:ann", "user_id:bob", "staff_id:kim", "staff_id:lee", "staff_id:new"
        )
        assert (kim.customer, lee.customer, kim.generic) == (0, 0, False)
        assert (kim.first_ms, kim.last_ms, lee.first_ms, lee.last_ms) == (at(3), at(9), at(5), at(5))
        found = {point.message_id: point.identifiers for point in view.touchpoints_by_number(range(30)).values()}
        assert found == {
            "a": (ann.number, kim.number, lee.number),
            "b": (ann.number, kim.number),
            "c": (bob.number, kim.number, new.number),
        }
        assert view.customers([0]) == {}


def say(store: Store, text: str, traits: Mapping[str, Any], minute: int, source: Source = SHOP) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.touchpoint(text, "anonymous_id:x", traits=traits, minute=minute, source=source)
        batch.apply()


@pytest.fixture
def ann(store: Store) -> Store:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann", "anonymous_id:x")
        batch.apply()
    return store


def claims(store: Store) -> list[Claim]:
    with store.read() as view:
        found = view.claims([customer_of(view, "user_id:ann")])
    return sorted((claim for said in found.values() for claim in said), key=lambda c: (c.trait, c.source, c.value_json))


def test_claims_are_counted_by_identifier_trait_source_and_value(ann: Store) -> None:
    who = key("user_id:ann")
    say(ann, "user_id:ann", {"name": "Ann", "age": 7}, minute=5)
    say(ann, "user_id:ann", {"name": "Ann", "age": 7.0}, minute=3)
    say(ann, "user_id:ann", {"name": "Ann"}, minute=4)
    say(ann, "user_id:ann", {"name": "Ann", "tags": ["b", {"c": None}]}, minute=9, source=WEB)
    say(ann, "anonymous_id:x", {"name": "Ann"}, minute=4)
    assert claims(ann) == [
        Claim(who, "age", "shop", "7", at(3), at(5), 2, Trust.SERVER),
        *sorted(
            [
                Claim(who, "name", "shop", '"Ann"', at(3), at(5), 3, Trust.SERVER),
                Claim(key("anonymous_id:x"), "name", "shop", '"Ann"', at(4), at(4), 1, Trust.SERVER),
            ],
            key=lambda claim: claims(ann).index(claim),
        ),
        Claim(who, "name", "web", '"Ann"', at(9), at(9), 1, Trust.PUBLIC),
        Claim(who, "tags", "web", '["b",{"c":null}]', at(9), at(9), 1, Trust.PUBLIC),
    ]


def test_claims_hang_on_the_strongest_identifier_of_their_event(ann: Store) -> None:
    with ann.write() as transaction:
        batch = Batch(transaction)
        batch.touchpoint("user_id:ann", "anonymous_id:x", subject="anonymous_id:x", traits={"plan": "pro"})
        batch.apply()
    assert [claim.identifier for claim in claims(ann)] == [key("user_id:ann")]


def test_claims_are_dated_as_their_events_say(ann: Store) -> None:
    with ann.write() as transaction:
        batch = Batch(transaction)
        event = batch.touchpoint(
            "user_id:ann", minute=0, source=WEB, traits={"plan": "pro"}, received_ms=at(60 * 24 * 7)
        )
        batch.apply()
    assert [claim.first_ms for claim in claims(ann)] == [event.at_ms]
    assert event.evidence_ms > event.at_ms, "what a public source may not move is evidence, and only that"


def test_the_newest_fifty_values_are_kept(ann: Store) -> None:
    for first in range(0, 60, 20):
        with ann.write() as transaction:
            batch = Batch(transaction)
            for number in range(first, first + 20):
                traits = {"name": f"Name {number:02}", "plan": "pro"}
                batch.touchpoint("user_id:ann", minute=number, message_id=f"n{number}", traits=traits)
            batch.touchpoint("user_id:ann", minute=first, message_id=f"w{first}", traits={"name": "Web"}, source=WEB)
            batch.apply()
    kept = [claim.value for claim in claims(ann) if claim.trait == "name" and claim.source == "shop"]
    assert kept == [f"Name {number:02}" for number in range(10, 60)]
    assert [claim.count for claim in claims(ann) if claim.trait == "plan"] == [60]
    assert len([claim for claim in claims(ann) if claim.source == "web"]) == 1

    say(ann, "user_id:ann", {"name": "too late"}, minute=1)
    assert [claim.value for claim in claims(ann) if claim.source == "shop" and claim.trait == "name"] == kept
    with ann.read() as view:
        assert view.search("name 09", 10) == []
        assert view.search("too late", 10) == []
        assert [hit.value for hit in view.search("name 10", 10)] == ["Name 10"]


def test_claims_follow_their_identifiers(ann: Store) -> None:
    say(ann, "anonymous_id:x", {"plan": "pro"}, minute=1)
    with ann.write() as transaction:
        batch = Batch(transaction)
        other = batch.customer("user_id:bob")
        batch.move("anonymous_id:x", other)
        batch.apply()
    with ann.read() as view:
        assert [claim.trait for claim in view.claims([other.key, 1])[other.key]] == ["plan"]
        assert 1 not in view.claims([1, other.key])
    assert stored(ann, "anonymous_id:x")[0].customer == other.key
