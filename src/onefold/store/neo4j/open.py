"""Opening a store in Neo4j."""

from contextlib import closing

from onefold.model.namespaces import Kind, Namespaces
from onefold.model.traits import TraitRules
from onefold.store.neo4j.address import Address
from onefold.store.neo4j.connections import Connections
from onefold.store.neo4j.copying.target import Neo4jCopyTarget
from onefold.store.neo4j.schema import known, migrate, prepare
from onefold.store.neo4j.store import Neo4jStore
from onefold.store.searched import searched_by


def exists(address: Address) -> bool:
    """Whether there is a store in the database. Raises as `open_neo4j` does."""
    with closing(Connections(address)) as connections:
        return known(connections).version > 0


def open_neo4j(address: Address, namespaces: Namespaces, traits: TraitRules, *, read_only: bool = False) -> Neo4jStore:
    """The store in the database at `address`; unless `read_only`, it is made if there is none.

    Raises:
        OnefoldError: `store.unavailable`, of which a PassingError may pass by itself; `store.busy`, `store.forbidden`;
            `store.read_only`; `store.not_ours`; `store.newer_schema`; `store.rules_changed`: its customers were
            stitched by other namespaces; `store.unfinished_copy`.
    """
    connections = Connections(address)
    try:
        secret = prepare(connections, namespaces, searched_by(traits), read_only=read_only)
        store = Neo4jStore(connections, secret, namespaces, traits, read_only=read_only)
        if not read_only:
            store.warm_up()
    except BaseException:
        connections.close()
        raise
    return store


def open_neo4j_target(address: Address, namespaces: Namespaces, traits: TraitRules) -> Neo4jCopyTarget:
    """The database at `address`, to be filled with another store's rows.

    Raises:
        OnefoldError: as `open_neo4j`, but neither `store.rules_changed` nor `store.unfinished_copy`.
    """
    connections = Connections(address)
    try:
        migrate(connections, namespaces)
    except BaseException:
        connections.close()
        raise
    devices = frozenset(namespace.name for namespace in namespaces if namespace.kind is Kind.DEVICE)
    return Neo4jCopyTarget(connections, devices, searched_by(traits))
