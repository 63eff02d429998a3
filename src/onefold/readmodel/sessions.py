"""Sessions: what a customer did in one go. The one definition, for whoever asks and for the view `sessions`.

A customer's touchpoints in order of (at_ms, number) fall into sessions: one has ended when nothing happened for
`session_ms`, and a touchpoint that comes exactly then begins the next. Sessions are of customers, not of devices: who
goes on in the shop's app what began in the browser is in one session.
"""

from typing import Final

from onefold.model.reading import TouchpointFilter
from onefold.readmodel.touchpoints import PLACE, Bind, condition, journeys, literal

PAUSE: Final = "t.at_ms - lag(t.at_ms) OVER (PARTITION BY t.customer ORDER BY t.at_ms, t.number)"
"""How long nothing had happened before the touchpoint `t`; null before the first."""
BEGINS: Final = "(pause IS NULL OR pause >= {session_ms})"
"""Whether the touchpoint after a pause begins a session."""
SESSIONS: Final = f"""
WITH told AS (
    SELECT t.customer, t.at_ms, t.number, t.channel, t.campaign, coalesce(t.name, t.type) AS what, t.device,
        t.revenue, t.currency, ({{is_order}}) AS is_order, {PLACE} AS place,
        {PAUSE} AS pause
    FROM {{journeys}} t
), placed AS MATERIALIZED (
    SELECT *, CAST(count(*) FILTER ({BEGINS}) OVER (PARTITION BY customer ORDER BY at_ms, number
        ROWS UNBOUNDED PRECEDING) AS BIGINT) AS session
    FROM told
), earned AS (
    SELECT customer, session, currency, sum(revenue) AS amount
    FROM placed WHERE is_order AND revenue IS NOT NULL GROUP BY ALL
), earnings AS (
    SELECT customer, session,
        list({{{{'currency': currency, 'amount': amount}}}} ORDER BY currency NULLS LAST) AS revenue
    FROM earned GROUP BY ALL
), summed AS (
    SELECT customer, session, min(at_ms) AS start_ms, max(at_ms) AS end_ms,
        arg_min(number, place) AS first_number, count(*) AS touchpoints,
        count(*) FILTER (is_order) AS orders, arg_min(channel, place) AS first_channel,
        arg_max(channel, place) AS last_channel, arg_min(campaign, place) AS first_campaign,
        arg_min(what, place) AS entry, arg_min(device, place) AS device
    FROM placed GROUP BY ALL
)
SELECT s.*, coalesce(e.revenue, []) AS revenue
FROM summed s LEFT JOIN earnings e ON e.customer = s.customer AND e.session = s.session
"""
"""`session` counts a customer's sessions from 1. `first_number` and `entry`: the number of its first touchpoint and its
name, or type. `first_campaign` and `device`: the first it has. `revenue`: of its orders, by currency."""
COUNTS: Final = (
    f"SELECT customer, count(*) AS value FROM (SELECT t.customer, {PAUSE} AS pause FROM {{journeys}} t) "
    f"WHERE {BEGINS} GROUP BY ALL"
)

VIEW: Final = """
CREATE OR REPLACE VIEW main.sessions AS
SELECT c.id AS customer_id, s.session, epoch_ms(s.start_ms) AS started_at, epoch_ms(s.end_ms) AS ended_at,
    s.touchpoints, s.entry, s.first_channel, s.last_channel, s.first_campaign, 'idn_' || d.public AS device_id,
    s.orders, s.revenue
FROM ({sessions}) s
JOIN internal.customers c ON c.customer = s.customer
LEFT JOIN internal.identifiers d ON d.number = s.device
"""


def sessions(orders: TouchpointFilter, session_ms: int, bind: Bind, among: str | None = None) -> str:
    """A query for all sessions, or those of the customers `among` (as `onefold.readmodel.touchpoints.journeys` has it).

    Args:
        orders: which touchpoints are orders.
        session_ms: after how long without a touchpoint a session has ended.
    """
    return SESSIONS.format(is_order=condition(orders, bind), session_ms=bind(session_ms), journeys=journeys(among))


def counts(told: str, session_ms: str) -> str:
    """A query for how many sessions each customer has (`value`) in the journeys that a relation tells (customer, at_ms,
    number). `session_ms`: the placeholder of that value."""
    return COUNTS.format(journeys=told, session_ms=session_ms)


def view(orders: TouchpointFilter, session_ms: int) -> str:
    """The statement that makes the view `sessions` for people. Its revenue is a list of currency and amount."""
    return VIEW.format(sessions=sessions(orders, session_ms, literal))
