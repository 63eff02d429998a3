"""The form in which texts are searched: without regard to case and diacritics, and with their beginning marked.

The indexes that stores search by know every run of three characters. Two marks before a text make its first character
and its first two such runs too, so that a short text is found where a longer one begins, by the same index.
"""

from typing import Final
from unicodedata import combining, normalize

import msgspec

from onefold.store.searched import Searched

MARK: Final = "\x02"
RUN: Final = 3

_decode: Final = msgspec.json.Decoder(str).decode


def fold(text: str) -> str:
    """`text` in lower case, without diacritics (and without marks, should somebody have sent one)."""
    if text.isascii():
        return text.lower().replace(MARK, "")
    plain = "".join(c for c in normalize("NFD", normalize("NFD", text).casefold()) if not combining(c))
    return plain.replace(MARK, "")


def indexed(text: str) -> str:
    """What is kept for `text` to be found by."""
    return MARK + MARK + fold(text)


def claimed_text(trait: str, value_json: str, searched: Searched) -> str | None:
    """The text of a claim that is searched: of a trait that is searched, and a text."""
    if not value_json.startswith('"') or trait not in searched:
        return None
    return _decode(value_json)


def needle(text: str) -> str | None:
    """What to look for in what `indexed` makes: `text` anywhere, or at the beginning if it is shorter than three
    characters. None: it is nowhere."""
    folded = fold(text)
    if not folded or "\0" in folded or not _encodable(folded):
        return None
    return MARK * (RUN - len(folded)) + folded


def _encodable(text: str) -> bool:
    """Lone surrogates are in no stored text, and cannot be asked for."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
