"""The connections of one process to one file: one that writes, and a bounded pool of those that read."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Condition, Lock
from time import monotonic, sleep
from typing import Final

import apsw

from onefold.errors import OnefoldError
from onefold.store.sqlite.errors import closed

BUSY_MS: Final = 10_000
ASK_AGAIN_SECONDS: Final = 0.002
MOST_READERS: Final = 8
CLOSING_SECONDS: Final = 10.0
STATEMENTS: Final = 256
"""Prepared statements that a connection keeps."""

# On macOS a plain sync leaves what was written in the disk's own cache. Whichever connection is closed last brings the
# log into the file, so all sync alike.
EVERY: Final = ("fullfsync = ON", "checkpoint_fullfsync = ON", "temp_store = MEMORY")
# A larger cache makes commits dearer: whenever a page was split, SQLite looks through the whole table of cached pages.
WRITER: Final = (
    "synchronous = FULL",
    "wal_autocheckpoint = 16000",
    "cache_size = -65536",
)
# Who reads maps the file: the fifty rows of a page lie on fifty pages, and each would be a call and a copy. Only
# address space is taken; what is beyond is read as before.
READER: Final = ("query_only = ON", "cache_size = -16384", "mmap_size = 1073741824")

ANYTHING: Final = "SELECT 1 FROM sqlite_schema LIMIT 1"
"""Whether there is anything in the file."""
_MAKING: Final = Lock()
"""Closing a file that was just made would end the locks that another thread already holds on it."""


class Connections:
    """Hands out the connections to the file at `path`. The writer is given to one thread at a time."""

    def __init__(self, path: Path, *, create: bool) -> None:
        """Open the writer; unless `create`, the file must exist. Raises apsw.Error."""
        self.path: Final = path
        self.place: Final = str(path)
        with _MAKING:
            if create:
                _make(path)
            self.writer: Final = _open(path, ())
        self._writing: Final = Lock()
        self._changed: Final = Condition(Lock())
        self._idle: Final[list[apsw.Connection]] = []
        self._all: Final[list[apsw.Connection]] = []
        self._opening = 0
        self._closed = False

    def prepare_to_write(self) -> None:
        """Set the writer up: only once the file is known to be ours, for this writes to it. Raises OnefoldError
        `store.unavailable`."""
        [[mode]] = self.writer.execute("PRAGMA journal_mode = WAL")
        if mode != "wal":
            raise OnefoldError(
                "store.unavailable",
                f"{self.place} cannot have a log: its file system does not let processes share memory",
                "Move it to a local disk.",
            )
        _set(self.writer, WRITER)

    @contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """The writer, for this thread alone. Raises OnefoldError `store.busy`."""
        if not self._writing.acquire(timeout=BUSY_MS / 1000):
            raise _crowded(self.place, "writing to")
        try:
            yield self.writer
        finally:
            self._writing.release()

    def take_reader(self, *, wait: bool = True) -> apsw.Connection:
        """A connection that reads, to be given back. Raises OnefoldError `store.unavailable`, and `store.busy` when all
        are taken: at once unless it may `wait`."""
        with self._changed:
            if self._idle:
                return self._idle.pop()
            while not self._idle and not self._closed and len(self._all) + self._opening >= MOST_READERS:
                if not wait or not self._changed.wait(BUSY_MS / 1000):
                    raise _crowded(self.place, "reading")
            if self._closed:
                raise closed(self.place)
            if self._idle:
                return self._idle.pop()
            self._opening += 1
        return self._open_reader()

    def _open_reader(self) -> apsw.Connection:
        reader = None
        try:
            reader = _open(self.path, READER)
        finally:
            with self._changed:
                self._opening -= 1
                if reader is not None:
                    self._all.append(reader)
                self._changed.notify()
        return reader

    def give_back(self, reader: apsw.Connection) -> None:
        """A reader is free again; one whose transaction could not be ended is of no more use."""
        with self._changed:
            self._changed.notify()
            if not self._closed:
                if not reader.in_transaction:
                    self._idle.append(reader)
                    return
                self._all.remove(reader)
        reader.close(True)

    def check(self) -> None:
        """Read the file through a connection that has seen nothing of it. Raises apsw.Error, and OnefoldError
        `store.unavailable`."""
        if self._closed:
            raise closed(self.place)
        with closing(_open(self.path, ("query_only = ON",))) as fresh:
            fresh.execute(ANYTHING).fetchall()

    def close(self) -> None:
        """Close all connections. What other threads are in the middle of ends with an error."""
        with self._changed:
            self._closed = True
            readers = list(self._all)
            self._all.clear()
            self._idle.clear()
            self._changed.notify_all()
        # The writer comes last: whoever closes a file last brings its log into it, which readers may not.
        for connection in (*readers, self.writer):
            _close(connection)


def _make(path: Path) -> None:
    """Make an empty file, for this user alone, if there is none. Where that cannot be, opening it says so."""
    with suppress(OSError):
        os.close(os.open(os.path.realpath(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _open(path: Path, pragmas: tuple[str, ...]) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=STATEMENTS)
    try:
        connection.set_busy_handler(_Patience())
        _set(connection, (*EVERY, *pragmas))
    except BaseException:
        connection.close(True)
        raise
    return connection


class _Patience:
    """Waits for a lock that another process holds. It asks again every few milliseconds: SQLite's own way waits for up
    to a tenth of a second, in which a busy importer has taken the lock again."""

    def __init__(self) -> None:
        self._until = 0.0

    def __call__(self, asked_before: int) -> bool:
        """Whether to ask for the lock again."""
        if not asked_before:
            self._until = monotonic() + BUSY_MS / 1000
        sleep(ASK_AGAIN_SECONDS)
        return monotonic() < self._until


def _set(connection: apsw.Connection, pragmas: tuple[str, ...]) -> None:
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _close(connection: apsw.Connection) -> None:
    """Interrupt what runs on it until it can be closed."""
    until = monotonic() + CLOSING_SECONDS
    while True:
        try:
            connection.close(True)
        except apsw.ThreadingViolationError:
            if monotonic() > until:
                raise
            connection.interrupt()
            sleep(0.001)
        else:
            return


def _crowded(place: str, doing: str) -> OnefoldError:
    return OnefoldError("store.busy", f"too many are {doing} {place} at once", "Try again; nothing was changed.")
