"""Operators: who served the customer. They are identifiers that belong to nobody and take no part in stitching."""

from collections.abc import Callable, Iterable
from typing import Final

import apsw

from onefold.model.identifiers import IdentifierKey
from onefold.stitch.rules import NO_TRUST
from onefold.store.kept import NOBODY, Kept, operators_in
from onefold.store.sqlite.rows import ask, blobs

FIND: Final = "SELECT i.public, i.number FROM carray(?) k CROSS JOIN identifiers i ON i.public = k.value"
ADD: Final = (
    "INSERT INTO identifiers (number, public, namespace, value, customer, joined, generic, apart, first_ms, last_ms) "
    f"VALUES (?, ?, ?, ?, {NOBODY}, 0, {NO_TRUST}, 0, ?, ?)"
)
SEE: Final = "UPDATE identifiers SET first_ms = min(first_ms, ?2), last_ms = max(last_ms, ?3) WHERE number = ?1"


def write_operators(
    connection: apsw.Connection, kept: Iterable[Kept], public: Callable[[IdentifierKey], bytes], last: int
) -> dict[IdentifierKey, int]:
    """Note when each operator was seen; -> their numbers. New ones are numbered from `last` + 1 on."""
    seen = operators_in(kept)
    if not seen:
        return {}
    asked = {public(key): key for key in seen}
    known = {asked[found]: number for found, number in ask(connection, FIND, blobs(asked))}
    connection.executemany(SEE, [(number, *seen[key]) for key, number in known.items()])
    new = {key: number for number, key in enumerate((key for key in seen if key not in known), last + 1)}
    connection.executemany(ADD, [(number, public(key), *key, *seen[key]) for key, number in new.items()])
    return known | new
