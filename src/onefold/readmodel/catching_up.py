"""Bringing the read model level with a store: when it breaks off, the state before is there.

It is one transaction as far as anybody can see. When a process brings it level for the first time nobody can ask yet,
and there may be very much to read: then that is committed in parts. Invariant: what is beyond the progress that is
noted does not count, and goes before anything is added.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from onefold.model.copying import RowKind
from onefold.readmodel.database import Database
from onefold.readmodel.filling import (
    CUSTOMERS,
    PAGE_ROWS,
    PROFILES,
    append_touchpoints,
    clear,
    fill,
    insert,
    with_rows,
)
from onefold.store.base import Store
from onefold.store.columns import Changed, ColumnKind
from onefold.store.view import Head, MovedError, View

FAR: Final = 100_000
"""A read model that is farther behind first reads touchpoints in pages for which nobody waits."""
PORTION: Final = 50_000
TRIES: Final = 2
"""How often a view may move before one is held, for which commits wait."""

BEYOND: Final = "DELETE FROM internal.touchpoints WHERE number > $1"
DELETE: Final = "DELETE FROM internal.{table} WHERE {column} IN (SELECT number FROM rows)"
AMONG: Final = "AND i.customer IN (SELECT number FROM rows)"
SUBJECTS: Final = (
    "UPDATE internal.touchpoints SET subject = r.subject FROM rows r "
    "WHERE touchpoints.number = r.number AND touchpoints.subject <> r.subject"
)


def level(database: Database, store: Store, named: list[str], *, first: bool) -> bool:
    """Bring the database level with the store as it is now, or newer; -> whether it was far behind.

    Args:
        named: namespaces whose identifiers make a customer known.
        first: whether nobody can ask before this is done, and the store may be another state than the one that the
            database was made of, so that it is to be looked at.

    Raises: OnefoldError `store.…`; duckdb.Error. The database is then as it was.
    """
    if first:
        database.connection.execute(BEYOND, [database.seq])
    with store.read(hold=first) as view:
        head = view.head()
        gone_back = head.seq < database.seq or (first and _commit(view, database.seq) != database.commit)
    behind = head.seq if gone_back else head.seq - database.seq
    if not behind and not gone_back:
        return False
    database.connection.execute("BEGIN")
    try:
        parted = partial(_commit_part, database.connection) if first else _go_on
        after, touchpoints = _in_pages(database, store, head, named, parted, anew=gone_back)
        _in_one_view(database, store, after, touchpoints, named)
        database.connection.execute("COMMIT")
    except BaseException:
        database.take_back()
        raise
    return behind > FAR


def _commit_part(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("COMMIT")
    connection.execute("BEGIN")


def _go_on() -> None:
    """Somebody may ask meanwhile: nothing is committed before all is there."""


def _in_pages(
    database: Database, store: Store, head: Head, named: list[str], parted: Callable[[], None], *, anew: bool
) -> tuple[int, int]:
    """Read what would keep others waiting for long; -> the seq since when all changes are to be looked at, and up to
    which number touchpoints are there."""
    connection, seq = database.connection, database.seq
    if anew or not seq:
        clear(connection)
        database.progressed(0, "", 0)
        fill(connection, store, head, named, parted)
        return head.seq, head.seq
    if head.seq - seq > FAR:
        append_touchpoints(connection, store, seq, head.seq, parted)
        return seq, head.seq
    return seq, seq


def _in_one_view(database: Database, store: Store, after: int, touchpoints: int, named: list[str]) -> None:
    """Make all that is there one state. What was written before a view moved is written again."""
    for tries in range(TRIES + 1):
        try:
            with store.read(hold=tries == TRIES) as view:
                for rows in _new_touchpoints(view, touchpoints):
                    insert(database.connection, ColumnKind.TOUCHPOINTS, rows)
                    touchpoints = rows.column(0)[-1].as_py()
                _apply(database.connection, view, view.changed(after), named)
                seq = view.head().seq
                commit = _commit(view, seq)
        except MovedError:
            continue
        database.progressed(seq, commit, msgspec.json.decode(commit)[1] if commit else 0)
        return


def _new_touchpoints(view: View, after: int) -> Iterator[pa.Table]:
    upto = view.head().seq
    while (rows := view.page(ColumnKind.TOUCHPOINTS, after, upto, PAGE_ROWS)).num_rows:
        yield rows
        after = rows.column(0)[-1].as_py()


def _apply(connection: duckdb.DuckDBPyConnection, view: View, changed: Changed, named: list[str]) -> None:
    """Write anew what changed."""
    for portion in _portions(changed.touchpoints):
        with_rows(connection, SUBJECTS, view.columns(ColumnKind.SUBJECTS, portion))
    changed_customers, profiled = set(changed.customers), set(changed.customers)
    said_of = pa.array(changed.claims_of, pa.int64())
    for portion in _portions(changed.identifiers):
        rows = view.columns(ColumnKind.IDENTIFIERS, portion)
        _replace(connection, ColumnKind.IDENTIFIERS, "number", portion, rows)
        changed_customers.update(rows["customer"].to_pylist())
        # Of whom something was said, an event named.
        profiled.update(rows.filter(pc.is_in(rows["number"], said_of))["customer"].to_pylist())
    for portion in _portions(sorted(changed_customers)):
        with_rows(connection, DELETE.format(table="customers", column="customer"), _numbers(portion))
        with_rows(connection, CUSTOMERS, view.columns(ColumnKind.CUSTOMERS, portion), named=named)
    for kind, identifiers in ((ColumnKind.CLAIMS, changed.claims_of), (ColumnKind.CONSENTS, changed.consents_of)):
        for portion in _portions(identifiers):
            _replace(connection, kind, "identifier", portion, view.columns(kind, portion))
    for portion in _portions(sorted(profiled)):
        with_rows(connection, DELETE.format(table="profiles", column="customer"), _numbers(portion))
        with_rows(connection, PROFILES.format(among=AMONG), _numbers(portion))


def _replace(
    connection: duckdb.DuckDBPyConnection, kind: ColumnKind, column: str, portion: "array[int]", rows: pa.Table
) -> None:
    """Have these rows in the place of those whose `column` is in the portion."""
    with_rows(connection, DELETE.format(table=kind.value, column=column), _numbers(portion))
    insert(connection, kind, rows)


def _portions(values: Iterable[int]) -> "Iterator[array[int]]":
    held = values if isinstance(values, array) else array("q", values)
    for start in range(0, len(held), PORTION):
        yield held[start : start + PORTION]


def _numbers(values: "array[int]") -> pa.Table:
    return pa.table({"number": pa.array(values, pa.int64())})


def _commit(view: View, seq: int) -> str:
    """The store's commit that ended at this sequence number, as text: two histories of a store differ in it. It is
    empty when there is none."""
    rows = view.rows(RowKind.COMMITS, seq - 1, 1)
    return msgspec.json.encode(rows[0]).decode() if rows and rows[0][0] == seq else ""
