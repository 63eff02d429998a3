"""What stitching asks for, each need as one batched statement."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import apsw

from onefold.model.graph import Identifier, Link
from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import PublicIds
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
from onefold.store.sqlite.rows import (
    CUSTOMER,
    IDENTIFIER,
    KEYED_IDENTIFIER,
    LINK,
    STANDING,
    Rows,
    ask,
    blobs,
    customers_of,
    distinct,
    identifiers_of,
    judgements_of,
    keyed_identifiers_of,
    links_of,
    numbers,
    read_numbers,
)

# CROSS JOIN keeps the order of the tables: SQLite cannot know how few the numbers are.
BY_PUBLIC: Final = f"SELECT {KEYED_IDENTIFIER} FROM carray(?) k CROSS JOIN identifiers i ON i.public = k.value"
BY_NUMBER: Final = f"SELECT {IDENTIFIER} FROM carray(?) k CROSS JOIN identifiers i ON i.number = k.value"
MEMBERS: Final = f"SELECT {IDENTIFIER} FROM carray(?) k CROSS JOIN identifiers i ON i.customer = k.value"
ONES: Final = f"SELECT {IDENTIFIER} FROM carray(?) k CROSS JOIN identifiers i ON i.one = k.value"
CUSTOMERS: Final = f"SELECT {CUSTOMER} FROM carray(?) k CROSS JOIN customers c ON c.key = k.value"
LINKS: Final = f"SELECT {LINK} FROM carray(?) k CROSS JOIN links l ON l.pair = k.value"
LINKS_BELOW: Final = (
    f"SELECT {LINK} FROM carray(?1) k CROSS JOIN links l ON l.pair >= k.value << 32 AND l.pair < k.value + 1 << 32"
)
LINKS_ABOVE: Final = f"SELECT {LINK} FROM carray(?1) k CROSS JOIN links l ON l.b = k.value"
INSIDE_BELOW: Final = f"{LINKS_BELOW} AND l.mark = {INSIDE}"
INSIDE_ABOVE: Final = f"{LINKS_ABOVE} AND l.mark = {INSIDE}"
REFUSED_BELOW: Final = f"{LINKS_BELOW} AND l.mark > {GENERIC}"
HOLD_REFUSED: Final = (
    "SELECT k.value, m.value FROM carray(?) k CROSS JOIN carray(?) m "
    "WHERE EXISTS (SELECT 1 FROM links l WHERE l.b = k.value AND l.mark = m.value)"
)
REFUSED_ABOVE: Final = (
    f"SELECT {LINK} FROM links l WHERE l.b = ? AND l.mark = ? AND (l.rank, l.pair) > (?, ?) AND l.rank <= ? "
    "ORDER BY l.rank, l.pair LIMIT ?"
)
TOUCHPOINTS_BY: Final = (
    "SELECT t.number, t.subject, t.at_ms, t.identifiers "
    "FROM carray(?) k CROSS JOIN touchpoints t ON t.subject = k.value"
)


class Answers:
    """Answers needs from one connection; remembers the public hashes it made: new identifiers are stored with them."""

    def __init__(self, connection: apsw.Connection, ids: PublicIds) -> None:
        """`ids` are the store's."""
        self._connection: Final = connection
        self._ids: Final = ids
        self._publics: Final[dict[IdentifierKey, bytes]] = {}
        self._answers: Final[dict[type[Need], Callable[[Any], Any]]] = {
            ByKey: lambda need: self.by_key(need.keys),
            ByNumber: lambda need: identifiers_of(self._ask(BY_NUMBER, need.numbers)),
            Customers: lambda need: customers_of(self._ask(CUSTOMERS, need.keys)),
            Members: lambda need: identifiers_of(self._ask(MEMBERS, need.customers)),
            Links: lambda need: links_of(self._ask(LINKS, need.pairs)),
            LinksOf: lambda need: self._two_sided(LINKS_BELOW, LINKS_ABOVE, need.identifiers),
            InsideOf: lambda need: self._two_sided(INSIDE_BELOW, INSIDE_ABOVE, need.identifiers),
            RefusedBelow: lambda need: links_of(self._ask(REFUSED_BELOW, need.identifiers)),
            HoldRefused: self._hold_refused,
            RefusedAbove: self._refused_above,
            Ones: lambda need: identifiers_of(self._ask(ONES, need.roots)),
            Judgements: lambda need: judgements_of(self._ask(STANDING, need.identifiers)),
            TouchpointsBy: self._touchpoints_by,
        }

    def answer(self, need: Need) -> Any:
        """Rows for a need, of the type its docstring tells."""
        return self._answers[type(need)](need)

    def public(self, key: IdentifierKey) -> bytes:
        """The 16 bytes of an identifier's public id."""
        public = self._publics.get(key)
        if public is None:
            public = self._publics[key] = self._ids.digest(key)
        return public

    def by_key(self, keys: Sequence[IdentifierKey]) -> list[Identifier]:
        """Identifiers by namespace and value: found by the hash of their public ids, the one index over both."""
        if not keys:
            return []
        digest = self._ids.digest
        asked = {digest(key): key for key in keys}
        self._publics.update(zip(asked.values(), asked, strict=True))
        return keyed_identifiers_of(self._connection.execute(BY_PUBLIC, (blobs(asked),)), asked)

    def _ask(self, statement: str, values: Sequence[int]) -> Rows:
        return ask(self._connection, statement, numbers(values)) if values else []

    def _two_sided(self, below: str, above: str, identifiers: Sequence[int]) -> list[Link]:
        """Links at either end; those between two of these would come twice."""
        return links_of(distinct(self._ask(f"{below} UNION ALL {above}", identifiers)))

    def _refused_above(self, need: RefusedAbove) -> list[Link]:
        asked = (need.identifier, need.mark, need.low, need.after, need.high, need.limit)
        return links_of(self._connection.execute(REFUSED_ABOVE, asked))

    def _hold_refused(self, need: HoldRefused) -> list[tuple[int, int]]:
        if not need.identifiers or not need.marks:
            return []
        found: list[Any] = ask(self._connection, HOLD_REFUSED, numbers(need.identifiers), numbers(need.marks))
        return found

    def _touchpoints_by(self, need: TouchpointsBy) -> list[tuple[int, int, int, list[int]]]:
        return [
            (number, subject, at_ms, [identifier for identifier in read_numbers(identifiers) if identifier > 0])
            for number, subject, at_ms, identifiers in self._ask(TOUCHPOINTS_BY, need.subjects)
        ]
