"""Reading the ledger, the change feed, the reject log, and how much there is."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from onefold.model.changes import DecisionKind
from onefold.model.reading import Counts, FeedKind, FeedLine, LedgerLine, Reject
from onefold.store.feed_kinds import CLAIMS_CHANGE, CONSENTS_CHANGE, MOVE_CHANGE, SUBJECT_CHANGE
from onefold.store.neo4j.reading.gate import gated
from onefold.store.neo4j.reading.snapshot import Snapshot
from onefold.store.neo4j.rows import LARGEST, Row, public_of, within

LINE: Final = "[d.seq, d.at_ms, d.kind, d.reason, d.customers, d.identifiers, d.link, d.judgement, d.messages]"
BY_SEQ: Final = gated(
    "UNWIND $p.numbers AS n MATCH (d:Decision) USING INDEX SEEK d:Decision(seq) WHERE n <= d.seq <= n "
    f"RETURN collect({LINE})"
)
NEWEST: Final = gated(
    "MATCH (d:Decision) USING INDEX SEEK d:Decision(seq) WHERE d.seq < $p.before "
    f"WITH d ORDER BY d.seq DESC LIMIT $p.limit RETURN collect({LINE})"
)
NEWEST_OF_KINDS: Final = gated(
    "UNWIND $p.kinds AS kind CALL (kind) { MATCH (d:Decision) USING INDEX SEEK d:Decision(kind, seq) "
    "WHERE d.kind = kind AND d.seq < $p.before RETURN d ORDER BY d.kind DESC, d.seq DESC LIMIT $p.limit } "
    f"WITH d ORDER BY d.seq DESC LIMIT $p.limit RETURN collect({LINE})"
)
# A line may concern several identifiers of one customer.
CONCERNING: Final = gated(
    "UNWIND $p.numbers AS k CALL (k) { MATCH (i:Identifier {customer: k}) USING INDEX SEEK i:Identifier(customer) "
    "WITH i.number AS n CALL (n) { MATCH (d:Decision)-[c:CONCERNS]->() USING INDEX SEEK c:CONCERNS(identifier, seq) "
    "WHERE c.identifier = n AND c.seq < $p.before AND ($p.kinds IS NULL OR d.kind IN $p.kinds) "
    "RETURN d, c.seq AS seq ORDER BY c.identifier DESC, c.seq DESC LIMIT $p.limit } "
    "WITH DISTINCT d, seq ORDER BY seq DESC LIMIT $p.limit RETURN d } "
    f"RETURN collect([k, {LINE}])"
)

# Touchpoints and decisions stand in the feed by their own numbers, everything else in `Change`. What has to be read of
# nodes is read only as far as the page reaches.
CHANGE: Final = "[h.seq, h.kind, h.identifier, h.customer, h.was, h.touchpoint]"
FEED: Final = gated(
    "CALL () { MATCH (t:Touchpoint) USING INDEX SEEK t:Touchpoint(number) WHERE t.number > $p.after "
    "WITH t.number AS n ORDER BY n LIMIT $p.limit RETURN collect(n) AS touched } "
    f"WITH touched, CASE WHEN size(touched) < $p.limit THEN {LARGEST} ELSE touched[-1] END AS reach "
    "CALL (reach) { MATCH (d:Decision) USING INDEX SEEK d:Decision(seq) WHERE d.seq > $p.after AND d.seq <= reach "
    "WITH d.seq AS n ORDER BY n LIMIT $p.limit RETURN collect(n) AS decided } "
    "CALL (reach) { MATCH (h:Change) USING INDEX SEEK h:Change(seq) WHERE h.seq > $p.after AND h.seq <= reach "
    f"WITH h ORDER BY h.seq LIMIT $p.limit RETURN collect({CHANGE}) AS changed }} "
    f"WITH touched, decided, changed, reduce(last = $p.after, n IN "
    "[touched[-1], decided[-1], changed[-1][0]] | CASE WHEN n > last THEN n ELSE last END) AS last "
    "CALL (last) { CALL (last) { "
    "MATCH (c:Commit) USING INDEX SEEK c:Commit(seq) WHERE c.seq > $p.after AND c.seq < last "
    "RETURN c.seq AS seq, c.at_ms AS at_ms UNION ALL "
    "MATCH (c:Commit) USING INDEX SEEK c:Commit(seq) WHERE c.seq >= last "
    "RETURN c.seq AS seq, c.at_ms AS at_ms ORDER BY seq LIMIT 1 } RETURN collect([seq, at_ms]) AS commits } "
    "RETURN [touched, decided, changed, commits]"
)
FEED_OF: Final = gated(
    "CALL () { UNWIND $p.numbers AS k "
    "MATCH (t:Touchpoint) USING INDEX SEEK t:Touchpoint(subject, at_ms, number) "
    "WHERE t.subject = k AND t.at_ms IS NOT NULL AND t.number > $p.after "
    "WITH t.number AS n ORDER BY n LIMIT $p.limit RETURN collect(n) AS touched } "
    "CALL () { UNWIND $p.numbers AS k CALL (k) { "
    "MATCH ()-[c:CONCERNS]->() USING INDEX SEEK c:CONCERNS(identifier, seq) "
    "WHERE c.identifier = k AND c.seq > $p.after RETURN c.seq AS n ORDER BY c.identifier, c.seq LIMIT $p.limit } "
    "WITH DISTINCT n ORDER BY n LIMIT $p.limit RETURN collect(n) AS decided } "
    "CALL () { UNWIND $p.numbers AS k CALL (k) { MATCH (h:Change) USING INDEX SEEK h:Change(identifier, seq) "
    "WHERE h.identifier = k AND h.seq > $p.after RETURN h ORDER BY h.identifier, h.seq LIMIT $p.limit } "
    f"WITH h ORDER BY h.seq LIMIT $p.limit RETURN collect({CHANGE}) AS changed }} "
    "CALL (touched, decided, changed) { UNWIND touched + decided + [h IN changed | h[0]] AS n "
    "WITH n ORDER BY n LIMIT $p.limit CALL (n) { MATCH (c:Commit) USING INDEX SEEK c:Commit(seq) WHERE c.seq >= n "
    "RETURN c ORDER BY c.seq LIMIT 1 } WITH DISTINCT c RETURN collect([c.seq, c.at_ms]) AS commits } "
    "RETURN [touched, decided, changed, commits]"
)

REJECTED_EVENT: Final = "MATCH (r:Reject) USING INDEX SEEK r:Reject(number) WHERE r.number >= 0"
REJECTS: Final = gated(
    f"{REJECTED_EVENT} WITH r ORDER BY r.number DESC LIMIT $p.limit "
    "RETURN collect([r.at_ms, r.source, r.code, r.field, r.message, r.hint, r.body])"
)
# The numbers have no gaps, for only the eldest are deleted; and counting goes through them all.
REJECTED: Final = gated(
    f"CALL () {{ {REJECTED_EVENT} RETURN r.number AS n ORDER BY n LIMIT 1 UNION ALL "
    f"{REJECTED_EVENT} RETURN r.number AS n ORDER BY n DESC LIMIT 1 }} "
    "RETURN coalesce(max(n) - min(n) + 1, 0)"
)

_DECISION_KINDS: Final = {kind.value: kind for kind in DecisionKind}
_FEED_KINDS: Final = {
    MOVE_CHANGE: FeedKind.IDENTIFIER,
    CLAIMS_CHANGE: FeedKind.CLAIMS,
    CONSENTS_CHANGE: FeedKind.CONSENTS,
    SUBJECT_CHANGE: FeedKind.SUBJECT,
}


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
        named = None if kinds is None else sorted({kind.value for kind in kinds})
        if named == []:
            return {}
        asked = {"kinds": named, "limit": limit, "before": LARGEST if before is None else within(before)}
        if customers is None:
            lines = _lines(self._ask(NEWEST if named is None else NEWEST_OF_KINDS, **asked))
            return {0: lines} if lines else {}
        found: dict[int, list[LedgerLine]] = {}
        rows = self._of(CONCERNING, customers, **asked)
        for (customer, _), line in zip(rows, _lines(row[1] for row in rows), strict=True):
            found.setdefault(customer, []).append(line)
        return found

    def decisions_by_seq(self, seqs: Sequence[int]) -> dict[int, LedgerLine]:
        """Ledger lines by their place in the feed."""
        return {line.seq: line for line in _lines(self._of(BY_SEQ, seqs))}

    def feed(self, after: int, limit: int, identifiers: Sequence[int] | None = None) -> list[FeedLine]:
        """Lines of the change feed with seq > `after`, oldest first; only about these identifiers if given."""
        asked = {"after": within(after), "limit": limit}
        parts = self._ask(FEED, **asked) if identifiers is None else self._of(FEED_OF, identifiers, **asked)
        return _feed_lines(parts, limit) if parts else []

    def rejects(self, limit: int) -> list[Reject]:
        """The newest rejected events first."""
        return [Reject(*row) for row in self._ask(REJECTS, limit=limit)]

    def counts(self) -> Counts:
        """How much the store holds."""
        rejects = self._ask(REJECTED)
        _, identifiers, _, _, customers, links, touchpoints, decisions, *_ = self._asking.head()
        return Counts(customers, identifiers, links, touchpoints, decisions, rejects)


def _lines(rows: Iterable[Row]) -> list[LedgerLine]:
    kinds, message = _DECISION_KINDS, public_of
    return [
        LedgerLine(
            seq, at_ms, kinds[kind], reason, tuple(customers), tuple(identifiers), link, judgement,
            tuple(map(message, messages)),
        )
        for seq, at_ms, kind, reason, customers, identifiers, link, judgement, messages in rows
    ]  # fmt: skip


def _feed_lines(parts: Sequence[list[Any]], limit: int) -> list[FeedLine]:
    """The first lines of all kinds, in order of seq, dated by the commits they belong to.

    Args:
        parts: numbers of touchpoints, of decisions; rows of other changes; (seq, at_ms) of commits.
    """
    touched, decided, changed, commits = parts
    kinds = _FEED_KINDS
    lines: list[Any] = [(seq, FeedKind.TOUCHPOINT, None, None, None, seq, None) for seq in touched]
    lines += [(seq, FeedKind.DECISION, None, None, None, None, seq) for seq in decided]
    lines += [(h[0], kinds[h[1]], h[2], h[3], h[4], h[5], None) for h in changed]
    lines.sort()
    del lines[limit:]
    dates = iter(sorted(commits))
    last, at_ms = next(dates, (0, 0))
    told = []
    for seq, *about in lines:
        while seq > last:
            last, at_ms = next(dates)
        told.append(FeedLine(seq, at_ms, *about))
    return told
