"""Keeping members right while others read, write, and want to keep them too."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import pytest

from onefold.model.saved import Cause, Lease, MemberChange, MembershipChange, MembershipStep, SavedSegment, SegmentDraft
from onefold.store.base import LeaseLostError, Store
from onefold.store.view import MovedError, View
from tests.contract.building import at
from tests.contract.stores import Place
from tests.contract.test_segments import add, into, keep, lease, out, people, step
from tests.support.whole_reading import read_whole
from tests.tables import ROOT

# -- views


def kept_meanwhile(store: Store) -> Callable[[], None]:
    """A store with a segment of two; -> what lets another two in."""
    people(store)
    [segment] = keep(store, step(add(store), into(1, 2)))

    def change() -> None:
        keep(store, step(segment, into(3, 4), seq=11))

    return change


ABOUT_SEGMENTS: Final[dict[str, Callable[[View], Any]]] = {
    "segments": lambda view: view.segments(),
    "segments_by_number": lambda view: view.segments_by_number([1]),
    "segment_members": lambda view: view.segment_members([1], 10),
    "segments_of": lambda view: view.segments_of([1, 3]),
    "membership_log": lambda view: view.membership_log(None, 0, 10),
    "membership_log of": lambda view: view.membership_log(1, 0, 10),
    "last_membership": lambda view: view.last_membership(),
    "origin": lambda view: view.origin(),
}


def test_a_view_that_is_not_asked_about_segments_goes_on_when_members_change(store: Store) -> None:
    change = kept_meanwhile(store)
    with store.read() as view:
        head = view.head()
        change()
        assert len(view.by_number([1, 2])) == 2
        change()
        assert view.counts().customers == head.customer
        assert view.head() == head
        assert not view.moved


@pytest.mark.parametrize("asking", ABOUT_SEGMENTS)
@pytest.mark.parametrize("first", [lambda view: view.by_number([1]), None], ids=["others first", "itself first"])
def test_a_view_shows_segments_as_they_were_at_its_first_answer_or_moves(
    store: Store, asking: str, first: Callable[[View], Any] | None
) -> None:
    change, ask = kept_meanwhile(store), ABOUT_SEGMENTS[asking]
    with store.read() as view:
        before = ask(view)
    with store.read() as view:
        (first or ask)(view)
        change()
        try:
            assert ask(view) == before
        except MovedError:
            assert store.remote, "SQLite keeps the state"
            assert view.moved
    with store.read() as view:
        assert ask(view) != before


def test_a_view_that_holds_shows_the_members_as_they_were(store: Store) -> None:
    change = kept_meanwhile(store)
    with ThreadPoolExecutor(1) as pool:
        with store.read(hold=True) as view:
            before = view.segments_of([1, 3])
            changing = pool.submit(change)
            time.sleep(0.2)  # long enough to have it committed if nothing held it
            assert view.segments_of([1, 3]) == before
        changing.result(30)
    with store.read() as view:
        assert set(view.segments_of([1, 3])) == {1, 3}


# -- readers, while members change

MANY: Final = 500
SOME: Final = (*range(1, MANY, 50), MANY)
ROUNDS: Final = 12


def hand_over(store: Store, held: Lease, minute: int) -> None:
    """All members leave the one segment and enter the other."""
    with store.write() as transaction:
        segments = transaction.segments()
        steps = [
            step(segment, (out if segment.count else into)(*range(1, MANY + 1), minute=minute), seq=minute)
            for segment in segments
        ]
        assert len(transaction.keep(held, steps)) == 2


def glance(view: View) -> int:
    """All are in the same segment, and in that alone."""
    [found] = {tuple(member.segment for member in of) for of in view.segments_of(SOME).values()}
    [segment] = found
    return segment


def look(view: View) -> int:
    """The same, closely; -> as of when."""
    members = view.segment_members([1, 2], 10 * MANY)
    segments = view.segments()
    [(number, inside)] = members.items()
    assert [segment.count for segment in segments] == [MANY, 0][:: 1 if number == 1 else -1]
    assert [member.anchor for member in inside] == list(range(1, MANY + 1))
    last = view.last_membership()
    lines = view.membership_log(number, last - 2 * MANY, 10 * MANY)
    assert [line.anchor for line in lines if line.entered] == list(range(1, MANY + 1))
    [as_of] = {segment.as_of_seq for segment in segments}
    assert as_of is not None
    return as_of


@pytest.mark.slow
def test_readers_never_see_half_of_a_step_and_others_never_begin_again(place: Place) -> None:
    store, elsewhere = place.open(), place.open()
    people(store, MANY)
    one, _ = add(store), add(store, SegmentDraft("other", "{}"))
    held = lease(store)
    keep(store, step(one, into(*range(1, MANY + 1)), seq=1), by=held)
    hand_over(store, held, 2)
    done = threading.Event()

    def read(work: Callable[[View], Any]) -> list[Any]:
        seen = []
        while not done.is_set():
            seen.append(read_whole(store, work))
        return seen

    def read_others() -> int:
        moved = 0
        while not done.is_set():
            with store.read() as view:
                try:
                    for _ in range(5):
                        view.customers([1, 2])
                except MovedError:
                    moved += 1
        return moved

    with ThreadPoolExecutor(3) as pool:
        reading, others = [pool.submit(read, work) for work in (glance, look)], pool.submit(read_others)
        try:
            for minute in range(3, 3 + ROUNDS):
                hand_over(elsewhere if minute % 2 else store, held, minute)
        finally:
            done.set()
        glanced, looked = (readers.result(60) for readers in reading)
        assert others.result(60) == 0
    assert set(glanced) == {1, 2}, "it was read meanwhile"
    assert len(set(looked)) > 2
    store.close()
    elsewhere.close()


# -- processes that all want to keep

KEEPERS: Final = 3
LEASE_MS: Final = 300
STEPS: Final = 15

KEEPER: Final = """
import sys
from pathlib import Path
from tests.contract.stores import Place
from tests.contract.test_keeping_at_once import keep_on

kind, folder, url, holder = sys.argv[1:]
keep_on(Place(kind, Path(folder), url).open(), holder)
"""


def keep_on(store: Store, holder: str) -> None:
    """What a keeper does, over and over: whoever has the lease lets a member out, or in again. It prints each step that
    it was told is written, with the token, and lets others have a turn after a few."""
    done = 0
    while done < STEPS:
        now_ms = int(time.time() * 1000)
        with store.write() as transaction:
            held = transaction.take_lease("segments", holder, now_ms, LEASE_MS)
        if held is None:
            time.sleep(0.01)
            continue
        for _ in range(5):
            written = one_step(store, held)
            if written is not None:
                sys.stdout.write(f"{held.token} {written.as_of_seq}\n")
                sys.stdout.flush()
                done += 1
        if done % 2:
            with store.write() as transaction:
                transaction.end_lease(held)
        time.sleep(0.05)


def one_step(store: Store, held: Lease) -> SavedSegment | None:
    """The segment as it became, None if that was not written."""
    with store.read() as view:
        [segment] = view.segments()
    seq = (segment.as_of_seq or 0) + 1
    change = MemberChange(1, not segment.count, at(seq), Cause.EVENT)
    try:
        with store.write() as transaction:
            kept = transaction.keep(held, [MembershipStep(segment, seq, at(seq), [change])])
    except LeaseLostError:
        return None
    return kept[0] if kept else None


@contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block at the latest."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def printed(process: subprocess.Popen[str]) -> Iterator[tuple[int, int]]:
    assert process.stdout is not None
    for line in process.stdout:
        token, _, seq = line.partition(" ")
        yield int(token), int(seq)


@pytest.mark.slow
def test_of_keepers_in_several_processes_one_keeps_even_when_one_is_killed(place: Place) -> None:
    store = place.open()
    people(store, 2)
    add(store)
    commands = [
        [sys.executable, "-c", KEEPER, place.kind, str(place.folder), place.url, f"keeper {number}"]
        for number in range(KEEPERS)
    ]
    with ExitStack() as running:
        victim, *others = (running.enter_context(started(command)) for command in commands)
        told = [next(printed(victim)) for _ in range(3)]
        victim.kill()
        told += printed(victim)
        for keeper in others:
            told += printed(keeper)
            assert keeper.wait(60) == 0
    check_log(store, told)
    store.close()


def check_log(store: Store, told: list[tuple[int, int]]) -> None:
    """Every step that anybody was told is written is there, once, and no two had the same token at once."""
    with store.read() as view:
        lines: list[MembershipChange] = view.membership_log(None, 0, 1_000)
        [segment] = view.segments()
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert [line.entered for line in lines] == [number % 2 == 0 for number in range(len(lines))]
    assert [line.as_of_seq for line in lines] == [line.number for line in lines], "no step went on from an older state"
    assert segment.as_of_seq == len(lines)
    seqs = [seq for _, seq in told]
    assert len(set(seqs)) == len(seqs)
    assert len(lines) - len(seqs) <= 1, "but for what the one that was killed could not tell any more"
    tokens = [token for token, _ in sorted(told, key=lambda one: one[1])]
    assert tokens == sorted(tokens), "whoever came later had a larger token"
    assert len(set(tokens)) > 2
