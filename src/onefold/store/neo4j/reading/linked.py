"""Reading links: by the indexes of the relationship alone, for the nodes at their ends may have any number of them."""

from collections.abc import Sequence
from typing import Final

from onefold.model.reading import KnownLink
from onefold.stitch.rules import INSIDE, NO_TRUST
from onefold.store.link_pages import paged
from onefold.store.neo4j.reading.gate import gated
from onefold.store.neo4j.reading.snapshot import Snapshot, short
from onefold.store.neo4j.rows import LINK, LOW_HALF, Row, seen_of, within

PAIRS: Final = "USING INDEX SEEK l:LINKED(pair)"
OF_NUMBER: Final = "l.pair >= n * 4294967296 AND l.pair < (n + 1) * 4294967296"
LINK_OF: Final = "collect([n, l.pair, l.mark, l.rank, l.seen])"
"""A link, with whose it is before it."""

BY_PAIR: Final = gated(
    f"UNWIND $p.numbers AS n MATCH ()-[l:LINKED]->() {PAIRS} WHERE n <= l.pair <= n RETURN collect({LINK})"
)

# Links to stronger ends stand together in the index of pairs; those to weaker ends in the one that begins with `b`.
TO_STRONGER: Final = (
    f"CALL (n) {{ MATCH ()-[l:LINKED]->(o) {PAIRS} WHERE {OF_NUMBER} AND l.pair > $p.after{{refused}} "
    "RETURN l ORDER BY l.pair LIMIT $p.limit }"
)
ABOVE: Final = "MATCH (o)-[l:LINKED]->() USING INDEX SEEK l:LINKED(b, mark, rank, pair) WHERE l.b = n"
TO_WEAKER: Final = (
    f"CALL (n) {{ {ABOVE} AND l.mark >= {{least}} AND l.rank IS NOT NULL AND l.pair IS NOT NULL{{refused}} "
    "RETURN l ORDER BY l.b, l.mark, l.rank, l.pair LIMIT $p.limit }"
)
# Row by row: what follows a link in (mark, rank, pair) stands in three parts of the index.
BEYOND: Final = (
    "WITH n, $p.after AS last MATCH ()-[x:LINKED]->() USING INDEX SEEK x:LINKED(pair) WHERE last <= x.pair <= last "
    "WITH n, x.mark AS mark, x.rank AS rank CALL (n, mark, rank) { "
    f"{ABOVE} AND l.mark = mark AND l.rank = rank AND l.pair > $p.after{{refused}} "
    "RETURN l ORDER BY l.b, l.mark, l.rank, l.pair LIMIT $p.limit UNION ALL "
    f"{ABOVE} AND l.mark = mark AND l.rank > rank AND l.pair IS NOT NULL{{refused}} "
    "RETURN l ORDER BY l.b, l.mark, l.rank, l.pair LIMIT $p.limit UNION ALL "
    f"{ABOVE} AND l.mark > mark AND l.rank IS NOT NULL AND l.pair IS NOT NULL{{refused}} "
    "RETURN l ORDER BY l.b, l.mark, l.rank, l.pair LIMIT $p.limit }"
)


def _filled(part: str, refused: str = "", least: int = INSIDE) -> str:
    return part.replace("{refused}", refused).replace("{least}", str(least))


LINKS: Final = gated(
    f"CALL () {{ UNWIND $p.numbers AS n {_filled(TO_STRONGER)} RETURN {LINK_OF} AS stronger }} "
    f"CALL () {{ UNWIND $p.numbers AS n {_filled(TO_WEAKER)} RETURN {LINK_OF} AS weaker }} RETURN [stronger, weaker]"
)
LINKS_BEYOND: Final = gated(f"UNWIND $p.numbers AS n {_filled(BEYOND)} RETURN {LINK_OF}")

# Of an identifier that is generic there may be any number; then it is cheaper to look for each pair.
BETWEEN: Final = gated(
    "UNWIND $p.numbers AS n MATCH (i:Identifier) USING INDEX SEEK i:Identifier(number) WHERE n <= i.number <= n "
    f"WITH n, i.generic < {NO_TRUST} AS generic CALL (n, generic) {{ "
    f"WITH n, generic WHERE NOT generic MATCH ()-[l:LINKED]->() {PAIRS} WHERE {OF_NUMBER} AND l.b IN $p.numbers "
    "RETURN l UNION ALL "
    "WITH n, generic WHERE generic UNWIND $p.numbers AS o WITH n * 4294967296 + o AS pair "
    f"MATCH ()-[l:LINKED]->() {PAIRS} WHERE pair <= l.pair <= pair RETURN l }} "
    f"RETURN collect([generic, {LINK}])"
)

OTHERS: Final = " AND o.customer <> k"
MEMBERS: Final = (
    "UNWIND $p.numbers AS k MATCH (i:Identifier {customer: k}) USING INDEX SEEK i:Identifier(customer) "
    "WITH k, i.number AS n "
)
REFUSED_TO_STRONGER: Final = _filled(TO_STRONGER, f" AND l.mark > {INSIDE}{OTHERS}").replace("(n)", "(k, n)", 1)
REFUSED_TO_WEAKER: Final = _filled(TO_WEAKER, OTHERS, INSIDE + 1).replace("(n)", "(k, n)", 1)
REFUSED_BEYOND: Final = _filled(BEYOND, OTHERS).replace("WITH n,", "WITH k, n,").replace("(n, mark", "(k, n, mark", 1)
LINK_OF_K: Final = "collect([k, l.pair, l.mark, l.rank, l.seen])"
# The page before ended at the link `after`. Unless its weaker end is one of the customer's own, the first half is told.
REFUSED: Final = gated(
    "CALL () { WITH $p.after_a AS n MATCH (w:Identifier) USING INDEX SEEK w:Identifier(number) "
    "WHERE n <= w.number <= n "
    "RETURN count(w) > 0 AND max(w.customer) IN $p.numbers AS own } "
    "WITH $p.after < 0 OR own AS first "
    f"CALL (first) {{ WITH first WHERE first {MEMBERS}{REFUSED_TO_STRONGER} RETURN {LINK_OF_K} AS stronger }} "
    f"CALL (first) {{ {MEMBERS}WHERE first OR n > $p.after_b {REFUSED_TO_WEAKER} RETURN {LINK_OF_K} AS weaker }} "
    f"CALL (first) {{ {MEMBERS}WHERE NOT first AND n = $p.after_b {REFUSED_BEYOND} RETURN {LINK_OF_K} AS rest }} "
    "RETURN [stronger, weaker + rest]"
)

LINKED_AT: Final = gated(
    "UNWIND $p.numbers AS n MATCH (i:Identifier) USING INDEX SEEK i:Identifier(number) WHERE n <= i.number <= n "
    "WITH n, i.customer AS k, i.namespace AS own "
    "MATCH (c:Customer) USING INDEX SEEK c:Customer(key) WHERE k <= c.key <= k WITH n, k, own, c WHERE c.size > 1 "
    f"MATCH ()-[l:LINKED]->(o) {PAIRS} WHERE {OF_NUMBER} AND o.customer = k "
    "RETURN collect([n, l.first_ms, own, o.namespace])"
)


class Linked(Snapshot):
    """What was seen together."""

    __slots__ = ()

    def links_by_pair(self, pairs: Sequence[int]) -> dict[int, KnownLink]:
        """Links by pair."""
        return {link.pair: link for link in map(_link, self._of(BY_PAIR, pairs))}

    def links(self, identifiers: Sequence[int], limit: int, after: int | None = None) -> dict[int, list[KnownLink]]:
        """A page of the links of each: first to stronger ends by pair, then to weaker ones by (mark, rank, pair)."""
        numbers = short(identifiers)
        if after is not None and after >> 32 not in identifiers:
            return paged([], self._of(LINKS_BEYOND, numbers, after=within(after), limit=limit), limit, _link)
        halves = self._of(LINKS, numbers, after=-1 if after is None else within(after), limit=limit)
        return paged(halves[0], halves[1], limit, _link) if halves else {}

    def links_between(self, identifiers: Sequence[int]) -> list[KnownLink]:
        """The links that have both ends among these."""
        return [_link(link) for _, link in sorted(self._of(BETWEEN, short(identifiers)))]

    def refused_links(
        self, customers: Sequence[int], limit: int, after: int | None = None
    ) -> dict[int, list[KnownLink]]:
        """A page of the links of each customer to others: first those whose weaker end is its own by pair, then the
        others by (stronger end, mark, rank, pair)."""
        pair = -1 if after is None else within(after)
        halves = self._of(REFUSED, customers, after=pair, after_a=pair >> 32, after_b=pair & LOW_HALF, limit=limit)
        return paged(halves[0], halves[1], limit, _link) if halves else {}

    def linked_at(self, identifiers: Sequence[int]) -> dict[int, int]:
        """When each was first seen with a stronger identifier that is of its customer today."""
        found: dict[int, int] = {}
        priority = self._facts.priority
        for number, first_ms, own, other in self._of(LINKED_AT, short(identifiers)):
            if priority[other] < priority[own]:  # of two as strong as each other, neither is linked by the other
                found[number] = min(first_ms, found.get(number, first_ms))
        return found


def _link(row: Row) -> KnownLink:
    pair, mark, rank, seen = row
    return KnownLink(pair >> 32, pair & LOW_HALF, mark, rank, tuple(seen_of(seen)))
