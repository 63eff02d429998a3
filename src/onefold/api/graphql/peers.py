"""Siblings, read together.

Resolvers are called one object at a time. So that this does not become one read a time, all objects handed out
together (the customers of one answer, all touchpoints of all their journeys) are *peers*: the first of them that is
asked for something loads it for all, and the others find it there.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

from onefold.errors import OnefoldError
from onefold.service.reading import Reading

Row = TypeVar("Row")
Child = TypeVar("Child")


class Peers(Generic[Row]):
    """Rows of one kind, and what was loaded for them so far. Used by one operation, on one thread."""

    __slots__ = ("_loaded", "reading", "rows")

    def __init__(self, reading: Reading, rows: Sequence[Row]) -> None:
        """`reading` is what everything is loaded from. Raises `query.too_complex` when the answer grows too large."""
        reading.hand_out(len(rows))
        self.reading = reading
        self.rows = rows
        self._loaded: dict[Hashable, Sequence[Any] | OnefoldError] = {}

    def child(self, place: int, what: Hashable, load: Callable[[Reading, Sequence[Row]], Sequence[Child]]) -> Child:
        """What the row at `place` has of `what`.

        Args:
            what: names the child, with all arguments it depends on.
            load: the children of all rows, in their order. When it fails, it fails for all of them.
        """
        found = self._loaded.get(what)
        if found is None:
            try:
                found = load(self.reading, self.rows)
            except OnefoldError as error:
                found = error
            self._loaded[what] = found
        if isinstance(found, OnefoldError):
            raise found
        child: Child = found[place]
        return child
