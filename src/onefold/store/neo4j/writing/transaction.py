"""One write transaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import neo4j

from onefold.model.changes import ChangeSet
from onefold.model.events import Event
from onefold.model.graph import Judgement
from onefold.model.identifiers import IdentifierKey
from onefold.model.reading import Reject
from onefold.model.sources import Source, Trust
from onefold.stitch.needs import Need
from onefold.store.facts import Facts
from onefold.store.kept import REJECTS_KEPT, Kept, operators_in, said_in
from onefold.store.neo4j.rows import LARGEST, Row, ask, judgements_of, known_numbers, public_of, tell
from onefold.store.neo4j.writing.ahead import READ_COLUMNS
from onefold.store.neo4j.writing.answers import Answers
from onefold.store.neo4j.writing.consents import consent_rows
from onefold.store.neo4j.writing.glance import Beginning, Glance, Touched
from onefold.store.neo4j.writing.known import Known
from onefold.store.neo4j.writing.rows import (
    Rows,
    claim_rows,
    customer_rows,
    decision_rows,
    feed_rows,
    identifier_rows,
    judgement_rows,
    link_rows,
    operator_rows,
    touchpoint_rows,
)
from onefold.store.neo4j.writing.segments import SegmentWrites
from onefold.store.neo4j.writing.statements import (
    FIND,
    JUDGEMENTS,
    KNOWN_MESSAGES,
    NEW_SOURCE,
    REJECT,
    WRITE,
)
from onefold.store.searched import read_searched
from onefold.store.view import Head


class State(msgspec.Struct):
    """Where the store stands, with what is counted up with each commit: the properties of the head.

    Attributes:
        claim, reject: the last numbers given out of claims and rejects.
    """

    seq: int
    identifier: int
    customer: int
    judgement: int
    customers: int
    links: int
    touchpoints: int
    decisions: int
    claim: int
    reject: int

    def head(self) -> Head:
        """The part of it that readers see."""
        return Head(self.seq, self.identifier, self.customer, self.judgement)


class Neo4jTransaction(SegmentWrites):
    """Reads and writes in a transaction that is open and holds the lock of the head: no other does until it ends."""

    def __init__(
        self, transaction: neo4j.Transaction, beginning: Beginning, first: Row, known: Known, facts: Facts
    ) -> None:
        """`first`: what `FIRST` answered with."""
        *state, step, searchable, sources = first[:-READ_COLUMNS]
        super().__init__(transaction, step)
        self._state: Final = State(*state)
        self.head = self._state.head()
        self._facts: Final = facts
        self._searched: Final = read_searched(searchable)
        self._known: Final = known
        self._writing: neo4j.Result | None = None
        self._beginning: Final = beginning
        self._touched: Final = Touched()
        self._glance: Glance | None = None
        self._in_hand: Final = beginning.in_hand(transaction, state, first[-READ_COLUMNS:])
        known.public.update(self._in_hand.public)
        self._answers: Final = Answers(transaction, self._in_hand, known)
        self._sources: Final = {Source(name, Trust(trust)): number for number, name, trust in sources}

    def reached(self) -> Row:
        """The head as readers ask for it: what they find when this was committed."""
        *state, _, reject = msgspec.structs.astuple(self._state)
        return [*state, reject, self._step]

    def answer(self, need: Need) -> Any:
        """Rows that stitching asks for."""
        return self._answers.answer(need)

    def known_messages(self, messages: Sequence[bytes]) -> dict[bytes, bytes]:
        """Of these message hashes, those stored already -> their content hash."""
        in_hand = self._in_hand.messages
        found = {message: content for message in messages if (content := in_hand.get(message)) is not None}
        missing = [self._known.names.touchpoint(message) for message in messages if message not in in_hand]
        if missing:
            [rows] = ask(self._transaction, KNOWN_MESSAGES, ids=missing)
            found |= {public_of(message): bytes.fromhex(content) for message, content in rows}
        return found

    def source_number(self, source: Source) -> int:
        """The number of this (name, trust); a new one is stored."""
        number = self._sources.get(source)
        if number is None:
            number = max(self._sources.values(), default=0) + 1
            tell(self._transaction, NEW_SOURCE, number=number, name=source.name, trust=int(source.trust))
            self._sources[source] = number
        return number

    def trusts(self) -> dict[int, Trust]:
        """Trust by source number, of all sources."""
        return {number: source.trust for source, number in self._sources.items()}

    def judgement(self, number: int) -> Judgement | None:
        """A judgement, standing or retracted."""
        if abs(number) > LARGEST:
            return None
        [rows] = ask(self._transaction, JUDGEMENTS, numbers=known_numbers([number]))
        return judgements_of(rows)[0] if rows else None

    def apply(self, changes: ChangeSet, events: Sequence[Event], at_ms: int) -> int:
        """Write the changes and the events that caused them; -> the new head sequence number."""
        state = self._state
        kept = [(event, place) for event, place in zip(events, changes.placed, strict=True) if place is not None]
        last_identifier = state.identifier + len(changes.new_identifiers)
        operators, rows = self._operators(kept, last_identifier)
        names = self._known.names
        rows |= identifier_rows(changes, self._known, self._facts.devices)
        rows |= customer_rows(changes, self._known)
        rows |= link_rows(changes)
        rows |= judgement_rows(changes)
        rows["subjects"] = [[*subject] for subject in sorted(changes.subjects.items())]
        rows |= touchpoint_rows(kept, operators, self.source_number, names, state.seq)
        claims = rows["claims"] = claim_rows(said_in(kept, self.source_number), self._searched, state.claim)
        claimed = list(dict.fromkeys(row[0] for row in claims))
        seq = state.seq + len(kept)
        rows["decisions"] = decision_rows(changes.decisions, events, names, at_ms, seq)
        seq += len(changes.decisions)
        consented, consents = consent_rows(self._transaction, kept, self._sources)
        rows |= consents
        rows["changes"] = feed_rows(changes, claimed, consented, seq)
        seq += len(rows["changes"])
        rows["head"] = []
        if seq > state.seq:
            self._advance(seq, max(last_identifier, *operators.values(), 0), changes, len(kept), len(claims))
            rows["head"].append(self._commit(at_ms))
        self._touched.note(changes, events)
        self._write(rows)
        return seq

    def _operators(self, kept: Sequence[Kept], last: int) -> tuple[Mapping[IdentifierKey, int], Rows]:
        """Numbers of the operators of these events, and their rows. New ones are numbered from `last` + 1 on."""
        seen = operators_in(kept)
        names = self._known.names
        if not seen:
            return operator_rows({}, {}, last, names)
        asked = {names.identifier(key): key for key in seen}
        [rows] = ask(self._transaction, FIND, ids=list(asked))
        return operator_rows(seen, {asked[found]: number for found, number in rows}, last, names)

    def _advance(self, seq: int, identifier: int, changes: ChangeSet, touchpoints: int, claims: int) -> None:
        """Move the head to `seq`, past all numbers that were given out."""
        state = self._state
        state.seq = seq
        state.identifier = identifier
        state.customer = max((state.customer, *(customer.key for customer in changes.new_customers)))
        if changes.judged is not None:
            state.judgement = changes.judged.number
        state.customers += len(changes.new_customers) - len(changes.dropped_customers)
        state.links += len(changes.new_links)
        state.touchpoints += touchpoints
        state.decisions += len(changes.decisions)
        state.claim += claims
        self.head = state.head()

    def _commit(self, at_ms: int) -> dict[str, Any]:
        """The head as it is now, and the commit's line."""
        state = msgspec.structs.asdict(self._state)
        counted_elsewhere = ("claim", "reject")
        return {
            "state": state,
            "commit": {name: value for name, value in state.items() if name not in counted_elsewhere}
            | {"at_ms": at_ms},
        }

    def _write(self, rows: Rows) -> None:
        """Have written what there is to write: meanwhile others may work. What was read ahead is not so any more."""
        if any(rows.values()):
            self._writing = self._transaction.run(WRITE, p=rows)
            self._in_hand.clear()
            self._glance = self._glance or self._beginning.writes(self._touched)

    def finish(self) -> None:
        """Wait until all is written. What goes wrong is raised here at the latest."""
        if self._writing is not None:
            self._writing.consume()

    def committed(self) -> None:
        """From now on it may be used what was read meanwhile."""
        if self._glance is not None:
            self._glance.left = [*msgspec.structs.astuple(self._state)]

    def reject(self, rejects: Iterable[Reject]) -> None:
        """Add to the reject log, which keeps the newest 10,000."""
        state = self._state
        rows = [
            [number, r.at_ms, r.source, r.code, r.field, r.message, r.hint, r.body]
            for number, r in enumerate(rejects, state.reject + 1)
        ]
        if rows:
            state.reject += len(rows)
            tell(
                self._transaction, REJECT, rejects=rows[-REJECTS_KEPT:], last=state.reject,
                forgotten=state.reject - REJECTS_KEPT,
            )  # fmt: skip
