"""What is written first by whoever meets Cypher: one transaction an event, in which everything is merged.

It decides nothing either: whoever is seen together is one customer.
"""

from collections.abc import Sequence
from typing import Any, Final

import neo4j

from onefold.ingest.decode import Decoded, Rejected
from onefold.model.events import Event
from onefold.model.ids import PublicIds, encode

EVENT: Final = (
    "MERGE (t:Touchpoint {id: $p.id}) SET t += $p.said "
    "WITH t UNWIND $p.identifiers AS k MERGE (i:Identifier {id: k.id}) "
    "ON CREATE SET i.namespace = k.namespace, i.value = k.value, i.first_ms = $p.said.at_ms, i.last_ms = $p.said.at_ms "
    "ON MATCH SET i.last_ms = CASE WHEN i.last_ms < $p.said.at_ms THEN $p.said.at_ms ELSE i.last_ms END "
    "WITH t, collect(i) AS seen "
    "CALL (t, seen) { WITH t, seen[0] AS subject MERGE (t)-[:BY]->(subject) } "
    "CALL (seen) { UNWIND seen AS a UNWIND seen AS b WITH a, b WHERE a.id < b.id MERGE (a)-[l:LINKED]->(b) "
    "ON CREATE SET l.count = 1, l.first_ms = $p.said.at_ms, l.last_ms = $p.said.at_ms "
    "ON MATCH SET l.count = l.count + 1, l.last_ms = $p.said.at_ms } "
    "CALL (seen) { UNWIND seen AS i OPTIONAL MATCH (i)<-[:HAS]-(c:Customer) RETURN collect(DISTINCT c) AS known } "
    "CALL (known) { WITH known WHERE size(known) = 0 MERGE (c:Customer {id: $p.customer}) } "
    "WITH seen, known MATCH (c:Customer {id: coalesce(known[0].id, $p.customer)}) "
    "CALL (c, known) { UNWIND known[1..] AS old MATCH (old)-[h:HAS]->(i) MERGE (c)-[:HAS]->(i) DELETE h } "
    "UNWIND seen AS i MERGE (c)-[:HAS]->(i)"
)


class Naive:
    """A script with a session of its own."""

    def __init__(self, session: neo4j.Session, secret: bytes) -> None:
        """`secret`: of the store whose public ids are used."""
        self._session: Final = session
        self._ids: Final = PublicIds(secret)

    def write(self, items: Sequence[Decoded | Rejected]) -> None:
        """Write events, one by one."""
        for item in items:
            assert isinstance(item, Decoded)
            self._session.run(EVENT, p=self._said(item.event)).consume()

    def _said(self, event: Event) -> dict[str, Any]:
        ids = [self._ids.digest(key) for key in event.identifiers]
        said = {
            "message_id": event.message_id, "source": event.source.name, "at_ms": event.at_ms,
            "received_ms": event.received_ms, "type": event.type, "name": event.name, "channel": event.channel,
            "campaign": event.campaign, "revenue": event.revenue, "currency": event.currency,
            "body": event.body.decode(),
        }  # fmt: skip
        return {
            "id": encode("tp", event.message),
            "said": said,
            "customer": encode("cus", ids[0]),
            "identifiers": [
                {"id": encode("idn", digest), "namespace": key.namespace, "value": key.value}
                for digest, key in zip(ids, event.identifiers, strict=True)
            ],
        }
