"""Sessions of customers, page by page."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from onefold.analytics.money import Money, money
from onefold.model.identifiers import IdentifierKey
from onefold.model.reading import TouchpointFilter
from onefold.readmodel.sessions import sessions
from onefold.readmodel.touchpoints import Parameters

if TYPE_CHECKING:
    from onefold.readmodel.model import Asking

PAGES: Final = """
SELECT customer, start_ms, end_ms, first_number, touchpoints, orders, first_channel, last_channel, first_campaign,
    entry, revenue, device
FROM ({sessions}) WHERE {beyond}
QUALIFY row_number() OVER (PARTITION BY customer ORDER BY session DESC) <= {limit}
ORDER BY customer, session DESC
"""
DEVICES: Final = "SELECT number, namespace, value FROM internal.identifiers WHERE number IN (SELECT unnest({numbers}))"


class Session(msgspec.Struct, frozen=True):
    """What a customer did in one go.

    Attributes:
        start_ms, end_ms: of its first and its last touchpoint. number: of the first: with start_ms, its place.
        first_campaign: of the first touchpoint that came from one. entry: name of the first touchpoint, or its type.
        device: the first it came through.
        orders, revenue: how many there were, and what they brought in.
    """

    start_ms: int
    end_ms: int
    number: int
    touchpoints: int
    orders: int
    first_channel: str
    last_channel: str
    first_campaign: str | None
    entry: str
    device: IdentifierKey | None
    revenue: tuple[Money, ...]


def pages(
    asking: "Asking",
    customers: Sequence[int],
    limit: int,
    *,
    orders: TouchpointFilter,
    session_ms: int,
    beyond: tuple[int, int] | None = None,
) -> dict[int, list[Session]]:
    """By customer at most `limit` sessions, the newest first: those before the place `beyond`, if that is given."""
    found: dict[int, list[Session]] = {customer: [] for customer in customers}
    if not customers:
        return found
    parameters = Parameters()
    bind = parameters.bind
    sql = PAGES.format(
        sessions=sessions(orders, session_ms, bind, f"(SELECT unnest({bind(list(customers))}) AS customer)"),
        beyond="true" if beyond is None else f"(start_ms, first_number) < ({bind(beyond[0])}, {bind(beyond[1])})",
        limit=bind(limit),
    )
    rows = asking.rows(sql, parameters.values)
    devices = _devices(asking, {row[-1] for row in rows} - {None})
    for row in rows:
        found[row[0]].append(_session(row, devices))
    return found


def _devices(asking: "Asking", numbers: Collection[int]) -> dict[int, IdentifierKey]:
    if not numbers:
        return {}
    parameters = Parameters()
    sql = DEVICES.format(numbers=parameters.bind(list(numbers)))
    return {number: IdentifierKey(*key) for number, *key in asking.rows(sql, parameters.values)}


def _session(row: tuple[Any, ...], devices: Mapping[int, IdentifierKey]) -> Session:
    _, start_ms, end_ms, number, touchpoints, orders, first, last, campaign, entry, revenue, device = row
    return Session(
        start_ms=start_ms,
        end_ms=end_ms,
        number=number,
        touchpoints=touchpoints,
        orders=orders,
        first_channel=first,
        last_channel=last,
        first_campaign=campaign,
        entry=entry,
        device=devices.get(device),
        revenue=money({line["currency"]: line["amount"] for line in revenue}),
    )
