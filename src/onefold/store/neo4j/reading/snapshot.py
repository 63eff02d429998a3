"""What every part of a view reads from: one state of the store."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from onefold.model.reading import KnownCustomer
from onefold.model.sources import Source, Trust
from onefold.store.facts import Facts
from onefold.store.neo4j.reading.gate import Holding, Last, Moving, gated
from onefold.store.neo4j.rows import known_numbers
from onefold.store.view import Head

BEYOND_NUMBERS: Final = 1 << 31
"""Above every number of an identifier and every key of a customer: two of them make a pair of 64 bits."""

SOURCES: Final = gated(
    "MATCH (s:Source) USING INDEX SEEK s:Source(number) WHERE s.number >= 0 RETURN collect([s.number, s.name, s.trust])"
)


class Shared:
    """What all views of one store have in common.

    Attributes:
        last: the head that was seen last. sources: those met so far; what a number says never changes.
    """

    __slots__ = ("facts", "last", "sources")

    def __init__(self, facts: Facts) -> None:
        """Nothing was read yet."""
        self.facts: Final = facts
        self.last: Final = Last()
        self.sources: Mapping[int, Source] = {}


class Snapshot:
    """One state of the store, on connections that are taken as they are needed."""

    __slots__ = ("_ahead", "_asking", "_facts", "_shared")

    def __init__(self, asking: Moving | Holding, shared: Shared) -> None:
        """Nothing is asked yet, or nothing but the head."""
        self._asking: Final = asking
        self._shared: Final = shared
        self._facts: Final = shared.facts
        self._ahead: Final[dict[int, KnownCustomer]] = {}

    @property
    def moved(self) -> bool:
        """Whether something was committed, so that the state cannot be read any more."""
        return self._asking.moved

    def head(self) -> Head:
        """Where the store stands in this view."""
        return Head(*self._asking.head()[:4])

    def sources(self) -> dict[int, Source]:
        """Every source by its number."""
        found = {number: Source(name, Trust(trust)) for number, name, trust in self._ask(SOURCES)}
        self._shared.sources = found
        return dict(found)

    def _named(self, numbers: Iterable[int]) -> Mapping[int, Source]:
        """At least the sources of these numbers."""
        known = self._shared.sources
        return known if known.keys() >= set(numbers) else self.sources()

    def _ask(self, statement: str, **p: Any) -> Any:
        """What a gated statement collects."""
        return self._asking.ask(statement, **p)

    def _ask_steps(self, statement: str, **p: Any) -> Any:
        """What a gated statement collects that is about segments."""
        return self._asking.ask(statement, steps=True, **p)

    def _of(self, statement: str, values: Iterable[int], **more: Any) -> list[Any]:
        """What a statement collects of these numbers; nothing of none."""
        numbers = known_numbers(values)
        found: list[Any] = self._ask(statement, numbers=numbers, **more) if numbers else []
        return found


def short(values: Sequence[int]) -> list[int]:
    """Those of the numbers that an identifier may have."""
    return [value for value in values if value < BEYOND_NUMBERS]
