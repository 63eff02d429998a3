-- One pass over the touchpoints in the order of the file, for names have no index: counted by subject, then by customer.
SELECT count(*) FROM (
    SELECT i.customer
    FROM (
        SELECT t.subject, sum(t.name = 'purchase') AS bought, sum(t.name = 'page_view') AS read,
            sum(t.name = 'complaint') AS complained
        FROM touchpoints t NOT INDEXED
        WHERE (t.name = 'purchase' AND t.at_ms > :since_ms)
            OR (t.name = 'page_view' AND t.channel = 'email')
            OR (t.name = 'complaint' AND t.at_ms > :lately_ms)
        GROUP BY t.subject
    ) s CROSS JOIN identifiers i ON i.number = s.subject
    GROUP BY i.customer
    HAVING sum(s.bought) >= 2 AND sum(s.read) >= 1 AND sum(s.complained) = 0
)
