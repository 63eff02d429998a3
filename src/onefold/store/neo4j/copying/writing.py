"""Whole rows into Neo4j: by the same blocks that write a commit, as far as there are such."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from onefold.model.copying import COLUMNS, Row, RowKind
from onefold.model.ids import encode, encode_number
from onefold.model.sources import Trust
from onefold.store.folding import claimed_text, indexed
from onefold.store.kept import NOBODY
from onefold.store.neo4j.rows import LOW_HALF, searched_text
from onefold.store.neo4j.writing import segments, statements
from onefold.store.searched import Searched

Lists = dict[str, list[Any]]
"""Rows by the name of the block that writes them."""
MESSAGE_BYTES: Final = 16
_YES: Final = (1,)
_NO: Final = ()
"""A label is set for each member of such a list."""


def _creating(label: str, kind: RowKind) -> str:
    properties = ", ".join(f"{column}: r[{place}]" for place, column in enumerate(COLUMNS[kind]))
    return f"CREATE (:{label} {{{properties}}})"


OWN: Final = {
    "sources": _creating("Source", RowKind.SOURCES),
    "bare_customers": _creating("Customer", RowKind.CUSTOMERS),
    # Customers are there before their identifiers; the id of one is its anchor's.
    "held_identifiers": f"{statements.BLOCKS['identifiers']} WITH c, r WHERE c.anchor = r[0] "
    "SET c.id = 'cus_' + substring(r[1], 4)",
    "counted_claims": "MATCH (i:Identifier {number: r[1]}) USING INDEX SEEK i:Identifier(number) "
    "CREATE (i)-[:CLAIMS]->(:Claim {number: r[0], identifier: r[1], trait: r[2], source: r[3], hash: r[4], "
    "value: r[5], first_ms: r[6], last_ms: r[7], count: r[8], folded: r[9]})",
    "commits": _creating("Commit", RowKind.COMMITS),
    "rejects": _creating("Reject", RowKind.REJECTS),
}
"""Blocks that no commit needs."""
BLOCKS: Final[Mapping[RowKind, tuple[str, ...]]] = {
    RowKind.SOURCES: ("sources",),
    RowKind.CUSTOMERS: ("bare_customers",),
    RowKind.IDENTIFIERS: ("held_identifiers", "new_operators", "generic"),
    RowKind.LINKS: ("new_links",),
    RowKind.TOUCHPOINTS: ("touchpoints", "device_touchpoints"),
    RowKind.CLAIMS: ("counted_claims",),
    RowKind.CONSENTS: ("new_consents",),
    RowKind.JUDGEMENTS: ("judged", "retracted"),
    RowKind.DECISIONS: ("decisions",),
    RowKind.CHANGES: ("changes",),
    RowKind.COMMITS: ("commits",),
    RowKind.REJECTS: ("rejects",),
    RowKind.SEGMENTS: ("new_segments",),
    RowKind.MEMBERS: ("entered",),
    RowKind.MEMBERSHIPS: ("lines",),
}


def _statement(kind: RowKind) -> str:
    texts = statements.BLOCKS | segments.BLOCKS | OWN
    parts = [f"CALL () {{ UNWIND $p.{name} AS r {texts[name]} }}" for name in BLOCKS[kind]]
    return f"CYPHER replan=skip {' '.join(parts)} MATCH (s:Meta {{name: 'store'}}) SET s.copy = $p.copy"


WRITING: Final[Mapping[RowKind, str]] = {kind: _statement(kind) for kind in RowKind}
"""Statements that write the rows of `lists_of`, and how far the copy is: `$p.copy`."""


def lists_of(kind: RowKind, rows: Sequence[Row], devices: frozenset[str], searched: Searched) -> Lists:
    """Rows as the blocks of their kind take them. `devices`: namespaces whose identifiers are devices."""
    match kind:
        case RowKind.IDENTIFIERS:
            return _identifiers(rows, devices)
        case RowKind.TOUCHPOINTS:
            return _touchpoints(rows)
        case RowKind.CLAIMS:
            return {"counted_claims": [(*row, _folded(row, searched)) for row in rows]}
        case RowKind.JUDGEMENTS:
            return _judgements(rows)
    [block] = BLOCKS[kind]
    return {block: list(map(FORMS.get(kind, tuple), rows))}


def _identifiers(rows: Sequence[Row], devices: frozenset[str]) -> Lists:
    lists: Lists = {"held_identifiers": [], "new_operators": [], "generic": []}
    for row in rows:
        number, public, namespace, value, customer, joined, generic, _, _, apart, first_ms, last_ms, *_ = row
        public_id = encode("idn", public)
        if customer == NOBODY:
            lists["new_operators"].append(
                (number, public_id, namespace, value, customer, joined, generic, apart, first_ms, last_ms)
            )
            continue
        device = _YES if namespace in devices else _NO
        lists["held_identifiers"].append((number, public_id, *row[2:], indexed(value), device))
        if generic <= Trust.PUBLIC:
            lists["generic"].append(number)
    return lists


def _link(row: Row) -> Row:
    pair, mark, rank, seen = row
    return (
        pair, mark, rank, seen[0::4], min(seen[1::4]), max(seen[2::4]), sum(seen[3::4]), seen, pair >> 32,
        pair & LOW_HALF,
    )  # fmt: skip


def _touchpoints(rows: Sequence[Row]) -> Lists:
    lists: Lists = {"touchpoints": [], "device_touchpoints": []}
    device = COLUMNS[RowKind.TOUCHPOINTS].index("device")
    for row in rows:
        block = "touchpoints" if row[device] is None else "device_touchpoints"
        lists[block].append((row[0], encode("tp", row[1]), row[2].hex(), *row[3:]))
    return lists


def _folded(claim: Row, searched: Searched) -> str | None:
    _, _, trait, _, _, value, *_ = claim
    text = claimed_text(trait, value, searched)
    return None if text is None else searched_text(text)


def _judgements(rows: Sequence[Row]) -> Lists:
    judged = [(row[0], encode_number("jdg", row[0]), bool(row[1]), *row[2:7]) for row in rows]
    return {"judged": judged, "retracted": [(row[0], *row[7:]) for row in rows if row[7] is not None]}


def _decision(row: Row) -> Row:
    seq, at_ms, kind, reason, customers, identifiers, link, judgement, messages = row
    ids = [encode("tp", messages[k : k + MESSAGE_BYTES]) for k in range(0, len(messages), MESSAGE_BYTES)]
    about = list({*identifiers, *customers})
    return seq, encode_number("dec", seq), at_ms, kind, reason, customers, identifiers, link, judgement, ids, about


def _segment(row: Row) -> Row:
    return *row, encode_number("seg", row[0])


def _membership(row: Row) -> Row:
    number, segment, anchor, entered, *more = row
    return number, segment, anchor, bool(entered), *more


FORMS: Final[Mapping[RowKind, Callable[[Row], Row]]] = {
    RowKind.LINKS: _link,
    RowKind.DECISIONS: _decision,
    RowKind.SEGMENTS: _segment,
    RowKind.MEMBERS: segments.member_row,
    RowKind.MEMBERSHIPS: _membership,
}
"""What brings a row into the form that the one block of its kind takes; the others are taken as they are."""
