"""Saved segments and who is in them, for the view `segments`: told from the log of memberships.

They are no part of the change feed, so they are brought forward by themselves, and only for those who ask for them.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

import duckdb
import pyarrow as pa

from onefold.model.saved import MembershipChange, SavedSegment
from onefold.readmodel.filling import with_rows
from onefold.store.base import Store
from onefold.store.view import MovedError, View

PAGE: Final = 50_000
MOST_READS: Final = 3
MARK: Final = "memberships"
"""The fact in internal.meta that says how far the log was read."""
GONE: Final = "DELETE FROM internal.members WHERE (segment, anchor) IN (SELECT (segment, anchor) FROM rows)"
THERE: Final = (
    "INSERT INTO internal.members SELECT segment, anchor, arg_max(at_ms, number) FROM rows GROUP BY segment, anchor "
    "HAVING arg_max(entered, number)"
)

Made = TypeVar("Made")


def level(connection: duckdb.DuckDBPyConnection, store: Store) -> None:
    """Have the tables say what the store does, one transaction a page. Raises OnefoldError `store.…`."""
    full = True
    while full:
        lines = _read(store, partial(_page, after=_mark(connection)))
        full = len(lines) == PAGE
        if lines:
            _apply(connection, lines)
    _name(connection, _read(store, lambda view: view.segments()))


def _page(view: View, after: int) -> list[MembershipChange]:
    return view.membership_log(None, after, PAGE)


def _mark(connection: duckdb.DuckDBPyConnection) -> int:
    found = connection.execute("SELECT value FROM internal.meta WHERE name = ?", [MARK]).fetchone()
    return int(found[0]) if found else 0


def _apply(connection: duckdb.DuckDBPyConnection, lines: list[MembershipChange]) -> None:
    """Lines are taken up in their order: the last of each member counts."""
    names = ("number", "segment", "anchor", "entered", "at_ms")
    rows = pa.table({name: [getattr(line, name) for line in lines] for name in names})
    with connection.cursor() as writer:
        writer.execute("BEGIN")
        with_rows(writer, GONE, rows)
        with_rows(writer, THERE, rows)
        writer.execute("DELETE FROM internal.meta WHERE name = ?", [MARK])
        writer.execute("INSERT INTO internal.meta VALUES (?, ?)", [MARK, str(lines[-1].number)])
        writer.execute("COMMIT")


def _name(connection: duckdb.DuckDBPyConnection, segments: list[SavedSegment]) -> None:
    """The segments there are, by their names of now."""
    said = [(row.number, row.public_id, row.name) for row in segments]
    if connection.execute("SELECT * FROM internal.segments ORDER BY segment").fetchall() == said:
        return
    with connection.cursor() as writer:
        writer.execute("BEGIN")
        writer.execute("DELETE FROM internal.segments")
        if said:
            writer.executemany("INSERT INTO internal.segments VALUES (?, ?, ?)", [list(row) for row in said])
        writer.execute("COMMIT")


def _read(store: Store, work: Callable[[View], Made]) -> Made:
    """What `work` reads of one state."""
    for _ in range(MOST_READS):
        with suppress(MovedError), store.read() as view:
            return work(view)
    with store.read(hold=True) as view:
        return work(view)
