"""Reading many rows at once, in columns. Neo4j collects them; the driver makes lists of them."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from onefold.model.sources import Trust
from onefold.store.columns import COLUMNS, Changed, ColumnKind
from onefold.store.feed_kinds import CLAIMS_CHANGE, CONSENTS_CHANGE, MOVE_CHANGE, SUBJECT_CHANGE
from onefold.store.neo4j.connections import Connections
from onefold.store.neo4j.reading.gate import BEGIN, gated
from onefold.store.neo4j.reading.snapshot import Snapshot
from onefold.store.neo4j.rows import Row, public_of, within

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS: Final = 10_000
"""Of a page: a statement's answer is held as a whole, by Neo4j and by the driver."""


class Place(NamedTuple):
    """Where rows are: the label of their nodes, and what matches, as `r`, those of the number `n`."""

    label: str
    of: str


def _by_number(label: str, number: str) -> Place:
    return Place(label, f"MATCH (r:{label}) USING INDEX SEEK r:{label}({number}) WHERE n <= r.{number} <= n")


def _of_identifier(label: str, relationship: str) -> Place:
    identifier = "MATCH (i:Identifier) USING INDEX SEEK i:Identifier(number) WHERE n <= i.number <= n"
    return Place(label, f"{identifier} MATCH (i)-[:{relationship}]->(r:{label})")


PLACES: Final[Mapping[ColumnKind, Place]] = {
    ColumnKind.TOUCHPOINTS: _by_number("Touchpoint", "number"),
    ColumnKind.SUBJECTS: _by_number("Touchpoint", "number"),
    ColumnKind.IDENTIFIERS: _by_number("Identifier", "number"),
    ColumnKind.CUSTOMERS: _by_number("Customer", "key"),
    ColumnKind.CLAIMS: _of_identifier("Claim", "CLAIMS"),
    ColumnKind.CONSENTS: _of_identifier("Consent", "CONSENTS"),
}
PROPERTIES: Final[Mapping[ColumnKind, Mapping[str, str]]] = {
    ColumnKind.TOUCHPOINTS: {"message": "r.id"},
    ColumnKind.IDENTIFIERS: {"public": "r.id", "generic": f"r.generic <= {int(Trust.PUBLIC)}"},
    ColumnKind.CUSTOMERS: {"number": "r.key"},
    ColumnKind.CLAIMS: {"trust": "r.source"},
    ColumnKind.CONSENTS: {"trust": "r.source"},
}
"""What columns are made of that are no properties of their own names."""


def _property(kind: ColumnKind, column: str) -> str:
    return PROPERTIES.get(kind, {}).get(column, f"r.{column}")


def _collecting(kind: ColumnKind) -> str:
    return f"RETURN collect([{', '.join(_property(kind, column) for column in COLUMNS[kind])}])"


def _page(kind: ColumnKind) -> str:
    label, number = PLACES[kind].label, _property(kind, "number")
    return (
        f"MATCH (r:{label}) USING INDEX SEEK r:{label}({number[2:]}) WHERE {number} > $p.after AND {number} <= $p.upto "
        f"WITH r ORDER BY {number} LIMIT $p.limit {_collecting(kind)}"
    )


PAGES: Final = {kind: gated(_page(kind)) for kind in ColumnKind}
LOOSE_PAGES: Final = {kind: f"{BEGIN}{_page(kind)}" for kind in ColumnKind}
"""The same in whatever state there is, for which nobody waits."""
OF: Final = {kind: gated(f"UNWIND $p.numbers AS n {place.of} {_collecting(kind)}") for kind, place in PLACES.items()}


def _of_kind(kind: int, name: str) -> str:
    return f"collect(DISTINCT CASE h.kind WHEN {kind} THEN h.{name} END)"


# An operator's number has a minus.
CHANGED: Final = gated(
    "CALL () { MATCH (t:Touchpoint) USING INDEX SEEK t:Touchpoint(number) WHERE t.number > $p.after "
    "UNWIND t.identifiers AS n RETURN collect(DISTINCT abs(n)) AS carried } "
    "CALL () { MATCH (d:Decision) USING INDEX SEEK d:Decision(seq) WHERE d.seq > $p.after "
    "UNWIND d.identifiers AS n RETURN collect(DISTINCT n) AS decided } "
    "CALL () { MATCH (h:Change) USING INDEX SEEK h:Change(seq) WHERE h.seq > $p.after "
    f"RETURN {_of_kind(MOVE_CHANGE, 'identifier')} AS moved, {_of_kind(MOVE_CHANGE, 'customer')} AS come, "
    f"{_of_kind(MOVE_CHANGE, 'was')} AS left, {_of_kind(CLAIMS_CHANGE, 'identifier')} AS said, "
    f"{_of_kind(CONSENTS_CHANGE, 'identifier')} AS agreed, {_of_kind(SUBJECT_CHANGE, 'touchpoint')} AS touchpoints }} "
    "RETURN [carried + decided + moved, come + left, said, agreed, touchpoints]"
)


class InColumns(Snapshot):
    """All there is, many rows at a time."""

    __slots__ = ()

    def changed(self, after: int) -> Changed:
        """What changed by commits after this sequence number."""
        identifiers, customers, *others = self._ask(CHANGED, after=within(after))
        return Changed(_numbers(identifiers), _numbers(filter(None, customers)), *map(_numbers, others))

    def page(self, kind: ColumnKind, after: int, upto: int, limit: int) -> "pa.Table":
        """The first rows with `after` < number <= `upto`, in order."""
        asked = {"after": within(after), "upto": within(upto), "limit": min(limit, MOST_ROWS)}
        return self._table(kind, self._ask(PAGES[kind], **asked))

    def columns(self, kind: ColumnKind, of: "Sequence[int] | array[int]") -> "pa.Table":
        """All rows of these."""
        return self._table(kind, self._of(OF[kind], of))

    def loose_page(self, connections: Connections, kind: ColumnKind, after: int, upto: int, limit: int) -> "pa.Table":
        """As `page`, of whatever states there are while it is read."""
        asked = {"after": within(after), "upto": within(upto), "limit": min(limit, MOST_ROWS)}
        [rows] = connections.ask(LOOSE_PAGES[kind], **asked)
        return self._table(kind, rows)

    def _table(self, kind: ColumnKind, rows: list[Row]) -> "pa.Table":
        from onefold.store.tables import of_columns  # noqa: PLC0415 (it takes long, and only a read model needs it)

        names = list(COLUMNS[kind])
        if not rows:
            return of_columns(kind, [[] for _ in names])
        columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        if "source" in columns:
            sources = self._named(columns["source"])
            said = [sources[number] for number in columns["source"]]
            columns |= {"source": [source.name for source in said], "trust": [int(source.trust) for source in said]}
        for name in ("message", "public"):
            if name in columns:
                columns[name] = [public_of(id_).hex() for id_ in columns[name]]
        return of_columns(kind, [columns[name] for name in names])


def _numbers(values: Iterable[int]) -> "array[int]":
    return array("q", sorted(set(values)))
