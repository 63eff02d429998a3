MATCH (t:Touchpoint) WHERE t.name = 'purchase' AND t.currency = 'EUR' AND t.at_ms > $since_ms
MATCH (t)-[:BY]->(i:Identifier)
WITH i.customer AS customer, sum(toFloat(t.revenue)) AS sum, avg(toFloat(t.revenue)) AS average
WHERE sum >= 300 AND average >= 60
RETURN count(*) AS customers
