-- What people agreed to: of each identifier and purpose the newest statement, and who made it. Of two of the same moment
-- the one that withdraws is newer (onefold.model.consents).
CREATE TABLE consents (
    number     INTEGER PRIMARY KEY,
    identifier INTEGER NOT NULL,
    purpose    TEXT NOT NULL,
    given      INTEGER NOT NULL,
    at_ms      INTEGER NOT NULL,
    source     INTEGER NOT NULL
);
CREATE UNIQUE INDEX consents_said ON consents (identifier, purpose);
