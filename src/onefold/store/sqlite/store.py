"""The store itself: hands out write transactions and views."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import apsw

from onefold.errors import OnefoldError
from onefold.model.events import Event
from onefold.model.ids import PublicIds
from onefold.model.namespaces import Namespaces
from onefold.model.traits import TraitRules
from onefold.store.base import Ahead
from onefold.store.columns import ColumnKind
from onefold.store.facts import Facts
from onefold.store.sqlite.connections import Connections
from onefold.store.sqlite.errors import in_our_words
from onefold.store.sqlite.reading.view import SqliteView
from onefold.store.sqlite.writing.transaction import SqliteTransaction

if TYPE_CHECKING:
    import pyarrow as pa


class SqliteStore:
    """A store in one SQLite file, made by `open_sqlite`. It may be used from any thread."""

    remote = False

    def __init__(
        self, connections: Connections, secret: bytes, namespaces: Namespaces, traits: TraitRules, *, read_only: bool
    ) -> None:
        """The file is known to be ours and up to date."""
        self.secret = secret
        self._connections: Final = connections
        self._facts: Final = Facts(PublicIds(secret), namespaces, traits)
        self._read_only: Final = read_only

    def check(self) -> None:
        """Read a little of the file, as somebody does who comes to it new."""
        with in_our_words(self.describe()):
            self._connections.check()

    def describe(self) -> str:
        """The path of the file."""
        return self._connections.place

    def close(self) -> None:
        """Let go of the file. What other threads are in the middle of ends with `store.unavailable`."""
        self._connections.close()

    @contextmanager
    def read(self, *, wait: bool = True, hold: bool = False) -> Iterator[SqliteView]:
        """A view of the store as it is now, for this thread; it keeps its state, whether it is to `hold` or not."""
        with in_our_words(self.describe()):
            reader = self._connections.take_reader(wait=wait)
            try:
                reader.execute("BEGIN")
                yield SqliteView(reader, self._facts)
            finally:
                try:
                    _take_back(reader)
                finally:
                    self._connections.give_back(reader)

    def page(self, kind: ColumnKind, after: int, upto: int, limit: int) -> "pa.Table":
        """The first rows with `after` < number <= `upto`, as they are now."""
        with self.read() as view:
            return view.page(kind, after, upto, limit)

    def expect(self, events: Sequence[Event]) -> None:
        """Nothing takes long enough to be done before."""

    @contextmanager
    def write(self, ahead: Ahead | None = None) -> Iterator[SqliteTransaction]:
        """A write transaction, begun at once: no other process writes until it ends. What is asked is read when it is
        asked, whether it is known `ahead` or not."""
        if self._read_only:
            raise OnefoldError(
                "store.read_only", f"{self.describe()} was opened for reading only", "Open it for writing."
            )
        with self._connections.writing() as connection, in_our_words(self.describe()):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteTransaction(connection, self._facts.ids)
                connection.execute("COMMIT")
            except BaseException:
                _take_back(connection)
                raise


def _take_back(connection: apsw.Connection) -> None:
    """End a transaction; a full disk, or closing the store, has ended it already."""
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except apsw.ConnectionClosedError:
        pass
