"""What one operation has in hand: the service, and one reading of it."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from strawberry.types import Info as StrawberryInfo

from onefold.api.asking import Asker
from onefold.errors import OnefoldError
from onefold.service import Onefold, Reading
from onefold.store.view import MovedError

Made = TypeVar("Made")


class Operation:
    """One operation, on one thread: a context manager that closes what was opened.

    All of a query reads one state of the store: the one there was when it first read. When the state moved, the
    operation is run again from its start; what it wrote by then is written once, and given again.
    """

    def __init__(self, onefold: Onefold, asker: Asker) -> None:
        """Nothing is opened yet. `asker`: whose operation it is."""
        self.onefold = onefold
        self.asker = asker
        self._opened = ExitStack()
        self._reading: Reading | None = None
        self._hold = False
        self._early = False
        self._unasked = False
        self._moved = False
        self._ahead: int | None = None
        self._written: list[Future[Any]] = []
        self._given = 0

    def begin(self, *, hold: bool, ahead: bool = False) -> None:
        """Run from the start; with `hold` the state cannot move, with `ahead` the read model is asked before."""
        self._let_go()
        self._hold, self._early, self._moved, self._unasked, self._given = hold, ahead, False, False, 0

    @property
    def moved(self) -> bool:
        """Whether what was read since it began is not all of one state."""
        return self._moved or (self._reading is not None and self._reading.view.moved)

    @property
    def unasked(self) -> bool:
        """Whether it has to begin again with the read model asked before."""
        return self._unasked or (self._reading is not None and self._reading.unasked)

    @property
    def reading(self) -> Reading:
        """The operation's reading. It sees what the operation itself has written."""
        if self._reading is None:
            self._reading = self._opened.enter_context(self.onefold.read(hold=self._hold, ahead=self._early))
        return self._reading

    def reading_ahead(self, max_staleness_ms: int = 0) -> Reading:
        """The operation's reading, opened after the read model was asked, for a state at most so much older than it
        could be: it knows everybody who is found there."""
        if self._ahead not in {0, max_staleness_ms}:
            before = None if self._reading is None else self._reading.view.head().seq
            self._let_go()
            read = self.onefold.read(hold=self._hold, ahead=True, max_staleness_ms=max_staleness_ms)
            self._reading = self._opened.enter_context(read)
            self._ahead = max_staleness_ms
            self._moved = self._moved or before not in {None, self._reading.view.head().seq}
        return self.reading

    def opened_at_once(self) -> bool:
        """Open the reading, unless whoever does so has to wait; -> whether it is open."""
        try:
            self._reading = self._opened.enter_context(self.onefold.read(wait=False))
        except OnefoldError:
            return False
        return True

    def write(self, change: Callable[[], Made]) -> Made:
        """What a change of the service gives or raises. Nothing is read meanwhile: a reading that holds would keep the
        change waiting for ever."""
        self._let_go()
        if self._given == len(self._written):
            if self._moved:  # the next run comes this far
                raise MovedError
            self._written.append(_done(change))
        self._given += 1
        made: Made = self._written[self._given - 1].result()
        return made

    def named(self, error: BaseException) -> OnefoldError | None:
        """What the store calls an error met while reading, if it knows it. The reading ends with it."""
        try:
            self._opened.__exit__(type(error), error, error.__traceback__)
        except OnefoldError as known:
            return known
        return None

    def _let_go(self) -> None:
        self._moved, self._unasked = self.moved, self.unasked
        self._ahead = None
        self._reading = None
        self._opened.close()

    def __enter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the reading."""
        self._opened.close()


def _done(change: Callable[[], Made]) -> Future[Made]:
    """What a change came to."""
    done: Future[Made] = Future()
    try:
        done.set_result(change())
    except Exception as error:  # noqa: BLE001  # whoever asks is told
        done.set_exception(error)
    return done


Info: TypeAlias = StrawberryInfo[Operation, None]
