"""Search: by text indexes, which know every run of three characters of what is searched."""

from collections.abc import Iterable
from typing import Final

from onefold.model.reading import SearchHit
from onefold.store.folding import claimed_text, needle
from onefold.store.neo4j.reading.gate import gated
from onefold.store.neo4j.reading.snapshot import Snapshot
from onefold.store.neo4j.rows import Row, within
from onefold.store.searched import searched_by

IDENTIFIERS: Final = 0
CLAIMS: Final = 1

FOUND: Final = gated(
    f"CALL () {{ WITH 1 AS one WHERE $p.kind = {IDENTIFIERS} "
    "MATCH (i:Identifier) USING TEXT INDEX i:Identifier(folded) WHERE i.folded CONTAINS $p.sought "
    "WITH i, i.number AS n WHERE n > $p.start ORDER BY n LIMIT $p.limit "
    "RETURN collect([n, i.customer, i.namespace, i.value]) AS identifiers } "
    f"WITH identifiers, CASE WHEN $p.kind = {CLAIMS} THEN $p.start ELSE 0 END AS start "
    "CALL (identifiers, start) { WITH start WHERE size(identifiers) < $p.limit "
    "MATCH (c:Claim) USING TEXT INDEX c:Claim(folded) WHERE c.folded CONTAINS $p.sought "
    "WITH c, c.number AS n WHERE n > start ORDER BY n LIMIT $p.limit WITH c, n, c.identifier AS of "
    "MATCH (i:Identifier) USING INDEX SEEK i:Identifier(number) WHERE of <= i.number <= of "
    "RETURN collect([n, of, i.customer, c.trait, c.value]) AS claims } "
    "RETURN [identifiers, claims]"
)


class Search(Snapshot):
    """Where a text occurs."""

    __slots__ = ()

    def search(self, text: str, limit: int, after: tuple[int, int] | None = None) -> list[SearchHit]:
        """Where `text` occurs, in identifiers' values first, then in searchable traits; beyond (kind, number)."""
        sought = needle(text)
        if sought is None:
            return []
        kind, start = (IDENTIFIERS, 0) if after is None else after
        identifiers, claims = self._ask(FOUND, sought=sought, kind=kind, start=within(start), limit=limit)
        hits = [
            SearchHit(IDENTIFIERS, n, n, customer, namespace, value) for n, customer, namespace, value in identifiers
        ]
        return (hits + self._in_claims(claims))[:limit]

    def _in_claims(self, rows: Iterable[Row]) -> list[SearchHit]:
        """Hits in claims, as far as their traits are searched."""
        searched = searched_by(self._facts.traits)
        texts = ((row, claimed_text(row[3], row[4], searched)) for row in sorted(rows))
        return [
            SearchHit(CLAIMS, number, identifier, customer, f"trait:{trait}", text)
            for (number, identifier, customer, trait, _), text in texts
            if text is not None
        ]
