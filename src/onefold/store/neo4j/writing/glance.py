"""What the next transaction is going to ask, read without the lock while Neo4j writes this one.

Invariant: what is used of it is as if it had been read under the lock. It is read after this transaction took the lock,
and it is used only if this one was committed, and the next, when it has the lock, finds the head as this one left it:
its sequence number only grows, so nobody else has written since. What this one writes is left out, for it may have been
read before it was written, or after.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from time import monotonic
from typing import Any, Final

import neo4j

from onefold.model.changes import ChangeSet
from onefold.model.events import Event
from onefold.model.identifiers import IdentifierKey
from onefold.store.base import Ahead
from onefold.store.neo4j.connections import Connections
from onefold.store.neo4j.rows import LOW_HALF, Row, ask
from onefold.store.neo4j.writing.ahead import READ_ALONE, InHand, Question
from onefold.store.neo4j.writing.names import Names

FEWEST: Final = 50
"""Events that are worth a statement of their own."""
WAITED_SECONDS: Final = 1.0
"""For so long a transaction waits for it, and with it whoever wants to write."""
PAUSE_SECONDS: Final = 30.0
"""For so long nothing is read early after another process has written, or after it took too long: it would mostly be
for nothing."""

_log: Final = logging.getLogger(__name__)


class Touched:
    """What a transaction writes of what may be read ahead."""

    __slots__ = ("customers", "identifiers", "keys", "messages", "pairs")

    def __init__(self) -> None:
        """Nothing so far."""
        self.keys: Final[set[IdentifierKey]] = set()
        self.identifiers: Final[set[int]] = set()
        self.customers: Final[set[int]] = set()
        self.pairs: Final[set[int]] = set()
        self.messages: Final[set[bytes]] = set()

    def note(self, changes: ChangeSet, events: Sequence[Event]) -> None:
        """It writes these."""
        self.keys.update(row.key for rows in (changes.new_identifiers, changes.changed_identifiers) for row in rows)
        self.customers.update(row.key for rows in (changes.new_customers, changes.changed_customers) for row in rows)
        self.customers.update(changes.dropped_customers)
        self.identifiers.update(move.identifier for move in changes.moves)
        pairs = {row.pair for rows in (changes.new_links, changes.seen_links, changes.marked_links) for row in rows}
        self.pairs.update(pairs)
        # Their ends are sought anew with them: links are asked for by the identifiers of an event.
        self.identifiers.update(pair >> 32 for pair in pairs)
        self.identifiers.update(pair & LOW_HALF for pair in pairs)
        self.messages.update(event.message for event in events)

    def leave(self, found: InHand) -> None:
        """Take out of what was found whatever this wrote, and the identifiers of customers that it wrote: they are
        sought anew together."""
        for key, identifier in list(found.identifiers.items()):
            if key in self.keys or (
                identifier is not None and (identifier.id in self.identifiers or identifier.customer in self.customers)
            ):
                del found.identifiers[key]
        for customer in self.customers:
            found.customers.pop(customer, None)
        for pair in self.pairs:
            found.links.pop(pair, None)
        for message in self.messages:
            found.messages.pop(message, None)


class Glance:
    """What was read while a transaction was written.

    Attributes:
        touched: what that transaction writes. left: the head as it left it, once it is committed.
        read: what is found.
    """

    def __init__(self, connections: Connections, ahead: Ahead, names: Names, touched: Touched) -> None:
        """Begin to read, on a thread of its own."""
        self.touched: Final = touched
        self.left: Row | None = None
        self._groups: Final = {tuple(group) for group in ahead.together}
        self.read: Final[Future[InHand]] = Future()
        Thread(target=self._run, args=(connections, ahead, names), name="onefold-glance", daemon=True).start()

    def _run(self, connections: Connections, ahead: Ahead, names: Names) -> None:
        try:
            asked = Question(ahead, names)
            self.read.set_result(InHand(asked, connections.ask(READ_ALONE, **asked.parameters()), names))
        except Exception as error:  # noqa: BLE001  # it is raised where what was read is wanted
            self.read.set_exception(error)

    def found(self) -> InHand:
        """What was found, without what was touched. Raises TimeoutError, and whatever went wrong with reading."""
        found = self.read.result(WAITED_SECONDS)
        self.touched.leave(found)
        return found

    def lacks(self, ahead: Ahead, found: InHand) -> Ahead:
        """What still has to be asked."""
        known = found.identifiers
        return Ahead(
            [message for message in ahead.messages if message not in found.messages],
            [
                group
                for group in dict.fromkeys(map(tuple, ahead.together))
                if group not in self._groups or not all(key in known for key in group)
            ],
        )


class Glances:
    """The glance there may be. Whoever calls this has the lock of this process."""

    def __init__(self, connections: Connections, names: Names) -> None:
        """There is none yet."""
        self._connections: Final = connections
        self._names: Final = names
        self._waiting: Glance | None = None
        self._not_before = 0.0

    def begin(self, ahead: Ahead, touched: Touched) -> Glance | None:
        """Begin to read what the next transaction is going to ask, if that is worth it."""
        if len(ahead.messages) < FEWEST or monotonic() < self._not_before:
            return None
        with suppress(RuntimeError):  # there can be no more threads
            self._waiting = Glance(self._connections, ahead, self._names, touched)
        return self._waiting

    def take(self) -> tuple[Glance, InHand] | None:
        """What was read while the last transaction was written, if that is committed. It is good for the next only."""
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting.left is None:
            return None
        try:
            return waiting, waiting.found()
        except TimeoutError:
            self.pause()
        except Exception as error:  # noqa: BLE001  # whatever it is, all is read under the lock then
            _log.debug("nothing was read early: %r", error)
        return None

    def pause(self) -> None:
        """Read nothing early for a while."""
        self._not_before = monotonic() + PAUSE_SECONDS


class Beginning:
    """How a transaction begins: what its first statement asks, and what is in hand after it."""

    def __init__(self, ahead: Ahead | None, names: Names, glances: Glances) -> None:
        """`ahead`: what is known to be needed."""
        self._ahead: Final = ahead
        self._names: Final = names
        self._glances: Final = glances
        self._glance: Glance | None = None
        self._found: InHand | None = None
        self._asked = Question(None, names)

    def ask_first(self) -> dict[str, Any]:
        """The parameters of the first statement: it asks as much as no glance has found. The lock of this process is
        had by now."""
        taken, lacking = self._glances.take(), self._ahead
        if taken is not None and lacking is not None:
            self._glance, self._found = taken
            lacking = self._glance.lacks(lacking, self._found)
        self._asked = Question(lacking, self._names)
        return self._asked.parameters()

    def in_hand(self, transaction: neo4j.Transaction, head: Row, answer: Row) -> InHand:
        """What is known now. `head`, `answer`: what the first statement answered, which has the lock of the head."""
        found = InHand(self._asked, answer, self._names)
        if self._glance is None or self._found is None:
            return found
        if head == self._glance.left:
            found.take_over(self._found)
            return found
        self._glances.pause()
        whole = Question(self._ahead, self._names)
        return InHand(whole, ask(transaction, READ_ALONE, **whole.parameters()), self._names)

    def writes(self, touched: Touched) -> Glance | None:
        """The transaction begins to write: meanwhile the glance for the next one may be read."""
        then = None if self._ahead is None else self._ahead.then
        return None if then is None else self._glances.begin(then(), touched)
