"""The write lock of a store in a SQLite file, seen and held from outside."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw


def is_locked(store: Path) -> bool:
    """Whether somebody is inside a write transaction."""
    with closing(apsw.Connection(str(store), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            return True
        return False


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Nobody else writes until the block ends. Waits up to a minute for whoever writes now."""
    with closing(apsw.Connection(str(store), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
        connection.set_busy_timeout(60_000)
        connection.execute("BEGIN IMMEDIATE")
        yield
