-- As above: one pass, by subject, then by customer.
SELECT count(*) FROM (
    SELECT i.customer
    FROM (
        SELECT t.subject, sum(CAST(t.revenue AS REAL)) AS spent, count(t.revenue) AS times
        FROM touchpoints t NOT INDEXED
        WHERE t.name = 'purchase' AND t.currency = 'EUR' AND t.at_ms > :since_ms
        GROUP BY t.subject
    ) s CROSS JOIN identifiers i ON i.number = s.subject
    GROUP BY i.customer
    HAVING sum(s.spent) >= 300 AND sum(s.spent) / sum(s.times) >= 60
)
