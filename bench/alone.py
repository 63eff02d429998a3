"""The service without HTTP, in a process of its own: as many senders as there, each with one call on its way."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter
from typing import Final

from onefold.ingest.commit import Outcome, Status
from onefold.service import Onefold
from onefold.settings import Settings
from onefold.wiring import build, collect_seldom

Calls = Sequence[Sequence[bytes]]
"""Each the events of one call, as JSON."""
Took = tuple[float, list[float]]
"""Seconds for all calls together, and for each of them, as they ended."""
_Ended = tuple[float, "Future[list[Outcome]]"]
SOON_SECONDS: Final = 60.0


class Alone:
    """The service on one store; it does what it is told, and waits."""

    def __init__(self, process: int, told: Connection) -> None:
        """`process`: its id."""
        self.process: Final = process
        self._told: Final = told

    def prepare(self, calls: Calls) -> None:
        """Hand over what it is to do next, while no clock runs."""
        self._told.send(calls)
        assert self._told.recv() == len(calls)

    def run(self) -> Took:
        """Have it do that."""
        self._told.send(None)
        took: Took = self._told.recv()
        return took


@contextmanager
def alone(store: Path, senders: int) -> Iterator[Alone]:
    """The service in a process of its own until the block ends."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_work, args=(store, senders, theirs))
    process.start()
    theirs.close()
    assert process.pid is not None
    try:
        yield Alone(process.pid, ours)
    finally:
        ours.close()
        process.join(SOON_SECONDS)
        process.kill()


def _work(store: Path, senders: int, told: Connection) -> None:
    collect_seldom()  # as onefold's own process does
    with build(Settings(store=f"sqlite:///{store}")) as onefold:
        while (calls := _next(told)) is not None:
            told.send(len(calls))
            told.recv()
            told.send(_called(onefold, calls, senders))


def _next(told: Connection) -> Calls | None:
    """What is to be done next; None when it is over."""
    try:
        calls: Calls = told.recv()
    except EOFError:
        return None
    return calls


def _called(onefold: Onefold, calls: Calls, senders: int) -> Took:
    """Hand in the events of all calls, at most `senders` calls at a time."""
    ended: SimpleQueue[_Ended] = SimpleQueue()
    took: list[float] = []
    started = perf_counter()
    for number, events in enumerate(calls):
        if number >= senders:
            took.append(_outcome(*ended.get()))
        onefold.submit(events).add_done_callback(_noted(ended, perf_counter()))
    while len(took) < len(calls):
        took.append(_outcome(*ended.get()))
    return perf_counter() - started, took


def _noted(ended: "SimpleQueue[_Ended]", began: float) -> "Callable[[Future[list[Outcome]]], None]":
    return lambda future: ended.put((perf_counter() - began, future))


def _outcome(seconds: float, future: "Future[list[Outcome]]") -> float:
    for outcome in future.result():
        assert outcome.status is Status.ACCEPTED, outcome
    return seconds
