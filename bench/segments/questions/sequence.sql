-- One pass over the touchpoints that matter, in order of time: each step keeps the latest beginning that leads to it.
WITH told AS MATERIALIZED (
    SELECT i.customer, t.at_ms, t.number, t.name
    FROM touchpoints t JOIN identifiers i ON i.number = t.subject
    WHERE t.name IN ('product_view', 'add_to_cart', 'purchase', 'complaint')
), carted AS (
    SELECT *, CASE name
        WHEN 'product_view' THEN NULL
        WHEN 'add_to_cart' THEN max(CASE name WHEN 'product_view' THEN at_ms END) OVER before
    END AS begun_ms, CASE name WHEN 'purchase' THEN min(CASE name WHEN 'complaint' THEN at_ms END) OVER after
    END AS complained_ms
    FROM told
    WINDOW before AS (
        PARTITION BY customer ORDER BY at_ms, number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), after AS (
        PARTITION BY customer ORDER BY at_ms DESC, number DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
), bought AS (
    SELECT customer, name, at_ms, complained_ms, max(begun_ms) OVER (
        PARTITION BY customer ORDER BY at_ms, number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS begun_ms
    FROM carted
)
SELECT count(DISTINCT customer) FROM bought
WHERE name = 'purchase' AND at_ms - begun_ms <= :within_ms
    AND (complained_ms IS NULL OR complained_ms - at_ms > :within_ms)
