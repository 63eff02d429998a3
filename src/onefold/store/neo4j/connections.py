"""The connections of one process to one database: a pool of them, of which one at a time writes."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Lock
from time import monotonic, sleep
from typing import Any, Final, TypeVar

from neo4j import GraphDatabase, Query, Result, Session, Transaction

from onefold import __version__
from onefold.errors import OnefoldError
from onefold.store.neo4j.address import Address
from onefold.store.neo4j.errors import closed, in_our_words, no_longer_there
from onefold.store.passing import PassingError

CONNECTING_SECONDS: Final = 5.0
BUSY_SECONDS: Final = 10.0
IDLE_SECONDS: Final = 60.0
"""A connection that nobody used for so long is tried before it is used."""
READING_SECONDS: Final = 30.0
WRITING_SECONDS: Final = 120.0
"""How long Neo4j lets a transaction take, also one that waits for others."""
MOST_CONNECTIONS: Final = 24
PAUSES_SECONDS: Final = (0.0, 0.05, 0.2)
"""Before trying once more after a failure that may pass. After a restart of Neo4j every connection of the pool is dead,
and whoever finds that out first has the others closed: so the first time is at once."""
PATIENCE_SECONDS: Final = 1.0
"""A database that is just being started may take seconds to say so: then it is not asked again."""

Row = list[Any]
Answer = TypeVar("Answer")

# What goes wrong is told by those who asked; without a handler, Python would print it besides.
logging.getLogger("neo4j").addHandler(logging.NullHandler())


class Connections:
    """Runs statements on the database at `address`. Each takes one parameter, the map `p`, and answers with one row."""

    def __init__(self, address: Address) -> None:
        """Nobody is asked yet."""
        self.place: Final = str(address)
        self._database: Final = address.database
        self._driver: Final = GraphDatabase.driver(
            address.server,
            auth=address.auth,
            user_agent=f"onefold/{__version__}",
            connection_timeout=CONNECTING_SECONDS,
            connection_acquisition_timeout=BUSY_SECONDS,
            liveness_check_timeout=IDLE_SECONDS,
            max_connection_pool_size=MOST_CONNECTIONS,
            notifications_min_severity="OFF",
            telemetry_disabled=True,
        )
        self._writing: Final = Lock()
        self._closed = False

    def ask(self, statement: str, **p: Any) -> Row:
        """The row that a statement answers with, in a transaction of its own. It may be run more than once, so it
        changes nothing, or the same each time.

        Raises: OnefoldError `store.unavailable`, `store.busy`, `store.forbidden`, `store.read_only`.
        """
        query = Query(statement, timeout=READING_SECONDS)

        def answer() -> Row:
            with self._session() as session:
                return _only(session.run(query, p=p), self.place)

        return self._patiently(answer)

    def tell(self, statement: str, *, seconds: float, **p: Any) -> None:
        """Run a statement that answers nothing and may be run more than once. Raises as `ask`."""
        query = Query(statement, timeout=seconds)

        def run() -> None:
            with self._session() as session:
                session.run(query, p=p).consume()

        self._patiently(run)

    @contextmanager
    def reading(self, first: str, **p: Any) -> Iterator[tuple[Transaction, Row]]:
        """A transaction that is taken back when the block ends, and the row that its `first` statement answered with.

        Raises: as `ask`; and what the driver raises inside the block, in onefold's words.
        """
        with in_our_words(self.place), self._session() as session:
            transaction, row = self._patiently(lambda: self._begun(session, READING_SECONDS, first, p))
            with closing(transaction):
                yield transaction, row

    @contextmanager
    def writing(self, first: str, p: Callable[[], dict[str, Any]] = dict) -> Iterator[tuple[Transaction, Row]]:
        """A transaction for this thread alone, and the row that its `first` statement answered with. It is committed
        when the block ends, and taken back when that raises. `p`: is asked once no other thread writes.

        Raises: as `reading`, and `store.full`. What is a PassingError may be tried again as a whole.
        """
        if not self._writing.acquire(timeout=BUSY_SECONDS):
            raise OnefoldError(
                "store.busy", f"too many are writing to {self.place} at once", "Try again; nothing was changed."
            )
        try:
            with in_our_words(self.place), self._session() as session:
                parameters = p()
                transaction, row = self._patiently(lambda: self._begun(session, WRITING_SECONDS, first, parameters))
                with closing(transaction):
                    yield transaction, row
                    transaction.commit()
        finally:
            self._writing.release()

    def close(self) -> None:
        """Close all connections. What other threads are in the middle of ends with an error."""
        self._closed = True
        self._driver.close()

    def check_open(self) -> None:
        """Raise OnefoldError `store.unavailable` if it was closed."""
        if self._closed:
            raise closed(self.place)

    def _begun(self, session: Session, seconds: float, first: str, p: dict[str, Any]) -> tuple[Transaction, Row]:
        transaction = session.begin_transaction(timeout=seconds)
        try:
            return transaction, _only(transaction.run(first, p=p), self.place)
        except BaseException:
            transaction.close()
            raise

    def _session(self) -> Session:
        return self._driver.session(database=self._database)

    def _patiently(self, work: Callable[[], Answer]) -> Answer:
        """Do what may be done more than once, again after failures that may pass."""
        until = monotonic() + PATIENCE_SECONDS
        for pause in PAUSES_SECONDS:
            try:
                with in_our_words(self.place):
                    return work()
            except PassingError:
                if monotonic() + pause > until:
                    raise
                sleep(pause)
        with in_our_words(self.place):
            return work()


def _only(result: Result, place: str) -> Row:
    """The row of an answer. There is one unless the store, its head and its gate, are gone."""
    rows = result.values()
    if not rows:
        raise no_longer_there(place)
    [row] = rows
    return row
