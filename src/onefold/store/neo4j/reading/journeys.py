"""Reading journeys.

A customer's touchpoints hang on its identifiers, of which there may be thousands. They are visited by how near to the
page's start each was touched, a few at first; the others only where one could still have something that belongs on the
page. A visit reads an index alone; what else touchpoints hold is read once it is known which stand on the page. All of
that is one statement.

Properties stand in a touchpoint's body as JSON, which Neo4j does not read. It leaves out what cannot match; the rest is
looked at here, and more is asked for where too little matched.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from onefold.model.reading import JourneyPage, Touchpoint
from onefold.store.neo4j.reading.gate import gated
from onefold.store.neo4j.reading.matching import matches, needles
from onefold.store.neo4j.reading.touchpoints import TOUCHPOINT, Touchpoints
from onefold.store.neo4j.rows import LARGEST, known_numbers, within

VISITED_FIRST: Final = 8
VISITED_THEN: Final = 72
LOOKED_AT_BESIDES: Final = 16
LOOKED_AT_ONCE: Final = 1_000

# The page's edge is told by a CASE: of an OR, Neo4j would make two ways through the index, and lose the order.
VISIT: Final = (
    "UNWIND visited AS one WITH one[1] AS subject, within CALL (subject, within) {{ "
    "MATCH (t:Touchpoint) USING INDEX SEEK t:Touchpoint(subject, at_ms, number) "
    "WHERE t.subject = subject AND t.at_ms >= within[0] AND t.at_ms <= within[1] AND t.number >= 0 "
    "AND CASE WHEN t.at_ms = within[2] THEN t.number {than} within[3] ELSE true END "
    "AND ($p.types IS NULL OR t.type IN $p.types) AND ($p.names IS NULL OR t.name IN $p.names) "
    "AND ($p.channels IS NULL OR t.channel IN $p.channels) "
    "AND ($p.campaigns IS NULL OR t.campaign IN $p.campaigns) "
    "AND all(needle IN $p.needles WHERE t.body CONTAINS needle) "
    "RETURN t ORDER BY t.subject {order}, t.at_ms {order}, t.number {order} LIMIT $p.limit }} "
    "WITH t, t.at_ms AS at_ms, t.number AS number ORDER BY at_ms {order}, number {order} LIMIT $p.limit "
    "RETURN collect([at_ms, number, t]) AS more"
)
VISIT_NEXT: Final = (
    "WITH customer, waiting, found, CASE WHEN size(found) < $p.limit THEN within ELSE {nearer} END AS within "
    "WITH *, [w IN waiting[{visits}] WHERE {reaches}] AS visited "
    f"CALL (visited, within) {{{{ {VISIT} }}}} "
    "CALL (found, more) {{ UNWIND found + more AS one WITH one ORDER BY one[0] {order}, one[1] {order} LIMIT $p.limit "
    "RETURN collect(one) AS merged }} WITH customer, within, waiting, merged AS found "
)
PAGE: Final = (
    "UNWIND $p.asked AS asked WITH asked[0] AS customer, asked[1] AS within CALL (customer, within) {{ "
    "MATCH (i:Identifier {{customer: customer}}) USING INDEX SEEK i:Identifier(customer) "
    "WHERE i.touched_last_ms >= within[0] AND i.touched_first_ms <= within[1] "
    "WITH i.{nearest} AS nearest, i.number AS number ORDER BY nearest {order} "
    "RETURN collect([nearest, number]) AS waiting }} "
    f"WITH customer, within, waiting, waiting[..{VISITED_FIRST}] AS visited WHERE size(waiting) > 0 "
    f"CALL (visited, within) {{{{ {VISIT} }}}} WITH customer, within, waiting, more AS found "
    f"{VISIT_NEXT.replace('{visits}', f'{VISITED_FIRST}..{VISITED_THEN}')}"
    f"{VISIT_NEXT.replace('{visits}', f'{VISITED_THEN}..')}"
    f"UNWIND found AS one WITH customer, one[2] AS t RETURN collect([customer, {TOUCHPOINT}])"
)
NEWEST_FIRST: Final = gated(
    PAGE.format(
        nearest="touched_last_ms",
        order="DESC",
        than="<",
        nearer="[found[-1][0], within[1], within[2], within[3]]",
        reaches="w[0] >= within[0]",
    )
)
OLDEST_FIRST: Final = gated(
    PAGE.format(
        nearest="touched_first_ms",
        order="ASC",
        than=">",
        nearer="[within[0], found[-1][0], within[2], within[3]]",
        reaches="w[0] <= within[1]",
    )
)

Place = tuple[int, int]
"""Where a touchpoint stands in a journey: (at_ms, number)."""


class Journeys(Touchpoints):
    """What happened to customers."""

    __slots__ = ()

    def journeys(self, customers: Sequence[int], page: JourneyPage) -> dict[int, list[Touchpoint]]:
        """A page of the touchpoints of each customer."""
        found: dict[int, list[Touchpoint]] = {}
        wanted = page.filter.properties
        looked_at = page.limit + LOOKED_AT_BESIDES if wanted else page.limit
        waiting: dict[int, Place | None] = dict.fromkeys(known_numbers(customers), page.beyond)
        while waiting:
            read = self._page(waiting, page, looked_at)
            for customer, touchpoints in read.items():
                matching = [one for one in touchpoints if matches(one.body, wanted)] if wanted else touchpoints
                found.setdefault(customer, []).extend(matching)
            waiting = {
                customer: (touchpoints[-1].at_ms, touchpoints[-1].number)
                for customer, touchpoints in read.items()
                if wanted and len(touchpoints) == looked_at and len(found[customer]) < page.limit
            }
            looked_at = LOOKED_AT_ONCE
        return {customer: touchpoints[: page.limit] for customer, touchpoints in found.items() if touchpoints}

    def _page(self, customers: dict[int, Place | None], page: JourneyPage, limit: int) -> dict[int, list[Touchpoint]]:
        """The next touchpoints of each customer beyond a place, whatever their properties are."""
        rows = self._ask(
            NEWEST_FIRST if page.newest_first else OLDEST_FIRST,
            asked=[[customer, list(_within(page, beyond))] for customer, beyond in customers.items()],
            limit=limit,
            needles=needles(page.filter.properties),
            types=_list(page.filter.types),
            names=_list(page.filter.names),
            channels=_list(page.filter.channels),
            campaigns=_list(page.filter.campaigns),
        )
        found: dict[int, list[Touchpoint]] = {}
        for row, touchpoint in zip(rows, self._touchpoints([row[1:] for row in rows]), strict=True):
            found.setdefault(row[0], []).append(touchpoint)
        return found


class Within(NamedTuple):
    """Which part of time a page is of: earliest and latest time, and the place that it lies beyond."""

    earliest: int
    latest: int
    beyond_ms: int
    beyond_number: int


def _within(page: JourneyPage, beyond: Place | None) -> Within:
    earliest, latest = [-LARGEST], [LARGEST]
    if page.filter.after_ms is not None:
        earliest.append(within(page.filter.after_ms))
    if page.filter.before_ms is not None:
        latest.append(within(page.filter.before_ms - 1))
    if beyond is None:
        return Within(max(earliest), min(latest), *((LARGEST, 0) if page.newest_first else (-LARGEST, 0)))
    at_ms, number = map(within, beyond)
    (latest if page.newest_first else earliest).append(at_ms)
    return Within(max(earliest), min(latest), at_ms, number)


def _list(values: Sequence[Any] | None) -> list[Any] | None:
    return None if values is None else list(values)
