"""What a transaction has read, and needs again when it writes."""

from typing import Final

from onefold.store.neo4j.writing.names import Names


class Known:
    """What stood in rows when they were read.

    Attributes:
        names: public ids.
        public: public ids of identifiers by number, as far as they were read.
        generic: their `generic` as it was read.
        anchors: anchors of customers by key, as they were read.
    """

    __slots__ = ("anchors", "generic", "names", "public")

    def __init__(self, names: Names) -> None:
        """Nothing was read yet."""
        self.names: Final = names
        self.public: Final[dict[int, str]] = {}
        self.generic: Final[dict[int, int]] = {}
        self.anchors: Final[dict[int, int]] = {}
