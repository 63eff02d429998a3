"""Pages of lists that can grow, and the cursors between them.

A cursor says where in the list's order a thing stands, not how many stand before it: what arrives between two pages
neither repeats nor skips anything. It is text to be handed back as it was given.
"""

import re
from typing import Final, Generic, TypeVar

import msgspec

from onefold.errors import OnefoldError

Item = TypeVar("Item")
Position = tuple[int, ...]

PAGED: Final = ("first", "last")
"""The arguments that say how large a page is, of a list that has cursors."""

_NUMBER: Final = "[0-9a-f]{1,16}"
_GREATEST: Final = 2**63 - 1


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """A part of a list.

    Attributes:
        items: in the list's order.
        positions: where each stands, for `Cursors.write`.
        more: whether the list goes on beyond the last of them in the direction read.
        looked_to: of a list that passes things over, the last position looked at; None: that of the last item.
    """

    items: tuple[Item, ...]
    positions: tuple[Position, ...]
    more: bool
    looked_to: Position | None = None

    @property
    def end(self) -> Position | None:
        """Beyond what the next page begins; None when nothing was looked at."""
        return self.looked_to or (self.positions[-1] if self.positions else None)


class Cursors:
    """Writes and reads the cursors of one list: `letter` tells it from others, `parts` is how many numbers order it."""

    __slots__ = ("_form", "_letter", "_parts")

    def __init__(self, letter: str, parts: int) -> None:
        """Lists whose cursors could be mistaken for another's have different letters."""
        self._letter: Final = letter
        self._parts: Final = parts
        self._form: Final = re.compile(letter + "-".join([f"({_NUMBER})"] * parts))

    def write(self, position: Position) -> str:
        """The cursor of this position: numbers from 0 to 2^63 - 1."""
        return self._letter + "-".join([f"{number:x}" for number in position])

    def read(self, text: str | None, field: str = "after") -> Position | None:
        """The position a cursor stands for; None for None. Raises `query.bad_cursor`, naming `field`."""
        if text is None:
            return None
        found = self._form.fullmatch(text)
        position = tuple(int(number, 16) for number in found.groups()) if found else ()
        if not position or max(position) > _GREATEST:
            raise OnefoldError(
                "query.bad_cursor",
                f"{text[:60]!r} is not a cursor of this list",
                "Hand back a cursor just as this very list gave it.",
                field,
            )
        return position


JOURNEY: Final = Cursors("t", 2)
"""By (time, number) of touchpoints, in both directions."""
MEMBERS: Final = Cursors("i", 2)
"""By (priority, number) of identifiers."""
LINKS: Final = Cursors("l", 1)
"""By pair of links."""
HITS: Final = Cursors("s", 2)
"""By (kind, number) of search hits."""
LEDGER: Final = Cursors("d", 1)
"""By sequence number of decisions."""
SEGMENT_MEMBERS: Final = Cursors("m", 1)
"""By number of the identifiers that customers are named by."""
SESSIONS: Final = Cursors("v", 2)
"""By (start, number of the first touchpoint) of sessions."""


def checked_size(size: int, most: int, field: str = "first") -> int:
    """How many things of a page, or of a list without pages, are asked for.

    Raises `query.page_too_large` and, below 0, `query.invalid`.
    """
    if size < 0:
        raise OnefoldError("query.invalid", f"{field} is {size}", "Ask for 0 or more.", field)
    if size > most:
        raise page_too_large(size, most, field)
    return size


def page_too_large(size: int, most: int, field: str) -> OnefoldError:
    """The failure of asking for `size` things where there may be `most`; `field`: the argument that says so."""
    if field in PAGED:
        said, hint = f"{field} is {size}; a page has at most {most}", ", and for the next page with a cursor"
    elif field == "identifiers":
        said, hint = f"there are {size} identifiers; there may be {most}", " at once, and for the rest in another query"
    else:
        said, hint = f"{field} is {size}; it may be {most}", ": what does not fit is left out, and `truncated` says so"
    return OnefoldError("query.page_too_large", said, f"Ask for {most} or fewer{hint}.", field)
