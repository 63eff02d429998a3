"""From decoded events to what is stored of them: one transaction a batch.

Invariant: what `commit_batch` says was accepted is durable when it returns, and the outcome of an event depends on the
events before it, not on how they were parted into batches.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import structs

from onefold.errors import OnefoldError, Problem
from onefold.ingest.decode import Decoded, Rejected
from onefold.ingest.identifiers import ambiguous
from onefold.model.changes import ChangeSet, DecisionKind
from onefold.model.events import Event
from onefold.model.graph import Judgement, Observation
from onefold.model.identifiers import IdentifierKey
from onefold.model.reading import Reject
from onefold.stitch.judging import judge
from onefold.stitch.needs import ByKey, Judgements
from onefold.stitch.resolver import resolve
from onefold.stitch.rules import Rules
from onefold.store.base import Ahead, Store, Transaction, drive
from onefold.store.passing import repeated

REJECT_BYTES: Final = 4_096
"""How much of what was sent the reject log keeps."""

_WRITE_KEY: Final = re.compile(rb'"writeKey"\s*:\s*"(?:[^"\\]|\\.)*+"?')
"""A key, which is in no log: SDKs in browsers send it with each event."""

_log: Final = logging.getLogger(__name__)


class Status(StrEnum):
    """What became of an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of an event, and of what was dropped from it.

    Attributes:
        message_id: as sent, or as made at the door; None where it was not understood so far.
        problem: of what is rejected, and of a duplicate that says something else than the first.
        message: 16 bytes that find the touchpoint, unless it was rejected.
        subject: number of the identifier that is its subject, when it was accepted.
        joins: how often two customers became one by it; what several events did together counts for the first.
    """

    status: Status
    message_id: str | None
    problem: Problem | None = None
    warnings: tuple[Problem, ...] = ()
    message: bytes | None = None
    subject: int | None = None
    joins: int = 0


Item = Decoded | Rejected
Upcoming = Callable[[], Sequence[Item]]
"""What the next batch begins with, as far as it is known."""


def commit_batch(
    store: Store, rules: Rules, batch: Sequence[Item], now_ms: int, upcoming: Upcoming | None = None
) -> list[Outcome]:
    """Stitch and store a batch in one transaction; -> one outcome per item, in order.

    When the store fails in a way that may pass, the transaction is repeated: events that it had stored nevertheless are
    duplicates then.

    Args:
        now_ms: the time of the commit.
        upcoming: is asked while this batch is written, under the store's lock: it neither waits for the store nor
            raises. It is no promise; no outcome depends on it.

    Raises: OnefoldError `store.…`; then nothing of the batch is stored, but for a PassingError that is not `undone`.
    """
    ahead = _ahead(batch, None if upcoming is None else lambda: _ahead(upcoming()))

    def transaction() -> list[Outcome]:
        with store.write(ahead) as begun:
            return _Commit(begun, rules, batch, ahead.messages, now_ms).run()

    return repeated(transaction, idempotent=True)


def _ahead(batch: Sequence[Item], then: Callable[[], Ahead] | None = None) -> Ahead:
    events = [item.event for item in batch if isinstance(item, Decoded)]
    return Ahead([event.message for event in events], [event.identifiers for event in events], then)


def commit_each(
    store: Store, rules: Rules, batch: Sequence[Item], now_ms: int, upcoming: Upcoming | None = None
) -> list[Outcome]:
    """As `commit_batch`, but an event that brings a bug of ours to light does not take the others with it: it is
    rejected alone, as `internal`, and the rest is stored in smaller batches."""
    try:
        return commit_batch(store, rules, batch, now_ms, upcoming)
    except OnefoldError:
        raise
    except Exception:  # noqa: BLE001  # whatever it is, it is told of when the event that brings it is found
        if len(batch) == 1:
            _log.exception("an event cannot be stored")
            return [_give_up(store, batch[0], now_ms)]
    half = len(batch) // 2
    return commit_each(store, rules, batch[:half], now_ms) + commit_each(store, rules, batch[half:], now_ms)


class _Commit:
    """One batch inside a transaction."""

    def __init__(
        self,
        transaction: Transaction,
        rules: Rules,
        batch: Sequence[Item],
        messages: Sequence[bytes],
        now_ms: int,
    ) -> None:
        self._transaction: Final = transaction
        self._rules: Final = rules
        self._batch: Final = batch
        self._now_ms: Final = now_ms
        self._known: Final = transaction.known_messages(messages)
        self._outcomes: Final[list[Outcome | None]] = [None] * len(batch)
        self._rejects: Final[list[Reject]] = []
        self._waiting: Final[list[int]] = []
        self._undecided: Final[set[bytes]] = set()

    def run(self) -> list[Outcome]:
        for place, item in enumerate(self._batch):
            if isinstance(item, Decoded):
                self._take(place, item)
            else:
                self._reject(place, item)
        self._flush()
        if self._rejects:
            self._transaction.reject(self._rejects)
        return [outcome for outcome in self._outcomes if outcome is not None]

    def _take(self, place: int, item: Decoded) -> None:
        event = item.event
        if event.message in self._undecided:
            self._flush()
        content = self._known.get(event.message)
        if content is not None:
            problem = None if content == event.content else _REUSED
            self._outcomes[place] = Outcome(Status.DUPLICATE, event.message_id, problem, item.warnings, event.message)
            return
        self._known[event.message] = event.content
        self._waiting.append(place)
        if event.crowded:
            self._undecided.add(event.message)
        if event.alias:
            self._flush()
            self._judge(place, event, *event.alias)

    def _reject(self, place: int, item: Rejected) -> None:
        self._outcomes[place] = Outcome(Status.REJECTED, item.message_id, item.problem, item.warnings)
        self._rejects.append(_reject_of(item, self._now_ms))

    def _flush(self) -> None:
        """Stitch and store what waits."""
        items = [item for place in self._waiting if isinstance(item := self._batch[place], Decoded)]
        if not items:
            return
        events = [item.event for item in items]
        source = self._transaction.source_number
        changes = self._resolve(
            [Observation(e.identifiers, e.at_ms, e.evidence_ms, source(e.source), e.crowded) for e in events]
        )
        self._transaction.apply(changes, events, self._now_ms)
        joins = _joins(changes)
        for number, (place, item, placed) in enumerate(zip(self._waiting, items, changes.placed, strict=True)):
            event = item.event
            if placed is None:
                del self._known[event.message]
                problem = ambiguous(self._rules.namespaces, event.identifiers, event.type)
                self._reject(place, Rejected(problem, event.source, event.message_id, item.warnings, item.raw))
            else:
                self._outcomes[place] = Outcome(
                    Status.ACCEPTED, event.message_id, None, item.warnings, event.message, placed.subject, joins[number]
                )
        self._waiting.clear()
        self._undecided.clear()

    def _resolve(self, observations: Sequence[Observation]) -> ChangeSet:
        transaction = self._transaction
        head = transaction.head
        steps = resolve(
            self._rules,
            transaction.trusts(),
            observations,
            last_identifier=head.identifier,
            last_customer=head.customer,
        )
        return drive(steps, transaction)

    def _judge(self, place: int, event: Event, new: IdentifierKey, old: IdentifierKey) -> None:
        """What an alias event says of two user ids is a judgement; one is enough."""
        outcome = self._outcomes[place]
        if outcome is None or outcome.status is not Status.ACCEPTED:
            return
        transaction = self._transaction
        self._see(event, old)
        numbers = [row.id for row in transaction.answer(ByKey([new, old]))]
        if self._judged_same(*numbers):
            return
        said = Judgement(
            transaction.head.judgement + 1,
            same=True,
            a=0,
            b=0,
            author=event.source.name,
            reason=f"alias event {event.message_id}",
            at_ms=event.at_ms,
        )
        last_customer = transaction.head.customer
        changes = drive(
            judge(self._rules, transaction.trusts(), said, (new, old), last_customer=last_customer), transaction
        )
        if isinstance(changes, Problem):
            warnings = (*outcome.warnings, structs.replace(changes, field="previousId"))
            self._outcomes[place] = structs.replace(outcome, warnings=warnings)
        else:
            transaction.apply(changes, [], self._now_ms)
            self._outcomes[place] = structs.replace(outcome, joins=outcome.joins + _joins(changes).total())

    def _judged_same(self, a: int, b: int) -> bool:
        standing: list[Judgement] = self._transaction.answer(Judgements([a]))
        return any(judgement.same and {judgement.a, judgement.b} == {a, b} for judgement in standing)

    def _see(self, event: Event, key: IdentifierKey) -> None:
        """An alias is a sighting of the identifier that it renames, known or not: only what was seen can be judged, and
        it may come to be seen later than its alias."""
        source = self._transaction.source_number(event.source)
        changes = self._resolve([Observation((key,), event.at_ms, event.evidence_ms, source)])
        changes.placed.clear()
        self._transaction.apply(changes, [], self._now_ms)


def _give_up(store: Store, item: Decoded | Rejected, now_ms: int) -> Outcome:
    """The outcome of an event that cannot be stored for a reason that we have no name for."""
    source, message_id = item.source, item.message_id
    rejected = Rejected(_BUG, source, message_id, item.warnings, item.raw)
    with store.write() as transaction:
        transaction.reject([_reject_of(rejected, now_ms)])
    return Outcome(Status.REJECTED, message_id, _BUG, item.warnings)


def _reject_of(item: Rejected, now_ms: int) -> Reject:
    problem = item.problem
    return Reject(
        at_ms=now_ms,
        source=item.source.name,
        code=problem.code,
        field=problem.field,
        message=problem.message,
        hint=problem.hint,
        body=_WRITE_KEY.sub(rb'"writeKey": "-"', item.raw[:REJECT_BYTES]),
    )


def _joins(changes: ChangeSet) -> Counter[int]:
    """How many joins each observation brought about; a judgement's are nobody's, under -1."""
    joined = (decision for decision in changes.decisions if decision.kind is DecisionKind.JOINED)
    return Counter(decision.causes[0] if decision.causes else -1 for decision in joined)


_REUSED: Final = Problem(
    "event.message_id_reused",
    "the message id was used before, with other content; the first event stays",
    "Give every event a message id of its own, such as a UUID.",
    "messageId",
)
_BUG: Final = Problem(
    "internal",
    "the event could not be stored, for a reason that onefold has no name for",
    "This is a bug: please report it. The event is in the reject log.",
)
