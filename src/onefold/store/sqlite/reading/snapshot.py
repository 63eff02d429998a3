"""What every part of a view reads from: one state of the store."""

from collections.abc import Mapping, Sequence
from typing import Any

import apsw

from onefold.model.sources import Source, Trust
from onefold.store.facts import Facts
from onefold.store.sqlite.head import read_head
from onefold.store.sqlite.rows import Rows, ask, numbers
from onefold.store.view import Head


class Snapshot:
    """One state of the store, on a connection whose transaction is open: reading the head has fixed what it sees."""

    __slots__ = ("_connection", "_facts", "_head", "_sources", "_totals")

    def __init__(self, connection: apsw.Connection, facts: Facts) -> None:
        """`connection` has begun a transaction."""
        self._connection = connection
        self._facts = facts
        self._head, self._totals = read_head(connection)
        self._sources: Mapping[int, Source] | None = None

    @property
    def moved(self) -> bool:
        """Never: SQLite keeps a state for as long as it is read."""
        return False

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
