"""The statement that writes a change set.

Everything that a commit writes goes in one statement, a block for each kind of row: a round trip costs as much as
writing fifty rows. Rows are lists; a block whose list in `$p` is empty costs next to nothing. So there is one text, and
it is planned once, when the store is opened: that takes Neo4j a second.
"""

from typing import Any, Final

from onefold.store.kept import MOST_VALUES
from onefold.store.neo4j.rows import JUDGEMENT
from onefold.store.neo4j.writing.ahead import READ, READS

# New customers come with their new identifiers, which need not be sought then.
NEW_IDENTIFIER: Final = (
    "CREATE (c)-[:HAS]->(i:Identifier {number: r[0], id: r[1], namespace: r[2], value: r[3], customer: r[4], "
    "joined: r[5], generic: r[6], seen: r[7], one: r[8], apart: r[9], first_ms: r[10], last_ms: r[11], "
    "touched_first_ms: r[12], touched_last_ms: r[13], folded: r[14]}) FOREACH (_ IN r[15] | SET i:Device)"
)
TOUCHPOINT: Final = (
    "(t:Touchpoint {number: r[0], id: r[1], content: r[2], message_id: r[3], source: r[4], at_ms: r[5], "
    "received_ms: r[6], type: r[7], name: r[8], channel: r[9], campaign: r[10], revenue: r[11], currency: r[12], "
    "subject: r[13], device: r[14], identifiers: r[15], body: r[16]})-[:BY]->(s)"
)
SUBJECT: Final = "MATCH (s:Identifier {number: r[13]}) USING INDEX SEEK s:Identifier(number)"
LINK: Final = "MATCH ()-[l:LINKED {pair: r[0]}]->() USING INDEX SEEK l:LINKED(pair)"
EVIDENCE: Final = "l.sources = r[3], l.first_ms = r[4], l.last_ms = r[5], l.count = r[6], l.seen = r[7]"

CLAIM: Final = "(c:Claim) USING INDEX SEEK c:Claim(identifier, source, hash)"

BLOCKS: Final = {
    "customers": "CREATE (c:Customer {key: r[0], id: r[1], anchor: r[2], anchor_priority: r[3], "
    "size: r[4], apart: r[5], counts: r[6], whole: r[7]}) "
    f"WITH c, r[8] AS identifiers UNWIND identifiers AS r {NEW_IDENTIFIER}",
    "identifiers": "MATCH (c:Customer {key: r[4]}) USING INDEX SEEK c:Customer(key) " + NEW_IDENTIFIER,
    "changed_identifiers": "MATCH (i:Identifier {number: r[0]}) USING INDEX SEEK i:Identifier(number) "
    "SET i.joined = r[1], i.generic = r[2], i.seen = r[3], i.one = r[4], i.apart = r[5], i.first_ms = r[6], "
    "i.last_ms = r[7], i.touched_first_ms = r[8], i.touched_last_ms = r[9]",
    "moved": "MATCH (i:Identifier {number: r[0]}) USING INDEX SEEK i:Identifier(number) "
    "MATCH (c:Customer {key: r[1]}) USING INDEX SEEK c:Customer(key) "
    "MATCH (i)<-[h:HAS]-() DELETE h CREATE (c)-[:HAS]->(i) SET i.customer = r[1]",
    "changed_customers": "MATCH (c:Customer {key: r[0]}) USING INDEX SEEK c:Customer(key) "
    "SET c.anchor = r[1], c.anchor_priority = r[2], c.size = r[3], c.apart = r[4], c.counts = r[5], c.whole = r[6]",
    "anchored": "MATCH (c:Customer {key: r[0]}) USING INDEX SEEK c:Customer(key) "
    "MATCH (i:Identifier {number: r[1]}) USING INDEX SEEK i:Identifier(number) SET c.id = 'cus_' + substring(i.id, 4)",
    "dropped": "MATCH (c:Customer {key: r}) USING INDEX SEEK c:Customer(key) DETACH DELETE c",
    "new_links": "MATCH (a:Identifier {number: r[8]}) USING INDEX SEEK a:Identifier(number) "
    "MATCH (b:Identifier {number: r[9]}) USING INDEX SEEK b:Identifier(number) "
    "CREATE (a)-[:LINKED {pair: r[0], a: r[8], b: r[9], mark: r[1], rank: r[2], sources: r[3], first_ms: r[4], "
    "last_ms: r[5], count: r[6], seen: r[7]}]->(b)",
    "seen_links": f"{LINK} SET {EVIDENCE}",
    "marked_links": f"{LINK} SET l.mark = r[1], l.rank = r[2], {EVIDENCE}",
    "touchpoints": f"{SUBJECT} CREATE {TOUCHPOINT}",
    "device_touchpoints": f"{SUBJECT} "
    f"MATCH (d:Identifier {{number: r[14]}}) USING INDEX SEEK d:Identifier(number) CREATE {TOUCHPOINT}, (t)-[:ON]->(d)",
    "decisions": "CREATE (d:Decision {seq: r[0], id: r[1], at_ms: r[2], kind: r[3], reason: r[4], "
    "customers: r[5], identifiers: r[6], link: r[7], judgement: r[8], messages: r[9]}) "
    "WITH d, r UNWIND r[10] AS n MATCH (i:Identifier {number: n}) USING INDEX SEEK i:Identifier(number) "
    "CREATE (d)-[:CONCERNS {identifier: n, seq: r[0]}]->(i)",
    "changes": "CREATE (:Change {seq: r[0], kind: r[1], identifier: r[2], customer: r[3], was: r[4], "
    "touchpoint: r[5]})",
    "generic": "MATCH (i:Identifier {number: r}) USING INDEX SEEK i:Identifier(number) SET i:Generic",
    "ordinary": "MATCH (i:Identifier {number: r}) USING INDEX SEEK i:Identifier(number) REMOVE i:Generic",
    "new_operators": "CREATE (:Identifier:Operator {number: r[0], id: r[1], namespace: r[2], value: r[3], "
    "customer: r[4], joined: r[5], generic: r[6], apart: r[7], first_ms: r[8], last_ms: r[9]})",
    "seen_operators": "MATCH (i:Identifier {number: r[0]}) USING INDEX SEEK i:Identifier(number) "
    "SET i.first_ms = CASE WHEN r[1] < i.first_ms THEN r[1] ELSE i.first_ms END, "
    "i.last_ms = CASE WHEN r[2] > i.last_ms THEN r[2] ELSE i.last_ms END",
    "subjects": "MATCH (t:Touchpoint {number: r[0]}) USING INDEX SEEK t:Touchpoint(number) "
    "MATCH (s:Identifier {number: r[1]}) USING INDEX SEEK s:Identifier(number) "
    "MATCH (t)-[b:BY]->() DELETE b CREATE (t)-[:BY]->(s) SET t.subject = r[1]",
    "judged": "MATCH (a:Identifier {number: r[3]}) USING INDEX SEEK a:Identifier(number) "
    "MATCH (b:Identifier {number: r[4]}) USING INDEX SEEK b:Identifier(number) "
    "CREATE (a)<-[:ABOUT]-(:Judgement {number: r[0], id: r[1], same: r[2], a: r[3], b: r[4], author: r[5], "
    "reason: r[6], at_ms: r[7]})-[:ABOUT]->(b)",
    "retracted": "MATCH (j:Judgement {number: r[0]}) USING INDEX SEEK j:Judgement(number) "
    "SET j.retracted_ms = r[1], j.retracted_by = r[2], j.retracted_reason = r[3]",
    "new_consents": "MATCH (i:Identifier {number: r[1]}) USING INDEX SEEK i:Identifier(number) "
    "CREATE (i)-[:CONSENTS]->(:Consent {number: r[0], identifier: r[1], purpose: r[2], given: r[3], at_ms: r[4], "
    "source: r[5]})",
    "changed_consents": "MATCH (c:Consent {number: r[0]}) USING INDEX SEEK c:Consent(number) "
    "SET c.given = r[1], c.at_ms = r[2], c.source = r[3]",
    # A claim may push out one of the same batch: all of them are counted before any is looked for.
    "claims": "MATCH (i:Identifier {number: r[0]}) USING INDEX SEEK i:Identifier(number) "
    f"OPTIONAL MATCH {CLAIM} WHERE c.identifier = r[0] AND c.source = r[2] AND c.hash = r[3] AND c.trait = r[1] "
    "FOREACH (known IN CASE WHEN c IS NULL THEN [] ELSE [c] END | "
    "SET known.first_ms = CASE WHEN r[6] < known.first_ms THEN r[6] ELSE known.first_ms END, "
    "known.last_ms = CASE WHEN r[7] > known.last_ms THEN r[7] ELSE known.last_ms END, "
    "known.count = known.count + r[8]) "
    "WITH i, r, c WHERE c IS NULL CREATE (i)-[:CLAIMS]->(:Claim {identifier: r[0], trait: r[1], source: r[2], "
    "hash: r[3], number: r[4], value: r[5], first_ms: r[6], last_ms: r[7], count: r[8], folded: r[9]}) "
    "WITH r[0] AS identifier, r[1] AS trait, r[2] AS source, count(*) AS more CALL (identifier, trait, source) { "
    f"MATCH {CLAIM} WHERE c.identifier = identifier AND c.source = source AND c.hash IS NOT NULL AND c.trait = trait "
    f"WITH c ORDER BY c.last_ms DESC, c.value SKIP {MOST_VALUES} DETACH DELETE c }}",
}
"""By the name of the list of their rows."""

# The gate comes last: readers wait from here until the commit is applied.
END: Final = (
    "CALL () { UNWIND $p.head AS head MATCH (m:Meta {name: 'head'}) SET m += head.state "
    "CREATE (c:Commit) SET c = head.commit } "
    "MATCH (g:Meta {name: 'gate'}) SET g.lock = 1 RETURN 1"
)

# A plan that was made for an empty graph is as good as any: every statement names its indexes. To plan this one anew
# would have everyone wait.
_BEGIN: Final = "CYPHER replan=skip "
_CALLS: Final = " ".join(f"CALL () {{ UNWIND $p.{name} AS r {block} }}" for name, block in BLOCKS.items())
WRITE: Final = f"{_BEGIN}{_CALLS} {END}"
NO_ROWS: Final[dict[str, list[Any]]] = {name: [] for name in (*BLOCKS, "head")}
"""With these it writes nothing."""

FIRST: Final = (
    _BEGIN + "MATCH (m:Meta {name: 'head'}) SET m.lock = 1 WITH m MATCH (k:Meta {name: 'store'}) "
    "CALL (m) { MATCH (s:Source) USING INDEX SEEK s:Source(number) WHERE s.number > 0 "
    f"RETURN collect([s.number, s.name, s.trust]) AS sources }} {READ}"
    "RETURN k.secret, m.seq, m.identifier, m.customer, m.judgement, m.customers, m.links, m.touchpoints, m.decisions, "
    f"m.claim, m.reject, coalesce(m.step, 0), k.searchable, sources, {READS}"
)
"""Takes the lock that makes writing serial, then reads: what others committed meanwhile is seen. (Blocks that import
`m` are run for it, so after its lock.)"""
KNOWN_MESSAGES: Final = (
    "UNWIND $p.ids AS id MATCH (t:Touchpoint {id: id}) USING INDEX SEEK t:Touchpoint(id) "
    "RETURN collect([id, t.content])"
)
NEW_SOURCE: Final = "CREATE (s:Source {number: $p.number, name: $p.name, trust: $p.trust})"
JUDGEMENTS: Final = (
    "UNWIND $p.numbers AS n MATCH (j:Judgement {number: n}) USING INDEX SEEK j:Judgement(number) "
    f"RETURN collect({JUDGEMENT})"
)
FIND: Final = (
    "UNWIND $p.ids AS id MATCH (i:Identifier {id: id}) USING INDEX SEEK i:Identifier(id) RETURN collect([id, i.number])"
)
REJECT: Final = (
    "CALL () { UNWIND $p.rejects AS r CREATE (:Reject {number: r[0], at_ms: r[1], source: r[2], code: r[3], "
    "field: r[4], message: r[5], hint: r[6], body: r[7]}) } "
    "CALL () { MATCH (r:Reject) USING INDEX SEEK r:Reject(number) WHERE r.number <= $p.forgotten DELETE r } "
    "MATCH (m:Meta {name: 'head'}) SET m.reject = $p.last "
    "WITH m MATCH (g:Meta {name: 'gate'}) SET g.lock = 1"
)
