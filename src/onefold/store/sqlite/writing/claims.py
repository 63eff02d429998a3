"""Claims: what identify events say, one row for each identifier, trait, source and value."""

from collections.abc import Callable, Iterable
from typing import Final

import apsw

from onefold.model.sources import Source
from onefold.store.kept import MOST_VALUES, Kept, said_in
from onefold.store.sqlite.rows import ask
from onefold.store.sqlite.writing.indexing import index_claims, unindex_claims

LAST: Final = "SELECT coalesce(max(number), 0) FROM claims"
SAY: Final = (
    "INSERT INTO claims (identifier, trait, source, hash, value, first_ms, last_ms, count) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1) ON CONFLICT (identifier, trait, source, hash) DO UPDATE SET "
    "first_ms = min(first_ms, ?6), last_ms = max(last_ms, ?6), count = count + 1"
)
# NOT INDEXED: what is newer is found by its number; SQLite would rather read all of claims_said, to save the sorting.
PRUNE: Final = (
    "DELETE FROM claims WHERE number IN (SELECT old.number "
    "FROM (SELECT DISTINCT identifier, trait, source FROM claims NOT INDEXED WHERE number > ?) new "
    "CROSS JOIN claims old ON old.number IN (SELECT c.number FROM claims c "
    "WHERE c.identifier = new.identifier AND c.trait = new.trait AND c.source = new.source "
    f"ORDER BY c.last_ms DESC, c.value LIMIT -1 OFFSET {MOST_VALUES})) "
    "RETURNING number, trait, value"
)


def write_claims(
    connection: apsw.Connection, kept: Iterable[Kept], source_number: Callable[[Source], int]
) -> list[int]:
    """Count what the events say, of the strongest identifier of each; -> the identifiers whose claims changed."""
    rows = said_in(kept, source_number)
    if not rows:
        return []
    before = _last(connection)
    connection.executemany(SAY, rows)
    last = _last(connection)
    if last > before:
        pruned = ask(connection, PRUNE, before)
        if pruned:
            unindex_claims(connection, pruned)
            last = _last(connection)  # numbers of the last ones are given out again
        index_claims(connection, before, last)
    return list(dict.fromkeys(row[0] for row in rows))


def _last(connection: apsw.Connection) -> int:
    last: int = ask(connection, LAST)[0][0]
    return last
