-- The identity graph in SQLite. Times are milliseconds since 1970 (UTC). Numbers name rows inside the store;
-- public ids are made of `identifiers.public` and `touchpoints.message`. JSON columns hold compact JSON text.

-- What the store knows about itself: secret (what public ids are keyed with), rules (fingerprint of the stitching rules),
-- searchable (which traits trait_search holds), identifiers_indexed and claims_indexed (how far the search tables reach);
-- of an unfinished copy: copy (how far it is).
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- One row a commit: the last sequence number it gave out, and when; the last identifier number, customer key and judgement
-- number by then; how many customers, links, touchpoints and decisions there were. The last row is the head.
CREATE TABLE commits (
    seq         INTEGER PRIMARY KEY,
    at_ms       INTEGER NOT NULL,
    identifier  INTEGER NOT NULL,
    customer    INTEGER NOT NULL,
    judgement   INTEGER NOT NULL,
    customers   INTEGER NOT NULL,
    links       INTEGER NOT NULL,
    touchpoints INTEGER NOT NULL,
    decisions   INTEGER NOT NULL
);

-- Who says things, and how far each is trusted (0 server, 1 public).
CREATE TABLE sources (
    number INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    trust  INTEGER NOT NULL,
    UNIQUE (name, trust)
);

-- Every identifier, in order of first arrival, and the customer it belongs to (0: an operator's, nobody's).
-- joined, generic, seen, one, apart: what stitching keeps (onefold.model.graph.Identifier).
CREATE TABLE identifiers (
    number           INTEGER PRIMARY KEY,
    public           BLOB NOT NULL,
    namespace        TEXT NOT NULL,
    value            TEXT NOT NULL,
    customer         INTEGER NOT NULL,
    joined           INTEGER NOT NULL,
    generic          INTEGER NOT NULL,
    seen             TEXT,
    one              INTEGER,
    apart            INTEGER NOT NULL,
    first_ms         INTEGER NOT NULL,
    last_ms          INTEGER NOT NULL,
    touched_first_ms INTEGER,
    touched_last_ms  INTEGER
);
CREATE UNIQUE INDEX identifiers_public ON identifiers (public);
CREATE INDEX identifiers_customer ON identifiers (customer);
CREATE INDEX identifiers_one ON identifiers (one) WHERE one IS NOT NULL;

-- What follows from each customer's set of identifiers; its public id is its anchor's.
CREATE TABLE customers (
    key             INTEGER PRIMARY KEY,
    anchor          INTEGER NOT NULL,
    anchor_priority INTEGER NOT NULL,
    size            INTEGER NOT NULL,
    apart           INTEGER NOT NULL,
    counts          TEXT NOT NULL,
    whole           TEXT NOT NULL
);

-- The evidence that two identifiers were seen together: a the weaker end, b the stronger; pair = a * 2^32 + b.
-- mark 0: stands; otherwise why it was last turned down. seen: [[source, first_ms, last_ms, count], ...].
CREATE TABLE links (
    pair INTEGER PRIMARY KEY,
    a    INTEGER GENERATED ALWAYS AS (pair >> 32) VIRTUAL,
    b    INTEGER GENERATED ALWAYS AS (pair & 4294967295) VIRTUAL,
    mark INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    seen TEXT NOT NULL
);
CREATE INDEX links_above ON links (b, mark, rank);

-- Every interaction; its number is its place in the change feed. identifiers: numbers, strongest first;
-- operators stand last, with a minus.
CREATE TABLE touchpoints (
    number      INTEGER PRIMARY KEY,
    message     BLOB NOT NULL,
    content     BLOB NOT NULL,
    message_id  TEXT NOT NULL,
    source      INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    type        TEXT NOT NULL,
    name        TEXT,
    channel     TEXT NOT NULL,
    campaign    TEXT,
    revenue     TEXT,
    currency    TEXT,
    subject     INTEGER NOT NULL,
    device      INTEGER,
    identifiers TEXT NOT NULL,
    body        TEXT NOT NULL
);
CREATE UNIQUE INDEX touchpoints_message ON touchpoints (message);
CREATE INDEX touchpoints_subject ON touchpoints (subject, at_ms);

-- What sources said of identifiers. value: JSON; hash: of that text.
CREATE TABLE claims (
    number     INTEGER PRIMARY KEY,
    identifier INTEGER NOT NULL,
    trait      TEXT NOT NULL,
    source     INTEGER NOT NULL,
    hash       INTEGER NOT NULL,
    value      TEXT NOT NULL,
    first_ms   INTEGER NOT NULL,
    last_ms    INTEGER NOT NULL,
    count      INTEGER NOT NULL
);
CREATE UNIQUE INDEX claims_said ON claims (identifier, trait, source, hash);

-- What people and systems said of two identifiers.
CREATE TABLE judgements (
    number           INTEGER PRIMARY KEY,
    same             INTEGER NOT NULL,
    a                INTEGER NOT NULL,
    b                INTEGER NOT NULL,
    author           TEXT NOT NULL,
    reason           TEXT NOT NULL,
    at_ms            INTEGER NOT NULL,
    retracted_ms     INTEGER,
    retracted_by     TEXT,
    retracted_reason TEXT
);
CREATE INDEX judgements_a ON judgements (a);
CREATE INDEX judgements_b ON judgements (b);

-- The ledger: append-only. customers, identifiers: JSON lists of identifier numbers. messages: 16 bytes each.
CREATE TABLE decisions (
    seq         INTEGER PRIMARY KEY,
    at_ms       INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    customers   TEXT NOT NULL,
    identifiers TEXT NOT NULL,
    link        INTEGER,
    judgement   INTEGER,
    messages    BLOB NOT NULL
);
CREATE INDEX decisions_kind ON decisions (kind);
CREATE TABLE decisions_about (
    identifier INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    PRIMARY KEY (identifier, seq)
) WITHOUT ROWID;

-- The rest of the change feed (touchpoints and decisions stand in it by their own numbers).
-- kind 1: identifier came to customer, from `was` (0: new); 2: claims of identifier changed;
-- 3: `touchpoint` has identifier as its subject now.
CREATE TABLE changes (
    seq        INTEGER PRIMARY KEY,
    kind       INTEGER NOT NULL,
    identifier INTEGER NOT NULL,
    customer   INTEGER,
    was        INTEGER,
    touchpoint INTEGER
);
CREATE INDEX changes_identifier ON changes (identifier, seq);

-- Rejected events, the newest 10,000.
CREATE TABLE rejects (
    number  INTEGER PRIMARY KEY,
    at_ms   INTEGER NOT NULL,
    source  TEXT NOT NULL,
    code    TEXT NOT NULL,
    field   TEXT,
    message TEXT NOT NULL,
    hint    TEXT,
    body    BLOB NOT NULL
);

-- Search: rowid is the identifier's, or the claim's number; value is what `onefold.store.folding` makes of it.
-- These tables are filled a thousand values at a time, so the newest may be missing (meta says how far they reach).
CREATE VIRTUAL TABLE identifier_search USING fts5 (
    value, content = '', columnsize = 0, tokenize = 'trigram case_sensitive 1'
);
CREATE VIRTUAL TABLE trait_search USING fts5 (
    value, content = '', columnsize = 0, tokenize = 'trigram case_sensitive 1'
);
