"""What a bare script does with the same events: it asks one statement, writes the same rows with another, and commits.

A recording takes down, commit by commit, what the store asks first and the rows that it writes. Replaying it costs what
Neo4j and its driver cost: no decoding, no deciding, no rows to be made. The statements are of the plain kind: what is
written is matched by its number, and relationships are merged.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final
from unittest.mock import patch

import neo4j

from onefold.store.neo4j.writing.ahead import Question
from onefold.store.neo4j.writing.statements import FIRST, WRITE

Said = dict[str, Any]
"""The parameter of a statement."""
ASKED: Final = ("ids", "messages")
"""Of what is asked first, what the bare statement asks too."""

LOCK: Final = "MATCH (m:Meta {name: 'head'}) SET m.lock = 1 RETURN m.seq"
READ: Final = (
    "CYPHER replan=skip "
    "CALL () { UNWIND $p.ids AS id MATCH (i:Identifier {id: id})<-[:HAS]-(c:Customer) "
    "RETURN collect([i.number, i.customer, c.size]) AS known, collect(DISTINCT c) AS customers } "
    "CALL (customers) { UNWIND customers AS c RETURN collect([c.key, c.anchor, c.counts]) AS counts } "
    "CALL () { UNWIND $p.messages AS id MATCH (t:Touchpoint {id: id}) RETURN collect(t.id) AS seen } "
    "RETURN known, counts, seen"
)
CHANGED_LINK: Final = (
    "MATCH (a:Identifier {number: r[0] / 4294967296}) MATCH (b:Identifier {number: r[0] % 4294967296}) "
    "MERGE (a)-[l:LINKED]->(b) SET l.mark = r[1], l.rank = r[2], l.sources = r[3], l.first_ms = r[4], "
    "l.last_ms = r[5], l.count = r[6], l.seen = r[7]"
)
IDENTIFIER: Final = (
    "MATCH (c:Customer {key: r[4]}) CREATE (c)-[:HAS]->(i:Identifier {number: r[0], id: r[1], namespace: r[2], "
    "value: r[3], customer: r[4], joined: r[5], generic: r[6], seen: r[7], one: r[8], apart: r[9], first_ms: r[10], "
    "last_ms: r[11], touched_first_ms: r[12], touched_last_ms: r[13], folded: r[14]}) "
    "FOREACH (_ IN r[15] | SET i:Device)"
)
TOUCHPOINT: Final = (
    "(t:Touchpoint {number: r[0], id: r[1], content: r[2], message_id: r[3], source: r[4], at_ms: r[5], "
    "received_ms: r[6], type: r[7], name: r[8], channel: r[9], campaign: r[10], revenue: r[11], currency: r[12], "
    "subject: r[13], device: r[14], identifiers: r[15], body: r[16]})-[:BY]->(s)"
)
CUSTOMER: Final = (
    "c.anchor = r[1], c.anchor_priority = r[2], c.size = r[3], c.apart = r[4], c.counts = r[5], c.whole = r[6]"
)
WRITES: Final = {
    "customers": "CREATE (c:Customer {key: r[0], id: r[1], anchor: r[2], anchor_priority: r[3], size: r[4], "
    f"apart: r[5], counts: r[6], whole: r[7]}}) WITH r UNWIND r[8] AS i WITH i AS r {IDENTIFIER}",
    "identifiers": IDENTIFIER,
    "changed_identifiers": "MATCH (i:Identifier {number: r[0]}) SET i.joined = r[1], i.generic = r[2], i.seen = r[3], "
    "i.one = r[4], i.apart = r[5], i.first_ms = r[6], i.last_ms = r[7], i.touched_first_ms = r[8], "
    "i.touched_last_ms = r[9]",
    "generic": "MATCH (i:Identifier {number: r}) SET i:Generic",
    "moved": "MATCH (c:Customer {key: r[1]}) MATCH (i:Identifier {number: r[0]})<-[h:HAS]-() "
    "DELETE h CREATE (c)-[:HAS]->(i) SET i.customer = r[1]",
    "changed_customers": f"MATCH (c:Customer {{key: r[0]}}) SET {CUSTOMER}",
    "anchored": "MATCH (c:Customer {key: r[0]}) MATCH (i:Identifier {number: r[1]}) "
    "SET c.id = 'cus_' + substring(i.id, 4)",
    "dropped": "MATCH (c:Customer {key: r}) DETACH DELETE c",
    "new_links": f"{CHANGED_LINK}, l.pair = r[0], l.a = r[8], l.b = r[9]",
    "seen_links": CHANGED_LINK,
    "marked_links": CHANGED_LINK,
    "touchpoints": f"MATCH (s:Identifier {{number: r[13]}}) CREATE {TOUCHPOINT}",
    "device_touchpoints": "MATCH (s:Identifier {number: r[13]}) MATCH (d:Identifier {number: r[14]}) "
    f"CREATE {TOUCHPOINT}, (t)-[:ON]->(d)",
    "subjects": "MATCH (s:Identifier {number: r[1]}) MATCH (t:Touchpoint {number: r[0]})-[b:BY]->() "
    "DELETE b CREATE (t)-[:BY]->(s) SET t.subject = r[1]",
    "decisions": "CREATE (d:Decision {seq: r[0], id: r[1], at_ms: r[2], kind: r[3], reason: r[4], customers: r[5], "
    "identifiers: r[6], link: r[7], judgement: r[8], messages: r[9]}) WITH d, r UNWIND r[10] AS n "
    "MATCH (i:Identifier {number: n}) CREATE (d)-[:CONCERNS {identifier: n, seq: r[0]}]->(i)",
    "changes": "CREATE (:Change {seq: r[0], kind: r[1], identifier: r[2], customer: r[3], was: r[4], "
    "touchpoint: r[5]})",
}
"""What such events make a store write, by the names of the lists of rows."""
WRITE_BARE: Final = (
    "CYPHER replan=skip "
    + " ".join(f"CALL () {{ UNWIND $p.{name} AS r {write} }}" for name, write in WRITES.items())
    + " WITH $p.head[0] AS head MATCH (m:Meta {name: 'head'}) SET m += head.state CREATE (c:Commit) SET c = head.commit"
)


@dataclass
class Commit:
    """What one transaction asked first, and the rows of each change set that it wrote."""

    first: Said
    writes: list[Said] = field(default_factory=list)


@contextmanager
def recording(into: list[Commit]) -> Iterator[None]:
    """Take down what transactions say inside the block. What they know from a glance, the script has to ask."""
    run: Callable[..., Any] = neo4j.Transaction.run
    parameters: Callable[[Question], Said] = Question.parameters
    asked: list[Said] = []

    def ask(question: Question) -> Said:
        asked.append(parameters(question))
        return asked[-1]

    def take_down(transaction: Any, statement: str, **said: Any) -> Any:
        if statement == FIRST:
            into.append(Commit({name: list(dict.fromkeys(chain(*(one[name] for one in asked)))) for name in ASKED}))
            asked.clear()
        elif statement == WRITE:
            into[-1].writes.append(said["p"])
        return run(transaction, statement, **said)

    with patch.object(neo4j.Transaction, "run", take_down), patch.object(Question, "parameters", ask):
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
                    assert not any(rows for name, rows in said.items() if name not in WRITES and name != "head")
                    transaction.run(WRITE_BARE, p=said).consume()
                transaction.commit()
