"""One write transaction."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import apsw

from onefold.model.changes import ChangeSet
from onefold.model.events import Event
from onefold.model.graph import Judgement
from onefold.model.ids import PublicIds
from onefold.model.reading import Reject
from onefold.model.sources import Source, Trust
from onefold.stitch.needs import Need
from onefold.store.kept import REJECTS_KEPT
from onefold.store.sqlite.head import Totals, read_head, write_head
from onefold.store.sqlite.rows import JUDGEMENT, ask, blobs, judgements_of
from onefold.store.sqlite.writing.answers import Answers
from onefold.store.sqlite.writing.claims import write_claims
from onefold.store.sqlite.writing.consents import write_consents
from onefold.store.sqlite.writing.indexing import index_identifiers
from onefold.store.sqlite.writing.operators import write_operators
from onefold.store.sqlite.writing.segments import SegmentWrites
from onefold.store.sqlite.writing.writes import (
    write_customers,
    write_decisions,
    write_feed,
    write_identifiers,
    write_judgements,
    write_links,
    write_subjects,
    write_touchpoints,
)
from onefold.store.view import Head


class SqliteTransaction(SegmentWrites):
    """Reads and writes on a connection whose transaction is open."""

    def __init__(self, connection: apsw.Connection, ids: PublicIds) -> None:
        """`connection` is between BEGIN IMMEDIATE and COMMIT."""
        super().__init__(connection)
        self.head, self._totals = read_head(connection)
        self._answers: Final = Answers(connection, ids)
        self._sources: Final[dict[Source, int]] = {}

    def answer(self, need: Need) -> Any:
        """Rows that stitching asks for."""
        return self._answers.answer(need)

    def known_messages(self, messages: Sequence[bytes]) -> dict[bytes, bytes]:
        """Of these message hashes, those stored already -> their content hash."""
        if not messages:
            return {}
        statement = "SELECT message, content FROM carray(?) k CROSS JOIN touchpoints t ON t.message = k.value"
        return dict(ask(self._connection, statement, blobs(messages)))

    def source_number(self, source: Source) -> int:
        """The number of this (name, trust); a new one is stored."""
        number = self._known_sources().get(source)
        if number is None:
            statement = "INSERT INTO sources (name, trust) VALUES (?, ?) RETURNING number"
            number = ask(self._connection, statement, source.name, source.trust)[0][0]
            self._sources[source] = number
        return number

    def trusts(self) -> dict[int, Trust]:
        """Trust by source number, of all sources."""
        return {number: source.trust for source, number in self._known_sources().items()}

    def _known_sources(self) -> dict[Source, int]:
        """All sources. They are read in each transaction: another process may have added one."""
        if not self._sources:
            for number, name, trust in ask(self._connection, "SELECT number, name, trust FROM sources"):
                self._sources[Source(name, Trust(trust))] = number
        return self._sources

    def judgement(self, number: int) -> Judgement | None:
        """A judgement, standing or retracted."""
        statement = f"SELECT {JUDGEMENT} FROM judgements j WHERE j.number = ?"
        rows = ask(self._connection, statement, number)
        return judgements_of(rows)[0] if rows else None

    def apply(self, changes: ChangeSet, events: Sequence[Event], at_ms: int) -> int:
        """Write the changes and the events that caused them; -> the new head sequence number."""
        connection, public = self._connection, self._answers.public
        kept = [(event, place) for event, place in zip(events, changes.placed, strict=True) if place is not None]
        last_identifier = self.head.identifier + len(changes.new_identifiers)
        operators = write_operators(connection, kept, public, last_identifier)
        write_identifiers(connection, changes, public)
        write_customers(connection, changes)
        write_links(connection, changes)
        write_subjects(connection, changes.subjects)
        write_judgements(connection, changes)
        seq = write_touchpoints(connection, kept, operators, self.source_number, self.head.seq)
        claimed = write_claims(connection, kept, self.source_number)
        consented = write_consents(connection, kept, self.source_number)
        seq = write_decisions(connection, changes.decisions, events, at_ms, seq)
        seq = write_feed(connection, changes, claimed, consented, seq)
        if seq > self.head.seq:
            before = self.head.identifier
            self._advance(seq, max(last_identifier, *operators.values(), 0), changes, len(kept))
            write_head(connection, self.head, self._totals, at_ms)
            index_identifiers(connection, before, self.head.identifier)
        return seq

    def _advance(self, seq: int, identifier: int, changes: ChangeSet, touchpoints: int) -> None:
        """Move the head to `seq`, past all numbers that were given out."""
        head, totals = self.head, self._totals
        self.head = Head(
            seq,
            identifier,
            max((head.customer, *(customer.key for customer in changes.new_customers))),
            head.judgement if changes.judged is None else changes.judged.number,
        )
        self._totals = Totals(
            totals.customers + len(changes.new_customers) - len(changes.dropped_customers),
            totals.links + len(changes.new_links),
            totals.touchpoints + touchpoints,
            totals.decisions + len(changes.decisions),
        )

    def reject(self, rejects: Iterable[Reject]) -> None:
        """Add to the reject log, which keeps the newest 10,000."""
        self._connection.executemany(
            "INSERT INTO rejects (at_ms, source, code, field, message, hint, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(r.at_ms, r.source, r.code, r.field, r.message, r.hint, r.body) for r in rejects],
        )
        self._connection.execute(
            "DELETE FROM rejects WHERE number <= (SELECT max(number) FROM rejects) - ?", (REJECTS_KEPT,)
        )
