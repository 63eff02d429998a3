"""A view: all that readers may ask of one state of the store."""

from collections.abc import Iterator
from contextlib import contextmanager

from onefold.store.neo4j.connections import Connections
from onefold.store.neo4j.reading.copied import Copied
from onefold.store.neo4j.reading.gate import HEAD, Holding, Moving
from onefold.store.neo4j.reading.identities import Identities
from onefold.store.neo4j.reading.journeys import Journeys
from onefold.store.neo4j.reading.ledger import Ledger
from onefold.store.neo4j.reading.linked import Linked
from onefold.store.neo4j.reading.search import Search
from onefold.store.neo4j.reading.snapshot import Shared


class Neo4jView(Identities, Linked, Journeys, Ledger, Search, Copied):
    """Answers each method in a constant number of statements, however many things are asked for."""

    __slots__ = ()


@contextmanager
def viewing(connections: Connections, shared: Shared, *, hold: bool) -> Iterator[Neo4jView]:
    """A view until the block ends. With `hold` nobody commits meanwhile; without, it moves when somebody does."""
    if not hold:
        yield Neo4jView(Moving(connections, shared.last), shared)
        return
    with connections.reading(HEAD) as (transaction, [_, head]):
        shared.last.head = head
        yield Neo4jView(Holding(transaction, head), shared)
