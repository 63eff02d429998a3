// The identity graph in Neo4j: constraints and indexes for every way in which rows are found by what they are. What the
// labels, relationships and properties mean stands in ../README.md. Each statement ends with a semicolon at the end of a
// line and may be run again. Times are milliseconds since 1970 (UTC); numbers name rows inside the store.

// What the store knows about itself. (:Meta {name: 'head'}) is also the lock that makes writing serial,
// (:Meta {name: 'gate'}) the one that lets nobody read while a commit is being applied.
CREATE CONSTRAINT meta_name IF NOT EXISTS FOR (m:Meta) REQUIRE m.name IS UNIQUE;
CREATE CONSTRAINT commit_seq IF NOT EXISTS FOR (c:Commit) REQUIRE c.seq IS UNIQUE;
CREATE CONSTRAINT source_number IF NOT EXISTS FOR (s:Source) REQUIRE s.number IS UNIQUE;
CREATE CONSTRAINT source_said IF NOT EXISTS FOR (s:Source) REQUIRE (s.name, s.trust) IS UNIQUE;

// Identifiers, and the customers they belong to. An id of a customer is its anchor's, and two customers may exchange
// anchors in one transaction, so Customer.id is not a constraint.
CREATE CONSTRAINT identifier_number IF NOT EXISTS FOR (i:Identifier) REQUIRE i.number IS UNIQUE;
CREATE CONSTRAINT identifier_id IF NOT EXISTS FOR (i:Identifier) REQUIRE i.id IS UNIQUE;
CREATE INDEX identifier_customer IF NOT EXISTS FOR (i:Identifier) ON (i.customer);
CREATE INDEX identifier_one IF NOT EXISTS FOR (i:Identifier) ON (i.one);
CREATE CONSTRAINT customer_key IF NOT EXISTS FOR (c:Customer) REQUIRE c.key IS UNIQUE;
CREATE INDEX customer_id IF NOT EXISTS FOR (c:Customer) ON (c.id);

// Links: a shared tablet has very many, so they are found by these, never by way of the nodes at their ends.
CREATE CONSTRAINT linked_pair IF NOT EXISTS FOR ()-[l:LINKED]-() REQUIRE l.pair IS UNIQUE;
CREATE INDEX linked_above IF NOT EXISTS FOR ()-[l:LINKED]-() ON (l.b, l.mark, l.rank, l.pair);
CREATE INDEX linked_below IF NOT EXISTS FOR ()-[l:LINKED]-() ON (l.a, l.mark, l.rank);

// Touchpoints; a subject's in the order of time.
CREATE CONSTRAINT touchpoint_number IF NOT EXISTS FOR (t:Touchpoint) REQUIRE t.number IS UNIQUE;
CREATE CONSTRAINT touchpoint_id IF NOT EXISTS FOR (t:Touchpoint) REQUIRE t.id IS UNIQUE;
CREATE INDEX touchpoint_subject IF NOT EXISTS FOR (t:Touchpoint) ON (t.subject, t.at_ms, t.number);

// What was said of identifiers. A trait's name may be too long for an index.
CREATE CONSTRAINT claim_number IF NOT EXISTS FOR (c:Claim) REQUIRE c.number IS UNIQUE;
CREATE INDEX claim_hash IF NOT EXISTS FOR (c:Claim) ON (c.identifier, c.source, c.hash);
CREATE CONSTRAINT judgement_number IF NOT EXISTS FOR (j:Judgement) REQUIRE j.number IS UNIQUE;
CREATE CONSTRAINT judgement_id IF NOT EXISTS FOR (j:Judgement) REQUIRE j.id IS UNIQUE;
CREATE INDEX judgement_a IF NOT EXISTS FOR (j:Judgement) ON (j.a);
CREATE INDEX judgement_b IF NOT EXISTS FOR (j:Judgement) ON (j.b);

// The ledger and the rest of the change feed.
CREATE CONSTRAINT decision_seq IF NOT EXISTS FOR (d:Decision) REQUIRE d.seq IS UNIQUE;
CREATE CONSTRAINT decision_id IF NOT EXISTS FOR (d:Decision) REQUIRE d.id IS UNIQUE;
CREATE INDEX decision_kind IF NOT EXISTS FOR (d:Decision) ON (d.kind, d.seq);
CREATE INDEX concerns_identifier IF NOT EXISTS FOR ()-[c:CONCERNS]-() ON (c.identifier, c.seq);
CREATE CONSTRAINT change_seq IF NOT EXISTS FOR (c:Change) REQUIRE c.seq IS UNIQUE;
CREATE INDEX change_identifier IF NOT EXISTS FOR (c:Change) ON (c.identifier, c.seq);
CREATE CONSTRAINT reject_number IF NOT EXISTS FOR (r:Reject) REQUIRE r.number IS UNIQUE;

// Search: `folded` holds what is searched, in lower case and without diacritics (onefold.store.folding); it is absent
// where nothing is searched.
CREATE TEXT INDEX identifier_search IF NOT EXISTS FOR (i:Identifier) ON (i.folded);
CREATE TEXT INDEX claim_search IF NOT EXISTS FOR (c:Claim) ON (c.folded);
