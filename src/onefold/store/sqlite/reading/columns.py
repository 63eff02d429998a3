"""Reading many rows at once, in columns.

SQLite puts the rows together to one text itself, which Arrow takes apart: no row becomes a Python object, and other
threads go on meanwhile. To read row by row would stop at each row until Python lets this thread on.
"""

from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from onefold.model.sources import Trust
from onefold.store.columns import BY, COLUMNS, Changed, ColumnKind, Form
from onefold.store.feed_kinds import CLAIMS_CHANGE, CONSENTS_CHANGE, MOVE_CHANGE, SUBJECT_CHANGE
from onefold.store.sqlite.reading.snapshot import Snapshot
from onefold.store.sqlite.rows import ask

if TYPE_CHECKING:
    import pyarrow as pa

PAGE_BYTES: Final = 32_000_000
"""What the large texts of a page hold at most; SQLite's longest text is thirty times as long."""

FROM: Final[Mapping[ColumnKind, str]] = {
    ColumnKind.TOUCHPOINTS: "touchpoints r CROSS JOIN sources s ON s.number = r.source",
    ColumnKind.SUBJECTS: "touchpoints r",
    ColumnKind.IDENTIFIERS: "identifiers r",
    ColumnKind.CUSTOMERS: "customers r",
    ColumnKind.CLAIMS: "claims r CROSS JOIN sources s ON s.number = r.source",
    ColumnKind.CONSENTS: "consents r CROSS JOIN sources s ON s.number = r.source",
}
OTHERWISE: Final[Mapping[ColumnKind, Mapping[str, str]]] = {
    ColumnKind.TOUCHPOINTS: {"message": "hex(r.message)", "source": "s.name"},
    ColumnKind.IDENTIFIERS: {"public": "hex(r.public)", "generic": f"r.generic <= {int(Trust.PUBLIC)}"},
    ColumnKind.CUSTOMERS: {"number": "r.key"},
    ColumnKind.CLAIMS: {"source": "s.name", "trust": "s.trust"},
    ColumnKind.CONSENTS: {"source": "s.name", "trust": "s.trust"},
}
"""Columns that are not as they stand in the table."""
LARGE: Final[Mapping[ColumnKind, str]] = {ColumnKind.TOUCHPOINTS: "body", ColumnKind.CLAIMS: "value"}
"""The column that may be large."""


def _field(kind: ColumnKind, name: str) -> str:
    return OTHERWISE.get(kind, {}).get(name, f"r.{name}")


def _line(kind: ColumnKind) -> str:
    """One row as text, as `onefold.store.tables` reads it."""
    fields = (
        f"json_quote({_field(kind, name)})" if form in (Form.WORD, Form.TEXT) else f"ifnull({_field(kind, name)}, '')"
        for name, form in COLUMNS[kind].items()
    )
    return f"concat_ws(char(31), {', '.join(fields)})"


def _text(rows: str) -> str:
    return f"SELECT CAST(group_concat(line, char(10)) AS BLOB) FROM ({rows})"


def _page(kind: ColumnKind) -> str:
    number = _field(kind, "number")
    return _text(
        f"SELECT {_line(kind)} AS line FROM {FROM[kind]} WHERE {number} > ?1 AND {number} <= ?2 "
        f"ORDER BY {number} LIMIT ?3"
    )


def _of(kind: ColumnKind) -> str:
    found = f"carray(?) k CROSS JOIN {FROM[kind]} WHERE {_field(kind, BY[kind])} = k.value"
    return _text(f"SELECT {_line(kind)} AS line FROM {found}")


def _size(kind: ColumnKind) -> str:
    return (
        f"SELECT total(size) FROM (SELECT octet_length({LARGE[kind]}) AS size FROM {kind} "
        "WHERE number > ?1 AND number <= ?2 ORDER BY number LIMIT ?3)"
    )


def _size_of(kind: ColumnKind) -> str:
    found = f"carray(?) k CROSS JOIN {kind} r WHERE {_field(kind, BY[kind])} = k.value"
    return f"SELECT total(octet_length(r.{LARGE[kind]})) FROM {found}"


PAGES: Final = {kind: _page(kind) for kind in ColumnKind}
OF: Final = {kind: _of(kind) for kind in ColumnKind}
SIZES: Final = {kind: _size(kind) for kind in LARGE}
SIZES_OF: Final = {kind: _size_of(kind) for kind in LARGE}

# NOT INDEXED: what is newer is found by its number; SQLite would rather read all of another index, to save the sorting.
CHANGES: Final = "SELECT {column} AS number FROM changes NOT INDEXED WHERE seq > ?1 AND kind = {kind}"
MOVED_FROM: Final = f"{CHANGES.format(column='was', kind=MOVE_CHANGE)} AND was <> 0"
MOVED_TO: Final = CHANGES.format(column="customer", kind=MOVE_CHANGE)
MOVED: Final = CHANGES.format(column="identifier", kind=MOVE_CHANGE)
# An operator's number has a minus.
CARRIED: Final = (
    "SELECT abs(j.value) AS number FROM touchpoints t CROSS JOIN json_each(t.identifiers) j WHERE t.number > ?1"
)
DECIDED: Final = "SELECT j.value FROM decisions d CROSS JOIN json_each(d.identifiers) j WHERE d.seq > ?1"
CHANGED: Final = {
    "identifiers": f"{CARRIED} UNION {MOVED} UNION {DECIDED}",
    "customers": f"{MOVED_TO} UNION {MOVED_FROM}",
    "claims_of": CHANGES.format(column="DISTINCT identifier", kind=CLAIMS_CHANGE),
    "consents_of": CHANGES.format(column="DISTINCT identifier", kind=CONSENTS_CHANGE),
    "touchpoints": CHANGES.format(column="DISTINCT touchpoint", kind=SUBJECT_CHANGE),
}
"""What changed, by the attributes of `Changed`."""
NUMBERS: Final = {
    name: f"SELECT CAST(group_concat(number, ' ') AS BLOB) FROM ({select})" for name, select in CHANGED.items()
}


class InColumns(Snapshot):
    """All there is, many rows at a time."""

    __slots__ = ()

    def changed(self, after: int) -> Changed:
        """What changed by commits after this sequence number."""
        return Changed(**{name: self._numbers(statement, after) for name, statement in NUMBERS.items()})

    def page(self, kind: ColumnKind, after: int, upto: int, limit: int) -> "pa.Table":
        """The first rows with `after` < number <= `upto`, in order."""
        if kind in LARGE:
            [[size]] = ask(self._connection, SIZES[kind], after, upto, limit)
            limit = max(1, int(limit * min(1, PAGE_BYTES / max(size, 1))))
        return _table(kind, ask(self._connection, PAGES[kind], after, upto, limit))

    def columns(self, kind: ColumnKind, of: "Sequence[int] | array[int]") -> "pa.Table":
        """All rows of these; half of them at a time as long as a text of all would be too long."""
        if kind in LARGE and len(of) > 1:
            [[size]] = self._ask(SIZES_OF[kind], of)
            if size > PAGE_BYTES:
                from pyarrow import concat_tables  # noqa: PLC0415 (as below)

                middle = len(of) // 2
                return concat_tables([self.columns(kind, part) for part in (of[:middle], of[middle:])])
        return _table(kind, self._ask(OF[kind], of))

    def _numbers(self, statement: str, after: int) -> "array[int]":
        [[text]] = ask(self._connection, statement, after)
        return array("q", sorted(map(int, (text or b"").split())))


def _table(kind: ColumnKind, found: Sequence[tuple[Any, ...]]) -> "pa.Table":
    from onefold.store.tables import of_lines  # noqa: PLC0415 (it takes long, and only a read model needs it)

    return of_lines(kind, (found[0][0] if found else None) or b"")
