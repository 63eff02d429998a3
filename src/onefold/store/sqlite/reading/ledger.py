"""Reading the ledger, the change feed, the reject log, and how much there is."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import apsw

from onefold.model.changes import DecisionKind
from onefold.model.reading import Counts, FeedKind, FeedLine, LedgerLine, Reject
from onefold.store.feed_kinds import CLAIMS_CHANGE, CONSENTS_CHANGE, MOVE_CHANGE
from onefold.store.sqlite.reading.snapshot import Snapshot
from onefold.store.sqlite.rows import ask, numbers, read_number_tuple

MESSAGE_BYTES: Final = 16
NO_SEQ: Final = 1 << 62
"""Above every sequence number."""

LINE: Final = "d.seq, d.at_ms, d.kind, d.reason, d.customers, d.identifiers, d.link, d.judgement, d.messages"
BY_SEQ: Final = f"SELECT {LINE} FROM carray(?) k CROSS JOIN decisions d ON d.seq = k.value"
NEWEST: Final = f"SELECT {LINE} FROM decisions d WHERE d.seq < ?1 ORDER BY d.seq DESC LIMIT ?2"
NEWEST_OF_KINDS: Final = (
    f"SELECT {LINE} FROM carray(?3) k CROSS JOIN decisions d ON d.seq IN "
    "(SELECT r.seq FROM decisions r WHERE r.kind = k.value AND r.seq < ?1 ORDER BY r.seq DESC LIMIT ?2) "
    "ORDER BY d.seq DESC LIMIT ?2"
)
CONCERNING: Final = (
    "SELECT k.value, a.seq FROM carray(?1) k CROSS JOIN identifiers i ON i.customer = k.value "
    "CROSS JOIN decisions_about a ON a.identifier = i.number AND a.seq IN "
    "(SELECT r.seq FROM decisions_about r WHERE r.identifier = i.number AND r.seq < ?2 {of_kinds}"
    "ORDER BY r.seq DESC LIMIT ?3)"
)
OF_KINDS: Final = "AND (SELECT d.kind FROM decisions d WHERE d.seq = r.seq) IN (SELECT value FROM carray(?4)) "

# Touchpoints and decisions stand in the feed by their own numbers, everything else in `changes`.
FEED: Final = (
    "SELECT f.seq, (SELECT c.at_ms FROM commits c WHERE c.seq >= f.seq ORDER BY c.seq LIMIT 1), "
    "f.kind, f.identifier, f.customer, f.was, f.touchpoint, f.decision FROM ("
    "SELECT * FROM (SELECT t.number AS seq, 'touchpoint' AS kind, NULL AS identifier, NULL AS customer, NULL AS was, "
    "t.number AS touchpoint, NULL AS decision FROM {touchpoints} ORDER BY t.number LIMIT ?2) UNION ALL "
    "SELECT * FROM (SELECT d.seq, 'decision', NULL, NULL, NULL, NULL, d.seq FROM {decisions} ORDER BY d.seq LIMIT ?2) "
    "UNION ALL SELECT * FROM (SELECT h.seq, "
    f"CASE h.kind WHEN {MOVE_CHANGE} THEN 'identifier' WHEN {CLAIMS_CHANGE} THEN 'claims' "
    f"WHEN {CONSENTS_CHANGE} THEN 'consents' ELSE 'subject' END, "
    "h.identifier, h.customer, h.was, h.touchpoint, NULL FROM {changes} ORDER BY h.seq LIMIT ?2)"
    ") f ORDER BY f.seq LIMIT ?2"
)
WHOLE_FEED: Final = FEED.format(
    touchpoints="touchpoints t WHERE t.number > ?1",
    decisions="decisions d WHERE d.seq > ?1",
    changes="changes h WHERE h.seq > ?1",
)
FEED_OF: Final = FEED.format(
    touchpoints="carray(?3) k CROSS JOIN touchpoints t ON t.subject = k.value AND t.number > ?1",
    decisions="(SELECT DISTINCT r.seq FROM carray(?3) k CROSS JOIN decisions_about r "
    "ON r.identifier = k.value AND r.seq > ?1) d",
    changes="carray(?3) k CROSS JOIN changes h ON h.identifier = k.value AND h.seq > ?1",
)

REJECTS: Final = "SELECT at_ms, source, code, field, message, hint, body FROM rejects ORDER BY number DESC LIMIT ?"
# The numbers have no gaps, for only the eldest are deleted; and counting goes through them all.
REJECTED: Final = "SELECT coalesce((SELECT max(number) FROM rejects) - (SELECT min(number) FROM rejects) + 1, 0)"

_DECISION_KINDS: Final = {kind.value: kind for kind in DecisionKind}
_FEED_KINDS: Final = {kind.value: kind for kind in FeedKind}


class Ledger(Snapshot):
    """What was decided, and what changed."""

    __slots__ = ()

    def decisions(
        self,
        customers: Sequence[int] | None,
        kinds: Sequence[DecisionKind] | None,
        limit: int,
        before: int | None = None,
    ) -> dict[int, list[LedgerLine]]:
        """Ledger lines, newest first, by customer that they concern, or of the whole store under key 0."""
        bound = NO_SEQ if before is None else before
        named = None if kinds is None else tuple(kind.value for kind in kinds)
        if named == ():
            return {}
        if customers is None:
            return self._newest(named, limit, bound)
        return self._concerning(customers, named, limit, bound)

    def _newest(self, kinds: tuple[str, ...] | None, limit: int, before: int) -> dict[int, list[LedgerLine]]:
        if kinds is None:
            lines = _lines(ask(self._connection, NEWEST, before, limit))
        else:
            lines = _lines(ask(self._connection, NEWEST_OF_KINDS, before, limit, apsw.carray(kinds)))
        return {0: lines} if lines else {}

    def _concerning(
        self, customers: Sequence[int], kinds: tuple[str, ...] | None, limit: int, before: int
    ) -> dict[int, list[LedgerLine]]:
        """A line may concern several identifiers of one customer, so there are two reads: of the seqs, of the lines."""
        statement = CONCERNING.format(of_kinds="" if kinds is None else OF_KINDS)
        more = () if kinds is None else (apsw.carray(kinds),)
        seqs: dict[int, set[int]] = {}
        for customer, seq in self._ask(statement, customers, before, limit, *more):
            seqs.setdefault(customer, set()).add(seq)
        newest = {customer: sorted(found, reverse=True)[:limit] for customer, found in seqs.items()}
        lines = self.decisions_by_seq([seq for found in newest.values() for seq in found])
        return {customer: [lines[seq] for seq in found] for customer, found in newest.items()}

    def decisions_by_seq(self, seqs: Sequence[int]) -> dict[int, LedgerLine]:
        """Ledger lines by their place in the feed."""
        return {line.seq: line for line in _lines(self._ask(BY_SEQ, seqs))}

    def feed(self, after: int, limit: int, identifiers: Sequence[int] | None = None) -> list[FeedLine]:
        """Lines of the change feed with seq > `after`, oldest first; only about these identifiers if given."""
        if identifiers is None:
            rows = ask(self._connection, WHOLE_FEED, after, limit)
        elif identifiers:
            rows = ask(self._connection, FEED_OF, after, limit, numbers(identifiers))
        else:
            rows = []
        kinds = _FEED_KINDS
        return [FeedLine(seq, at_ms, kinds[kind], *about) for seq, at_ms, kind, *about in rows]

    def rejects(self, limit: int) -> list[Reject]:
        """The newest rejected events first."""
        return [Reject(*row) for row in ask(self._connection, REJECTS, limit)]

    def counts(self) -> Counts:
        """How much the store holds."""
        totals = self._totals
        rejects = ask(self._connection, REJECTED)[0][0]
        return Counts(
            totals.customers, self._head.identifier, totals.links, totals.touchpoints, totals.decisions, rejects
        )


def _lines(rows: Iterable[tuple[Any, ...]]) -> list[LedgerLine]:
    read, kinds = read_number_tuple, _DECISION_KINDS
    return [
        LedgerLine(
            seq, at_ms, kinds[kind], reason, read(customers), read(identifiers), link, judgement,
            tuple(messages[k : k + MESSAGE_BYTES] for k in range(0, len(messages), MESSAGE_BYTES)),
        )
        for seq, at_ms, kind, reason, customers, identifiers, link, judgement, messages in rows
    ]  # fmt: skip
