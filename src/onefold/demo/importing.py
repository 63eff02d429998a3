"""Brings a generated shop into a store, as its systems would have sent it, and measures what became of it."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import Final

import msgspec

from onefold.demo.measuring.reading import another_world, seen_in, sources_of, stitched_in
from onefold.demo.measuring.report import Report, measured
from onefold.demo.shop.telling import END_MS, START_MS, Sent, Told
from onefold.demo.shop.world import World
from onefold.errors import OnefoldError
from onefold.ingest.commit import Outcome, Status
from onefold.ingest.decode import Decoded, Rejected
from onefold.ingest.pipeline import AHEAD
from onefold.service import Onefold


class Imported(msgspec.Struct, frozen=True):
    """How many of a world's events were stored, and how many had been; `done`: the share of its time, 0 to 1."""

    accepted: int = 0
    duplicates: int = 0
    done: float = 0.0


Progress = Callable[[Imported], None]


def bring_in(onefold: Onefold, world: World, progress: Progress = lambda _: None) -> Imported:
    """Decode what the shop's systems sent, at the times it arrived, and store it; `progress` is told after each batch.

    Doing it again changes nothing. Raises OnefoldError `call.invalid` when the store holds another world, what is wrong
    with an event that cannot be understood, and `store.…`.
    """
    run = _Run(onefold, world.towns(), progress)
    for batch in _batches(world.told(), onefold.settings.batch_size):
        run.send(batch)
    return msgspec.structs.replace(run.end(), done=1.0)


def measure(onefold: Onefold, world: World) -> Report:
    """How well the store that holds this world, and perhaps other sources' events, found the truth.

    Raises OnefoldError `call.invalid` when it holds another.
    """
    with onefold.read(hold=True) as reading:
        stitched = stitched_in(reading.view, onefold.namespaces)
        return measured(seen_in(reading.view, (told.truth for told in world.told()), stitched), stitched)


class _Run:
    """An import under way: while one batch is written, the next waits and the one after it is decoded."""

    def __init__(self, onefold: Onefold, towns: int, progress: Progress) -> None:
        self._onefold: Final = onefold
        self._towns: Final = towns
        self._progress: Final = progress
        self._handed_in: Final[deque[tuple[Future[list[Outcome]], float]]] = deque()
        self._so_far = Imported()
        self._passed = -1
        self._arrived_ms = END_MS

    def send(self, batch: list[Told]) -> None:
        items = [self._decoded(told.sent) for told in batch]
        if self._passed < 0:
            self._check_world(items[0])
        written = self._onefold.batcher.submit(items, wait=True)
        for told in batch:
            self._passed += told.sent.received_ms < self._arrived_ms
            self._arrived_ms = told.sent.received_ms
        self._handed_in.append((written, self._share()))
        self._take(but=AHEAD)

    def _share(self) -> float:
        """Of the world's time, up to what was handed in last."""
        year = min(max((self._arrived_ms - START_MS) / (END_MS - START_MS), 0.0), 1.0)
        return (self._passed + year) / self._towns

    def end(self) -> Imported:
        """Wait for what was handed in."""
        self._take(but=0)
        return self._so_far

    def _take(self, *, but: int) -> None:
        while len(self._handed_in) > but:
            written, share = self._handed_in.popleft()
            self._count(written.result(), share)

    def _decoded(self, sent: Sent) -> Decoded:
        decoded = self._onefold.decoder.decode_line(sent.line, sent.source, sent.received_ms)
        if isinstance(decoded, Rejected):
            raise OnefoldError(*msgspec.structs.astuple(decoded.problem))
        return decoded

    def _check_world(self, first: Decoded) -> None:
        """A store that holds some world's events, but not the first of this one's, holds another."""
        with self._onefold.read(hold=True) as reading:
            message = first.event.message
            if sources_of(reading.view) and message not in reading.view.touchpoints([message]):
                raise another_world()

    def _count(self, outcomes: list[Outcome], share: float) -> None:
        new = sum(outcome.status is Status.ACCEPTED for outcome in outcomes)
        before = self._so_far
        self._so_far = Imported(before.accepted + new, before.duplicates + len(outcomes) - new, share)
        self._progress(self._so_far)


def _batches(told: Iterator[Told], size: int) -> Iterator[list[Told]]:
    while batch := list(islice(told, size)):
        yield batch
