"""What a view promises: one state of the store, whatever is written meanwhile, on any thread."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from onefold.model.reading import JourneyPage
from onefold.store.base import Store
from onefold.store.view import MovedError, View
from tests.contract.building import Batch, LostError, customer_of, key, message
from tests.contract.stores import Place
from tests.support.whole_reading import read_whole


def add(store: Store, name: str) -> int:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer(f"user_id:{name}")
        batch.touchpoint(f"user_id:{name}", message_id=name)
        return batch.apply()


def test_a_view_does_not_see_what_is_committed_after_it_answered(place: Place) -> None:
    store, other = place.open(), place.open()
    seq = add(store, "before")
    asking: list[Callable[[View], object]] = [
        lambda view: view.by_key([key("user_id:after"), key("user_id:elsewhere")]) == {},
        lambda view: view.feed(seq, 10) == [],
        lambda view: view.counts().touchpoints == 1,
        lambda view: view.search("after", 10) == [],
        lambda view: view.touchpoints([message("after")]) == {},
        lambda view: view.journeys([2, 3], JourneyPage(5)) == {},
        lambda view: view.customers([1])[1].size == 1,
        lambda view: view.head().seq == seq,
    ]
    with store.read() as view:
        assert view.head().seq == seq
        assert view.by_key([key("user_id:before")])
        add(store, "after")
        add(other, "elsewhere")
        try:
            assert all(asked(view) for asked in asking)
            assert view.head().seq == seq
            assert not view.moved
        except MovedError:
            assert view.moved
            for asked in asking:
                with pytest.raises(MovedError):
                    asked(view)
        with store.read() as newer:
            assert newer.by_key([key("user_id:after"), key("user_id:elsewhere")]).keys() == {
                key("user_id:after"),
                key("user_id:elsewhere"),
            }
    store.close()
    other.close()


def test_a_view_that_holds_does_not_move(place: Place) -> None:
    store, other = place.open(), place.open()
    seq = add(store, "before")
    with ThreadPoolExecutor(2) as pool:
        with store.read(hold=True) as view:
            commits = [pool.submit(add, store, "after"), pool.submit(add, other, "elsewhere")]
            for _ in range(50):
                assert view.head().seq == seq == view.feed(0, 10)[-1].seq
                assert view.by_key([key("user_id:after"), key("user_id:elsewhere")]) == {}
                assert view.counts().touchpoints == 1
            assert not view.moved
        assert sorted(commit.result(60) for commit in commits) == [seq + 2, seq + 4]
    with store.read() as view:
        assert view.counts().touchpoints == 3
    store.close()
    other.close()


def test_what_is_taken_back_is_never_seen(store: Store) -> None:
    def fail() -> None:
        with store.write() as transaction:
            batch = Batch(transaction)
            batch.customer("user_id:ann")
            batch.apply()
            raise LostError

    with pytest.raises(LostError):
        fail()
    with store.read() as view:
        assert view.by_key([key("user_id:ann")]) == {}
        assert view.head().seq == 0


def test_what_is_not_committed_is_not_seen(store: Store) -> None:
    """Whoever reads in the middle of a commit may have to wait for it."""

    def read(view: View) -> tuple[bool, int]:
        return key("user_id:ann") in view.by_key([key("user_id:ann")]), view.head().seq

    with ThreadPoolExecutor(1) as pool:
        with store.write() as transaction:
            batch = Batch(transaction)
            batch.customer("user_id:ann")
            before = read_whole(store, read)
            seq = batch.apply()
            during = pool.submit(read_whole, store, read)
        assert before == (False, 0)
        assert during.result(60) in {(False, 0), (True, seq)}
    assert read_whole(store, read) == (True, seq)


def test_a_view_that_ends_with_an_exception_leaves_the_store_usable(store: Store) -> None:
    def fail() -> None:
        with store.read() as view:
            view.head()
            raise LostError

    for _ in range(20):
        with pytest.raises(LostError):
            fail()
    add(store, "ann")
    with store.read() as view:
        assert customer_of(view, "user_id:ann") == 1


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Run `work` in that many threads at once; raise what any of them raised."""
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait(10)
        work(number)

    with ThreadPoolExecutor(count) as pool:
        for result in [pool.submit(run, number) for number in range(count)]:
            result.result(60)


def test_more_threads_than_connections_read_while_others_write(store: Store) -> None:
    add(store, "start")

    def read(view: View) -> None:
        before = view.head()
        lines = view.feed(0, 10_000)
        assert [line.seq for line in lines] == list(range(1, before.seq + 1)), "no gap"
        customers = range(1, before.customer + 1)
        journeys = view.journeys(customers, JourneyPage(5))
        assert len(journeys) == before.customer == view.counts().touchpoints
        assert view.head() == before

    def work(number: int) -> None:
        for step in range(10):
            if number < 4:
                add(store, f"{number}-{step}")
                continue
            read_whole(store, read)

    in_threads(16, work)
    with store.read() as view:
        assert view.counts().touchpoints == 41


def test_writers_on_several_threads_take_turns(store: Store) -> None:
    heads: list[int] = []

    def work(number: int) -> None:
        with store.write() as transaction:
            before = transaction.head
            heads.append(before.seq)
            batch = Batch(transaction)
            batch.customer(f"user_id:{number}")
            batch.apply()
            heads.append(transaction.head.seq)
            assert transaction.head.seq == before.seq + 1

    in_threads(8, work)
    assert heads == sorted(heads)
    assert heads[-1] == 8


def test_any_number_may_be_asked_for(store: Store) -> None:
    """Numbers come out of ids and cursors that anybody can write."""
    add(store, "ann")
    for number in (-(2**70), -1, 0, 2**32, 2**63 - 1, 2**63, 2**70):
        with store.read() as view:
            assert view.by_number([number]) == {}
            assert view.customers([number]) == {}
            assert view.decisions_by_seq([number, number + 1]) == {}
            assert view.judgements_by_number([number]) == {}
            assert view.touchpoints_by_number([number]) == {}
            assert view.links([number], 5, number) == view.refused_links([number], 5, number) == {}
            assert view.linked_at([number]) == {}
            assert len(view.feed(number, 10)) == (2 if number <= 0 else 0)
            assert len(view.search("ann", 10, (0, number))) == (1 if number <= 0 else 0)
            assert view.decisions(None, None, 5, number) == {}
            assert len(view.journeys([1], JourneyPage(5, beyond=(number, number)))) == (1 if number >= 2**62 else 0)
        with store.write() as transaction:
            assert transaction.judgement(number) is None
