"""The floor: the rows that a run wrote, written again by a bare script to the same tables with the same commits.

A recording takes down every statement that writes, with its values, commit by commit. Replaying it costs what SQLite
costs and nothing else: no decoding, no reading, no deciding.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

Run = tuple[str, list[Any]]
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "wal_autocheckpoint = 16000",
    "cache_size = -131072",
    "temp_store = MEMORY",
)


class Recording:
    """What was written: `commits`, each a list of runs of one statement."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.commits: list[list[Run]] = []
        self._open: list[Run] = []

    @contextmanager
    def of(self, connection: apsw.Connection) -> Iterator[None]:
        """Take down what this connection does inside the block."""
        connection.exec_trace = self._trace
        try:
            yield
        finally:
            connection.exec_trace = None

    def _trace(self, _: apsw.Cursor, statement: str, values: Any) -> bool:
        word = statement.lstrip().split(None, 1)[0].upper()
        if word == "COMMIT":
            self.commits.append(self._open)
            self._open = []
        elif word in {"INSERT", "UPDATE", "DELETE"}:
            if self._open and self._open[-1][0] == statement:
                self._open[-1][1].append(values)
            else:
                self._open.append((statement, [values]))
        return True

    def replay(self, path: Path) -> None:
        """Write it all to the file at `path`, which is as the recorded one was before."""
        connection = apsw.Connection(str(path), statementcachesize=256)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        for commit in self.commits:
            connection.execute("BEGIN IMMEDIATE")
            for statement, rows in commit:
                connection.executemany(statement, rows)
            connection.execute("COMMIT")
        connection.close()


def checksum(path: Path, since: int) -> dict[str, tuple[int, str]]:
    """Rows and their hash by table; of touchpoints, changes and commits those after sequence number `since`."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    ordered = {
        "identifiers": "number",
        "customers": "key",
        "links": "pair",
        "touchpoints": "number",
        "claims": "number",
        "decisions": "seq",
        "changes": "seq",
        "commits": "seq",
        "identifier_search_data": "id",
    }
    found = {}
    for table, key in ordered.items():
        where = f"WHERE {key} > {since}" if table in {"touchpoints", "changes", "decisions", "commits"} else ""
        digest, count = hashlib.blake2b(digest_size=16), 0
        for row in connection.execute(f"SELECT * FROM {table} {where} ORDER BY {key}"):
            digest.update(repr(row).encode())
            count += 1
        found[table] = count, digest.hexdigest()
    connection.close()
    return found
