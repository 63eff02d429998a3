"""The floor: the rows that a run wrote, written again by a bare script to the same tables with the same commits.

A recording takes down every statement that writes, with its values, commit by commit. Replaying it costs what SQLite
costs and nothing else: no decoding, no reading, no deciding.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw

from onefold.store.sqlite.connections import EVERY, WRITER

Run = tuple[str, list[Any]]
Commit = list[Run]
"""What one transaction wrote: runs of one statement each."""

PRAGMAS: Final = ("journal_mode = WAL", *EVERY, *WRITER)
"""As the store's own writer has them."""
BY_NUMBER: Final = {"touchpoints": "number", "changes": "seq", "decisions": "seq", "commits": "seq"}
"""Tables that only grow, and what by."""


@contextmanager
def recording(into: list[Commit]) -> Iterator[None]:
    """Take down what connections write that are opened inside the block, for as long as they live."""
    hook = _Recorder(into).attach
    apsw.connection_hooks.append(hook)
    try:
        yield
    finally:
        apsw.connection_hooks.remove(hook)


class _Recorder:
    def __init__(self, commits: list[Commit]) -> None:
        self._commits = commits
        self._open: Commit = []

    def attach(self, connection: apsw.Connection) -> None:
        connection.exec_trace = self._trace

    def _trace(self, _: apsw.Cursor, statement: str, values: Any) -> bool:
        word = statement.lstrip().split(None, 1)[0].upper()
        if word == "COMMIT":
            self._commits.append(self._open)
            self._open = []
        elif word in {"INSERT", "UPDATE", "DELETE"}:
            if self._open and self._open[-1][0] == statement:
                self._open[-1][1].append(values)
            else:
                self._open.append((statement, [values]))
        return True


class Floor:
    """A bare connection to a file."""

    def __init__(self, path: Path) -> None:
        """Open it as the service does."""
        self._connection = apsw.Connection(str(path), statementcachesize=256)
        for pragma in PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}").fetchall()

    def write(self, commits: Sequence[Commit]) -> None:
        """Write what was recorded; the file is as the recorded one was before."""
        connection = self._connection
        for commit in commits:
            connection.execute("BEGIN IMMEDIATE")
            for statement, rows in commit:
                connection.executemany(statement, rows)
            connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def head_of(path: Path) -> int:
    """The last sequence number of a store."""
    return int(_ask(path, "SELECT max(seq) FROM commits")[0][0])


def checksums(path: Path, since: int) -> dict[str, tuple[int, str]]:
    """Rows and their hash by table; of tables that only grow, the rows after sequence number `since`."""
    tables = _ask(path, "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
    found = {}
    for (table,) in tables:
        where = f"WHERE {BY_NUMBER[table]} > {since}" if table in BY_NUMBER else ""
        digest, count = hashlib.blake2b(digest_size=16), 0
        for row in _rows(path, f"SELECT * FROM {table} {where} ORDER BY 1, 2"):
            digest.update(repr(row).encode())
            count += 1
        found[table] = count, digest.hexdigest()
    return found


def _ask(path: Path, statement: str) -> list[tuple[Any, ...]]:
    return list(_rows(path, statement))


def _rows(path: Path, statement: str) -> Iterator[tuple[Any, ...]]:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        yield from connection.execute(statement)
    finally:
        connection.close()
