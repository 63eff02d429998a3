"""Whole rows, kind by kind, as Neo4j holds them and as the values that are the same from every store."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from onefold.model.copying import COLUMNS, Origin, Row, RowKind, digest_of
from onefold.store.neo4j.rows import SEGMENT, public_of


class Place(NamedTuple):
    """Where the rows of a kind are.

    Attributes:
        pattern: matches one as `n`. name: of the label or type, by which their index is named.
    """

    pattern: str
    name: str


def _nodes(label: str) -> Place:
    return Place(f"(n:{label})", label)


PLACES: Final[Mapping[RowKind, Place]] = {
    RowKind.SOURCES: _nodes("Source"),
    RowKind.CUSTOMERS: _nodes("Customer"),
    RowKind.IDENTIFIERS: _nodes("Identifier"),
    RowKind.LINKS: Place("()-[n:LINKED]->()", "LINKED"),
    RowKind.TOUCHPOINTS: _nodes("Touchpoint"),
    RowKind.CLAIMS: _nodes("Claim"),
    RowKind.CONSENTS: _nodes("Consent"),
    RowKind.JUDGEMENTS: _nodes("Judgement"),
    RowKind.DECISIONS: _nodes("Decision"),
    RowKind.CHANGES: _nodes("Change"),
    RowKind.COMMITS: _nodes("Commit"),
    RowKind.REJECTS: _nodes("Reject"),
    RowKind.SEGMENTS: _nodes("Segment"),
    RowKind.MEMBERS: Place("()-[n:MEMBER_OF]->()", "MEMBER_OF"),
    RowKind.MEMBERSHIPS: _nodes("MembershipChange"),
}


def _messages(ids: Sequence[str]) -> bytes:
    return b"".join(map(public_of, ids))


OTHERWISE: Final[Mapping[RowKind, Mapping[str, tuple[str, Callable[[Any], Any]]]]] = {
    RowKind.IDENTIFIERS: {"public": ("id", public_of)},
    RowKind.TOUCHPOINTS: {"message": ("id", public_of), "content": ("content", bytes.fromhex)},
    RowKind.CONSENTS: {"given": ("given", int)},
    RowKind.JUDGEMENTS: {"same": ("same", int)},
    RowKind.DECISIONS: {"messages": ("messages", _messages)},
    RowKind.MEMBERSHIPS: {"entered": ("entered", int)},
}
"""Columns that are another property, or have another form: the property's name, and what makes the column of it."""


def above(kind: RowKind) -> str:
    """Matches, as `n`, those with numbers above `$p.after`: at most `$p.limit`, in the order of their numbers."""
    place, number = PLACES[kind], COLUMNS[kind][0]
    return (
        f"MATCH {place.pattern} USING INDEX SEEK n:{place.name}({number}) WHERE n.{number} > $p.after "
        f"WITH n ORDER BY n.{number} LIMIT $p.limit"
    )


def _collecting(kind: RowKind) -> str:
    others = OTHERWISE.get(kind, {})
    names = (others[column][0] if column in others else column for column in COLUMNS[kind])
    return f"{above(kind)} RETURN collect([{', '.join(f'n.{name}' for name in names)}])"


COLLECTING: Final[Mapping[RowKind, str]] = {kind: _collecting(kind) for kind in RowKind}
"""Statements that read rows."""


def last(kind: RowKind) -> str:
    """Matches, as `n`, the one with the largest number, if there is any."""
    place, number = PLACES[kind], COLUMNS[kind][0]
    return (
        f"MATCH {place.pattern} USING INDEX SEEK n:{place.name}({number}) WHERE n.{number} >= 0 "
        f"WITH n ORDER BY n.{number} DESC LIMIT 1"
    )


LAST_COMMIT: Final = f"[{', '.join(f'n.{column}' for column in COLUMNS[RowKind.COMMITS])}]"
ORIGIN: Final = (
    f"CALL () {{ {last(RowKind.COMMITS)} RETURN collect({LAST_COMMIT}) AS commits }} "
    f"CALL () {{ {last(RowKind.SOURCES)} RETURN coalesce(max(n.number), 0) AS sources }} "
    f"CALL () {{ {last(RowKind.REJECTS)} RETURN coalesce(max(n.number), 0) AS reject }} "
    f"CALL () {{ {last(RowKind.MEMBERSHIPS)} RETURN coalesce(max(n.number), 0) AS membership }} "
    "CALL () { MATCH (s:Segment) USING INDEX SEEK s:Segment(number) WHERE s.number > 0 "
    f"RETURN collect({SEGMENT}) AS segments }} "
    "MATCH (s:Meta) USING INDEX SEEK s:Meta(name) WHERE 'store' <= s.name <= 'store' "
    "RETURN [s.secret, s.rules, commits[0], sources, reject, membership, segments]"
)
"""What tells this state from every other."""


def origin_of(found: Sequence[Any]) -> Origin:
    """What ORIGIN answers, as a value."""
    secret, rules, commit, sources, reject, membership, segments = found
    last = None if commit is None else tuple(commit)
    return Origin(secret, rules, last, sources, reject, membership, digest_of(map(tuple, segments)))


def rows_of(kind: RowKind, found: Sequence[Sequence[Any]]) -> list[Row]:
    """What COLLECTING answers, as values."""
    columns = COLUMNS[kind]
    others = [(columns.index(column), convert) for column, (_, convert) in OTHERWISE.get(kind, {}).items()]
    if not others:
        return [tuple(row) for row in found]
    rows: list[Row] = []
    for row in found:
        values = list(row)
        for place, convert in others:
            values[place] = convert(values[place])
        rows.append(tuple(values))
    return rows
