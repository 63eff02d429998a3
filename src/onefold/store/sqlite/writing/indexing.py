"""Keeping the search tables: they follow identifiers and claims in steps, for a step of one costs as much as of many.

`meta` says how far they reach; whoever searches looks through what came after by itself.
"""

from collections.abc import Iterable
from typing import Any, Final

import apsw

from onefold.model.traits import TraitRules
from onefold.store.sqlite.folding import claimed_text, indexed
from onefold.store.sqlite.rows import ask

STEP: Final = 1_000


def index_identifiers(connection: apsw.Connection, last: int) -> None:
    """Bring identifier_search up to the identifier `last`, if a step has come together. Operators are not searched."""
    reached = _reached(connection, "identifiers_indexed")
    if last - reached < STEP:
        return
    rows = ask(
        connection, "SELECT number, value FROM identifiers WHERE number > ? AND customer <> 0 ORDER BY number", reached
    )
    connection.executemany(
        "INSERT INTO identifier_search (rowid, value) VALUES (?, ?)",
        [(number, indexed(value)) for number, value in rows],
    )
    _reach(connection, "identifiers_indexed", last)


def index_claims(connection: apsw.Connection, last: int, traits: TraitRules) -> None:
    """Bring trait_search up to the claim `last`, if a step has come together."""
    reached = _reached(connection, "claims_indexed")
    if last - reached >= STEP:
        _index_claims(connection, reached, last, traits)


def unindex_claims(connection: apsw.Connection, claims: Iterable[tuple[Any, ...]], traits: TraitRules) -> None:
    """Claims (number, trait, value as JSON) that were deleted leave trait_search."""
    reached = _reached(connection, "claims_indexed")
    connection.executemany(
        "INSERT INTO trait_search (trait_search, rowid, value) VALUES ('delete', ?, ?)",
        [(number, text) for number, text in _searched(claims, traits) if number <= reached],
    )


def rebuild_trait_search(connection: apsw.Connection, traits: TraitRules) -> None:
    """Fill trait_search anew, by other rules."""
    connection.execute("INSERT INTO trait_search (trait_search) VALUES ('delete-all')")
    last = ask(connection, "SELECT coalesce(max(number), 0) FROM claims")[0][0]
    _index_claims(connection, 0, last, traits)


def _index_claims(connection: apsw.Connection, reached: int, last: int, traits: TraitRules) -> None:
    rows = ask(connection, "SELECT number, trait, value FROM claims WHERE number > ? ORDER BY number", reached)
    connection.executemany("INSERT INTO trait_search (rowid, value) VALUES (?, ?)", list(_searched(rows, traits)))
    _reach(connection, "claims_indexed", last)


def _searched(claims: Iterable[tuple[Any, ...]], traits: TraitRules) -> Iterable[tuple[int, str]]:
    """Of claims (number, trait, value as JSON) those that are searched: texts of searchable traits, as indexed."""
    for number, trait, value in claims:
        text = claimed_text(trait, value, traits)
        if text is not None:
            yield number, indexed(text)


def _reached(connection: apsw.Connection, name: str) -> int:
    reached: int = ask(connection, "SELECT value FROM meta WHERE name = ?", name)[0][0]
    return reached


def _reach(connection: apsw.Connection, name: str, last: int) -> None:
    connection.execute("UPDATE meta SET value = ? WHERE name = ?", (last, name))
