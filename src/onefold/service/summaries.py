"""Journeys summed up: computed traits, summaries and sessions of customers, asked of the read model.

It may be a moment newer than the rest of a reading. Customers are looked up there by their anchors: so the answer is of
whoever each id stands for then.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from onefold.analytics import sessions, summaries
from onefold.analytics.computed import asked
from onefold.analytics.computed.asked import Value
from onefold.analytics.sessions import Session
from onefold.analytics.summaries import Summary
from onefold.errors import OnefoldError
from onefold.model.computed import PREFIX, ComputedTrait
from onefold.model.computed_file import ORDERS
from onefold.model.reading import KnownCustomer, TouchpointFilter
from onefold.readmodel.touchpoints import Parameters
from onefold.service.pages import SESSIONS, Page
from onefold.service.reading import Reading

if TYPE_CHECKING:
    from onefold.readmodel.model import Asking

OWNERS: Final = "SELECT number, customer FROM internal.identifiers WHERE number IN (SELECT unnest({anchors}))"


def summed_up(reading: Reading, customers: Sequence[KnownCustomer]) -> list[Summary]:
    """The journey of each customer, summed up."""
    keys = _keys(reading.asking(), customers)
    found = summaries.summaries(
        reading.asking(),
        _distinct(keys),
        orders=_orders(reading),
        session_ms=reading.means.session_ms,
        now_ms=reading.asked_ms,
    )
    return [Summary() if key is None else found[key] for key in keys]


def computed(reading: Reading, customers: Sequence[KnownCustomer], names: Sequence[str] | None) -> list[list[Value]]:
    """The computed traits that each customer has a value of: those named, in that order; all, as they are declared.

    Raises `query.invalid` for a name that is not declared.
    """
    traits = _traits(reading, names)
    keys = _keys(reading.asking(), customers)
    found = asked.values(
        reading.asking(), traits, _distinct(keys), session_ms=reading.means.session_ms, now_ms=reading.asked_ms
    )
    return [[] if key is None else found[key] for key in keys]


def session_pages(
    reading: Reading, customers: Sequence[KnownCustomer], size: int, after: str | None = None
) -> list[Page[Session]]:
    """A page of the sessions of each customer, the newest first. Raises `query.bad_cursor`, `query.page_too_large`."""
    size, position = reading.page_size(size), SESSIONS.read(after)
    keys = _keys(reading.asking(), customers)
    found = sessions.pages(
        reading.asking(),
        _distinct(keys),
        size + 1,
        orders=_orders(reading),
        session_ms=reading.means.session_ms,
        beyond=None if position is None else (position[0], position[1]),
    )
    return [_page([] if key is None else found[key], size) for key in keys]


def _page(rows: Sequence[Session], size: int) -> Page[Session]:
    kept = tuple(rows[:size])
    return Page(kept, tuple((row.start_ms, row.number) for row in kept), more=len(rows) > size)


def _traits(reading: Reading, names: Sequence[str] | None) -> list[ComputedTrait]:
    declared = reading.means.computed
    if names is None:
        return list(declared.values())
    wanted = [name.removeprefix(PREFIX) for name in names]
    for name in wanted:
        if name not in declared:
            near = get_close_matches(name, declared, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(declared)}."
            raise OnefoldError("query.invalid", f"no computed trait is called {name[:60]!r}", hint, "names")
    return [declared[name] for name in dict.fromkeys(wanted)]


def _orders(reading: Reading) -> TouchpointFilter:
    return reading.means.computed[ORDERS].touchpoints


def _keys(asking: "Asking", customers: Sequence[KnownCustomer]) -> list[int | None]:
    """The key that each customer has in the read model."""
    parameters = Parameters()
    sql = OWNERS.format(anchors=parameters.bind([customer.anchor for customer in customers]))
    owners = dict(asking.rows(sql, parameters.values))
    return [owners.get(customer.anchor) for customer in customers]


def _distinct(keys: Sequence[int | None]) -> list[int]:
    return list(dict.fromkeys(key for key in keys if key is not None))
