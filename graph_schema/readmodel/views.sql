-- What people ask, and what programs ask that several tables answer. Times are TIMESTAMP in UTC.

-- Of each customer and purpose the statement that counts: the newest of all its identifiers; at the same moment to withdraw
-- counts before to give (onefold.model.consents).
CREATE VIEW internal.agreed AS
SELECT i.customer, c.purpose, c.given, c.at_ms, c.source, c.identifier
FROM internal.consents c
JOIN internal.identifiers i ON i.number = c.identifier
WHERE i.customer <> 0
QUALIFY row_number() OVER (
    PARTITION BY i.customer, c.purpose ORDER BY c.at_ms DESC, c.given, c.trust, i.namespace, i.value, c.source
) = 1;

-- Every customer: its public id, when it was first and last seen, whether it is known by no more than devices and cookies.
CREATE VIEW main.customers AS
SELECT id, epoch_ms(first_ms) AS first_seen, epoch_ms(last_ms) AS last_seen, anonymous
FROM internal.customers;

-- Every identifier, and whose it is; operators are nobody's.
CREATE VIEW main.identifiers AS
SELECT
    'idn_' || i.public AS id, c.id AS customer_id, i.namespace, i.value, i.generic,
    epoch_ms(i.first_ms) AS first_seen, epoch_ms(i.last_ms) AS last_seen
FROM internal.identifiers i
LEFT JOIN internal.customers c ON c.customer = i.customer;

-- Every touchpoint, and whose it is. identifier_id: of its subject. properties, context, traits: JSON as it was sent.
CREATE VIEW main.touchpoints AS
SELECT
    'tp_' || internal.letters(hex(t.message)) AS id, c.id AS customer_id, 'idn_' || i.public AS identifier_id,
    'idn_' || d.public AS device_id, t.source, t.message_id,
    epoch_ms(t.at_ms) AS happened_at, epoch_ms(t.received_ms) AS received_at,
    t.type, t.name, t.channel, t.campaign, t.revenue, t.currency,
    t.body::JSON -> '$.properties' AS properties, t.body::JSON -> '$.context' AS context,
    t.body::JSON -> '$.traits' AS traits
FROM internal.touchpoints t
JOIN internal.identifiers i ON i.number = t.subject
LEFT JOIN internal.customers c ON c.customer = i.customer
LEFT JOIN internal.identifiers d ON d.number = t.device;

-- Sessions depend on settings: onefold.readmodel.sessions makes main.sessions whenever the file is opened.

-- The profile of every customer: for each trait the value that survivorship gives it, as JSON, when that was last said, by
-- which source and of which identifier.
CREATE VIEW main.traits AS
SELECT
    c.id AS customer_id, p.trait, p.value::JSON AS value, p.source, 'idn_' || i.public AS identifier_id,
    epoch_ms(p.last_ms) AS said_at
FROM internal.profiles p
JOIN internal.customers c ON c.customer = p.customer
JOIN internal.identifiers i ON i.number = p.identifier;

-- Who is in which saved segment, and since when.
CREATE VIEW main.segments AS
SELECT s.id AS segment_id, s.name, 'cus_' || i.public AS customer_id, epoch_ms(m.since_ms) AS since
FROM internal.members m
JOIN internal.segments s ON s.segment = m.segment
JOIN internal.identifiers i ON i.number = m.anchor;
