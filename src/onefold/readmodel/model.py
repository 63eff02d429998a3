"""The read model of one store in one process."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pyarrow

from onefold.model.namespaces import Namespaces
from onefold.model.traits import TraitRules
from onefold.readmodel.place import Place
from onefold.store.base import Store


class Asking(Protocol):
    """One state of the read model, for reading on this thread until the block ends.

    The tables are those of graph_schema/readmodel, in the schema `internal`; views for people stand in `main`.

    Attributes:
        as_of_seq: the state of the store that it shows. as_of_ms: the time of that commit, 0 for an empty store.
    """

    as_of_seq: int
    as_of_ms: int

    def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement with bound parameters: by place (`?`), or by name (`$name`)."""

    def arrow(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> pyarrow.Table:
        """The same in columns."""


class ReadModel(Protocol):
    """The read model of one store in one process, opened at the first question. It may be used from any thread."""

    def __init__(self, store: Store, place: Place, namespaces: Namespaces, traits: TraitRules) -> None:
        """`store` stays open as long as this is used. Nothing is read or opened yet."""

    def ask(self, max_staleness_ms: int = 0) -> AbstractContextManager[Asking]:
        """A state of the store to ask about: never older than this call, or at most `max_staleness_ms` older.

        Where it has to be caught up first, one thread does so, and others wait for it; what others ask meanwhile of
        states that they have goes on. Raises: OnefoldError `store.…`.
        """

    def close(self) -> None:
        """Let go of the file. Questions that others are in the middle of end with `store.unavailable`."""
