"""What of a batch becomes rows, however a store keeps them."""

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Final, NamedTuple

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

About = tuple[int, str]
"""An identifier and a purpose."""


class Statement(NamedTuple):
    """What was said of an identifier and a purpose: whether it is agreed to, when, and who said so."""

    given: bool
    at_ms: int
    source: Source

    @property
    def precedence(self) -> tuple[object, ...]:
        """The least counts, as `onefold.model.consents` says of one identifier."""
        return -self.at_ms, self.given, self.source.trust, self.source.name


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


def consents_in(kept: Iterable[Kept]) -> dict[About, Statement]:
    """What the events say was agreed to, of the strongest identifier of each: the statements that count among theirs,
    in plain order."""
    said: dict[About, Statement] = {}
    for event, place in kept:
        if event.consents:
            identifier, at_ms = place.identifiers[0], event.consent_ms
            for purpose, given in event.consents.items():
                statement = Statement(given, at_ms, event.source)
                before = said.setdefault((identifier, purpose), statement)
                if statement.precedence < before.precedence:
                    said[identifier, purpose] = statement
    return dict(sorted(said.items()))


def new_consents(said: Mapping[About, Statement], stored: Mapping[About, Statement]) -> dict[About, Statement]:
    """Those of the statements that count before what is stored."""
    return {
        about: statement
        for about, statement in said.items()
        if about not in stored or statement.precedence < stored[about].precedence
    }


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
