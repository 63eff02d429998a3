"""A database that is filled with the rows of another store.

As long as the copy is not complete, the store has no head and no gate: whoever had it open when it was empty can
neither read nor write then.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
import neo4j
from msgspec import structs

from onefold.errors import OnefoldError
from onefold.model.copying import COLUMNS, Origin, Progress, Row, RowKind
from onefold.store.neo4j.connections import Connections
from onefold.store.neo4j.copying.reading import COLLECTING, ORIGIN, above, last, origin_of, rows_of
from onefold.store.neo4j.copying.writing import WRITING, lists_of
from onefold.store.neo4j.rows import ask, tell
from onefold.store.neo4j.schema import HEAD, known
from onefold.store.passing import repeated
from onefold.store.searched import Searched, write_searched

DELETED_AT_ONCE: Final = 2_000
NO_RULES: Final = ""
"""The rules of no store: what has an origin with these is being emptied."""

LOCK: Final = "MATCH (s:Meta {name: 'store'}) SET s.version = s.version RETURN s.copy"
"""Whoever sets a property, to the same, waits for the others."""
LOCK_ALL: Final = (
    "MATCH (s:Meta {name: 'store'}) SET s.version = s.version WITH s "
    "OPTIONAL MATCH (h:Meta {name: 'head'}) SET h.lock = 1 RETURN s.copy"
)
HIDE: Final = (
    "MATCH (s:Meta {name: 'store'}) SET s.copy = $p.copy, s.secret = $p.secret, s.rules = $p.rules, "
    "s.searchable = $p.searchable WITH s UNWIND ['head', 'gate'] AS name "
    "MATCH (m:Meta {name: name}) USING INDEX SEEK m:Meta(name) DELETE m"
)
NOTE: Final = "MATCH (s:Meta {name: 'store'}) SET s.copy = $p.copy"
SHOW: Final = (
    "MATCH (s:Meta {name: 'store'}) REMOVE s.copy CREATE (:Meta {name: 'gate', lock: 1}) "
    "CREATE (h:Meta {name: 'head', lock: 1}) SET h += $p.head"
)
LAST_CLAIM: Final = f"CALL () {{ {last(RowKind.CLAIMS)} RETURN n.number AS number }} RETURN coalesce(max(number), 0)"

RELATIONSHIPS: Final = frozenset({RowKind.LINKS, RowKind.MEMBERS})


def _deleting(kind: RowKind) -> str:
    how = "DELETE" if kind in RELATIONSHIPS else "DETACH DELETE"
    return f"{above(kind)} {how} n RETURN count(*)"


DELETING: Final = {kind: _deleting(kind) for kind in reversed(RowKind)}
"""What hangs on others goes first."""

_decode: Final = msgspec.json.Decoder(Progress).decode


def _encode(progress: Progress) -> str:
    return msgspec.json.encode(progress).decode()


class Neo4jCopyTarget:
    """Made by `open_neo4j_target`. It belongs to one thread."""

    def __init__(self, connections: Connections, devices: frozenset[str], searched: Searched) -> None:
        """The database has the indexes of a store. `devices`: namespaces whose identifiers are devices; `searched`: the
        traits that shall be found."""
        self._connections: Final = connections
        self._devices: Final = devices
        self._searched: Final = searched

    def describe(self) -> str:
        """Where the server is, and the database's name."""
        return self._connections.place

    def close(self) -> None:
        """Let go of the server."""
        self._connections.close()

    def origin(self) -> Origin:
        """Which state of which store is there."""
        return origin_of(self._connections.ask(ORIGIN)[0])

    def rows(self, kind: RowKind, after: int, limit: int) -> list[Row]:
        """At most `limit` rows of a kind with numbers above `after`, in the order of their numbers."""
        return rows_of(kind, self._connections.ask(COLLECTING[kind], after=after, limit=limit)[0])

    def progress(self) -> Progress | None:
        """How far an unfinished copy has come; None if this is none."""
        noted = known(self._connections).copy
        return None if noted is None else _decode(noted)

    def begin(self, origin: Origin) -> Progress:
        """Make it an unfinished copy without rows; -> its progress. What an unfinished copy held is deleted."""
        emptying = Progress(structs.replace(origin, rules=NO_RULES))
        progress = Progress(origin)
        with self._connections.writing(LOCK_ALL) as (transaction, [noted]):
            if noted is None and not origin_of(ask(transaction, ORIGIN)[0]).empty:
                raise OnefoldError(
                    "copy.target_not_empty",
                    f"{self.describe()} holds something else already",
                    "Name a store that does not exist yet.",
                    "to",
                )
            facts = {"secret": origin.secret, "rules": origin.rules, "searchable": write_searched(self._searched)}
            tell(transaction, HIDE, copy=_encode(emptying), **facts)
        for deleting in DELETING.values():
            while self._connections.ask(deleting, after=0, limit=DELETED_AT_ONCE)[0]:
                pass
        with self._transaction([_encode(emptying)]) as (transaction, _):
            tell(transaction, NOTE, copy=_encode(progress))
        return progress

    def take(self, rows: list[Row], before: Progress, after: Progress) -> None:
        """Add rows of `after.kind`, and note the progress, in one transaction."""
        lists = lists_of(after.kind, rows, self._devices, self._searched)
        expected, noted_after = [_encode(before)], _encode(after)

        def write() -> None:
            with self._transaction(expected) as (transaction, noted):
                if noted != noted_after:
                    expected.append(noted_after)  # if the connection is lost now, it may or may not have been written
                    tell(transaction, WRITING[after.kind], copy=noted_after, **lists)

        repeated(write, idempotent=True)

    def complete(self, progress: Progress) -> None:
        """All rows are there: from now on it is a store like any other."""
        with self._transaction([_encode(progress)]) as (transaction, _):
            [claim] = ask(transaction, LAST_CLAIM)
            commit = dict(zip(COLUMNS[RowKind.COMMITS], progress.origin.commit or (), strict=False))
            numbers = {"claim": claim, "reject": progress.origin.reject}
            head = {name: commit.get(name, 0) for name in HEAD} | numbers
            tell(transaction, SHOW, head=head)

    @contextmanager
    def _transaction(self, expected: Collection[str]) -> Iterator[tuple[neo4j.Transaction, str]]:
        """A write transaction on a copy whose progress is one of those, and that progress."""
        with self._connections.writing(LOCK) as (transaction, [noted]):
            if noted not in expected:
                raise OnefoldError(
                    "store.busy", f"another copy is being made to {self.describe()}", "Wait until that is complete."
                )
            yield transaction, noted
