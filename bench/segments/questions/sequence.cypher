// One pass over the touchpoints that matter, in order of time: each step keeps the latest beginning that leads to it.
MATCH (t:Touchpoint) WHERE t.name IN ['product_view', 'add_to_cart', 'purchase', 'complaint']
MATCH (t)-[:BY]->(i:Identifier)
WITH i.customer AS customer, t.at_ms AS at_ms, t.number AS number, t.name AS name
ORDER BY customer, at_ms, number
WITH customer, collect([name, at_ms]) AS told
WITH told, reduce(state = [null, null, []], step IN told |
    CASE step[0]
        WHEN 'product_view' THEN [step[1], state[1], state[2]]
        WHEN 'add_to_cart' THEN [state[0], coalesce(state[0], state[1]), state[2]]
        WHEN 'purchase' THEN CASE
            WHEN state[1] IS NOT NULL AND step[1] - state[1] <= $within_ms THEN [state[0], state[1], state[2] + [step[1]]]
            ELSE state END
        ELSE state END
) AS reached
WITH told, reached[2] AS bought
WHERE any(at_ms IN bought WHERE none(step IN told
    WHERE step[0] = 'complaint' AND step[1] >= at_ms AND step[1] - at_ms <= $within_ms))
RETURN count(*) AS customers
