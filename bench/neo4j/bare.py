"""What a bare script does with the same events: it asks one statement, writes the same rows with another, and commits.

A recording takes down, commit by commit, what the store asks first and the rows that it writes. Replaying it costs what
Neo4j and its driver cost: no decoding, no deciding, no rows to be made.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from unittest.mock import patch

import neo4j

from onefold.store.neo4j.writing.statements import BLOCKS, FIRST, WRITE

Said = dict[str, Any]
"""The parameter of a statement."""

USED: Final = (
    "customers", "identifiers", "changed_identifiers", "generic", "moved", "changed_customers", "anchored", "dropped",
    "new_links", "seen_links", "marked_links", "touchpoints", "device_touchpoints", "subjects", "decisions", "changes",
)  # fmt: skip
"""What such events make a store write."""

LOCK: Final = "MATCH (m:Meta {name: 'head'}) SET m.lock = 1 RETURN m.seq"
READ: Final = (
    "CYPHER replan=skip "
    "CALL () { UNWIND $p.ids AS id MATCH (i:Identifier {id: id})<-[:HAS]-(c:Customer) "
    "RETURN collect([i.number, i.customer, c.size]) AS known, collect(DISTINCT c) AS customers } "
    "CALL (customers) { UNWIND customers AS c RETURN collect([c.key, c.anchor, c.counts]) AS counts } "
    "CALL () { UNWIND $p.messages AS id MATCH (t:Touchpoint {id: id}) RETURN collect(t.id) AS seen } "
    "RETURN known, counts, seen"
)
WRITE_BARE: Final = (
    "CYPHER replan=skip "
    + " ".join(f"CALL () {{ UNWIND $p.{name} AS r {BLOCKS[name]} }}" for name in USED)
    + " WITH $p.head[0] AS head MATCH (m:Meta {name: 'head'}) SET m += head.state CREATE (c:Commit) SET c = head.commit"
)


@dataclass
class Commit:
    """What one transaction asked first, and the rows of each change set that it wrote."""

    first: Said
    writes: list[Said] = field(default_factory=list)


@contextmanager
def recording(into: list[Commit]) -> Iterator[None]:
    """Take down what transactions say inside the block."""
    run: Callable[..., Any] = neo4j.Transaction.run

    def take_down(transaction: Any, statement: str, **said: Any) -> Any:
        if statement == FIRST:
            into.append(Commit(said["p"]))
        elif statement == WRITE:
            into[-1].writes.append(said["p"])
        return run(transaction, statement, **said)

    with patch.object(neo4j.Transaction, "run", take_down):
        yield


class Bare:
    """A script with a session of its own."""

    def __init__(self, session: neo4j.Session) -> None:
        """The graph is as the recorded one was before."""
        self._session: Final = session

    def write(self, commits: Sequence[Commit]) -> None:
        """Write what was recorded."""
        for commit in commits:
            with self._session.begin_transaction() as transaction:
                transaction.run(LOCK).consume()
                transaction.run(READ, p=commit.first).single()
                for said in commit.writes:
                    assert not any(rows for name, rows in said.items() if name not in USED and name != "head")
                    transaction.run(WRITE_BARE, p=said).consume()
                transaction.commit()
