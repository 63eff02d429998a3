"""Finding customers by a part of what is known about them."""

from typing import Final

from onefold.errors import OnefoldError
from onefold.model.reading import SearchHit
from onefold.service.pages import HITS, Page, Position
from onefold.service.reading import Reading
from onefold.service.values import Hit

MOST_CHARACTERS: Final = 512
MOST_READS: Final = 5


def search(reading: Reading, text: str, size: int, after: str | None = None) -> Page[Hit]:
    """Customers whose identifiers or searchable traits hold `text`, each once a page, by the first place found.

    A customer who is found in many places may come again on a later page. A page may hold fewer than `size` although
    there are more, even none: when a few customers are found in very many places. It ends behind all that was looked
    at. Raises `query.invalid`, `query.bad_cursor`, `query.page_too_large`.
    """
    size, beyond = reading.page_size(size), HITS.read(after)
    folded = text.strip()
    if not folded or len(folded) > MOST_CHARACTERS:
        raise OnefoldError(
            "query.invalid",
            f"the text to look for has {len(folded)} characters",
            f"Give 1 to {MOST_CHARACTERS}.",
            "text",
        )
    places, looked_to, more = _places(reading, folded, size, beyond)
    customers = reading.customers([place.customer for place in places])
    return Page(
        tuple(Hit(customers[place.customer], place) for place in places),
        tuple((place.kind, place.number) for place in places),
        more,
        looked_to,
    )


def _places(
    reading: Reading, text: str, size: int, beyond: Position | None
) -> tuple[list[SearchHit], Position | None, bool]:
    """At most `size` places of different customers, the last position looked at, and whether there are others."""
    found: dict[int, SearchHit] = {}
    position = None if beyond is None else (beyond[0], beyond[1])
    for _ in range(MOST_READS):
        hits = reading.view.search(text, size + 1, position)
        for hit in hits:
            if hit.customer and hit.customer not in found:
                if len(found) == size:
                    return list(found.values()), position, True
                found[hit.customer] = hit
            position = (hit.kind, hit.number)
        if len(hits) <= size:
            return list(found.values()), position, False
    return list(found.values()), position, True
