"""When segments are brought forward while onefold serves: soon after something was committed, but so seldom that it
takes at most a tenth of the time.
"""

import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from onefold.errors import OnefoldError
from onefold.service import segments
from onefold.service.keeping.clearing import clear
from onefold.store.passing import PassingError

if TYPE_CHECKING:
    from onefold.service.keeping.keeper import Keeper
    from onefold.service.onefold import Onefold

SHARE: Final = 9
"""After a pass comes a pause of so many times what it cost."""
THREADS: Final = 2
"""A pass in a file costs what this thread worked, and as much again for those that DuckDB has help: what it waited, for
a lock or another's turn, costs nobody anything. In a graph it costs all the time that the server takes for it."""
CLEARING_SECONDS: Final = 60.0
"""How often it is looked whether somebody deleted a segment and died before its members had left."""
LEAST_PAUSE_SECONDS: Final = 0.05
MOST_PAUSE_SECONDS: Final = 30.0
GRACE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 2.0
"""How often it is looked whether another process committed something and did not keep it, or time has passed."""
ROLLING_MS: Final = 30_000
"""How long somebody may stay in a segment whom time has turned, where nothing else happens."""

_log: Final = logging.getLogger(__name__)


class Pacing:
    """A thread that keeps segments until it is told to end."""

    def __init__(self, onefold: "Onefold", keeper: "Callable[[], Keeper]") -> None:
        """It begins at once. `keeper`: is asked for when there are segments; it brings the read model along."""
        self._onefold: Final = onefold
        self._keeper: Final = keeper
        self._woken, self._stopping = Event(), Event()
        self._woken.set()
        self._seen = 0
        self._next_look = self._next_clearing = 0.0
        self._passed_over = False
        self._cost = Cost(remote=onefold.remote)
        self._there: frozenset[int] | None = None
        self._thread: Final = Thread(target=self._run, name="onefold-keeper", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something was committed here."""
        self._woken.set()

    def expect_segments(self) -> None:
        """One was saved here."""
        self._next_look = 0.0
        self._woken.set()

    def tell_to_stop(self) -> None:
        """Begin nothing new, and give what was begun a moment to end."""
        self._stopping.set()
        self._woken.set()
        self._thread.join(GRACE_SECONDS)

    def stop(self) -> None:
        """Wait until it has ended: soon, when it was told to and there is no read model any more."""
        self.tell_to_stop()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            woken = self._woken.wait(LOOK_SECONDS)
            self._woken.clear()
            if self._stopping.is_set():
                return
            self._cost.begin()
            try:
                self._look(woken=woken)
            except PassingError as error:  # whoever asks for something is told so, too
                _log.info("segments are not kept for now: %s", error)
            except OnefoldError as error:
                if not self._stopping.is_set():
                    _log.warning("segments are not kept for now: %s", error)
            except Exception:  # noqa: BLE001  # whatever it is, the segments are to be kept again
                _log.exception("segments cannot be kept")
            pause = SHARE * self._cost.seconds()
            self._stopping.wait(min(max(pause, LEAST_PAUSE_SECONDS), MOST_PAUSE_SECONDS))

    def _look(self, *, woken: bool) -> None:
        """Bring forward what is behind: of what others committed, what nobody has kept since the last look."""
        if self._there == frozenset() and time.monotonic() < self._next_look:
            self._passed_over |= woken
            return  # that others saved a segment need not be found out at every commit
        self._next_look = time.monotonic() + LOOK_SECONDS
        woken, self._passed_over = woken or self._passed_over, False
        there = frozenset(segment.number for segment in self._onefold.in_one_state(segments.listed))
        self._clear(there)
        if not there:
            self._there = there
            return
        if not self._there:
            with self._onefold.ask():  # to make a read model takes long, and is no part of any pass
                self._cost.begin()
        self._there = there
        seen, self._seen = self._seen, self._onefold.in_one_state(lambda reading: reading.view.head().seq)
        keeper = self._keeper()
        behind = keeper.behind(ROLLING_MS, None if woken else seen)
        if behind:
            keeper.bring_forward(behind, wait=False)

    def _clear(self, there: frozenset[int]) -> None:
        """Whoever deleted a segment may have died before all its members had left."""
        gone = self._there is None or bool(self._there - there)
        if gone or time.monotonic() > self._next_clearing:
            self._next_clearing = time.monotonic() + CLEARING_SECONDS
            clear(self._onefold)


class Cost:
    """What is taken from others, in seconds."""

    def __init__(self, *, remote: bool) -> None:
        """`remote`: whether somebody else works while this thread waits."""
        self._remote: Final = remote
        self.begin()

    def begin(self) -> None:
        """From here on. It is to be called by the thread that works."""
        self._at, self._worked = time.monotonic(), time.thread_time()

    def seconds(self) -> float:
        """By now."""
        took, worked = time.monotonic() - self._at, time.thread_time() - self._worked
        return took if self._remote else min(took, THREADS * worked)
