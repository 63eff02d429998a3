"""Consents: what people agreed to, one node for each identifier and purpose."""

from collections.abc import Iterable, Mapping
from typing import Final

import neo4j

from onefold.model.sources import Source
from onefold.store.kept import About, Kept, Statement, consents_in, new_consents
from onefold.store.neo4j.rows import Row, ask
from onefold.store.neo4j.writing.rows import Rows

# None is ever deleted, so the number of the newest is the last that was given out.
STORED: Final = (
    "CALL () { MATCH (c:Consent) USING INDEX SEEK c:Consent(number) WHERE c.number > 0 "
    "WITH c.number AS number ORDER BY number DESC LIMIT 1 RETURN coalesce(max(number), 0) AS last } "
    "CALL () { UNWIND $p.numbers AS n MATCH (c:Consent) USING INDEX SEEK c:Consent(identifier, purpose) "
    "WHERE c.identifier = n AND c.purpose IS NOT NULL "
    "RETURN collect([c.number, n, c.purpose, c.given, c.at_ms, c.source]) AS stored } RETURN last, stored"
)


def consent_rows(
    transaction: neo4j.Transaction, kept: Iterable[Kept], sources: Mapping[Source, int]
) -> tuple[list[int], Rows]:
    """What the events say and counts before what is stored; -> the identifiers whose consents changed, and rows.

    Args:
        sources: numbers of all sources, those of the events included.
    """
    rows: Rows = {"new_consents": [], "changed_consents": []}
    said = consents_in(kept)
    if not said:
        return [], rows
    last, stored = ask(transaction, STORED, numbers=sorted({identifier for identifier, _ in said}))
    numbers = {(identifier, purpose): number for number, identifier, purpose, *_ in stored}
    new = new_consents(said, _statements(stored, sources))
    for about, (given, at_ms, source) in new.items():
        statement = [given, at_ms, sources[source]]
        if about in numbers:
            rows["changed_consents"].append([numbers[about], *statement])
        else:
            last += 1
            rows["new_consents"].append([last, *about, *statement])
    return list(dict.fromkeys(identifier for identifier, _ in new)), rows


def _statements(stored: Iterable[Row], sources: Mapping[Source, int]) -> dict[About, Statement]:
    named = {number: source for source, number in sources.items()}
    return {
        (identifier, purpose): Statement(given, at_ms, named[source])
        for _, identifier, purpose, given, at_ms, source in stored
    }
