"""Keeping the search tables: they follow identifiers and claims in steps, for a step of one costs as much as of many.

`meta` says how far they reach; whoever searches looks through what came after by itself.
"""

from collections.abc import Iterable
from typing import Any, Final

import apsw

from onefold.store.folding import claimed_text, indexed
from onefold.store.searched import Searched, read_searched, write_searched
from onefold.store.sqlite.rows import ask

STEP: Final = 1_000


def index_identifiers(connection: apsw.Connection, before: int, last: int) -> None:
    """Bring identifier_search up to the identifier `last`, if a step was completed since `before`. Operators are not
    searched."""
    if last // STEP == before // STEP:
        return
    reached = _known(connection, "identifiers_indexed")
    rows = ask(
        connection, "SELECT number, value FROM identifiers WHERE number > ? AND customer <> 0 ORDER BY number", reached
    )
    connection.executemany(
        "INSERT INTO identifier_search (rowid, value) VALUES (?, ?)",
        [(number, indexed(value)) for number, value in rows],
    )
    _keep(connection, "identifiers_indexed", last)


def index_claims(connection: apsw.Connection, before: int, last: int) -> None:
    """Bring trait_search up to the claim `last`, if a step was completed since `before`."""
    if last // STEP != before // STEP:
        _index_claims(connection, _known(connection, "claims_indexed"), last)


def unindex_claims(connection: apsw.Connection, claims: Iterable[tuple[Any, ...]]) -> None:
    """Claims (number, trait, value as JSON) that were deleted leave trait_search."""
    reached = _known(connection, "claims_indexed")
    connection.executemany(
        "INSERT INTO trait_search (trait_search, rowid, value) VALUES ('delete', ?, ?)",
        [(number, text) for number, text in _texts(connection, claims) if number <= reached],
    )


def rebuild_trait_search(connection: apsw.Connection, searched: Searched) -> None:
    """Fill trait_search anew, with other traits."""
    _keep(connection, "searchable", write_searched(searched))
    connection.execute("INSERT INTO trait_search (trait_search) VALUES ('delete-all')")
    last = ask(connection, "SELECT coalesce(max(number), 0) FROM claims")[0][0]
    _index_claims(connection, 0, last)


def _index_claims(connection: apsw.Connection, reached: int, last: int) -> None:
    rows = ask(connection, "SELECT number, trait, value FROM claims WHERE number > ? ORDER BY number", reached)
    connection.executemany("INSERT INTO trait_search (rowid, value) VALUES (?, ?)", list(_texts(connection, rows)))
    _keep(connection, "claims_indexed", last)


def _texts(connection: apsw.Connection, claims: Iterable[tuple[Any, ...]]) -> Iterable[tuple[int, str]]:
    """Of claims (number, trait, value as JSON) those that are searched, in the form that trait_search holds."""
    searched = read_searched(_known(connection, "searchable"))
    for number, trait, value in claims:
        text = claimed_text(trait, value, searched)
        if text is not None:
            yield number, indexed(text)


def _known(connection: apsw.Connection, name: str) -> Any:
    """What the store knows about itself."""
    return ask(connection, "SELECT value FROM meta WHERE name = ?", name)[0][0]


def _keep(connection: apsw.Connection, name: str, value: int | str) -> None:
    connection.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))
