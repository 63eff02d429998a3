"""Where a store stands: the last row of `commits`."""

from typing import Final

import apsw
import msgspec

from onefold.store.sqlite.rows import ask
from onefold.store.view import Head

LAST: Final = (
    "SELECT seq, identifier, customer, judgement, customers, links, touchpoints, decisions "
    "FROM commits ORDER BY seq DESC LIMIT 1"
)
COMMIT: Final = (
    "INSERT INTO commits (seq, identifier, customer, judgement, customers, links, touchpoints, decisions, at_ms) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Totals(msgspec.Struct, frozen=True):
    """How many there are; counted up with each commit, because SQLite would count row by row."""

    customers: int
    links: int
    touchpoints: int
    decisions: int


def read_head(connection: apsw.Connection) -> tuple[Head, Totals]:
    """The head of the transaction that is open, and the totals."""
    rows = ask(connection, LAST)
    if not rows:
        return Head(0, 0, 0, 0), Totals(0, 0, 0, 0)
    return Head(*rows[0][:4]), Totals(*rows[0][4:])


def write_head(connection: apsw.Connection, head: Head, totals: Totals, at_ms: int) -> None:
    """A commit's row."""
    connection.execute(COMMIT, (*msgspec.structs.astuple(head), *msgspec.structs.astuple(totals), at_ms))
