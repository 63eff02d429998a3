"""The form in which texts are searched: without regard to case and diacritics, and with their beginning marked.

The search tables know every run of three characters. Two marks before a text make its first character and its first two
such runs too, so that a short text is found where a longer one begins, by the same index.
"""

from typing import Final
from unicodedata import combining, normalize

MARK: Final = "\x02"
RUN: Final = 3


def fold(text: str) -> str:
    """`text` in lower case, without diacritics (and without marks, should somebody have sent one)."""
    if text.isascii():
        return text.lower().replace(MARK, "")
    plain = "".join(c for c in normalize("NFD", normalize("NFD", text).casefold()) if not combining(c))
    return plain.replace(MARK, "")


def indexed(text: str) -> str:
    """What a search table holds for `text`."""
    return MARK + MARK + fold(text)


def pattern(text: str) -> str | None:
    """The full-text query that finds `text`: anywhere, or where a text begins if it is shorter than three characters.

    None: nothing is found by it.
    """
    folded = fold(text)
    if not folded or "\0" in folded or not _encodable(folded):
        return None
    marked = folded if len(folded) >= RUN else MARK * (RUN - len(folded)) + folded
    return '"' + marked.replace('"', '""') + '"'


def _encodable(text: str) -> bool:
    """Lone surrogates are in no stored text, and cannot be asked for."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
