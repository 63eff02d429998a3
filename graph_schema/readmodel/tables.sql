-- The read model in DuckDB: what can be asked about customers in columns, made from a store and caught up from its change
-- feed. It may be deleted at any time. Times are milliseconds since 1970 (UTC); numbers are the store's. JSON is text.
CREATE SCHEMA internal;

-- What this is made of: version (fingerprint of these files), store (whose it is), traits (fingerprint of the survivorship
-- rules), memberships (how far their log was read).
CREATE TABLE internal.meta (
    name  VARCHAR NOT NULL,
    value VARCHAR NOT NULL
);

-- How far it has come (one row, which every question reads): seq, when that was committed, and that row of the store's
-- commits.
CREATE TABLE internal.reached (
    seq       BIGINT NOT NULL,
    commit_ms BIGINT NOT NULL,
    committed VARCHAR NOT NULL
);
INSERT INTO internal.reached VALUES (0, 0, '');

-- Every interaction, in the order of the feed. message: 16 bytes of its public id. revenue: rounded half-even to nine
-- decimals. subject, device: numbers of identifiers. body: JSON with properties, context and traits. Ids are random: to
-- look for what could be compressed in them takes longer than to read the rest.
CREATE TABLE internal.touchpoints (
    number      BIGINT NOT NULL,
    message     BLOB NOT NULL USING COMPRESSION uncompressed,
    message_id  VARCHAR NOT NULL USING COMPRESSION uncompressed,
    source      VARCHAR NOT NULL,
    at_ms       BIGINT NOT NULL,
    received_ms BIGINT NOT NULL,
    type        VARCHAR NOT NULL,
    name        VARCHAR,
    channel     VARCHAR NOT NULL,
    campaign    VARCHAR,
    revenue     DECIMAL(38, 9),
    currency    VARCHAR,
    subject     BIGINT NOT NULL,
    device      BIGINT,
    body        VARCHAR NOT NULL
);

-- Every identifier and the customer it belongs to (0: an operator's, nobody's). public: the 26 letters of its public id.
-- generic: by all evidence. first_ms, last_ms: of the touchpoints that carry it.
CREATE TABLE internal.identifiers (
    number    BIGINT NOT NULL,
    public    VARCHAR NOT NULL,
    namespace VARCHAR NOT NULL,
    value     VARCHAR NOT NULL,
    customer  BIGINT NOT NULL,
    generic   BOOLEAN NOT NULL,
    first_ms  BIGINT NOT NULL,
    last_ms   BIGINT NOT NULL
);

-- Every customer. anchor: number of the identifier that names it; id: `cus_…`; anonymous: no person, no contact.
CREATE TABLE internal.customers (
    customer  BIGINT NOT NULL,
    anchor    BIGINT NOT NULL,
    id        VARCHAR NOT NULL,
    first_ms  BIGINT NOT NULL,
    last_ms   BIGINT NOT NULL,
    anonymous BOOLEAN NOT NULL
);

-- What sources said of identifiers. value: canonical JSON; number: if it is a JSON number; time_ms: if it is a text that
-- onefold.model.moments reads as a date or a time.
CREATE TABLE internal.claims (
    identifier BIGINT NOT NULL,
    trait      VARCHAR NOT NULL,
    source     VARCHAR NOT NULL,
    trust      UTINYINT NOT NULL,
    value      VARCHAR NOT NULL,
    number     DOUBLE,
    time_ms    BIGINT,
    first_ms   BIGINT NOT NULL,
    last_ms    BIGINT NOT NULL,
    count      BIGINT NOT NULL
);

-- The newest statement about a purpose made of each identifier. What counts of a customer's: the view internal.agreed.
CREATE TABLE internal.consents (
    identifier BIGINT NOT NULL,
    purpose    VARCHAR NOT NULL,
    given      BOOLEAN NOT NULL,
    at_ms      BIGINT NOT NULL,
    source     VARCHAR NOT NULL,
    trust      UTINYINT NOT NULL
);

-- Which claim gives each trait of each customer its value: what onefold.model.traits.survivor says. The columns are those
-- of internal.claims, and the customer.
CREATE TABLE internal.profiles (
    customer   BIGINT NOT NULL,
    identifier BIGINT NOT NULL,
    trait      VARCHAR NOT NULL,
    source     VARCHAR NOT NULL,
    trust      UTINYINT NOT NULL,
    value      VARCHAR NOT NULL,
    number     DOUBLE,
    time_ms    BIGINT,
    first_ms   BIGINT NOT NULL,
    last_ms    BIGINT NOT NULL,
    count      BIGINT NOT NULL
);

-- The survivorship rules; trait NULL: of all that have none of their own.
CREATE TABLE internal.trait_rules (
    trait        VARCHAR,
    survivorship VARCHAR NOT NULL,
    sources      VARCHAR[] NOT NULL
);

-- Saved segments and who is in them, as they were last read from the store: for the view main.segments.
CREATE TABLE internal.segments (
    segment BIGINT NOT NULL,
    id      VARCHAR NOT NULL,
    name    VARCHAR NOT NULL
);
CREATE TABLE internal.members (
    segment  BIGINT NOT NULL,
    anchor   BIGINT NOT NULL,
    since_ms BIGINT NOT NULL
);
