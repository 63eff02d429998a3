"""Reading journeys.

A customer's touchpoints hang on its identifiers, of which there may be thousands. They are visited by how near to the
page's start each was touched, a few at first; the others only where one could still have something that belongs on the
page. A visit reads an index alone; rows are read once it is known which stand on the page.
"""

from collections.abc import Sequence
from typing import Any, Final

from onefold.model.reading import JourneyPage, Touchpoint
from onefold.store.sqlite.reading.touchpoints import Condition, Touchpoints, conditions
from onefold.store.sqlite.rows import ask, numbers, read_numbers

VISITED_AT_ONCE: Final = (8, 64, None)
EVER: Final = (-(1 << 62), 1 << 62)
"""Before and after every time."""

IDENTIFIERS: Final = (
    "SELECT i.customer, i.number, i.touched_first_ms, i.touched_last_ms "
    "FROM carray(?) k CROSS JOIN identifiers i ON i.customer = k.value WHERE i.touched_last_ms IS NOT NULL"
)
VISIT: Final = (
    "SELECT k.value, (SELECT '[' || group_concat(at_ms || ',' || number) || ']' FROM "
    "(SELECT at_ms, number FROM touchpoints WHERE subject = k.value{conditions} "
    "ORDER BY at_ms {order}, number {order} LIMIT ?)) FROM carray(?) k"
)

Place = tuple[int, int]
"""Where a touchpoint stands in a journey: (at_ms, number), or both with a minus where the newest comes first."""


class Journeys(Touchpoints):
    """What happened to customers."""

    __slots__ = ()

    def journeys(self, customers: Sequence[int], page: JourneyPage) -> dict[int, list[Touchpoint]]:
        """A page of the touchpoints of each customer."""
        visit, values = _visit(page)
        waiting = self._identifiers(customers, page)
        places: dict[int, list[Place]] = {customer: [] for customer in waiting}
        for count in VISITED_AT_ONCE:
            owners = _next(waiting, places, page.limit, count)
            for identifier, found in ask(self._connection, visit, *values, numbers(owners)) if owners else ():
                if found is not None:
                    places[owners[identifier]] += _places(read_numbers(found), page.newest_first)
            for customer in set(owners.values()):
                places[customer].sort()
                del places[customer][page.limit :]
        rows = self.touchpoints_by_number([abs(number) for found in places.values() for _, number in found])
        return {customer: [rows[abs(n)] for _, n in found] for customer, found in places.items() if found}

    def _identifiers(self, customers: Sequence[int], page: JourneyPage) -> dict[int, list[Place]]:
        """By customer, its identifiers that were ever touched as (nearest touch, number), the nearest last."""
        found: dict[int, list[Place]] = {}
        earliest, latest = _bounds(page)
        for customer, number, first_ms, last_ms in self._ask(IDENTIFIERS, customers):
            if first_ms <= latest and last_ms >= earliest:
                found.setdefault(customer, []).append((-last_ms if page.newest_first else first_ms, number))
        for identifiers in found.values():
            identifiers.sort(reverse=True)
        return found


def _next(
    waiting: dict[int, list[Place]], places: dict[int, list[Place]], limit: int, count: int | None
) -> dict[int, int]:
    """The identifiers to visit next, at most `count` of each customer -> the customer. They no longer wait."""
    owners: dict[int, int] = {}
    for customer, identifiers in waiting.items():
        found = places[customer]
        # Only what was touched no later than the page's last touchpoint can come before it.
        end = found[limit - 1][0] if len(found) >= limit else None
        taken = 0
        while identifiers and taken != count and (end is None or identifiers[-1][0] <= end):
            owners[identifiers.pop()[1]] = customer
            taken += 1
    return owners


def _bounds(page: JourneyPage) -> tuple[int, int]:
    """The earliest and the latest time that a touchpoint of the page may have."""
    earliest = [EVER[0], page.filter.after_ms]
    latest = [EVER[1], page.filter.before_ms]
    if page.beyond is not None:
        (latest if page.newest_first else earliest).append(page.beyond[0])
    return max(at for at in earliest if at is not None), min(at for at in latest if at is not None)


def _visit(page: JourneyPage) -> tuple[str, list[Any]]:
    """The statement that reads where the touchpoints of identifiers stand, and its parameters but for the last."""
    asked: list[Condition] = conditions(page.filter)
    if page.beyond is not None:
        at_ms, number = page.beyond
        than = "<" if page.newest_first else ">"
        asked.append((f"at_ms {than}= ? AND (at_ms {than} ? OR number {than} ?)", (at_ms, at_ms, number)))
    text = "".join(f" AND {condition}" for condition, _ in asked)
    values = [value for _, given in asked for value in given]
    order = "DESC" if page.newest_first else "ASC"
    return VISIT.format(conditions=text, order=order), [*values, page.limit]


def _places(found: list[int], newest_first: bool) -> list[Place]:
    sign = -1 if newest_first else 1
    return [(sign * at_ms, sign * number) for at_ms, number in zip(found[::2], found[1::2], strict=True)]
