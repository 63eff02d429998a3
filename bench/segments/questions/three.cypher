// One pass over the touchpoints, for names have no index; the three conditions are counted side by side.
MATCH (t:Touchpoint)
WHERE (t.name = 'purchase' AND t.at_ms > $since_ms)
    OR (t.name = 'page_view' AND t.channel = 'email')
    OR (t.name = 'complaint' AND t.at_ms > $lately_ms)
MATCH (t)-[:BY]->(i:Identifier)
WITH i.customer AS customer,
    sum(CASE t.name WHEN 'purchase' THEN 1 ELSE 0 END) AS bought,
    sum(CASE t.name WHEN 'page_view' THEN 1 ELSE 0 END) AS read,
    sum(CASE t.name WHEN 'complaint' THEN 1 ELSE 0 END) AS complained
WHERE bought >= 2 AND read >= 1 AND complained = 0
RETURN count(*) AS customers
