"""The store itself: hands out write transactions and views."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from onefold.errors import OnefoldError
from onefold.model.events import Event
from onefold.model.ids import PublicIds
from onefold.model.namespaces import Namespaces
from onefold.model.traits import TraitRules
from onefold.store.base import Ahead
from onefold.store.columns import ColumnKind
from onefold.store.facts import Facts
from onefold.store.neo4j.connections import WRITING_SECONDS, Connections
from onefold.store.neo4j.errors import no_longer_there
from onefold.store.neo4j.reading.snapshot import Shared
from onefold.store.neo4j.reading.view import Neo4jView, viewing
from onefold.store.neo4j.writing.glance import Beginning, Glances
from onefold.store.neo4j.writing.known import Known
from onefold.store.neo4j.writing.names import Names
from onefold.store.neo4j.writing.statements import FIRST, NO_ROWS, WRITE
from onefold.store.neo4j.writing.transaction import Neo4jTransaction
from onefold.store.view import MovedError

if TYPE_CHECKING:
    import pyarrow as pa


class Neo4jStore:
    """A store in one database of a Neo4j server, made by `open_neo4j`. It may be used from any thread."""

    remote = True

    def __init__(
        self, connections: Connections, secret: bytes, namespaces: Namespaces, traits: TraitRules, *, read_only: bool
    ) -> None:
        """The database is known to be ours and up to date."""
        self.secret = secret
        self._connections: Final = connections
        self._facts: Final = Facts(PublicIds(secret), namespaces, traits)
        self._names: Final = Names(self._facts.ids)
        self._glances: Final = Glances(connections, self._names)
        self._shared: Final = Shared(self._facts)
        self._read_only: Final = read_only

    def warm_up(self) -> None:
        """Have Neo4j plan what writes, which takes it a second, on a busy machine many: not at the first event."""
        self._connections.tell(WRITE, seconds=WRITING_SECONDS, **NO_ROWS)

    def check(self) -> None:
        """Ask the server for a little of the database."""
        with self.read() as view:
            view.head()

    def describe(self) -> str:
        """Where the server is, and the database's name."""
        return self._connections.place

    def close(self) -> None:
        """Let go of the server. What other threads are in the middle of ends with `store.unavailable`."""
        self._connections.close()

    @contextmanager
    def read(self, *, wait: bool = True, hold: bool = False) -> Iterator[Neo4jView]:
        """A view of the store as it is now, for this thread. Unless it is to `hold`, it moves when somebody commits."""
        self._connections.check_open()
        with viewing(self._connections, self._shared, hold=hold) as view:
            yield view

    def page(self, kind: ColumnKind, after: int, upto: int, limit: int) -> "pa.Table":
        """The first rows with `after` < number <= `upto`, as they are while they are read: nobody waits for it."""
        while True:
            with suppress(MovedError), self.read() as view:
                return view.loose_page(self._connections, kind, after, upto, limit)

    def expect(self, events: Sequence[Event]) -> None:
        """Make the public ids that these are going to need."""
        self._names.expect(events)

    @contextmanager
    def write(self, ahead: Ahead | None = None) -> Iterator[Neo4jTransaction]:
        """A write transaction: it holds the lock of the head, so no other process writes until it ends."""
        if self._read_only:
            raise OnefoldError(
                "store.read_only", f"{self.describe()} was opened for reading only", "Open it for writing."
            )
        beginning = Beginning(ahead, self._names, self._glances)
        with self._connections.writing(FIRST, beginning.ask_first) as (transaction, [secret, *first]):
            if secret != self.secret:  # public ids made with the one that was read would name nobody
                raise no_longer_there(self.describe())
            writing = Neo4jTransaction(transaction, beginning, first, Known(self._names), self._facts)
            yield writing
            writing.finish()
        writing.committed()
        self._shared.last.head = writing.reached()
