"""Writing rows of a store into the tables of the read model."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from onefold.model.moments import moment_ms
from onefold.store.base import Store
from onefold.store.columns import ColumnKind
from onefold.store.view import Head

PAGE_ROWS: Final = 50_000
PART_PAGES: Final = 5
"""What a transaction adds stays in memory until it is committed, whatever the limit: some 500 bytes a touchpoint."""
NO_END: Final = 1 << 62
"""Above every number."""

DATED: Final = r'^"\d{4}-\d\d-\d\d'
"""How the JSON of a date or time begins."""

FORMS: Final[Mapping[ColumnKind, str]] = {
    ColumnKind.TOUCHPOINTS: "SELECT number, unhex(message), message_id, source, at_ms, received_ms, type, name, "
    "channel, campaign, internal.amount(revenue), currency, subject, device, body FROM rows",
    ColumnKind.IDENTIFIERS: "SELECT number, internal.letters(public), namespace, value, customer, generic, first_ms, "
    "last_ms FROM rows",
    ColumnKind.CLAIMS: "SELECT identifier, trait, source, trust, value, internal.json_number(value), "
    "time_ms, first_ms, last_ms, count FROM rows",
    ColumnKind.CONSENTS: "SELECT identifier, purpose, given, at_ms, source, trust FROM rows",
}
"""`rows` of each kind as its table holds them."""

# Customers are derived from their identifiers; `rows` are their anchors, `named` the namespaces that make one known.
CUSTOMERS: Final = (
    "INSERT INTO internal.customers SELECT r.number, r.anchor, 'cus_' || a.public, s.first_ms, s.last_ms, NOT s.known "
    "FROM rows r JOIN internal.identifiers a ON a.number = r.anchor JOIN ("
    "SELECT customer, min(first_ms) AS first_ms, max(last_ms) AS last_ms, "
    "bool_or(list_contains($named, namespace)) AS known FROM internal.identifiers "
    "WHERE customer IN (SELECT number FROM rows) GROUP BY customer) s ON s.customer = r.number"
)
# What onefold.model.traits.survivor says: by trust (where sources are ranked, by that first), then by the trait's rule,
# then by the value, and among claims of one value by identifier and source. Texts are in the order of code points.
PROFILES: Final = (
    "WITH said AS (SELECT i.customer, c.*, i.namespace, i.value AS name, "
    "coalesce(own.survivorship, other.survivorship) AS rule, coalesce(own.sources, other.sources) AS sources, "
    "sum(c.count) OVER (PARTITION BY i.customer, c.trait, c.trust, c.value) AS often "
    "FROM internal.claims c JOIN internal.identifiers i ON i.number = c.identifier "
    "LEFT JOIN internal.trait_rules own ON own.trait = c.trait JOIN internal.trait_rules other ON other.trait IS NULL "
    "WHERE i.customer <> 0 {among}) "
    "INSERT INTO internal.profiles SELECT said.* EXCLUDE (namespace, name, rule, sources, often) FROM said "
    "QUALIFY row_number() OVER (PARTITION BY customer, trait ORDER BY "
    "CASE rule WHEN 'source_order' THEN coalesce(list_position(sources, source), len(sources) + 1) ELSE 0 END, trust, "
    "CASE rule WHEN 'oldest' THEN first_ms WHEN 'most_frequent' THEN -often ELSE -last_ms END, "
    "value, CASE rule WHEN 'oldest' THEN 0 ELSE -last_ms END, namespace, name, source) = 1"
)
"""The profiles of all customers, or of those `among`."""
EVERYTHING: Final = (*FORMS, "customers", "profiles", "segments", "members")


def insert(connection: duckdb.DuckDBPyConnection, kind: ColumnKind, rows: pa.Table) -> None:
    """Add rows to the table of their kind; customers come by CUSTOMERS."""
    if kind is ColumnKind.CLAIMS:
        rows = _with_times(rows)
    with_rows(connection, f"INSERT INTO internal.{kind} {FORMS[kind]}", rows)


def with_rows(connection: duckdb.DuckDBPyConnection, statement: str, rows: pa.Table, **p: object) -> None:
    """Run a statement that reads `rows`."""
    if rows.num_rows:
        connection.register("rows", rows)
        try:
            connection.execute(statement, p or None)
        except BaseException:
            with suppress(duckdb.Error):  # of a transaction that the error has ended, which would hide the error
                connection.unregister("rows")
            raise
        connection.unregister("rows")


def _with_times(claims: pa.Table) -> pa.Table:
    """With a column `time_ms`: the times that values are."""
    dated = pc.if_else(pc.match_substring_regex(claims["value"], DATED), claims["value"], None).to_pylist()
    times = [None if value is None else moment_ms(value[1:-1]) for value in dated]
    return claims.append_column("time_ms", pa.array(times, pa.int64()))


def clear(connection: duckdb.DuckDBPyConnection) -> None:
    """Delete all that is from the store, and how far that was read."""
    for table in EVERYTHING:
        connection.execute(f"DELETE FROM internal.{table}")
    connection.execute("DELETE FROM internal.meta WHERE name = 'memberships'")


def fill(
    connection: duckdb.DuckDBPyConnection, store: Store, head: Head, named: list[str], parted: Callable[[], None]
) -> None:
    """Fill empty tables with all there is, as it is while it is read: at least as new as `head`. `parted`: is called
    after each part of it, where the transaction may end and another begin."""
    ends = {ColumnKind.TOUCHPOINTS: head.seq, ColumnKind.IDENTIFIERS: head.identifier}
    for kind in FORMS:
        for rows in _parts(_pages(store, kind, 0, ends.get(kind, NO_END)), parted):
            insert(connection, kind, rows)
    for rows in _pages(store, ColumnKind.CUSTOMERS, 0, head.customer):
        with_rows(connection, CUSTOMERS, rows, named=named)
    connection.execute(PROFILES.format(among=""))


def append_touchpoints(
    connection: duckdb.DuckDBPyConnection, store: Store, after: int, upto: int, parted: Callable[[], None]
) -> None:
    """Add the touchpoints with `after` < number <= `upto`, with the subjects that they have while they are read.
    `parted`: as of `fill`."""
    for rows in _parts(_pages(store, ColumnKind.TOUCHPOINTS, after, upto), parted):
        insert(connection, ColumnKind.TOUCHPOINTS, rows)


def _parts(pages: Iterator[pa.Table], parted: Callable[[], None]) -> Iterator[pa.Table]:
    for number, page in enumerate(pages, 1):
        yield page
        if number % PART_PAGES == 0:
            parted()


def _pages(store: Store, kind: ColumnKind, after: int, upto: int) -> Iterator[pa.Table]:
    """All pages of a kind; the next is read while one is written."""
    with ThreadPoolExecutor(1, "read-model") as reader:
        page = reader.submit(store.page, kind, after, upto, PAGE_ROWS).result()
        while page.num_rows:
            after = page.column(0)[-1].as_py()
            following = reader.submit(store.page, kind, after, upto, PAGE_ROWS)
            yield page
            page = following.result()
