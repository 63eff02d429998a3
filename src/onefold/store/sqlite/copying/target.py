"""A file that is filled with the rows of another store."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Final

import apsw
import msgspec

from onefold.errors import OnefoldError
from onefold.model.copying import Origin, Progress, Row, RowKind
from onefold.store.searched import Searched, write_searched
from onefold.store.sqlite.connections import ASK_AGAIN_SECONDS, Connections
from onefold.store.sqlite.copying.tables import add_rows, read_origin, read_rows
from onefold.store.sqlite.errors import in_our_words
from onefold.store.sqlite.head import LAST
from onefold.store.sqlite.rows import ask
from onefold.store.sqlite.writing.indexing import index_claims, index_identifiers

ALONE_SECONDS: Final = 5.0
"""How long to wait until others have closed the file."""
UNFINISHED: Final = "copy"
"""The row of `meta` that an unfinished copy has: its progress."""
TABLES: Final = ("decisions_about", "leases", *RowKind)
SEARCH_TABLES: Final = ("identifier_search", "trait_search")

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Progress).decode


def is_unfinished(connection: apsw.Connection) -> bool:
    """Whether the file is a copy that is not complete."""
    return bool(_noted(connection))


class SqliteCopyTarget:
    """Writes on the one connection that it has; made by `open_sqlite_target`. It belongs to one thread."""

    def __init__(self, connections: Connections, searched: Searched) -> None:
        """The file is known to be ours and up to date. `searched`: the traits that shall be found."""
        self._connections: Final = connections
        self._writer: Final = connections.writer
        self._searched: Final = searched

    def describe(self) -> str:
        """The path of the file."""
        return self._connections.place

    def close(self) -> None:
        """Let go of the file."""
        self._connections.close()

    def origin(self) -> Origin:
        """Which state of which store is there."""
        with in_our_words(self.describe()):
            return read_origin(self._writer)

    def rows(self, kind: RowKind, after: int, limit: int) -> list[Row]:
        """At most `limit` rows with numbers above `after`, in their order."""
        with in_our_words(self.describe()):
            return read_rows(self._writer, kind, after, limit)

    def progress(self) -> Progress | None:
        """How far an unfinished copy has come; None if this is none."""
        with in_our_words(self.describe()):
            noted = _noted(self._writer)
        return _decode(noted) if noted else None

    def begin(self, origin: Origin) -> Progress:
        """Make it an unfinished copy without rows. Nobody who has opened the file before may go on with it, for its
        secret becomes another."""
        progress = Progress(origin)
        with in_our_words(self.describe()), self._alone() as connection:
            if not is_unfinished(connection) and not read_origin(connection).empty:
                raise OnefoldError(
                    "copy.target_not_empty",
                    f"{self.describe()} holds something else already",
                    "Name a store that does not exist yet.",
                    "to",
                )
            _empty(connection)
            facts = {
                "secret": origin.secret,
                "rules": origin.rules,
                "searchable": write_searched(self._searched),
                "identifiers_indexed": 0,
                "claims_indexed": 0,
                UNFINISHED: _encode(progress),
            }
            connection.executemany("REPLACE INTO meta (name, value) VALUES (?, ?)", list(facts.items()))
        return progress

    def take(self, rows: list[Row], before: Progress, after: Progress) -> None:
        """Add rows of `after.kind`, and note the progress, in one transaction."""
        with self._transaction(before) as connection:
            add_rows(connection, after.kind, rows)
            if after.kind is RowKind.IDENTIFIERS:
                index_identifiers(connection, 0, after.after)
            elif after.kind is RowKind.CLAIMS:
                index_claims(connection, 0, after.after)
            connection.execute("UPDATE meta SET value = ? WHERE name = ?", (_encode(after), UNFINISHED))

    def complete(self, progress: Progress) -> None:
        """All rows are there: from now on it is a store like any other."""
        with self._transaction(progress) as connection:
            connection.execute("DELETE FROM meta WHERE name = ?", (UNFINISHED,))

    @contextmanager
    def _transaction(self, before: Progress) -> Iterator[apsw.Connection]:
        """A write transaction on a copy whose progress is as it was."""
        with in_our_words(self.describe()), _begun(self._writer, "IMMEDIATE"):
            if _noted(self._writer) != _encode(before):
                raise OnefoldError(
                    "store.busy", f"another copy is being made to {self.describe()}", "Wait until that is complete."
                )
            yield self._writer

    @contextmanager
    def _alone(self) -> Iterator[apsw.Connection]:
        """A transaction while nobody else has the file open. Whoever has, has locked it as long as it has a log."""
        connection = self._writer
        connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        try:
            self._take_log_away()
            with _begun(connection, "EXCLUSIVE"):
                yield connection
        finally:
            connection.execute("PRAGMA locking_mode = NORMAL").fetchall()
            ask(connection, LAST)  # the lock is let go of by what is read next
            self._connections.prepare_to_write()

    def _take_log_away(self) -> None:
        """Raises `store.busy` when others have the file open, and do not close it soon."""
        until = monotonic() + ALONE_SECONDS
        while True:
            try:
                self._writer.execute("PRAGMA journal_mode = DELETE").fetchall()
            except apsw.BusyError as error:
                if monotonic() > until:
                    message = f"others have {self.describe()} open"
                    raise OnefoldError("store.busy", message, "Stop them, or name another store.", "to") from error
                sleep(ASK_AGAIN_SECONDS)
            else:
                return


@contextmanager
def _begun(connection: apsw.Connection, how: str) -> Iterator[None]:
    """A transaction; what raises takes it back."""
    connection.execute(f"BEGIN {how}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _noted(connection: apsw.Connection) -> bytes | None:
    noted = ask(connection, "SELECT value FROM meta WHERE name = ?", UNFINISHED)
    return noted[0][0] if noted else None


def _empty(connection: apsw.Connection) -> None:
    """Delete all rows, and what followed from them."""
    for table in TABLES:
        connection.execute(f"DELETE FROM {table}")
    for table in SEARCH_TABLES:
        connection.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")
