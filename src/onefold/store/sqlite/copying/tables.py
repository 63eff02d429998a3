"""Whole rows, kind by kind, between the tables and the values that are the same from every store."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import apsw
import msgspec

from onefold.model.copying import COLUMNS, Origin, Row, RowKind, digest_of
from onefold.store.sqlite.rows import ask, json_bytes, read_numbers

FACTS: Final = (
    "SELECT (SELECT value FROM meta WHERE name = 'secret'), (SELECT value FROM meta WHERE name = 'rules'), "
    "(SELECT coalesce(max(number), 0) FROM sources), (SELECT coalesce(max(number), 0) FROM rejects), "
    "(SELECT coalesce(max(number), 0) FROM memberships)"
)
SEGMENTS: Final = f"SELECT {', '.join(COLUMNS[RowKind.SEGMENTS])} FROM segments ORDER BY number"
LAST_COMMIT: Final = f"SELECT {', '.join(COLUMNS[RowKind.COMMITS])} FROM commits ORDER BY seq DESC LIMIT 1"
ABOUT: Final = "INSERT INTO decisions_about (identifier, seq) VALUES (?, ?)"
SEEN_NUMBERS: Final = 4

_read_lists: Final = msgspec.json.Decoder(list[list[int]]).decode


def _flat(text: str) -> list[int]:
    return list(chain.from_iterable(_read_lists(text)))


def _nested(seen: Sequence[int]) -> bytes:
    return json_bytes([seen[k : k + SEEN_NUMBERS] for k in range(0, len(seen), SEEN_NUMBERS)])


class Json(NamedTuple):
    """How a list is kept as JSON: what reads it, and what writes it."""

    read: Callable[[str], list[int]]
    write: Callable[[Sequence[int]], bytes]


NUMBERS: Final = Json(read_numbers, json_bytes)
LISTS: Final[Mapping[RowKind, Mapping[str, Json]]] = {
    RowKind.IDENTIFIERS: {"seen": NUMBERS},
    RowKind.CUSTOMERS: {"counts": NUMBERS, "whole": NUMBERS},
    RowKind.LINKS: {"seen": Json(_flat, _nested)},
    RowKind.TOUCHPOINTS: {"identifiers": NUMBERS},
    RowKind.DECISIONS: {"customers": NUMBERS, "identifiers": NUMBERS},
}
"""The columns that hold lists."""


def read_origin(connection: apsw.Connection) -> Origin:
    """Which state of which store the connection sees."""
    [(secret, rules, sources, reject, membership)] = ask(connection, FACTS)
    commit, segments = ask(connection, LAST_COMMIT), ask(connection, SEGMENTS)
    last = commit[0] if commit else None
    return Origin(secret, rules, last, sources, reject, membership, digest_of(segments))


def read_rows(connection: apsw.Connection, kind: RowKind, after: int, limit: int) -> list[Row]:
    """At most `limit` rows with numbers above `after`, in their order."""
    number, *_ = columns = COLUMNS[kind]
    statement = f"SELECT {', '.join(columns)} FROM {kind} WHERE {number} > ? ORDER BY {number} LIMIT ?"
    return _converted(ask(connection, statement, after, limit), kind, lambda json: json.read)


def add_rows(connection: apsw.Connection, kind: RowKind, rows: list[Row]) -> None:
    """Add rows that are not there yet, and what follows from them."""
    columns, lists = COLUMNS[kind], LISTS.get(kind, {})
    values = ", ".join("CAST(? AS TEXT)" if column in lists else "?" for column in columns)
    statement = f"INSERT INTO {kind} ({', '.join(columns)}) VALUES ({values})"
    connection.executemany(statement, _converted(rows, kind, lambda json: json.write))
    if kind is RowKind.DECISIONS:
        connection.executemany(ABOUT, sorted(_about(rows)))


def _converted(rows: list[Row], kind: RowKind, way: Callable[[Json], Callable[[Any], Any]]) -> list[Row]:
    """Rows with their lists brought into the other form."""
    columns = COLUMNS[kind]
    lists = [(columns.index(column), way(json)) for column, json in LISTS.get(kind, {}).items()]
    if not lists:
        return rows
    found: list[Row] = []
    for row in rows:
        values = list(row)
        for place, convert in lists:
            if values[place] is not None:
                values[place] = convert(values[place])
        found.append(tuple(values))
    return found


def _about(decisions: Iterable[Row]) -> Iterable[tuple[int, int]]:
    """Whom ledger lines are about: (identifier, seq)."""
    columns = COLUMNS[RowKind.DECISIONS]
    customers, identifiers = columns.index("customers"), columns.index("identifiers")
    for row in decisions:
        yield from ((number, row[0]) for number in {*row[customers], *row[identifiers]})
