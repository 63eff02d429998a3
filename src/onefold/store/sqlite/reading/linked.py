"""Reading links."""

from collections.abc import Sequence
from typing import Any, Final

from onefold.model.reading import KnownLink
from onefold.stitch.rules import INSIDE, NO_TRUST
from onefold.store.link_pages import paged
from onefold.store.sqlite.reading.snapshot import Snapshot
from onefold.store.sqlite.rows import LINK, LOW_HALF, Rows, ask, read_seen_tuple

BY_PAIR: Final = f"SELECT {LINK} FROM carray(?) k CROSS JOIN links l ON l.pair = k.value"

# Links to stronger ends stand together in the table, in order of pair; those to weaker ends in the index links_above.
TO_STRONGER: Final = (
    f"SELECT k.value, {LINK} FROM carray(?1) k CROSS JOIN links l ON l.pair IN (SELECT p.pair FROM links p "
    "WHERE p.pair > max(?2, (k.value << 32) - 1) AND p.pair < k.value + 1 << 32 ORDER BY p.pair LIMIT ?3)"
)
TO_WEAKER: Final = (
    f"SELECT k.value, {LINK} FROM carray(?1) k CROSS JOIN links l ON l.pair IN (SELECT p.pair FROM links p "
    "WHERE p.b = k.value {beyond}ORDER BY p.mark, p.rank, p.pair LIMIT ?3)"
)
TO_BOTH: Final = f"{TO_STRONGER} UNION ALL {TO_WEAKER.format(beyond='')}"
BEYOND: Final = "AND (p.mark, p.rank, p.pair) > (SELECT x.mark, x.rank, x.pair FROM links x WHERE x.pair = ?2) "

# Of an identifier that is generic there may be any number; then it is cheaper to look for each pair.
BETWEEN: Final = (
    f"SELECT {LINK} FROM carray(?1) k CROSS JOIN identifiers i ON i.number = k.value AND i.generic = {NO_TRUST} "
    "CROSS JOIN links l ON l.pair >= k.value << 32 AND l.pair < k.value + 1 << 32 "
    "WHERE l.b IN (SELECT value FROM carray(?1)) UNION ALL "
    f"SELECT {LINK} FROM carray(?1) k CROSS JOIN identifiers i ON i.number = k.value AND i.generic < {NO_TRUST} "
    "CROSS JOIN carray(?1) o CROSS JOIN links l ON l.pair = k.value << 32 | o.value"
)

REFUSED_TO_STRONGER: Final = (
    f"SELECT k.value, {LINK} FROM carray(?1) k CROSS JOIN identifiers i ON i.customer = k.value "
    "CROSS JOIN links l ON l.pair IN (SELECT p.pair FROM links p CROSS JOIN identifiers o ON o.number = p.b "
    f"WHERE p.pair > max(?2, (i.number << 32) - 1) AND p.pair < i.number + 1 << 32 AND p.mark > {INSIDE} "
    "AND o.customer <> i.customer ORDER BY p.pair LIMIT ?3)"
)
REFUSED_TO_WEAKER: Final = (
    f"SELECT k.value, {LINK} FROM carray(?1) k CROSS JOIN identifiers i ON i.customer = k.value AND i.number >= ?4 "
    "CROSS JOIN links l ON l.pair IN (SELECT p.pair FROM links p CROSS JOIN identifiers o ON o.number = p.a "
    f"WHERE p.b = i.number AND p.mark > {INSIDE} AND o.customer <> i.customer {{beyond}}"
    "ORDER BY p.mark, p.rank, p.pair LIMIT ?3)"
)
REFUSED_BEYOND: Final = (
    "AND (i.number > ?4 OR (p.mark, p.rank, p.pair) > (SELECT x.mark, x.rank, x.pair FROM links x WHERE x.pair = ?2)) "
)

LINKED_AT: Final = (
    "SELECT k.value, l.seen, i.namespace, s.namespace FROM carray(?) k CROSS JOIN identifiers i ON i.number = k.value "
    "CROSS JOIN customers c ON c.key = i.customer AND c.size > 1 "
    "CROSS JOIN links l ON l.pair >= k.value << 32 AND l.pair < k.value + 1 << 32 "
    "CROSS JOIN identifiers s ON s.number = l.b AND s.customer = i.customer"
)


class Linked(Snapshot):
    """What was seen together."""

    __slots__ = ()

    def links_by_pair(self, pairs: Sequence[int]) -> dict[int, KnownLink]:
        """Links by pair."""
        return {link.pair: link for link in map(_link, self._ask(BY_PAIR, pairs))}

    def links(self, identifiers: Sequence[int], limit: int, after: int | None = None) -> dict[int, list[KnownLink]]:
        """A page of the links of each: first to stronger ends by pair, then to weaker ones by (mark, rank, pair)."""
        if after is not None and after >> 32 not in identifiers:
            return paged([], self._ask(TO_WEAKER.format(beyond=BEYOND), identifiers, after, limit), limit, _link)
        rows = self._ask(TO_BOTH, identifiers, after or 0, limit)
        stronger = [row for row in rows if row[1] >> 32 == row[0]]
        return paged(stronger, [row for row in rows if row[1] >> 32 != row[0]], limit, _link)

    def links_between(self, identifiers: Sequence[int]) -> list[KnownLink]:
        """The links that have both ends among these."""
        return [_link(row) for row in self._ask(BETWEEN, identifiers)]

    def refused_links(
        self, customers: Sequence[int], limit: int, after: int | None = None
    ) -> dict[int, list[KnownLink]]:
        """A page of the links of each customer to others: first those whose weaker end is its own by pair, then the
        others by (stronger end, mark, rank, pair)."""
        stronger: Rows = []
        in_first = after is None or self._owner(after >> 32) in customers
        if in_first:
            stronger = self._ask(REFUSED_TO_STRONGER, customers, after or 0, limit)
        statement = REFUSED_TO_WEAKER.format(beyond="" if in_first else REFUSED_BEYOND)
        start = 0 if after is None or in_first else after & LOW_HALF
        return paged(stronger, self._ask(statement, customers, after, limit, start), limit, _link)

    def linked_at(self, identifiers: Sequence[int]) -> dict[int, int]:
        """When each was first seen with a stronger identifier that is of its customer today."""
        found: dict[int, int] = {}
        priority = self._facts.priority
        for number, seen, own, other in self._ask(LINKED_AT, identifiers):
            if priority[other] >= priority[own]:  # of two as strong as each other, neither is linked by the other
                continue
            first_ms = min(source.first_ms for source in read_seen_tuple(seen))
            found[number] = min(first_ms, found.get(number, first_ms))
        return found

    def _owner(self, identifier: int) -> int | None:
        rows = ask(self._connection, "SELECT customer FROM identifiers WHERE number = ?", identifier)
        return rows[0][0] if rows else None


def _link(row: Sequence[Any]) -> KnownLink:
    pair, mark, rank, seen = row
    return KnownLink(pair >> 32, pair & LOW_HALF, mark, rank, read_seen_tuple(seen))
