"""A view: all that readers may ask of one state of the store."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from onefold.errors import OnefoldError
from onefold.store.neo4j.connections import Connections
from onefold.store.neo4j.reading.columns import InColumns
from onefold.store.neo4j.reading.copied import Copied
from onefold.store.neo4j.reading.gate import HEAD, READ_ONLY, Holding, Moving
from onefold.store.neo4j.reading.identities import Identities
from onefold.store.neo4j.reading.journeys import Journeys
from onefold.store.neo4j.reading.ledger import Ledger
from onefold.store.neo4j.reading.linked import Linked
from onefold.store.neo4j.reading.search import Search
from onefold.store.neo4j.reading.segments import Segments
from onefold.store.neo4j.reading.snapshot import Shared


class Neo4jView(Identities, Linked, Journeys, Ledger, Search, Segments, Copied, InColumns):
    """Answers each method in a constant number of statements, however many things are asked for."""

    __slots__ = ()


@contextmanager
def viewing(connections: Connections, shared: Shared, *, hold: bool) -> Iterator[Neo4jView]:
    """A view until the block ends. With `hold` nobody commits meanwhile; without, it moves when somebody does."""
    with ExitStack() as opened:
        holding = _holding(connections, shared, opened) if hold else None
        yield Neo4jView(holding or Moving(connections, shared.last), shared)


def _holding(connections: Connections, shared: Shared, opened: ExitStack) -> Holding | None:
    """Holds the gate until `opened` is closed; None where that cannot be, for nobody can commit either."""
    try:
        transaction, [_, head] = opened.enter_context(connections.reading(HEAD))
    except OnefoldError as error:
        if error.problem.code != READ_ONLY:
            raise
        return None
    shared.last.head = head
    return Holding(transaction, head)
