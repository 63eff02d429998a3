"""Public ids, as far as they were made lately.

To make one takes longer than to find it, and events come with the same identifiers again and again. They are made as
soon as events are expected: while a transaction has the lock, every moment counts.
"""

from collections.abc import Sequence
from typing import Any, Final

from onefold.model.events import Event
from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import PublicIds, encode

REMEMBERED: Final = 20_000
"""As many identifiers, and touchpoints, of each: some ten megabytes. When there would be more, all are forgotten."""


class Names:
    """Makes public ids, from any thread."""

    __slots__ = ("_identifiers", "_ids", "_touchpoints")

    def __init__(self, ids: PublicIds) -> None:
        """`ids` are the store's."""
        self._ids: Final = ids
        self._identifiers: Final[dict[IdentifierKey, tuple[bytes, str]]] = {}
        self._touchpoints: Final[dict[bytes, str]] = {}

    def expect(self, events: Sequence[Event]) -> None:
        """Make what these are going to need."""
        for event in events:
            self.touchpoint(event.message)
            for key in event.identifiers:
                self._identifier(key)

    def touchpoint(self, message: bytes) -> str:
        """The public id of a touchpoint, from its message hash."""
        made = self._touchpoints.get(message)
        if made is None:
            _make_room(self._touchpoints)
            made = self._touchpoints[message] = encode("tp", message)
        return made

    def identifier(self, key: IdentifierKey) -> str:
        """The public id of an identifier."""
        return self._identifier(key)[1]

    def digest(self, key: IdentifierKey) -> bytes:
        """The bytes that it is made of."""
        return self._identifier(key)[0]

    def _identifier(self, key: IdentifierKey) -> tuple[bytes, str]:
        made = self._identifiers.get(key)
        if made is None:
            _make_room(self._identifiers)
            digest = self._ids.digest(key)
            made = self._identifiers[key] = digest, encode("idn", digest)
        return made


def _make_room(made: dict[Any, Any]) -> None:
    if len(made) >= REMEMBERED:
        made.clear()
