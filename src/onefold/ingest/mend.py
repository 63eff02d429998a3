"""Decodes an event that a strict reader of JSON refuses, as far as it can be understood: the second way for one event.

What JSON cannot carry (NaN, Infinity, 1e999, half a character, bytes that are not UTF-8) is dropped from the event, and
a whole number beyond 64 bits becomes a text; the sender gets a warning that names the field, and the rest counts.
In a list null takes the place of what was dropped, so that the others keep theirs.
"""

import json
import math
import re
from typing import Final

import msgspec

from onefold.errors import Problem

MOST_WARNINGS: Final = 20
_HALF: Final = re.compile("[\ud800-\udfff]")
_LEAST, _MOST = -(2**63), 2**64 - 1
_LONGEST: Final = 20

_NOT_TEXT: Final = "holds half a character, or bytes that are not UTF-8"


class Unsayable(msgspec.Struct, frozen=True):
    """Stands where a number was that cannot be kept."""

    text: str


_GONE: Final = Unsayable("")


def mend(raw: bytes) -> tuple[object, list[Problem]]:
    """The value that `raw` holds, and a warning for each part of it that was changed (the first 20).

    Raises:
        ValueError: it is not JSON even so.
        RecursionError: it nests too deep.
    """
    value = json.loads(
        raw.decode("utf-8", "surrogateescape"), parse_constant=Unsayable, parse_float=_fraction, parse_int=_whole
    )
    warnings: list[Problem] = []
    mended = _mended(value, "", warnings)
    return (None if mended is _GONE else mended), warnings[:MOST_WARNINGS]


def _fraction(text: str) -> float | Unsayable:
    number = float(text)
    return number if math.isfinite(number) else Unsayable(text)


def _whole(text: str) -> int | str:
    if len(text) > _LONGEST or not _LEAST <= int(text) <= _MOST:
        return _Long(text)
    return int(text)


class _Long(str):
    """A whole number beyond 64 bits, as a text."""

    __slots__ = ()


def _mended(value: object, path: str, warnings: list[Problem]) -> object:
    match value:
        case dict():
            return _mended_object(value, path, warnings)
        case list():
            mended = [_mended(item, f"{path}[{place}]", warnings) for place, item in enumerate(value)]
            return [None if item is _GONE else item for item in mended]
        case _Long():
            _warn(warnings, path, "is a number beyond 64 bits and was made a text", "Send it as a text.")
            return str(value)
        case str() if _HALF.search(value):
            _warn(warnings, path, f"{_NOT_TEXT}, and was dropped", "Send texts in UTF-8.")
            return _GONE
        case Unsayable():
            _warn(warnings, path, f"is {value.text[:20]}, which is no number, and was dropped", "Leave it out.")
            return _GONE
    return value


def _mended_object(value: dict[str, object], path: str, warnings: list[Problem]) -> dict[str, object]:
    mended: dict[str, object] = {}
    for key, item in value.items():
        if _HALF.search(key):
            _warn(warnings, path, f"has a key that {_NOT_TEXT}, and which was dropped", "Send texts in UTF-8.")
            continue
        kept = _mended(item, f"{path}.{key}" if path else key, warnings)
        if kept is not _GONE:
            mended[key] = kept
    return mended


def _warn(warnings: list[Problem], path: str, what: str, hint: str) -> None:
    warnings.append(Problem("event.value_dropped", f"{path or 'the event'} {what}", hint, path or None))
