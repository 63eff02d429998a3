"""What a store holds, and a store that goes wrong."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from onefold.ingest.commit import Outcome
from onefold.model.events import Event
from onefold.model.identifiers import IdentifierKey
from onefold.model.reading import JourneyPage, Touchpoint
from onefold.store.base import Ahead, Store


def statuses(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.status.value for outcome in outcomes]


def customers(store: Store, *wanted: IdentifierKey) -> list[int]:
    """The customer of each identifier."""
    with store.read() as view:
        known = view.by_key(wanted)
    return [known[key].customer for key in wanted]


def touchpoints(store: Store) -> list[Touchpoint]:
    with store.read() as view:
        head = view.head()
        found = view.journeys(range(1, head.customer + 1), JourneyPage(1_000, newest_first=False))
    return sorted((t for page in found.values() for t in page), key=lambda t: t.number)


def message_ids(store: Store) -> list[str]:
    return [touchpoint.message_id for touchpoint in touchpoints(store)]


class Poisoned:
    """A store in which events of one name cannot be written, for a reason nobody foresaw."""

    def __init__(self, store: Store, *names: str) -> None:
        self.secret, self.remote = store.secret, store.remote
        self.read, self.page, self.expect = store.read, store.page, store.expect
        self.describe, self.check, self.close = store.describe, store.check, store.close
        self.commits: list[int] = []
        self._store, self._names = store, names

    @contextlib.contextmanager
    def write(self, ahead: Ahead | None = None) -> Iterator[Any]:
        with self._store.write(ahead) as transaction:
            apply = transaction.apply

            def poisoned(changes: Any, events: Sequence[Event], at_ms: int) -> int:
                if any(event.name in self._names for event in events):
                    raise ZeroDivisionError(self._names)
                self.commits.append(len(events))
                return apply(changes, events, at_ms)

            transaction.apply = poisoned  # type: ignore[method-assign]
            yield transaction
