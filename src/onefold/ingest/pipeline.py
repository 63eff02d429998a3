"""The one queue to the store: events wait, are taken in batches, and are acknowledged when they are durable.

One thread writes at a time. It takes whatever waits, so a batch is as large as the load: latency is one commit when
nothing else goes on, and throughput grows when much does. Judgements and other changes take their turn in the same
queue.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from copy import copy
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

from onefold.errors import OnefoldError
from onefold.ingest.commit import Item, Outcome, commit_each
from onefold.ingest.decode import Decoded
from onefold.stitch.rules import Rules
from onefold.store.base import Store

AHEAD: Final = 2
"""How many batches whoever imports hands in before the first of them has to be done: one is written, one waits."""

Answer = TypeVar("Answer")

_log: Final = logging.getLogger(__name__)


def now_ms() -> int:
    """The time, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class _Submission:
    """Events that were handed in together, and what became of them so far. `patient`: by somebody who may wait."""

    __slots__ = ("future", "items", "outcomes", "patient", "taken")

    def __init__(self, items: Sequence[Item], *, patient: bool) -> None:
        self.items: Final = items
        self.patient: Final = patient
        self.taken = 0
        self.outcomes: Final[list[Outcome]] = []
        self.future: Final[Future[list[Outcome]]] = _running()


class _Job(Generic[Answer]):
    """A change that is no event."""

    __slots__ = ("future", "is_news", "run")

    def __init__(self, run: Callable[[], Answer], is_news: bool) -> None:
        self.run: Final = run
        self.is_news: Final = is_news
        self.future: Final[Future[Answer]] = _running()


def _running() -> "Future[Answer]":
    """A future that whoever waits cannot cancel: what was handed in is done, waited for or not."""
    future: Future[Answer] = Future()
    future.set_running_or_notify_cancel()
    return future


_Part = tuple[_Submission, Sequence[Item]]


class Batcher:
    """Puts events and changes in order and commits them, from one thread. Close it with `stop`, or use it as a context
    manager."""

    def __init__(
        self,
        store: Store,
        rules: Rules,
        *,
        batch_size: int,
        queue_size: int,
        clock_ms: Callable[[], int] = now_ms,
        written: Callable[[], None] = lambda: None,
    ) -> None:
        """`batch_size`: the most events a commit takes; `queue_size`: how many may wait; `written`: is called, on
        whatever thread it is, when something was that is news."""
        self._store: Final = store
        self._rules: Final = rules
        self._batch_size: Final = batch_size
        self._queue_size: Final = queue_size
        self._clock_ms: Final = clock_ms
        self._told_written: Final = written
        self._queue: Final[deque[_Submission | _Job[object]]] = deque()
        self._waiting = self._patient = 0
        self._writing = False
        self._is_away = False
        self._stopping = False
        self._changed: Final = threading.Condition()
        self._thread: Final = threading.Thread(target=self._run, name="onefold-writer", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """The batcher itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop."""
        self.stop()

    @property
    def alive(self) -> bool:
        """Whether it takes events."""
        return self._thread.is_alive() and not self._stopping

    @property
    def waiting(self) -> int:
        """How many events wait."""
        return self._waiting

    def submit(self, items: Sequence[Item], *, wait: bool = False) -> "Future[list[Outcome]]":
        """Hand in events; the future has one outcome for each, in order, when all of them are durable.

        It raises OnefoldError `store.…` when the store does not take them; some may be stored nevertheless, and are
        duplicates when they are sent again.

        Args:
            wait: until there is room for them, if there ever can be, and no more than a batch of those that may wait
                does; and where the store is far away, until it is busy writing, when it is time to prepare more, or
                begins with these.

        Raises: OnefoldError `ingest.queue_full`, `ingest.stopping`; then none of them was taken.
        """
        submission = _Submission(items, patient=wait)
        self._store.expect([item.event for item in items if isinstance(item, Decoded)])
        with self._changed:
            if wait and len(items) <= self._queue_size:
                self._wait_for_room(len(items))
            self._check_open()
            if self._waiting + len(items) > self._queue_size:
                raise OnefoldError(
                    "ingest.queue_full",
                    f"{self._waiting} events are waiting, and no more than {self._queue_size} may",
                    "Send them again in a second.",
                )
            if items:
                self._count(submission, len(items))
                self._queue.append(submission)
                self._changed.notify_all()
                if wait and self._store.remote:
                    self._wait_for_leisure(submission)
            else:
                submission.future.set_result([])
        return submission.future

    def _wait_for_room(self, count: int) -> None:
        """Whoever has time leaves the queue to others but for a batch, so that more is decoded when it is time to."""
        most = max(self._batch_size, count)
        self._changed.wait_for(
            lambda: not self.alive or (self._patient + count <= most and self._waiting + count <= self._queue_size)
        )

    def _wait_for_leisure(self, submission: _Submission) -> None:
        """To decode while a batch is stitched would take its time: one thread at a time runs Python. While a store far
        away writes it there is nothing else to do."""
        self._changed.wait_for(lambda: not self.alive or self._is_away or submission.taken)

    def ingest(self, items: Sequence[Item]) -> list[Outcome]:
        """Hand in events and wait; -> one outcome for each, in order, when all of them are durable.

        While nobody writes, whoever waits here does it himself: that spares waking two threads.

        Raises: what `submit` and its future do.
        """
        with self._changed:
            self._check_open()
            alone = not self._queue and not self._writing and len(items) <= self._batch_size
            self._writing |= alone
        if not alone:
            return self.submit(items).result()
        try:
            return self._store_batch(items)
        finally:
            self._written()

    def call(self, change: Callable[[], Answer], *, is_news: bool = True) -> "Future[Answer]":
        """Have `change` run on the writing thread after all that was handed in before. What it raises, the future does.
        `is_news`: whether `written` is to be called for it.

        Raises: OnefoldError `ingest.stopping`.
        """
        job = _Job(change, is_news)
        with self._changed:
            self._check_open()
            self._queue.append(job)  # type: ignore[arg-type]  # whatever it answers goes to its own future
            self._changed.notify_all()
        return job.future

    def stop(self) -> None:
        """Take nothing more, finish what waits, and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()

    def _check_open(self) -> None:
        if not self.alive:
            raise OnefoldError("ingest.stopping", "onefold is shutting down", "Send it again when it runs.")

    def _run(self) -> None:
        while (work := self._next()) is not None:
            if isinstance(work, _Job):
                _do(work)
            else:
                self._commit(work)
            self._written(is_news=not isinstance(work, _Job) or work.is_news)

    def _written(self, *, is_news: bool = True) -> None:
        with self._changed:
            self._writing = False
            self._changed.notify_all()
        if is_news:
            self._told_written()

    def _next(self) -> list[_Part] | _Job[object] | None:
        """What is to be done next: a batch or a change; None when it is time to end."""
        with self._changed:
            while self._writing or not self._queue:
                if self._stopping and not self._writing:
                    return None
                self._changed.wait()
            self._writing = True
            if isinstance(first := self._queue[0], _Job):
                self._queue.popleft()
                return first
            return self._batch()

    def _batch(self) -> list[_Part]:
        """The next events, up to a change that has to wait for them."""
        parts = list(self._first())
        for submission, part in parts:
            submission.taken += len(part)
            if submission.taken == len(submission.items):
                self._queue.popleft()
            self._count(submission, -len(part))
        self._changed.notify_all()
        return parts

    def _count(self, submission: _Submission, more: int) -> None:
        """So many more of its events wait than before."""
        self._waiting += more
        if submission.patient:
            self._patient += more

    def _first(self) -> Iterator[_Part]:
        """The events that a batch takes, which stay where they are."""
        room = self._batch_size
        for submission in self._queue:
            if not room or not isinstance(submission, _Submission):
                return
            part = submission.items[submission.taken : submission.taken + room]
            room -= len(part)
            yield submission, part

    def _upcoming(self) -> list[Item]:
        """What the next batch begins with, as far as it waits already. From now on there is nothing to do for this one
        but to wait for the store."""
        with self._changed:
            self._is_away = True
            self._changed.notify_all()
            return [item for _, part in self._first() for item in part]

    def _commit(self, parts: Sequence[_Part]) -> None:
        try:
            outcomes = self._store_batch([item for _, part in parts for item in part])
        except OnefoldError as error:
            self._fail(parts, error)
            return
        done = 0
        for submission, part in parts:
            submission.outcomes.extend(outcomes[done : done + len(part)])
            done += len(part)
            if len(submission.outcomes) == len(submission.items):
                submission.future.set_result(submission.outcomes)

    def _store_batch(self, batch: Sequence[Item]) -> list[Outcome]:
        """Raises: OnefoldError, whatever it is that goes wrong: the thread must live on, for everybody waits for it."""
        try:
            return commit_each(self._store, self._rules, batch, self._clock_ms(), self._upcoming)
        except OnefoldError:
            raise
        except Exception as error:
            _log.exception("a batch cannot be stored")
            raise OnefoldError("internal", f"events could not be stored: {error!r}") from error
        finally:
            self._is_away = False

    def _fail(self, parts: Sequence[_Part], error: OnefoldError) -> None:
        """Tell everybody in a batch; what is left of the last one's events is not taken any more."""
        last, _ = parts[-1]
        with self._changed:
            if self._queue and self._queue[0] is last:
                self._queue.popleft()
                self._count(last, last.taken - len(last.items))
                self._changed.notify_all()
        error.__traceback__ = None  # its frames hold the events, which would be kept as long as the failure is
        for submission, _ in parts:
            # Each waiter raises one of its own: a raised exception grows a traceback.
            own = copy(error)
            own.__cause__ = error
            submission.future.set_exception(own)


def _do(job: _Job[Answer]) -> None:
    try:
        answer = job.run()
    except Exception as error:  # noqa: BLE001  # it is raised where the future is waited for
        job.future.set_exception(error)
    else:
        job.future.set_result(answer)
