"""Takes JSON apart without decoding it: the second way, for bodies in which one event is not JSON.

Only strings and brackets are looked at, so what is wrong between two commas stays between them. Time is linear in the
length of the text.
"""

import json
import re
from typing import Final

MOST_LEVELS: Final = 64
"""How deep an event may nest. What is stored must never be too deep for whoever reads it."""

_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{},]', re.DOTALL)
_BRACKET: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]', re.DOTALL)
_KEY: Final = re.compile(rb'\s*("[^"\\]*+(?:\\.[^"\\]*+)*+")\s*:', re.DOTALL)
_QUOTE, _COMMA = b'",'
_OPENING: Final = frozenset(b"[{")
_CLOSING: Final = frozenset(b"]}")


def items(text: bytes) -> list[bytes]:
    """The texts between the commas of the list or object that `text` is, whatever they hold.

    Raises ValueError when it is neither, or does not end where the text does.
    """
    text = text.strip()
    if not text or text[0] not in _OPENING:
        raise ValueError("neither a list nor an object")
    found: list[bytes] = []
    level = begin = 0
    for token in _TOKEN.finditer(text):
        at = token.start()
        character = text[at]
        if character == _COMMA:
            if level == 1:
                found.append(text[begin:at].strip())
                begin = at + 1
        elif character in _OPENING:
            level += 1
            begin = begin or 1
        elif character in _CLOSING:
            level -= 1
            if level == 0:
                return _closed(text, found, begin, at)
        elif token.end() == at + 1:
            raise ValueError("a text that does not end")
    raise ValueError("a bracket that is not closed")


def _closed(text: bytes, found: list[bytes], begin: int, end: int) -> list[bytes]:
    if end + 1 != len(text):
        raise ValueError("more than one value")
    last = text[begin:end].strip()
    return [*found, last] if found or last else []


def members(text: bytes) -> dict[str, bytes]:
    """The undecoded values of the object that `text` is, by their keys. Raises ValueError when it is none."""
    if not text.lstrip().startswith(b"{"):
        raise ValueError("not an object")
    values: dict[str, bytes] = {}
    for item in items(text):
        key = _KEY.match(item)
        if key is None:
            raise ValueError("a member without a key")
        values[str(json.loads(key[1]))] = item[key.end() :].strip()
    return values


def too_deep(text: bytes) -> bool:
    """Whether `text` nests deeper than `MOST_LEVELS`."""
    if text.count(b"{") + text.count(b"[") <= MOST_LEVELS:
        return False
    level = 0
    for token in _BRACKET.finditer(text):
        character = text[token.start()]
        if character in _OPENING:
            level += 1
            if level > MOST_LEVELS:
                return True
        elif character in _CLOSING:
            level -= 1
    return False
