"""The graph as tables, page by page: of the whole store, or of what is around a customer.

The rows of the four tables name each other by public ids, the same that every door answers with.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec

from onefold.errors import OnefoldError
from onefold.model.copying import COLUMNS, Row, RowKind
from onefold.model.ids import HASH_BYTES, encode
from onefold.model.sources import Trust
from onefold.service.neighbourhood import neighbourhood
from onefold.service.reading import Reading
from onefold.service.values import Reference
from onefold.store.view import MovedError, View

PAGE_ROWS: Final = 5_000
LOW_HALF: Final = 0xFFFFFFFF
SEEN_NUMBERS: Final = 4
"""How many numbers of a link's `seen` belong to one source: its number, first_ms, last_ms and count."""


class Form(StrEnum):
    """What stands in a column. A time is in milliseconds since 1970, UTC."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"


class Table(StrEnum):
    """The tables, in the order in which they are read."""

    CUSTOMERS = "customers"
    IDENTIFIERS = "identifiers"
    LINKS = "links"
    TOUCHPOINTS = "touchpoints"


_SEEN: Final = {"first_seen": Form.TIME, "last_seen": Form.TIME}
HOLDS: Final[Mapping[Table, Mapping[str, Form]]] = {
    Table.CUSTOMERS: {"id": Form.TEXT, "identifiers": Form.NUMBER},
    Table.IDENTIFIERS: {
        "id": Form.TEXT, "namespace": Form.TEXT, "value": Form.TEXT, "customer": Form.TEXT, "generic": Form.FLAG,
        **_SEEN,
    },
    Table.LINKS: {
        "a": Form.TEXT, "b": Form.TEXT, "refused": Form.FLAG, "count": Form.NUMBER, "sources": Form.TEXT, **_SEEN,
    },
    Table.TOUCHPOINTS: {
        "id": Form.TEXT, "at": Form.TIME, "source": Form.TEXT, "type": Form.TEXT, "name": Form.TEXT,
        "channel": Form.TEXT, "campaign": Form.TEXT, "revenue": Form.TEXT, "currency": Form.TEXT,
        "subject": Form.TEXT, "device": Form.TEXT, "customer": Form.TEXT,
    },
}  # fmt: skip
"""The columns of each table. A link is refused if its ends belong to different customers; `a` is its weaker end."""

Page: TypeAlias = tuple[Table, list[tuple[Any, ...]]]
"""Rows of a table, a value for each of its columns; None where there is nothing."""


class Around(msgspec.Struct, frozen=True):
    """What is around a customer: so many rings of neighbours, and so many identifiers at most."""

    customer: Reference
    depth: int
    most: int


def part(reading: Reading, around: Around) -> Iterator[Page]:
    """Customers, identifiers and links around a customer. Raises as `neighbourhood` does."""
    found = neighbourhood(reading, around.customer, around.depth, around.most)
    customers = reading.customers({i.customer for i in found.identifiers} - {0})
    yield Table.CUSTOMERS, [(row.public_id, row.size) for row in customers.values()]
    yield (
        Table.IDENTIFIERS,
        [
            (
                i.public_id, i.key.namespace, i.key.value, customers[i.customer].public_id if i.customer else None,
                i.generic, i.first_ms, i.last_ms,
            )
            for i in found.identifiers
        ],
    )  # fmt: skip
    yield (
        Table.LINKS,
        [
            (
                link.a.public_id, link.b.public_id, link.a.customer != link.b.customer, link.count,
                _listed(seen.source for seen in link.sources), link.first_ms, link.last_ms,
            )
            for link in found.links
        ],
    )  # fmt: skip


def whole(view: View, *, touchpoints: bool) -> Iterator[Page]:
    """All that a store holds.

    Raises: OnefoldError `store.busy` when something was committed meanwhile to a store that keeps no old states.
    """
    try:
        yield from _Whole(view).pages(touchpoints=touchpoints)
    except MovedError as error:
        raise OnefoldError(
            "store.busy", "the store was written to while it was exported", "Export it while nobody writes to it."
        ) from error


class _Whole:
    """Reads all rows of a store. Rows name others by numbers, so ids and customers of all identifiers are kept."""

    def __init__(self, view: View) -> None:
        self._view: Final = view
        self._sources: Final = {number: source.name for number, source in view.sources().items()}
        self._hashes: Final = bytearray(HASH_BYTES)
        self._owners: Final = array("q", [0])
        self._anchors: Final = {row[0]: row[1] for row in self._rows(RowKind.CUSTOMERS)}
        for row in self._rows(RowKind.IDENTIFIERS):
            self._note(row)

    def _note(self, identifier: Row) -> None:
        number = identifier[0]
        missing = number - len(self._owners)
        if missing > 0:  # numbers that nothing has any more
            self._hashes.extend(bytes(HASH_BYTES * missing))
            self._owners.extend([0] * missing)
        self._hashes.extend(identifier[1])
        self._owners.append(identifier[4])

    def pages(self, *, touchpoints: bool) -> Iterator[Page]:
        yield from self._pages(Table.CUSTOMERS, RowKind.CUSTOMERS, self._customer)
        yield from self._pages(Table.IDENTIFIERS, RowKind.IDENTIFIERS, self._identifier)
        yield from self._pages(Table.LINKS, RowKind.LINKS, self._link)
        if touchpoints:
            yield from self._pages(Table.TOUCHPOINTS, RowKind.TOUCHPOINTS, self._touchpoint)

    def _pages(self, table: Table, kind: RowKind, make: Callable[[Row], tuple[Any, ...]]) -> Iterator[Page]:
        page: list[tuple[Any, ...]] = []
        for row in self._rows(kind):
            page.append(make(row))
            if len(page) == PAGE_ROWS:
                yield table, page
                page = []
        yield table, page

    def _rows(self, kind: RowKind) -> Iterator[Row]:
        after = 0
        while rows := self._view.rows(kind, after, PAGE_ROWS):
            yield from rows
            after = rows[-1][0]

    def _id(self, number: int, prefix: str = "idn") -> str:
        return encode(prefix, bytes(self._hashes[number * HASH_BYTES : (number + 1) * HASH_BYTES]))

    def _owner(self, number: int) -> str | None:
        """The id of the customer that an identifier belongs to; an operator's belongs to nobody."""
        customer = self._owners[number]
        return self._id(self._anchors[customer], "cus") if customer else None

    def _customer(self, row: Row) -> tuple[Any, ...]:
        _, anchor, _, size, *_ = row
        return self._id(anchor, "cus"), size

    def _identifier(self, row: Row) -> tuple[Any, ...]:
        of = dict(zip(COLUMNS[RowKind.IDENTIFIERS], row, strict=True))
        return (
            self._id(of["number"]), of["namespace"], of["value"], self._owner(of["number"]),
            of["generic"] <= Trust.PUBLIC, of["first_ms"], of["last_ms"],
        )  # fmt: skip

    def _link(self, row: Row) -> tuple[Any, ...]:
        pair, _, _, seen = row
        a, b = pair >> 32, pair & LOW_HALF
        sources, first, last, counts = (seen[place::SEEN_NUMBERS] for place in range(SEEN_NUMBERS))
        refused = self._owners[a] != self._owners[b]
        said_by = _listed(self._sources[source] for source in sources)
        return self._id(a), self._id(b), refused, sum(counts), said_by, min(first), max(last)

    def _touchpoint(self, row: Row) -> tuple[Any, ...]:
        of = dict(zip(COLUMNS[RowKind.TOUCHPOINTS], row, strict=True))
        device = of["device"]
        return (
            encode("tp", of["message"]), of["at_ms"], self._sources[of["source"]], of["type"], of["name"],
            of["channel"], of["campaign"], of["revenue"], of["currency"], self._id(of["subject"]),
            None if device is None else self._id(device), self._owner(of["subject"]),
        )  # fmt: skip


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))


def counted(pages: Iterable[Page], counts: dict[Table, int]) -> Iterator[Page]:
    """The same pages; `counts` is told how many rows there were of each table."""
    for table, rows in pages:
        counts[table] = counts.get(table, 0) + len(rows)
        yield table, rows


def columns(table: Table) -> Sequence[str]:
    """Names of a table's columns."""
    return tuple(HOLDS[table])
