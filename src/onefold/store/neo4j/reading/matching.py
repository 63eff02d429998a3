"""Which touchpoints have a property: told by the JSON of their bodies."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from onefold.model.reading import PropertyMatch
from onefold.store.neo4j.rows import LARGEST

EXACT: Final = 1 << 53
"""Whole numbers below it are written with all their digits, also when they are fractions that happen to be whole."""


class _Body(msgspec.Struct):
    properties: dict[str, Any] = {}


_BODY: Final = msgspec.json.Decoder(_Body)


def needles(wanted: Sequence[PropertyMatch]) -> list[str]:
    """Texts that stand in the body of every touchpoint that has all of these properties; seldom in another's."""
    return sorted({f'"{match.name}"{_beginning(match.value)}' for match in wanted if _plain(match.name)})


def _beginning(value: str | float | bool | None) -> str:
    """What follows a property's name where it has this value: bodies are JSON without spaces. Nothing where JSON has
    several ways to write it."""
    match value:
        case None | bool():
            return f":{msgspec.json.encode(value).decode()}"
        case str():
            return f':"{value}"' if _plain(value) else ':"'
        case int() | float() if value and abs(value) < EXACT and value == int(value):
            return f":{int(value)}"  # it may go on: 1 is 1.0 too
    return ":"


def _plain(text: str) -> bool:
    """Whether JSON has one way to write it."""
    return text.isalnum() and text.isascii()


def matches(body: bytes, wanted: Sequence[PropertyMatch]) -> bool:
    """Whether a touchpoint has all of these properties. Types are compared too; to JSON 1 and 1.0 are one number."""
    held = _BODY.decode(body).properties
    return all(match.name in held and _equal(held[match.name], match.value) for match in wanted)


def _equal(held: Any, value: str | float | bool | None) -> bool:
    if value is None or isinstance(value, bool | str):
        return type(held) is type(value) and bool(held == value)
    return isinstance(held, int | float) and not isinstance(held, bool) and _number(held) == _number(value)


def _number(value: float) -> float:
    """Numbers that need more than 64 bits are compared as fractions are, as everywhere in onefold."""
    return float(value) if abs(value) > LARGEST else value
