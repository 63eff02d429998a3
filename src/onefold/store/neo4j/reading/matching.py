"""Which touchpoints have a property: told by the JSON of their bodies."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from onefold.model.reading import PropertyMatch
from onefold.store.neo4j.rows import LARGEST


class _Body(msgspec.Struct):
    properties: dict[str, Any] = {}


_BODY: Final = msgspec.json.Decoder(_Body)


def needles(wanted: Sequence[PropertyMatch]) -> list[str]:
    """Texts that stand in the body of every touchpoint that has all of these properties."""
    texts = [match.name for match in wanted]
    texts += [match.value for match in wanted if isinstance(match.value, str)]
    return sorted({f'"{text}"' for text in texts if text.isalnum() and text.isascii()})


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
