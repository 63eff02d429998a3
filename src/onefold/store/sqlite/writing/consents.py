"""Consents: what people agreed to, one row for each identifier and purpose."""

from collections.abc import Callable, Iterable
from typing import Final

import apsw

from onefold.model.sources import Source, Trust
from onefold.store.kept import Kept, Statement, consents_in, new_consents
from onefold.store.sqlite.rows import ask, numbers

STORED: Final = (
    "SELECT c.identifier, c.purpose, c.given, c.at_ms, s.name, s.trust FROM carray(?) k "
    "CROSS JOIN consents c ON c.identifier = k.value CROSS JOIN sources s ON s.number = c.source"
)
STATE: Final = (
    "INSERT INTO consents (identifier, purpose, given, at_ms, source) VALUES (?1, ?2, ?3, ?4, ?5) "
    "ON CONFLICT (identifier, purpose) DO UPDATE SET given = ?3, at_ms = ?4, source = ?5"
)


def write_consents(
    connection: apsw.Connection, kept: Iterable[Kept], source_number: Callable[[Source], int]
) -> list[int]:
    """Keep what the events say if it counts before what is known; -> the identifiers whose consents changed."""
    said = consents_in(kept)
    if not said:
        return []
    rows = ask(connection, STORED, numbers(identifier for identifier, _ in said))
    stored = {
        (identifier, purpose): Statement(bool(given), at_ms, Source(name, Trust(trust)))
        for identifier, purpose, given, at_ms, name, trust in rows
    }
    new = new_consents(said, stored)
    connection.executemany(
        STATE, [(*about, given, at_ms, source_number(source)) for about, (given, at_ms, source) in new.items()]
    )
    return list(dict.fromkeys(identifier for identifier, _ in new))
