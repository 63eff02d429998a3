"""What a write transaction promises: all or nothing, serial, and a head that counts."""

from collections.abc import Callable

import pytest

from onefold.errors import OnefoldError
from onefold.model.reading import Reject
from onefold.model.sources import Source, Trust
from onefold.stitch.needs import ByKey
from onefold.store.base import Store, Transaction
from onefold.store.view import Head
from tests.contract.building import SHOP, WEB, Batch, LostError, at, customer_of, empty, key, message
from tests.contract.stores import Place


def take_back(store: Store, write: Callable[[Transaction], object]) -> None:
    """Write, and have it all taken back."""

    def fail() -> None:
        with store.write() as transaction:
            write(transaction)
            raise LostError

    with pytest.raises(LostError):
        fail()


def test_a_new_store_is_empty(store: Store) -> None:
    with store.write() as transaction:
        assert transaction.head == Head(0, 0, 0, 0)
        assert transaction.trusts() == {}
    with store.read() as view:
        assert view.head() == Head(0, 0, 0, 0)


def test_numbers_are_given_to_touchpoints_then_decisions_then_other_changes(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        customer = batch.customer("user_id:ann", "email:ann@x.de")
        batch.touchpoint("user_id:ann", "email:ann@x.de", message_id="first")
        batch.touchpoint("user_id:ann", message_id="second")
        batch.decision("joined", [1], ["email:ann@x.de", "user_id:ann"])
        seq = batch.apply()
        assert transaction.head == Head(seq, 2, customer.key, 0)
    with store.read() as view:
        kinds = [(line.seq, line.kind.value) for line in view.feed(0, 10)]
    assert kinds == [(1, "touchpoint"), (2, "touchpoint"), (3, "decision"), (4, "identifier"), (5, "identifier")]
    assert seq == 5


def test_numbers_go_on_in_the_next_transaction_and_after_opening_again(place: Place) -> None:
    first = place.open()
    with first.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        batch.touchpoint("user_id:ann")
        seq = batch.apply()
    secret = first.secret
    first.close()

    again = place.open()
    assert again.secret == secret
    with again.write() as transaction:
        assert transaction.head == Head(seq, 1, 1, 0)
        batch = Batch(transaction)
        batch.touchpoint("user_id:ann")
        assert batch.apply() == seq + 1
    again.close()


def test_applying_nothing_moves_nothing(store: Store) -> None:
    with store.write() as transaction:
        assert transaction.apply(empty(), [], at(0)) == 0
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        seq = batch.apply()
        assert transaction.apply(empty(), [], at(0)) == seq
    with store.read() as view:
        assert view.head().seq == seq


def test_two_change_sets_may_be_applied_in_one_transaction(store: Store) -> None:
    with store.write() as transaction:
        first = Batch(transaction)
        first.customer("user_id:ann")
        first.touchpoint("user_id:ann", message_id="one")
        first.apply()
        second = Batch(transaction)
        second.customer("user_id:bob")
        second.touchpoint("user_id:bob", message_id="two")
        seq = second.apply()
    with store.read() as view:
        assert view.head() == Head(seq, 2, 2, 0)
        assert view.touchpoints([message("one"), message("two")]).keys() == {message("one"), message("two")}


def test_a_transaction_that_raises_has_changed_nothing(store: Store) -> None:
    def write(transaction: Transaction) -> None:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        batch.touchpoint("user_id:ann", message_id="lost")
        batch.source(WEB)
        batch.apply()
        transaction.reject([Reject(at(0), "web", "event.invalid", None, "no", None, b"{}")])

    take_back(store, write)
    with store.write() as transaction:
        assert transaction.head == Head(0, 0, 0, 0)
        assert transaction.trusts() == {}
        assert transaction.known_messages([message("lost")]) == {}
        assert transaction.answer(ByKey([key("user_id:ann")])) == []
    with store.read() as view:
        assert view.rejects(10) == []
        assert view.search("ann", 10) == []


def test_what_was_committed_is_there_for_another_handle_at_once(place: Place) -> None:
    one, other = place.open(), place.open()
    with one.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        batch.touchpoint("user_id:ann", message_id="seen")
        batch.apply()
    with other.read() as view:
        assert customer_of(view, "user_id:ann") == 1
    with other.write() as transaction:
        assert transaction.known_messages([message("seen")]).keys() == {message("seen")}
    one.close()
    other.close()


def test_known_messages_tell_what_the_sender_had_said(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        batch.touchpoint("user_id:ann", message_id="a", content=b"12345678")
        batch.touchpoint("user_id:ann", message_id="b", content=b"abcdefgh")
        batch.ambiguous("user_id:ann")
        refused = batch.events[-1].message
        batch.apply()
    with store.write() as transaction:
        asked = [message("b"), message("never"), message("a"), refused]
        assert transaction.known_messages(asked) == {message("a"): b"12345678", message("b"): b"abcdefgh"}
        assert transaction.known_messages([]) == {}


def test_an_ambiguous_event_leaves_nothing(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        batch.ambiguous("user_id:ann")
        batch.apply()
    with store.read() as view:
        assert view.counts().touchpoints == 0
        assert "touchpoint" not in {line.kind.value for line in view.feed(0, 10)}


def test_sources_are_numbered_by_name_and_trust(store: Store) -> None:
    forged = Source("shop", Trust.PUBLIC)
    trusts = (Trust.SERVER, Trust.PUBLIC, Trust.PUBLIC)
    with store.write() as transaction:
        numbers = [transaction.source_number(source) for source in (SHOP, WEB, forged, SHOP)]
        assert numbers[0] == numbers[3]
        assert len(set(numbers)) == 3
        assert transaction.trusts() == dict(zip(numbers[:3], trusts, strict=True))
    with store.write() as transaction:
        assert transaction.source_number(WEB) == numbers[1]
    with store.read() as view:
        assert view.sources() == {numbers[0]: SHOP, numbers[1]: WEB, numbers[2]: forged}


def test_a_source_that_was_taken_back_can_be_stored_again(store: Store) -> None:
    take_back(store, lambda transaction: transaction.source_number(SHOP))
    with store.write() as transaction:
        number = transaction.source_number(WEB)
    with store.read() as view:
        assert view.sources() == {number: WEB}


def test_the_reject_log_keeps_the_newest_ten_thousand(store: Store) -> None:
    def reject(number: int) -> Reject:
        return Reject(at(number), "web", "event.invalid", "userId", f"number {number}", "mend it", b'{"a":1}')

    with store.write() as transaction:
        transaction.reject(map(reject, range(9_999)))
    with store.write() as transaction:
        transaction.reject([reject(9_999), reject(10_000)])
        transaction.reject([])
    with store.read() as view:
        assert view.counts().rejects == 10_000
        assert view.rejects(2) == [reject(10_000), reject(9_999)]
        assert view.rejects(20_000)[-1] == reject(1)


def test_a_closed_store_says_so(place: Place) -> None:
    store = place.open()
    store.close()
    store.close()
    for block in (store.read, store.write):
        with pytest.raises(OnefoldError) as raised, block():
            pass
        assert raised.value.code == "store.unavailable"


def test_a_store_can_be_checked_until_it_is_closed(place: Place) -> None:
    store = place.open()
    store.check()
    store.close()
    with pytest.raises(OnefoldError) as raised:
        store.check()
    assert raised.value.code == "store.unavailable"


def test_it_says_where_it_is(store: Store) -> None:
    assert store.describe()
