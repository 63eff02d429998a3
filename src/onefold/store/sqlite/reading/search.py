"""Search: by the index as far as it reaches, and value by value through what came after."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from onefold.model.reading import SearchHit
from onefold.store.folding import claimed_text, indexed, needle
from onefold.store.searched import searched_by
from onefold.store.sqlite.reading.snapshot import Snapshot
from onefold.store.sqlite.rows import ask

IDENTIFIERS: Final = 0
CLAIMS: Final = 1

REACHED: Final = (
    "SELECT (SELECT value FROM meta WHERE name = 'identifiers_indexed'), "
    "(SELECT value FROM meta WHERE name = 'claims_indexed')"
)
INDEXED_IDENTIFIERS: Final = (
    "SELECT i.number, i.customer, i.namespace, i.value FROM "
    "(SELECT s.rowid AS number FROM identifier_search s "
    "WHERE s.value MATCH ? AND s.rowid > ? ORDER BY s.rowid LIMIT ?) f "
    "CROSS JOIN identifiers i ON i.number = f.number"
)
NEWER_IDENTIFIERS: Final = (
    "SELECT i.number, i.customer, i.namespace, i.value FROM identifiers i "
    "WHERE i.number > ? AND i.customer <> 0 ORDER BY i.number"
)
CLAIM: Final = "c.number, c.identifier, i.customer, c.trait, c.value"
INDEXED_CLAIMS: Final = (
    f"SELECT {CLAIM} FROM "
    "(SELECT s.rowid AS number FROM trait_search s WHERE s.value MATCH ? AND s.rowid > ? ORDER BY s.rowid LIMIT ?) f "
    "CROSS JOIN claims c ON c.number = f.number CROSS JOIN identifiers i ON i.number = c.identifier"
)
NEWER_CLAIMS: Final = (
    f"SELECT {CLAIM} FROM claims c CROSS JOIN identifiers i ON i.number = c.identifier "
    "WHERE c.number > ? ORDER BY c.number"
)


class Search(Snapshot):
    """Where a text occurs."""

    __slots__ = ()

    def search(self, text: str, limit: int, after: tuple[int, int] | None = None) -> list[SearchHit]:
        """Where `text` occurs, in identifiers' values first, then in searchable traits; beyond (kind, number)."""
        sought = needle(text)
        if sought is None:
            return []
        identifiers_reached, claims_reached = ask(self._connection, REACHED)[0]
        kind, start = (IDENTIFIERS, 0) if after is None else after
        hits: list[SearchHit] = []
        if kind == IDENTIFIERS:
            hits += islice(self._in_identifiers(sought, identifiers_reached, start, limit), limit)
            start = 0
        if len(hits) < limit:
            hits += islice(self._in_claims(sought, claims_reached, start, limit), limit - len(hits))
        return hits

    def _in_identifiers(self, sought: str, reached: int, start: int, limit: int) -> Iterator[SearchHit]:
        """Hits in values of identifiers above `start`; the index knows them up to `reached`."""
        for row in ask(self._connection, INDEXED_IDENTIFIERS, query(sought), start, limit):
            yield _identifier_hit(row)
        for row in ask(self._connection, NEWER_IDENTIFIERS, max(start, reached)):
            if sought in indexed(row[-1]):
                yield _identifier_hit(row)

    def _in_claims(self, sought: str, reached: int, start: int, limit: int) -> Iterator[SearchHit]:
        """Hits in searchable traits above the claim `start`; the index knows them up to `reached`."""
        searched = searched_by(self._facts.traits)
        for row in ask(self._connection, INDEXED_CLAIMS, query(sought), start, limit):
            text = claimed_text(row[-2], row[-1], searched)
            if text is not None:
                yield _claim_hit(row, text)
        for row in ask(self._connection, NEWER_CLAIMS, max(start, reached)):
            text = claimed_text(row[-2], row[-1], searched)
            if text is not None and sought in indexed(text):
                yield _claim_hit(row, text)


def query(sought: str) -> str:
    """The full-text query for a needle."""
    return '"' + sought.replace('"', '""') + '"'


def _identifier_hit(row: tuple[Any, ...]) -> SearchHit:
    number, customer, namespace, value = row
    return SearchHit(IDENTIFIERS, number, number, customer, namespace, value)


def _claim_hit(row: tuple[Any, ...], text: str) -> SearchHit:
    number, identifier, customer, trait, _ = row
    return SearchHit(CLAIMS, number, identifier, customer, f"trait:{trait}", text)
