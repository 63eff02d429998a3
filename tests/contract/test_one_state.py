"""Reading while others join and split: what several questions are answered with is of one state."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from onefold.model.reading import FeedKind, JourneyPage
from onefold.store.base import Store
from onefold.store.view import View
from tests.contract.building import Batch, identifiers
from tests.contract.stores import Place
from tests.support.whole_reading import read_whole

COOKIES: Final = tuple(f"anonymous_id:{number}" for number in range(500))
SOME: Final = COOKIES[::50] + COOKIES[-1:]
"""Asked for quickly: a commit that is being applied shows in some and not yet in others."""
ROUNDS: Final = 12


def fill(store: Store) -> None:
    """Two customers, of whom the first holds all cookies, each with a touchpoint."""
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann", *COOKIES)
        batch.customer("user_id:bob")
        for text in COOKIES:
            batch.touchpoint(text, message_id=text)
        batch.apply()


def hand_over(store: Store, giving: int, taking: int) -> None:
    """All cookies come from one customer to the other."""
    with store.write() as transaction:
        batch = Batch(transaction)
        old, new = batch.stored_customer(giving), batch.stored_customer(taking)
        old.size, new.size = 1, 1 + len(COOKIES)
        for text in COOKIES:
            batch.move(text, new)
        batch.changes.changed_customers += [old, new]
        batch.apply()


def glance(view: View) -> tuple[int, dict[int, int]]:
    """One state: whoever holds one cookie holds all of them; -> that customer, and how many each of the two holds."""
    [owner] = {cookie.customer for cookie in identifiers(view, *SOME)}
    sizes = {key: customer.size for key, customer in view.customers([1, 2]).items()}
    assert sizes == {owner: 1 + len(COOKIES), 3 - owner: 1}
    return owner, sizes


def look(view: View) -> int:
    """The same, closely: all that happened, and all that was told; -> the state's number."""
    owner, sizes = glance(view)
    journeys = view.journeys([1, 2], JourneyPage(10))
    assert {key: len(points) for key, points in journeys.items()} == {owner: 10}
    assert {key: len(members) for key, members in view.members([1, 2]).items()} == sizes
    head = view.head()
    lines = view.feed(head.seq - len(COOKIES), 10_000)
    assert [line.customer for line in lines if line.kind is FeedKind.IDENTIFIER] == [owner] * len(COOKIES)
    assert lines[-1].seq == head.seq
    return head.seq


@pytest.mark.slow
def test_what_is_read_while_customers_are_joined_and_split_is_of_one_state(place: Place) -> None:
    store, elsewhere = place.open(), place.open()
    fill(store)
    hand_over(store, 1, 2)
    done = threading.Event()

    def read(work: Callable[[View], Any]) -> list[Any]:
        seen = []
        while not done.is_set():
            seen.append(read_whole(store, work))
        return seen

    with ThreadPoolExecutor(2) as pool:
        reading = [pool.submit(read, work) for work in (glance, look)]
        try:
            for number in range(ROUNDS):
                hand_over(elsewhere if number % 2 else store, 2 - number % 2, 1 + number % 2)
        finally:
            done.set()
        glanced, looked = (readers.result(60) for readers in reading)
    assert {owner for owner, _ in glanced} == {1, 2}, "it was read meanwhile"
    assert len(set(looked)) > 2
    store.close()
    elsewhere.close()
