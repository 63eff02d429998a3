"""Pages of links: the two halves that each identifier's or customer's links are read in."""

from collections.abc import Callable, Iterable
from typing import Any

from onefold.model.reading import KnownLink

LOW_HALF = 0xFFFFFFFF


def paged(
    to_stronger: Iterable[Any], to_weaker: Iterable[Any], limit: int, link_of: Callable[[Any], KnownLink]
) -> dict[int, list[KnownLink]]:
    """By whose they are, at most `limit` links: those to stronger ends by pair, then the others by (stronger end, mark,
    rank, pair).

    Args:
        to_stronger, to_weaker: rows (whose, pair, mark, rank, …).
        link_of: makes a link of a row without whose it is.
    """
    found: dict[int, list[KnownLink]] = {}
    ordered = sorted(to_stronger, key=lambda row: row[1])
    ordered += sorted(to_weaker, key=lambda row: (row[1] & LOW_HALF, row[2], row[3], row[1]))
    for owner, *link in ordered:
        page = found.setdefault(owner, [])
        if len(page) < limit:
            page.append(link_of(link))
    return found
