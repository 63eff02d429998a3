"""Everything there is, row by row."""

from onefold.model.copying import Origin, Row, RowKind
from onefold.store.sqlite.copying.tables import read_origin, read_rows
from onefold.store.sqlite.reading.snapshot import Snapshot


class Copied(Snapshot):
    """All rows of one state."""

    __slots__ = ()

    def origin(self) -> Origin:
        """Which state of which store this is."""
        return read_origin(self._connection)

    def rows(self, kind: RowKind, after: int, limit: int) -> list[Row]:
        """At most `limit` rows of a kind with numbers above `after`, in the order of their numbers."""
        return read_rows(self._connection, kind, after, limit)
