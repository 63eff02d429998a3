"""Everything there is, row by row."""

from typing import Final

from onefold.model.copying import Origin, Row, RowKind
from onefold.store.neo4j.copying.reading import COLLECTING, ORIGIN, origin_of, rows_of
from onefold.store.neo4j.reading.gate import gated
from onefold.store.neo4j.reading.snapshot import Snapshot

SAVED: Final = frozenset({RowKind.SEGMENTS, RowKind.MEMBERS, RowKind.MEMBERSHIPS})
WHICH: Final = gated(ORIGIN)
ROWS: Final = {kind: gated(collecting) for kind, collecting in COLLECTING.items()}


class Copied(Snapshot):
    """All rows of one state."""

    __slots__ = ()

    def origin(self) -> Origin:
        """Which state of which store this is."""
        return origin_of(self._ask_steps(WHICH))

    def rows(self, kind: RowKind, after: int, limit: int) -> list[Row]:
        """At most `limit` rows of a kind with numbers above `after`, in the order of their numbers."""
        ask = self._ask_steps if kind in SAVED else self._ask
        return rows_of(kind, ask(ROWS[kind], after=after, limit=limit))
