"""What of a batch becomes rows, however a store keeps them."""

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Final

from onefold.model.changes import Placed
from onefold.model.claims import canonical_json
from onefold.model.events import Event
from onefold.model.identifiers import IdentifierKey
from onefold.model.sources import Source

MOST_VALUES: Final = 50
"""Of each identifier, trait and source that many values are kept, the newest."""
REJECTS_KEPT: Final = 10_000
NOBODY: Final = 0
"""The customer of operators."""

Kept = tuple[Event, Placed]
"""An event that is stored, and where it went."""
Said = tuple[int, str, int, int, str, int]
"""What an event says of an identifier: (identifier, trait, source, hash of the value, value as JSON, at_ms)."""


def said_in(kept: Iterable[Kept], source_number: Callable[[Source], int]) -> list[Said]:
    """What the events say, of the strongest identifier of each; in order."""
    said = []
    for event, place in kept:
        if event.traits:
            identifier, source, at_ms = place.identifiers[0], source_number(event.source), event.at_ms
            for trait, value in event.traits.items():
                text = canonical_json(value)
                said.append((identifier, trait, source, _hash(text), text, at_ms))
    said.sort()
    return said


def operators_in(kept: Iterable[Kept]) -> dict[IdentifierKey, tuple[int, int]]:
    """When each operator was seen first and last."""
    seen: dict[IdentifierKey, tuple[int, int]] = {}
    for event, _ in kept:
        for key in event.operators:
            first_ms, last_ms = seen.get(key, (event.at_ms, event.at_ms))
            seen[key] = (min(first_ms, event.at_ms), max(last_ms, event.at_ms))
    return seen


def _hash(text: str) -> int:
    """64 bits that stand for a value in the index."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)
