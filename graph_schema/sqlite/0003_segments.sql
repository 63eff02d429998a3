-- Saved segments (onefold.model.saved). One that is deleted keeps its number, name and times, for the log tells of it;
-- `count` then says how many members have still to leave. rule: JSON. as_of_seq, as_of_ms: what the members are right for.
CREATE TABLE segments (
    number          INTEGER PRIMARY KEY,
    name            TEXT NOT NULL,
    rule            TEXT NOT NULL,
    description     TEXT,
    require_consent TEXT,
    revision        INTEGER NOT NULL,
    created_ms      INTEGER NOT NULL,
    changed_ms      INTEGER NOT NULL,
    deleted_ms      INTEGER,
    as_of_seq       INTEGER,
    as_of_ms        INTEGER,
    basis           TEXT NOT NULL,
    count           INTEGER NOT NULL
);
CREATE UNIQUE INDEX segments_name ON segments (name) WHERE deleted_ms IS NULL;
CREATE INDEX segments_emptying ON segments (number) WHERE deleted_ms IS NOT NULL AND count > 0;

-- Who is in them: pair = segment * 2^32 + the number of the anchor, the identifier that the customer's id is made of.
CREATE TABLE members (
    pair     INTEGER PRIMARY KEY,
    segment  INTEGER GENERATED ALWAYS AS (pair >> 32) VIRTUAL,
    anchor   INTEGER GENERATED ALWAYS AS (pair & 4294967295) VIRTUAL,
    since_ms INTEGER NOT NULL
);
CREATE INDEX members_anchor ON members (anchor);

-- Who entered and left, when and why: append-only, numbered without gaps. cause_ref: a touchpoint or a decision.
CREATE TABLE memberships (
    number    INTEGER PRIMARY KEY,
    segment   INTEGER NOT NULL,
    anchor    INTEGER NOT NULL,
    entered   INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL,
    cause     TEXT NOT NULL,
    cause_ref INTEGER,
    as_of_seq INTEGER
);
CREATE INDEX memberships_segment ON memberships (segment);

-- What one process at a time may do. token grows with each new holder.
CREATE TABLE leases (
    name     TEXT PRIMARY KEY,
    holder   TEXT NOT NULL,
    token    INTEGER NOT NULL,
    until_ms INTEGER NOT NULL
) WITHOUT ROWID;
