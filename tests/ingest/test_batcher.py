"""The queue to the store: what waits goes together, in order, and is acknowledged when it is durable."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from onefold.errors import OnefoldError
from onefold.ingest.commit import Outcome
from onefold.ingest.decode import Decoded, Rejected
from onefold.ingest.pipeline import Batcher
from onefold.stitch.rules import Rules
from onefold.store.base import Ahead
from onefold.store.sqlite.store import SqliteStore
from tests.ingest.events import decode, sent
from tests.ingest.stored import Poisoned, message_ids, statuses

SECONDS = 20
A_WHILE_SECONDS = 0.1


def items(*names: str) -> list[Decoded | Rejected]:
    return [decode(sent(messageId=name)) for name in names]


class Gate:
    """A change that keeps the writing thread until it is let go, so that a test knows what waits."""

    def __init__(self, batcher: Batcher) -> None:
        self.entered, self.open = threading.Event(), threading.Event()
        self.passed = batcher.call(self._wait)
        assert self.entered.wait(SECONDS)

    def _wait(self) -> None:
        self.entered.set()
        assert self.open.wait(SECONDS)


@pytest.fixture
def counted(store: SqliteStore) -> Poisoned:
    return Poisoned(store)


@pytest.fixture
def batcher(counted: Poisoned, rules: Rules) -> Iterator[Batcher]:
    with Batcher(counted, rules, batch_size=4, queue_size=10) as running:
        yield running


def test_an_event_is_durable_when_its_future_is_done(batcher: Batcher, store: SqliteStore) -> None:
    assert statuses(batcher.submit(items("a", "b")).result(SECONDS)) == ["accepted", "accepted"]
    assert message_ids(store) == ["a", "b"]
    assert batcher.submit([]).result(SECONDS) == []


def test_what_waits_goes_together_in_order_and_each_gets_its_own(
    batcher: Batcher, counted: Poisoned, store: SqliteStore
) -> None:
    gate = Gate(batcher)
    futures = [batcher.submit(items(*names)) for names in ("a", "bcdefg", "h", "a")]
    assert batcher.waiting == 9
    gate.open.set()
    ids = [[outcome.message_id for outcome in future.result(SECONDS)] for future in futures]
    assert ids == [["a"], ["b", "c", "d", "e", "f", "g"], ["h"], ["a"]]
    assert statuses(futures[3].result(SECONDS)) == ["duplicate"]
    assert message_ids(store) == list("abcdefgh")
    assert counted.commits == [4, 4], "of four events each; the ninth was a duplicate"
    assert batcher.waiting == 0


def test_a_change_takes_its_turn(batcher: Batcher, store: SqliteStore) -> None:
    gate = Gate(batcher)
    batcher.submit(items("a"))
    seen = batcher.call(lambda: message_ids(store))
    last = batcher.submit(items("b"))
    gate.open.set()
    assert seen.result(SECONDS) == ["a"]
    assert statuses(last.result(SECONDS)) == ["accepted"]


def test_what_a_change_raises_reaches_whoever_asked_and_nobody_else(batcher: Batcher) -> None:
    def broken() -> None:
        raise OnefoldError("judgement.not_found", "there is none")

    with pytest.raises(OnefoldError, match=r"judgement\.not_found"):
        batcher.call(broken).result(SECONDS)
    assert statuses(batcher.submit(items("a")).result(SECONDS)) == ["accepted"]


def test_a_full_queue_takes_nothing_and_says_so(batcher: Batcher, store: SqliteStore) -> None:
    gate = Gate(batcher)
    first = batcher.submit(items(*"abcdefgh"))
    with pytest.raises(OnefoldError) as caught:
        batcher.submit(items(*"ijk"))
    assert (caught.value.code, caught.value.http_status) == ("ingest.queue_full", 429)
    second = batcher.submit(items(*"ij"))
    gate.open.set()
    assert len(first.result(SECONDS) + second.result(SECONDS)) == 10
    assert statuses(batcher.submit(items(*"ijk")).result(SECONDS)) == ["duplicate", "duplicate", "accepted"]


@pytest.fixture
def stands_in_line(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Is set when somebody waits for room."""
    in_line, wait_for = threading.Event(), threading.Condition.wait_for

    def waiting(self: threading.Condition, predicate: Any, timeout: float | None = None) -> Any:
        in_line.set()
        return wait_for(self, predicate, timeout)

    monkeypatch.setattr(threading.Condition, "wait_for", waiting)
    return in_line


def test_whoever_may_wait_hands_in_when_there_is_room(
    batcher: Batcher, store: SqliteStore, stands_in_line: threading.Event
) -> None:
    gate = Gate(batcher)
    stands_in_line.clear()
    first = batcher.submit(items(*"abcdefgh"))
    with ThreadPoolExecutor(1) as pool:
        handed_in = pool.submit(batcher.submit, items(*"ijk"), wait=True)
        assert stands_in_line.wait(SECONDS)
        assert batcher.waiting == 8
        gate.open.set()
        assert statuses(handed_in.result(SECONDS).result(SECONDS)) == ["accepted"] * 3
    assert len(first.result(SECONDS)) == 8
    assert message_ids(store) == list("abcdefghijk")


def test_whoever_may_wait_leaves_the_queue_to_others_but_for_a_batch(
    batcher: Batcher, store: SqliteStore, stands_in_line: threading.Event
) -> None:
    gate = Gate(batcher)
    first = batcher.submit(items(*"ab"), wait=True)
    stands_in_line.clear()
    with ThreadPoolExecutor(1) as pool:
        handed_in = pool.submit(batcher.submit, items(*"cde"), wait=True)
        assert stands_in_line.wait(SECONDS)
        assert not is_done(handed_in), "there is room for ten, but only for four of those that may wait"
        second = batcher.submit(items(*"fghi"))
        gate.open.set()
        assert statuses(handed_in.result(SECONDS).result(SECONDS)) == ["accepted"] * 3
    assert len(first.result(SECONDS) + second.result(SECONDS)) == 6


def test_whoever_may_wait_does_not_wait_for_others_while_there_is_room(batcher: Batcher) -> None:
    gate = Gate(batcher)
    first = batcher.submit(items(*"abcdef"))
    second = batcher.submit(items(*"ghij"), wait=True)
    gate.open.set()
    assert len(first.result(SECONDS) + second.result(SECONDS)) == 10
    assert batcher.waiting == 0


def test_nobody_waits_for_room_that_there_never_is(batcher: Batcher) -> None:
    with pytest.raises(OnefoldError, match=r"ingest\.queue_full"):
        batcher.submit(items(*"abcdefghijk"), wait=True)


def test_whoever_waits_for_room_is_told_that_it_stops(batcher: Batcher, stands_in_line: threading.Event) -> None:
    gate = Gate(batcher)
    stands_in_line.clear()
    batcher.submit(items(*"abcdefgh"))
    with ThreadPoolExecutor(2) as pool:
        handed_in = pool.submit(batcher.submit, items(*"ijk"), wait=True)
        assert stands_in_line.wait(SECONDS)
        stopping = pool.submit(batcher.stop)
        with pytest.raises(OnefoldError, match=r"ingest\.stopping"):
            handed_in.result(SECONDS)
        gate.open.set()
        stopping.result(SECONDS)


def test_stopping_finishes_what_waits_and_takes_nothing_more(batcher: Batcher, store: SqliteStore) -> None:
    gate = Gate(batcher)
    waiting = [batcher.submit(items(name)) for name in "abcdef"]
    stopping = threading.Thread(target=batcher.stop)
    stopping.start()
    while batcher.alive:
        pass
    for refused in (lambda: batcher.submit(items("g")), lambda: batcher.call(lambda: None)):
        with pytest.raises(OnefoldError, match=r"ingest\.stopping"):
            refused()
    gate.open.set()
    stopping.join(SECONDS)
    assert not stopping.is_alive()
    assert [statuses(future.result(0)) for future in waiting] == [["accepted"]] * 6
    assert message_ids(store) == list("abcdef")


def failure(future: "Future[list[Outcome]]") -> str:
    error = future.exception(SECONDS)
    assert isinstance(error, OnefoldError)
    return error.code


def test_a_store_that_fails_is_told_to_all_that_wait_for_it(batcher: Batcher, store: SqliteStore) -> None:
    gate = Gate(batcher)
    both = [batcher.submit(items("a")), batcher.submit(items(*"bcdefgh"))]
    store.close()
    gate.open.set()
    assert [failure(future) for future in both] == ["store.unavailable", "store.unavailable"]
    assert both[0].exception() is not both[1].exception()
    assert batcher.waiting == 0, "the rest of a submission that failed is not taken"
    assert batcher.alive
    assert failure(batcher.submit(items("i"))) == "store.unavailable"


def test_events_that_waited_behind_a_failure_are_taken_when_the_store_works_again(
    store: SqliteStore, rules: Rules
) -> None:
    class Full(Poisoned):
        room = False

        def write(self, ahead: Ahead | None = None) -> Any:
            if not self.room:
                raise OnefoldError("store.full", "there is no room")
            return super().write(ahead)

    full = Full(store)
    with Batcher(full, rules, batch_size=4, queue_size=10) as batcher:
        assert failure(batcher.submit(items("a"))) == "store.full"
        full.room = True
        assert statuses(batcher.submit(items("a")).result(SECONDS)) == ["accepted"]


def test_nobody_who_stops_waiting_takes_back_what_was_handed_in(batcher: Batcher, store: SqliteStore) -> None:
    gate = Gate(batcher)
    future = batcher.submit(items("a"))
    assert not future.cancel()
    gate.open.set()
    future.result(SECONDS)
    assert message_ids(store) == ["a"]


class Curious(Poisoned):
    """A store that asks what comes next, each time it is written to.

    Attributes:
        told: how many messages that were, of each transaction.
    """

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(store)
        self.told: list[int] = []

    def write(self, ahead: Ahead | None = None) -> Any:
        if ahead is not None and ahead.then is not None:
            self.told.append(len(ahead.then().messages))
        return super().write(ahead)


def test_a_store_is_told_what_comes_next_as_far_as_it_waits(store: SqliteStore, rules: Rules) -> None:
    curious = Curious(store)
    with Batcher(curious, rules, batch_size=3, queue_size=20) as batcher:
        gate = Gate(batcher)
        before = [batcher.submit(items(*names)) for names in ("a", "bcde", "fg")]
        judgement = batcher.call(lambda: None)
        after = batcher.submit(items("h"))
        gate.open.set()
        for future in (*before, after):
            future.result(SECONDS)
        judgement.result(SECONDS)
    assert curious.told == [3, 1, 0, 0], "not what waits behind a change, which comes first"
    assert message_ids(store) == [*"abcdefgh"]


class FarAway(Poisoned):
    """A store that takes its time: it begins a transaction when it may, and then says that it writes, until it is let
    go. If it is `silent` it never says so, as when there is nothing to write."""

    def __init__(self, store: SqliteStore, *, silent: bool = False) -> None:
        super().__init__(store)
        self.remote = True
        self.begun, self.may_begin, self.may_end = (
            threading.Semaphore(0),
            threading.Semaphore(0),
            threading.Semaphore(0),
        )
        self._silent = silent

    @contextlib.contextmanager
    def write(self, ahead: Ahead | None = None) -> Iterator[Any]:
        self.begun.release()
        assert self.may_begin.acquire(timeout=SECONDS)
        with super().write(ahead) as transaction:
            yield transaction
        if ahead is not None and ahead.then is not None and not self._silent:
            ahead.then()
        assert self.may_end.acquire(timeout=SECONDS)


def is_done(future: "Future[Any]") -> bool:
    """Whether somebody has gone on who has nothing to wait for."""
    return bool(wait([future], A_WHILE_SECONDS).done)


def hand_in_behind(batcher: Batcher, far: FarAway, pool: ThreadPoolExecutor, names: str) -> tuple[Any, Any]:
    """Four that the store begins with, and four of somebody who has time: handed in, but he has not gone on."""
    first = batcher.submit(items(*names[:4]))
    assert far.begun.acquire(timeout=SECONDS)
    second = pool.submit(batcher.submit, items(*names[4:]), wait=True)
    while batcher.waiting < 4:
        assert not second.done()
    return first, second


def test_whoever_has_time_prepares_more_while_a_store_far_away_writes(store: SqliteStore, rules: Rules) -> None:
    far = FarAway(store)
    with ThreadPoolExecutor(1) as pool, Batcher(far, rules, batch_size=4, queue_size=20) as batcher:
        for names in ("abcdefgh", "ijklmnop"):
            first, second = hand_in_behind(batcher, far, pool, names)
            assert not is_done(second), "one thread at a time runs Python, and now it is the one that stitches"
            far.may_begin.release()
            written = second.result(SECONDS)
            assert not first.done(), "the store is still writing"
            far.may_end.release(2)
            far.may_begin.release()
            assert statuses(first.result(SECONDS) + written.result(SECONDS)) == ["accepted"] * 8
            assert far.begun.acquire(timeout=SECONDS)


def test_whoever_has_time_prepares_more_when_his_own_turn_comes_at_the_latest(store: SqliteStore, rules: Rules) -> None:
    far = FarAway(store, silent=True)
    with ThreadPoolExecutor(1) as pool, Batcher(far, rules, batch_size=4, queue_size=20) as batcher:
        first, second = hand_in_behind(batcher, far, pool, "abcdefgh")
        far.may_begin.release()
        far.may_end.release()
        assert statuses(first.result(SECONDS)) == ["accepted"] * 4
        written = second.result(SECONDS)
        assert not is_done(written), "it has only begun"
        far.may_begin.release()
        far.may_end.release()
        assert statuses(written.result(SECONDS)) == ["accepted"] * 4


class Alone(Poisoned):
    """A store that notes who writes, and whether two ever do at once."""

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(store)
        self.writers: list[threading.Thread] = []
        self.together = False
        self._free = threading.Lock()

    @contextlib.contextmanager
    def write(self, ahead: Ahead | None = None) -> Iterator[Any]:
        self.together |= not self._free.acquire(blocking=False)
        self.writers.append(threading.current_thread())
        try:
            with super().write(ahead) as transaction:
                yield transaction
        finally:
            self._free.release()


def test_whoever_waits_for_events_writes_them_while_nobody_else_does(store: SqliteStore, rules: Rules) -> None:
    alone = Alone(store)
    with Batcher(alone, rules, batch_size=4, queue_size=10) as batcher:
        assert statuses(batcher.ingest(items("a", "b"))) == ["accepted", "accepted"]
        assert alone.writers == [threading.current_thread()]
        assert statuses(batcher.ingest(items(*"abcde"))) == ["duplicate"] * 2 + ["accepted"] * 3
        assert threading.current_thread() not in alone.writers[1:], "more than one batch goes through the queue"
    with pytest.raises(OnefoldError, match=r"ingest\.stopping"):
        batcher.ingest(items("f"))


def test_whoever_waits_for_events_takes_his_turn(batcher: Batcher, store: SqliteStore) -> None:
    gate = Gate(batcher)
    before = batcher.submit(items("a"))
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(batcher.ingest, items("b"))
        while batcher.waiting < 2:
            assert not waiting.done()
        gate.open.set()
        assert statuses(waiting.result(SECONDS)) == ["accepted"]
    assert statuses(before.result(0)) == ["accepted"]
    assert message_ids(store) == ["a", "b"]


def test_a_store_that_fails_whoever_writes_leaves_the_queue_usable(batcher: Batcher, store: SqliteStore) -> None:
    store.close()
    for _ in range(2):
        with pytest.raises(OnefoldError, match=r"store\.unavailable"):
            batcher.ingest(items("a"))
        assert failure(batcher.submit(items("a"))) == "store.unavailable"


def test_many_threads_lose_nothing_and_never_write_together(store: SqliteStore, rules: Rules) -> None:
    answers: list[list[str]] = []
    alone = Alone(store)

    def send(who: int, batcher: Batcher) -> None:
        for turn in range(5):
            events = items(*(f"{who}-{turn}-{n}" for n in range(3)))
            outcomes = batcher.ingest(events) if who % 2 else batcher.submit(events).result(SECONDS)
            answers.append(statuses(outcomes))

    with Batcher(alone, rules, batch_size=5, queue_size=1_000) as batcher:
        threads = [threading.Thread(target=send, args=(who, batcher)) for who in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
    assert answers == [["accepted"] * 3] * 40
    assert len(set(message_ids(store))) == 120
    assert not alone.together
