"""What stitching asks for, each need as one batched statement.

Links are sought in the indexes of the relationship, never by way of the nodes at their ends: a shared tablet has very
many, and going through them costs as much. Statements name the index they mean, for Neo4j plans by what is stored when
a statement is first run, which may be nothing.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final

import neo4j
from msgspec import structs

from onefold.model.graph import Customer, Identifier, Link
from onefold.model.identifiers import IdentifierKey
from onefold.stitch.needs import (
    ByKey,
    ByNumber,
    Customers,
    HoldRefused,
    InsideOf,
    Judgements,
    Links,
    LinksOf,
    Members,
    Need,
    Ones,
    RefusedAbove,
    RefusedBelow,
    TouchpointsBy,
)
from onefold.stitch.rules import GENERIC, INSIDE
from onefold.store.neo4j.rows import (
    CUSTOMER,
    IDENTIFIER,
    LINK,
    STANDING,
    Row,
    ask,
    customers_of,
    distinct,
    identifiers_of,
    judgements_of,
    links_of,
)
from onefold.store.neo4j.writing.ahead import InHand, taken
from onefold.store.neo4j.writing.known import Known

BY_ID: Final = (
    "UNWIND $p.ids AS id MATCH (i:Identifier {id: id}) USING INDEX SEEK i:Identifier(id) "
    f"RETURN collect({IDENTIFIER})"
)
BY_NUMBER: Final = (
    "UNWIND $p.numbers AS n MATCH (i:Identifier {number: n}) USING INDEX SEEK i:Identifier(number) "
    f"RETURN collect({IDENTIFIER})"
)
MEMBERS: Final = (
    "UNWIND $p.numbers AS n MATCH (i:Identifier {customer: n}) USING INDEX SEEK i:Identifier(customer) "
    f"RETURN collect({IDENTIFIER})"
)
ONES: Final = (
    "UNWIND $p.numbers AS n MATCH (i:Identifier {one: n}) USING INDEX SEEK i:Identifier(one) "
    f"RETURN collect({IDENTIFIER})"
)
CUSTOMERS: Final = (
    f"UNWIND $p.numbers AS n MATCH (c:Customer {{key: n}}) USING INDEX SEEK c:Customer(key) RETURN collect({CUSTOMER})"
)
LINKS: Final = (
    f"UNWIND $p.numbers AS n MATCH ()-[l:LINKED {{pair: n}}]->() USING INDEX SEEK l:LINKED(pair) RETURN collect({LINK})"
)
BELOW: Final = "MATCH ()-[l:LINKED]->() USING INDEX SEEK l:LINKED(a, mark, rank) WHERE l.a = n AND l.rank IS NOT NULL"
ABOVE: Final = (
    "MATCH ()-[l:LINKED]->() USING INDEX SEEK l:LINKED(b, mark, rank, pair) "
    "WHERE l.b = n AND l.rank IS NOT NULL AND l.pair IS NOT NULL"
)


def _two_sided(marked: str) -> str:
    return (
        f"CALL () {{ UNWIND $p.numbers AS n {BELOW} AND l.mark {marked} RETURN collect({LINK}) AS below }} "
        f"CALL () {{ UNWIND $p.numbers AS n {ABOVE} AND l.mark {marked} RETURN collect({LINK}) AS above }} "
        "RETURN below + above"
    )


LINKS_OF: Final = _two_sided("IS NOT NULL")
INSIDE_OF: Final = _two_sided(f"= {INSIDE}")
REFUSED_BELOW: Final = f"UNWIND $p.numbers AS n {BELOW} AND l.mark > {GENERIC} RETURN collect({LINK})"
HOLD_REFUSED: Final = (
    f"UNWIND $p.numbers AS n UNWIND $p.marks AS mark CALL (n, mark) {{ {ABOVE} AND l.mark = mark "
    "RETURN 1 AS held LIMIT 1 } RETURN collect([n, mark])"
)
REFUSED_ABOVE: Final = (
    f"WITH $p.identifier AS n CALL (n) {{ {ABOVE} AND l.mark = $p.mark AND l.rank >= $p.low AND l.rank <= $p.high "
    "AND (l.rank > $p.low OR l.pair > $p.after) "
    f"RETURN l ORDER BY l.b, l.mark, l.rank, l.pair LIMIT $p.limit }} RETURN collect({LINK})"
)
TOUCHPOINTS_BY: Final = (
    "UNWIND $p.numbers AS n MATCH (t:Touchpoint) USING INDEX SEEK t:Touchpoint(subject, at_ms, number) "
    "WHERE t.subject = n AND t.at_ms IS NOT NULL AND t.number IS NOT NULL "
    "RETURN collect([t.number, t.subject, t.at_ms, [i IN t.identifiers WHERE i > 0]])"
)


_number: Final = attrgetter("id")


class Answers:
    """Answers needs in one transaction."""

    def __init__(self, transaction: neo4j.Transaction, in_hand: InHand, known: Known) -> None:
        """`in_hand`: what was read already. `known` is told what is read."""
        self._transaction: Final = transaction
        self._in_hand: Final = in_hand
        self._known: Final = known
        self._answers: Final[dict[type[Need], Callable[[Any], Any]]] = {
            ByKey: lambda need: self.by_key(need.keys),
            ByNumber: lambda need: self._identifiers(BY_NUMBER, need.numbers),
            Customers: lambda need: self._customers_by(need.keys),
            Members: lambda need: self._identifiers(MEMBERS, need.customers),
            Links: lambda need: self._links(need.pairs),
            LinksOf: lambda need: links_of(distinct(self._ask(LINKS_OF, need.identifiers))),
            InsideOf: lambda need: links_of(distinct(self._ask(INSIDE_OF, need.identifiers))),
            RefusedBelow: lambda need: links_of(self._ask(REFUSED_BELOW, need.identifiers)),
            HoldRefused: self._hold_refused,
            RefusedAbove: self._refused_above,
            Ones: lambda need: self._identifiers(ONES, need.roots),
            Judgements: lambda need: judgements_of(self._ask(STANDING, need.identifiers)),
            TouchpointsBy: lambda need: list(map(tuple, self._ask(TOUCHPOINTS_BY, need.subjects))),
        }

    def answer(self, need: Need) -> Any:
        """Rows for a need, of the type its docstring tells."""
        return self._answers[type(need)](need)

    def by_key(self, keys: Sequence[IdentifierKey]) -> list[Identifier]:
        """Identifiers by namespace and value: found by their public ids, the one index over both."""
        found, missing = taken(self._in_hand.identifiers, keys)
        if missing:
            [rows] = ask(self._transaction, BY_ID, ids=sorted(map(self._known.names.identifier, missing)))
            found += self._read(rows)
        return self._note(found)

    def _identifiers(self, statement: str, values: Sequence[int]) -> list[Identifier]:
        return self._note(self._read(self._ask(statement, values)))

    def _read(self, rows: list[Row]) -> list[Identifier]:
        self._known.public.update((row[0], row[3]) for row in rows)
        return identifiers_of(rows)

    def _note(self, found: list[Identifier]) -> list[Identifier]:
        """In the order of their numbers: the same batches then lead to the same numbers whenever they are played."""
        found.sort(key=_number)
        self._known.generic.update((identifier.id, identifier.generic) for identifier in found)
        return found

    def _customers_by(self, keys: Sequence[int]) -> list[Customer]:
        rows, missing = taken(self._in_hand.customers, keys)
        rows += self._ask(CUSTOMERS, missing)
        self._known.anchors.update((row[0], row[1]) for row in rows)
        return customers_of(rows)

    def _links(self, pairs: Sequence[int]) -> list[Link]:
        rows, missing = taken(self._in_hand.links, pairs)
        return links_of(rows + self._ask(LINKS, missing))

    def _ask(self, statement: str, values: Sequence[int]) -> list[Row]:
        """The rows that a statement collects of these numbers."""
        if not values:
            return []
        rows: list[Row]
        [rows] = ask(self._transaction, statement, numbers=sorted(set(values)))
        return rows

    def _refused_above(self, need: RefusedAbove) -> list[Link]:
        [rows] = ask(self._transaction, REFUSED_ABOVE, **structs.asdict(need))
        return links_of(rows)

    def _hold_refused(self, need: HoldRefused) -> list[tuple[int, int]]:
        if not need.identifiers or not need.marks:
            return []
        [rows] = ask(
            self._transaction, HOLD_REFUSED, numbers=sorted(set(need.identifiers)), marks=sorted(set(need.marks))
        )
        return list(map(tuple, rows))
