// Fewest first: those of the country, then their touchpoints by the index on (subject, at_ms, number).
MATCH (i:Identifier)-[:CLAIMS]->(c:Claim) WHERE c.trait = 'country'
MATCH (s:Source {number: c.source})
WITH i, c, s ORDER BY s.trust, c.last_ms DESC, c.value, i.namespace, i.value, s.name
WITH i.customer AS customer, head(collect(c.value)) AS country
WHERE country = '"DE"'
MATCH (i:Identifier {customer: customer})
WITH customer, collect(i.number) AS numbers
CALL (numbers) {
    UNWIND numbers AS n
    MATCH (t:Touchpoint) USING INDEX SEEK t:Touchpoint(subject, at_ms, number)
    WHERE t.subject = n AND t.at_ms IS NOT NULL AND t.number IS NOT NULL AND t.name IN ['purchase', 'page_view']
    RETURN sum(CASE WHEN t.name = 'purchase' AND t.at_ms > $since_ms THEN 1 ELSE 0 END) AS bought,
        sum(CASE WHEN t.name = 'page_view' AND t.channel = 'email' THEN 1 ELSE 0 END) AS read
}
WITH customer WHERE bought >= 2 AND read >= 1
RETURN count(*) AS customers
