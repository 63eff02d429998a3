"""What every part of a view reads from: one state of the store."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import apsw

from onefold.model.ids import PublicIds
from onefold.model.namespaces import Kind, Namespaces
from onefold.model.sources import Source, Trust
from onefold.model.traits import TraitRules
from onefold.store.base import Head
from onefold.store.sqlite.head import read_head
from onefold.store.sqlite.rows import Rows, ask, numbers


class Facts:
    """What a store's views have in common: how public ids are made, and what the namespaces and traits say.

    Attributes:
        ids: makes the bytes of public ids.
        named: namespaces whose identifiers make a customer known: persons' and contacts'.
        priority: of every namespace by its name; the lower, the stronger.
        traits: which of them are searched.
    """

    __slots__ = ("ids", "named", "priority", "traits")

    def __init__(self, ids: PublicIds, namespaces: Namespaces, traits: TraitRules) -> None:
        """All are fixed for good."""
        self.ids: Final = ids
        self.named: Final = tuple(n.name for n in namespaces if n.kind in (Kind.PERSON, Kind.CONTACT))
        self.priority: Final = {n.name: n.priority for n in namespaces}
        self.traits: Final = traits


class Snapshot:
    """One state of the store, on a connection whose transaction is open: reading the head has fixed what it sees."""

    __slots__ = ("_connection", "_facts", "_head", "_sources", "_totals")

    def __init__(self, connection: apsw.Connection, facts: Facts) -> None:
        """`connection` has begun a transaction."""
        self._connection = connection
        self._facts = facts
        self._head, self._totals = read_head(connection)
        self._sources: Mapping[int, Source] | None = None

    def head(self) -> Head:
        """Where the store stands in this view."""
        return self._head

    def sources(self) -> dict[int, Source]:
        """Every source by its number."""
        return dict(self._known_sources())

    def _known_sources(self) -> Mapping[int, Source]:
        if self._sources is None:
            rows = ask(self._connection, "SELECT number, name, trust FROM sources")
            self._sources = {number: Source(name, Trust(trust)) for number, name, trust in rows}
        return self._sources

    def _ask(self, statement: str, values: Sequence[int], *more: Any) -> Rows:
        """Rows of a statement whose first parameter is a `carray` of these numbers; none for none."""
        return ask(self._connection, statement, numbers(values), *more) if values else []
