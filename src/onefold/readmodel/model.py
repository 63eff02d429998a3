"""The read model of one store in one process."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Condition, Event, Lock, Thread
from time import monotonic
from typing import Any, Final

import duckdb
import pyarrow as pa

from onefold.errors import OnefoldError
from onefold.model.namespaces import Kind, Namespaces
from onefold.model.traits import TraitRules
from onefold.readmodel import members
from onefold.readmodel.catching_up import level
from onefold.readmodel.database import Database, identity_of
from onefold.readmodel.place import Place
from onefold.store.base import Store

CLOSING_SECONDS: Final = 10.0
INTERRUPTING_SECONDS: Final = 0.01
NEVER: Final = float("-inf")
DAMAGED: Final = (duckdb.FatalException, duckdb.InternalException, duckdb.IOException, duckdb.SerializationException)
CORRUPT: Final = "Corrupt database file"
"""What DuckDB raises when its file is not what it wrote, or cannot be read; where a checksum is wrong, no more than an
Error that begins so."""
AS_OF: Final = "SELECT seq, commit_ms FROM internal.reached"

Parameters = Sequence[object] | Mapping[str, object]
"""Values by place (`?`, `$1`), or by name (`$name`)."""


class Asking:
    """One state of the read model, for reading on this thread until the block ends.

    The tables are those of graph_schema/readmodel, in the schema `internal`; views for people stand in `main`.

    Attributes:
        as_of_seq: the state of the store that it shows. as_of_ms: the time of that commit, 0 for an empty store.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """`cursor` has begun a transaction; this fixes which state it sees."""
        self._cursor: Final = cursor
        [(self.as_of_seq, self.as_of_ms)] = self.rows(AS_OF)

    def rows(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        return self._cursor.execute(sql, parameters).fetchall()

    def arrow(self, sql: str, parameters: Parameters = ()) -> pa.Table:
        """The same in columns."""
        return self._cursor.sql(sql, params=parameters).to_arrow_table()

    def batches(self, sql: str, parameters: Parameters = (), rows: int = 100_000) -> pa.RecordBatchReader:
        """The same in columns, so many rows at a time, for answers that may not fit into memory."""
        return self._cursor.sql(sql, params=parameters).to_arrow_reader(rows)

    def interrupt(self) -> None:
        """Break off what runs, from another thread."""
        self._cursor.interrupt()

    @contextmanager
    def bounded(self, most_seconds: float) -> Iterator[Event]:
        """What runs on it inside the block is broken off when the block takes longer (duckdb.InterruptException).

        -> what is set when it is."""
        over, done = Event(), Event()
        watching = Thread(target=self._watch, args=(most_seconds, over, done), daemon=True)
        watching.start()
        try:
            yield over
        finally:
            done.set()
            watching.join()

    def _watch(self, most_seconds: float, over: Event, done: Event) -> None:
        if done.wait(most_seconds):
            return
        over.set()
        while not done.wait(INTERRUPTING_SECONDS):  # again and again: a statement may just be about to run
            self.interrupt()


class ReadModel:
    """The read model of one store in one process, opened at the first question. It may be used from any thread."""

    def __init__(self, store: Store, place: Place, namespaces: Namespaces, traits: TraitRules) -> None:
        """`store` stays open as long as this is used. Nothing is read or opened yet."""
        self._store: Final = store
        self._place: Final = place
        self._traits: Final = traits
        self._named: Final = [n.name for n in namespaces if n.kind in (Kind.PERSON, Kind.CONTACT)]
        self._catching_up: Final = Lock()
        self._database: Database | None = None
        self._level_at = NEVER
        self._changed: Final = Condition(Lock())
        self._asking: Final[set[Asking]] = set()
        self._closed = self._damaged = False

    @contextmanager
    def ask(self, max_staleness_ms: int = 0) -> Iterator[Asking]:
        """A state of the store to ask about: as it is now or newer, or at most `max_staleness_ms` older.

        When others have committed since, the changes are read first, by one thread, for which others wait that cannot
        do with an older state. A question goes on with its state while the next is made.

        Raises: OnefoldError `store.…`; and where a statement is wrong, duckdb.Error.
        """
        wanted = monotonic() - max_staleness_ms / 1000
        if self._level_at < wanted:
            with self._catching_up:
                if self._level_at < wanted:  # whoever was waited for may have begun before this was asked
                    self._catch_up()
        with self._asked() as asking:
            yield asking

    def take_members(self) -> None:
        """Have the view of segments say who is in them as the store has it now. Raises: OnefoldError `store.…`."""
        with self._catching_up:
            if self._database is None:
                self._catch_up()
            if self._database is not None:
                members.level(self._database.connection, self._store)

    def close(self) -> None:
        """Let go of the file. Questions that others are in the middle of end with `store.unavailable`."""
        with self._changed:
            self._closed = True
            until = monotonic() + CLOSING_SECONDS
            while self._asking and monotonic() < until:
                for asking in self._asking:  # again and again: a question may just be about to be asked
                    asking.interrupt()
                self._changed.wait(INTERRUPTING_SECONDS)
        while not self._catching_up.acquire(timeout=INTERRUPTING_SECONDS):
            with suppress(AttributeError, duckdb.Error):  # it is being opened, or made anew
                self._database.connection.interrupt()  # type: ignore[union-attr]
        try:
            if self._database is not None:
                self._database.close()
                self._database = None
        finally:
            self._catching_up.release()

    def _catch_up(self) -> None:
        if self._closed:
            raise self._closed_error()
        begun, first = monotonic(), self._level_at == NEVER
        if self._database is None:
            self._database = Database(self._place, identity_of(self._store.secret, self._traits), self._traits)
        database = self._database
        with self._understood(database):
            if self._damaged:
                database.make_anew()
                self._damaged = False
            if self._brought_level(database, first=first) and first:
                self._open_again(database)
        self._level_at = begun

    def _brought_level(self, database: Database, *, first: bool) -> bool:
        """Whether it was far behind. If it is damaged it is made anew."""
        try:
            return level(database, self._store, self._named, first=first)
        except duckdb.Error as error:
            if not _is_damage(error) or database.is_of_spilling(error):
                raise
            self._level_at = NEVER
            database.make_anew()
            level(database, self._store, self._named, first=True)
            return False

    def _open_again(self, database: Database) -> None:
        self._database = None  # and stays so if that fails
        database.open_again()
        self._database = database
        self._brought_level(database, first=True)

    @contextmanager
    def _understood(self, database: Database) -> Iterator[None]:
        """What keeps the read model from answering, as onefold says it; what is wrong with a statement as it is."""
        try:
            yield
        except duckdb.InterruptException as error:
            if self._closed:
                raise self._closed_error() from error
            raise
        except duckdb.OutOfMemoryException as error:
            said = "the read model needs more memory than it may take"
            raise OnefoldError("store.unavailable", said, "Raise the setting read_model_memory.") from error
        except duckdb.Error as error:
            if not _is_damage(error):
                raise
            if database.is_of_spilling(error):
                said, hint = "the read model cannot write what does not fit into its memory", "Make room on the disk."
                raise OnefoldError("store.unavailable", said, hint) from error
            self._damaged, self._level_at = True, NEVER
            said, hint = "the read model's file is damaged", "Ask again: it is made anew from the store."
            raise OnefoldError("store.unavailable", said, hint) from error

    @contextmanager
    def _asked(self) -> Iterator[Asking]:
        """A question on a connection of its own, in a transaction that sees one state."""
        with self._changed:
            database = self._database
            if self._closed or database is None:
                raise self._closed_error()
            cursor = database.connection.cursor()
            asking = None
            try:
                cursor.execute("BEGIN TRANSACTION READ ONLY")
                asking = Asking(cursor)
                self._asking.add(asking)
            finally:
                if asking is None:
                    cursor.close()
        try:
            with self._understood(database):
                yield asking
        finally:
            with self._changed:
                self._asking.discard(asking)
                self._changed.notify_all()
            with suppress(duckdb.Error):
                cursor.close()

    def _closed_error(self) -> OnefoldError:
        return OnefoldError("store.unavailable", f"{self._store.describe()} was closed", "Open it again.")


def _is_damage(error: duckdb.Error) -> bool:
    return isinstance(error, DAMAGED) or str(error).startswith(CORRUPT)
