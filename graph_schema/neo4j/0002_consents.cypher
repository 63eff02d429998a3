// What people agreed to: of each identifier and purpose the newest statement.
CREATE CONSTRAINT consent_number IF NOT EXISTS FOR (c:Consent) REQUIRE c.number IS UNIQUE;
CREATE INDEX consent_said IF NOT EXISTS FOR (c:Consent) ON (c.identifier, c.purpose);
