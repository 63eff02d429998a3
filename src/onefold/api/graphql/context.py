"""What one operation has in hand: the service, and one reading of it."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self, TypeAlias

from strawberry.types import Info as StrawberryInfo

from onefold.errors import OnefoldError
from onefold.service import Onefold, Reading


class Operation:
    """One operation, on one thread: a context manager that closes what was opened.

    All of a query reads one state of the store: the one there was when it first read.
    """

    def __init__(self, onefold: Onefold) -> None:
        """Nothing is opened yet."""
        self.onefold = onefold
        self._opened = ExitStack()
        self._reading: Reading | None = None

    @property
    def reading(self) -> Reading:
        """The operation's reading."""
        if self._reading is None:
            self._reading = self._opened.enter_context(self.onefold.read())
        return self._reading

    def opened_at_once(self) -> bool:
        """Open the reading, unless whoever does so has to wait; -> whether it is open."""
        try:
            self._reading = self._opened.enter_context(self.onefold.read(wait=False))
        except OnefoldError:
            return False
        return True

    def read_anew(self) -> Reading:
        """A reading that sees what the operation itself has just written."""
        self._opened.close()
        self._reading = None
        return self.reading

    def named(self, error: BaseException) -> OnefoldError | None:
        """What the store calls an error met while reading, if it knows it. The reading ends with it."""
        try:
            self._opened.__exit__(type(error), error, error.__traceback__)
        except OnefoldError as known:
            return known
        return None

    def __enter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the reading."""
        self._opened.close()


Info: TypeAlias = StrawberryInfo[Operation, None]
