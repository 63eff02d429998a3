"""Between what Neo4j holds and values: what each kind of value is read from.

Every statement has one parameter, the map `p`: the plan of a statement is then the same however many things are asked
for. It answers with one row: where there are many, they are collected on the server, which is several times faster than
to send them one by one.
"""

from collections.abc import Iterable
from typing import Any, Final

import neo4j

from onefold.model.copying import COLUMNS, RowKind
from onefold.model.graph import Customer, Identifier, Judgement, Link, Seen
from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import decode
from onefold.store.folding import indexed

Runner = neo4j.Session | neo4j.Transaction
"""What runs a statement: on its own, or in a transaction."""
Row = list[Any]

_KEPT: Final = (
    "i.customer, i.joined, i.generic, i.seen, i.one, i.apart, i.first_ms, i.last_ms, i.touched_first_ms, "
    "i.touched_last_ms"
)
IDENTIFIER: Final = f"[i.number, i.namespace, i.value, i.id, {_KEPT}]"
KEPT_OF_IDENTIFIER: Final = f"[i.number, {_KEPT}]"
"""The same of one that was asked for by its id."""
CUSTOMER: Final = "[c.key, c.anchor, c.anchor_priority, c.size, c.apart, c.counts, c.whole]"
LINK: Final = "[l.pair, l.mark, l.rank, l.seen]"
JUDGEMENT: Final = (
    "[j.number, j.same, j.a, j.b, j.author, j.reason, j.at_ms, j.retracted_ms, j.retracted_by, j.retracted_reason]"
)

STANDING: Final = (
    "CALL () { UNWIND $p.numbers AS n MATCH (j:Judgement {a: n}) USING INDEX SEEK j:Judgement(a) "
    f"WHERE j.retracted_ms IS NULL RETURN collect({JUDGEMENT}) AS named_first }} "
    "CALL () { UNWIND $p.numbers AS n MATCH (j:Judgement {b: n}) USING INDEX SEEK j:Judgement(b) "
    f"WHERE j.retracted_ms IS NULL RETURN collect({JUDGEMENT}) AS named_second }} "
    "RETURN named_first + named_second"
)
"""Standing judgements that name any of these identifiers; twice if both."""

SEGMENT: Final = f"[{', '.join(f's.{column}' for column in COLUMNS[RowKind.SEGMENTS])}]"
SEGMENTS_THERE: Final = (
    "MATCH (s:Segment) USING INDEX SEEK s:Segment(number) WHERE s.number > 0 AND s.deleted_ms IS NULL"
)
LAST_MEMBERSHIP: Final = (
    "MATCH (l:MembershipChange) USING INDEX SEEK l:MembershipChange(number) WHERE l.number > 0 "
    "WITH l ORDER BY l.number DESC LIMIT 1 RETURN collect(l.number)"
)

SEEN_NUMBERS: Final = 4
"""How many numbers of `LINKED.seen` belong to one source."""
LOW_HALF: Final = 0xFFFFFFFF
MOST_INDEXED_BYTES: Final = 32_000
UTF8_BYTES: Final = 4
"""The most that a character takes."""
LARGEST: Final = (1 << 63) - 1
"""The largest number that Neo4j stores."""


def ask(runner: Runner, statement: str, **p: Any) -> Row:
    """The values of the one row that a statement answers with."""
    [record] = runner.run(statement, p=p)
    return record.values()


def tell(runner: Runner, statement: str, **p: Any) -> None:
    """Run a statement that answers nothing."""
    runner.run(statement, p=p).consume()


def known_numbers(values: Iterable[int]) -> list[int]:
    """Those of the numbers that something may have, each once, in order. Readers may ask for any number."""
    return sorted({value for value in values if 0 <= value <= LARGEST})


def within(value: int) -> int:
    """The number, or the end of what Neo4j stores: what is stored is nowhere near, so it compares with them alike."""
    return max(-LARGEST, min(value, LARGEST))


def searched_text(text: str) -> str:
    """What the property `folded` holds for a text: as much of it as an index of Neo4j takes."""
    folded = indexed(text)
    if len(folded) * UTF8_BYTES <= MOST_INDEXED_BYTES:
        return folded
    return folded.encode()[:MOST_INDEXED_BYTES].decode(errors="ignore")


def public_of(public_id: str) -> bytes:
    """The bytes that a public id is made of."""
    return decode(public_id).data


def identifiers_of(rows: Iterable[Row]) -> list[Identifier]:
    """Rows of IDENTIFIER as what stitching works with."""
    public = public_of
    return [Identifier(n, IdentifierKey(name, value), public(p), *more) for n, name, value, p, *more in rows]


def customers_of(rows: Iterable[Row]) -> list[Customer]:
    """Rows of CUSTOMER as what stitching works with."""
    return [Customer(*row) for row in rows]


def links_of(rows: Iterable[Row]) -> list[Link]:
    """Rows of LINK as what stitching works with."""
    return [Link(pair >> 32, pair & LOW_HALF, mark, rank, seen_of(seen)) for pair, mark, rank, seen in rows]


def seen_of(flat: list[int]) -> list[Seen]:
    """What each source saw, from the list that `LINKED.seen` is."""
    return [Seen(*flat[k : k + SEEN_NUMBERS]) for k in range(0, len(flat), SEEN_NUMBERS)]


def distinct(rows: Iterable[Row]) -> Iterable[Row]:
    """Rows by their first column, each once."""
    return {row[0]: row for row in rows}.values()


def judgements_of(rows: Iterable[Row]) -> list[Judgement]:
    """Rows of JUDGEMENT, each once."""
    return [Judgement(*row) for row in distinct(rows)]
