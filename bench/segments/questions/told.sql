-- Fewest first: those of the country, whose touchpoints are then found by the index on (subject, at_ms). The profile's
-- country is that of the most trusted, newest claim; ties by value, identifier and source.
WITH told AS (
    SELECT i.customer, c.value, row_number() OVER (
        PARTITION BY i.customer ORDER BY s.trust, c.last_ms DESC, c.value, i.namespace, i.value, s.name
    ) AS place
    FROM claims c
    JOIN identifiers i ON i.number = c.identifier
    JOIN sources s ON s.number = c.source
    WHERE c.trait = 'country'
), germans AS MATERIALIZED (
    SELECT customer FROM told WHERE place = 1 AND value = '"DE"'
)
SELECT count(*) FROM germans g
WHERE (
    SELECT count(*) FROM identifiers i
    JOIN touchpoints t ON t.subject = i.number AND t.at_ms > :since_ms
    WHERE i.customer = g.customer AND t.name = 'purchase'
) >= 2
AND EXISTS (
    SELECT 1 FROM identifiers i
    JOIN touchpoints t ON t.subject = i.number
    WHERE i.customer = g.customer AND t.name = 'page_view' AND t.channel = 'email'
)
