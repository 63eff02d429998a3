"""Between rows and values: the columns each kind of value is read from, and JSON columns as text."""

from array import array
from collections.abc import Iterable, Mapping
from typing import Any, Final

import apsw
import msgspec

from onefold.model.copying import COLUMNS, RowKind
from onefold.model.graph import Customer, Identifier, Judgement, Link, Seen
from onefold.model.identifiers import IdentifierKey
from onefold.model.saved import SavedSegment

_KEPT: Final = (
    "i.public, i.customer, i.joined, i.generic, i.seen, i.one, i.apart, "
    "i.first_ms, i.last_ms, i.touched_first_ms, i.touched_last_ms"
)
IDENTIFIER: Final = f"i.number, i.namespace, i.value, {_KEPT}"
KEYED_IDENTIFIER: Final = f"i.number, {_KEPT}"
CUSTOMER: Final = "c.key, c.anchor, c.anchor_priority, c.size, c.apart, c.counts, c.whole"
LINK: Final = "l.pair, l.mark, l.rank, l.seen"
JUDGEMENT: Final = (
    "j.number, j.same, j.a, j.b, j.author, j.reason, j.at_ms, j.retracted_ms, j.retracted_by, j.retracted_reason"
)

STANDING: Final = (
    f"SELECT {JUDGEMENT} FROM carray(?1) k CROSS JOIN judgements j ON j.a = k.value AND j.retracted_ms IS NULL "
    f"UNION ALL "
    f"SELECT {JUDGEMENT} FROM carray(?1) k CROSS JOIN judgements j ON j.b = k.value AND j.retracted_ms IS NULL"
)
"""Standing judgements that name any of these identifiers; twice if both."""

SEGMENT: Final = ", ".join(f"s.{column}" for column in COLUMNS[RowKind.SEGMENTS])
SEGMENTS_THERE: Final = f"SELECT {SEGMENT} FROM segments s WHERE s.deleted_ms IS NULL ORDER BY s.number"
LAST_MEMBERSHIP: Final = "SELECT coalesce(max(number), 0) FROM memberships"

LOW_HALF: Final = 0xFFFFFFFF
LARGEST: Final = (1 << 63) - 1
"""The largest number that SQLite stores."""


read_numbers: Final = msgspec.json.Decoder(list[int]).decode
read_number_tuple: Final = msgspec.json.Decoder(tuple[int, ...]).decode
read_seen: Final = msgspec.json.Decoder(list[Seen]).decode
read_seen_tuple: Final = msgspec.json.Decoder(tuple[Seen, ...]).decode
json_bytes: Final = msgspec.json.Encoder().encode
"""What a JSON column holds; statements bind it as CAST(? AS TEXT), which is cheaper than to decode it."""


Rows = list[tuple[Any, ...]]


def ask(connection: apsw.Connection, statement: str, *values: Any) -> Rows:
    """All rows of a statement. They are fetched at once: a statement half read would keep its transaction open."""
    try:
        return connection.execute(statement, values).fetchall()
    except OverflowError:
        within = [_within(value) if isinstance(value, int) else value for value in values]
        return connection.execute(statement, within).fetchall()


def numbers(values: Iterable[int]) -> Any:
    """Distinct numbers, in order, as the table-valued parameter of `carray(?)`. There must be at least one."""
    ordered = sorted(set(values))
    try:
        return apsw.carray(array("q", ordered))
    except OverflowError:
        return apsw.carray(array("q", sorted(set(map(_within, ordered)))))


def _within(value: int) -> int:
    """Readers may ask for any number. What is stored is nowhere near these ends, so it compares with them alike."""
    return max(-LARGEST, min(value, LARGEST))


def blobs(values: Iterable[bytes]) -> Any:
    """The same for byte strings. In order, because neighbours in an index are found faster one after the other."""
    return apsw.carray(tuple(sorted(values)))


def identifiers_of(rows: Iterable[tuple[Any, ...]]) -> list[Identifier]:
    """Rows of IDENTIFIER as what stitching works with."""
    read = read_numbers
    return [
        Identifier(n, IdentifierKey(name, v), p, c, j, g, None if s is None else read(s), o, a, first, last, tf, tl)
        for n, name, v, p, c, j, g, s, o, a, first, last, tf, tl in rows
    ]


def keyed_identifiers_of(rows: Iterable[tuple[Any, ...]], keys: Mapping[bytes, IdentifierKey]) -> list[Identifier]:
    """Rows of KEYED_IDENTIFIER; `keys` by the bytes of their public ids."""
    read = read_numbers
    return [
        Identifier(n, keys[p], p, c, j, g, None if s is None else read(s), o, a, first, last, tf, tl)
        for n, p, c, j, g, s, o, a, first, last, tf, tl in rows
    ]


def customers_of(rows: Iterable[tuple[Any, ...]]) -> list[Customer]:
    """Rows of CUSTOMER as what stitching works with."""
    return [
        Customer(key, anchor, priority, size, apart, read_numbers(counts), read_numbers(whole))
        for key, anchor, priority, size, apart, counts, whole in rows
    ]


def links_of(rows: Iterable[tuple[Any, ...]]) -> list[Link]:
    """Rows of LINK as what stitching works with."""
    read = read_seen
    return [Link(pair >> 32, pair & LOW_HALF, mark, rank, read(seen)) for pair, mark, rank, seen in rows]


def distinct(rows: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """Rows by their first column, each once."""
    return {row[0]: row for row in rows}.values()


def judgements_of(rows: Iterable[tuple[Any, ...]]) -> list[Judgement]:
    """Rows of JUDGEMENT, each once."""
    return [Judgement(row[0], bool(row[1]), *row[2:]) for row in distinct(rows)]


def segments_of(rows: Iterable[tuple[Any, ...]]) -> list[SavedSegment]:
    """Rows of SEGMENT."""
    return [SavedSegment(*row) for row in rows]
