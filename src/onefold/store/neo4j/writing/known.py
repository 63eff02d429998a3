"""What a transaction has read or made, and needs again when it writes."""

from typing import Final

from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import PublicIds, encode


class Known:
    """Public ids, and what stood in rows when they were read.

    Attributes:
        public: public ids of identifiers by number, as far as they were read.
        generic: their `generic` as it was read.
        anchors: anchors of customers by key, as they were read.
    """

    __slots__ = ("_ids", "_made", "_messages", "anchors", "generic", "public")

    def __init__(self, ids: PublicIds) -> None:
        """`ids` are the store's."""
        self.public: Final[dict[int, str]] = {}
        self.generic: Final[dict[int, int]] = {}
        self.anchors: Final[dict[int, int]] = {}
        self._ids: Final = ids
        self._made: Final[dict[IdentifierKey, str]] = {}
        self._messages: Final[dict[bytes, str]] = {}

    def message_id(self, message: bytes) -> str:
        """The public id of a touchpoint, from its message hash."""
        made = self._messages.get(message)
        if made is None:
            made = self._messages[message] = encode("tp", message)
        return made

    def public_id(self, key: IdentifierKey) -> str:
        """The public id of an identifier."""
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = encode("idn", self._ids.digest(key))
        return made
