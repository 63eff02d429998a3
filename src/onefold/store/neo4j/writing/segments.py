"""Writing saved segments, who is in them, the log of that, and leases."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import neo4j
from msgspec.structs import astuple

from onefold.model.copying import Row
from onefold.model.saved import Lease, MembershipStep, SavedSegment, SegmentDraft
from onefold.store.base import LeaseLostError
from onefold.store.membership import (
    BITS,
    Kept,
    added,
    changed,
    dropped,
    emptied,
    going_on,
    kept,
    leased,
    pairs_of,
)
from onefold.store.neo4j.rows import LAST_MEMBERSHIP, LOW_HALF, SEGMENT, SEGMENTS_THERE, ask, tell

_SET: Final = (
    "s.name = r[1], s.rule = r[2], s.description = r[3], s.require_consent = r[4], s.revision = r[5], "
    "s.created_ms = r[6], s.changed_ms = r[7], s.deleted_ms = r[8], s.as_of_seq = r[9], s.as_of_ms = r[10], "
    "s.basis = r[11], s.count = r[12]"
)
BLOCKS: Final = {
    "new_segments": f"CREATE (s:Segment {{number: r[0], id: r[13]}}) SET {_SET}",
    "segments": f"MATCH (s:Segment {{number: r[0]}}) USING INDEX SEEK s:Segment(number) SET {_SET}",
    "left": "MATCH ()-[m:MEMBER_OF {pair: r}]->() USING INDEX SEEK m:MEMBER_OF(pair) DELETE m",
    "entered": "MATCH (s:Segment {number: r[1]}) USING INDEX SEEK s:Segment(number) "
    "MATCH (i:Identifier {number: r[2]}) USING INDEX SEEK i:Identifier(number) "
    "CREATE (i)-[:MEMBER_OF {pair: r[0], segment: r[1], anchor: r[2], since_ms: r[3]}]->(s)",
    "lines": "CREATE (:MembershipChange {number: r[0], segment: r[1], anchor: r[2], entered: r[3], at_ms: r[4], "
    "cause: r[5], cause_ref: r[6], as_of_seq: r[7]})",
}
"""What writes rows of one kind each."""
_CALLS: Final = " ".join(f"CALL () {{ UNWIND $p.{name} AS r {block} }}" for name, block in BLOCKS.items())
# Readers who asked about segments see by `step` that something was committed. The gate is taken last, so that nobody
# reads while it is applied.
WRITE: Final = (
    f"CYPHER replan=skip {_CALLS} MATCH (h:Meta {{name: 'head'}}) SET h.step = $p.step "
    "WITH h MATCH (g:Meta {name: 'gate'}) SET g.lock = 1"
)

THERE: Final = f"{SEGMENTS_THERE} WITH s ORDER BY s.number RETURN collect({SEGMENT})"
SEGMENT_THERE: Final = (
    "MATCH (s:Segment {number: $p.number}) USING INDEX SEEK s:Segment(number) WHERE s.deleted_ms IS NULL "
    f"RETURN collect({SEGMENT})"
)
LAST_SEGMENT: Final = (
    "CALL () { MATCH (s:Segment) USING INDEX SEEK s:Segment(number) WHERE s.number > 0 "
    "RETURN s.number AS number ORDER BY number DESC LIMIT 1 } RETURN coalesce(max(number), 0)"
)
# Of all segments but few were deleted, and of these hardly one has members left.
EMPTYING: Final = (
    "CALL () { MATCH (s:Segment) USING INDEX SEEK s:Segment(number) "
    "WHERE s.number > 0 AND s.deleted_ms IS NOT NULL AND s.count > 0 RETURN s ORDER BY s.number LIMIT 1 } "
    "WITH collect(s) AS found UNWIND CASE found WHEN [] THEN [NULL] ELSE found END AS s CALL (s) { "
    f"WITH s.number * {LOW_HALF + 1} AS low WHERE s IS NOT NULL "
    "MATCH ()-[m:MEMBER_OF]->() USING INDEX SEEK m:MEMBER_OF(pair) "
    f"WHERE low < m.pair AND m.pair < low + {LOW_HALF + 1} WITH m ORDER BY m.pair LIMIT $p.limit "
    f"RETURN collect(m.anchor) AS anchors }} RETURN [s IN found | {SEGMENT}], anchors"
)
MEMBERS: Final = (
    "UNWIND $p.pairs AS pair MATCH ()-[m:MEMBER_OF {pair: pair}]->() USING INDEX SEEK m:MEMBER_OF(pair) "
    "RETURN collect(m.pair)"
)
LEASE: Final = (
    "OPTIONAL MATCH (l:Lease {name: $p.name}) USING INDEX SEEK l:Lease(name) "
    "RETURN CASE WHEN l IS NULL THEN NULL ELSE [l.name, l.holder, l.token, l.until_ms] END"
)
WRITE_LEASE: Final = (
    "MERGE (l:Lease {name: $p.name}) SET l.holder = $p.holder, l.token = $p.token, l.until_ms = $p.until_ms"
)
END_LEASE: Final = (
    "MATCH (l:Lease {name: $p.name}) USING INDEX SEEK l:Lease(name) WHERE l.token = $p.token SET l.until_ms = 0"
)


class SegmentWrites:
    """The part of a write transaction that is about segments."""

    def __init__(self, transaction: neo4j.Transaction, step: int) -> None:
        """`transaction` holds the lock of the head, of which `step` is a property."""
        self._transaction: Final = transaction
        self._step = step

    def segments(self) -> list[SavedSegment]:
        """The segments that are there, by number."""
        return [SavedSegment(*row) for row in ask(self._transaction, THERE)[0]]

    def add_segment(self, draft: SegmentDraft, at_ms: int) -> SavedSegment:
        """A new segment, without members."""
        [last] = ask(self._transaction, LAST_SEGMENT)
        segment = added(last + 1, draft, at_ms)
        self._save(new_segments=[(*astuple(segment), segment.public_id)])
        return segment

    def change_segment(self, number: int, draft: SegmentDraft, at_ms: int) -> SavedSegment | None:
        """Make the segment that is there what the draft says."""
        return self._become(number, lambda segment: changed(segment, draft, at_ms))

    def drop_segment(self, number: int, at_ms: int) -> SavedSegment | None:
        """Delete a segment; its members leave it by `clear_dropped`."""
        return self._become(number, lambda segment: dropped(segment, at_ms))

    def clear_dropped(self, limit: int) -> int:
        """Of at most `limit` members of deleted segments, write that they left; -> of how many."""
        cleared = 0
        while cleared < limit:
            found, anchors = ask(self._transaction, EMPTYING, limit=limit - cleared)
            if not found:
                break
            self._keep([emptied(SavedSegment(*found[0]), anchors)])
            cleared += len(anchors)
        return cleared

    def take_lease(self, name: str, holder: str, now_ms: int, for_ms: int) -> Lease | None:
        """The lease of this name, if `holder` may have it."""
        lease = leased(self._lease(name), name, holder, now_ms, for_ms)
        if lease is not None:
            tell(
                self._transaction, WRITE_LEASE, name=name, holder=holder, token=lease.token, until_ms=lease.until_ms
            )  # fmt: skip
        return lease

    def end_lease(self, lease: Lease) -> None:
        """Let go of a lease before its time."""
        tell(self._transaction, END_LEASE, name=lease.name, token=lease.token)

    def keep(self, lease: Lease, steps: Sequence[MembershipStep]) -> list[SavedSegment]:
        """Write the steps that go on from what is there. Raises LeaseLostError."""
        held = self._lease(lease.name)
        if held is None or held.token != lease.token:
            raise LeaseLostError
        found = going_on(steps, {segment.number: segment for segment in self.segments()})
        pairs = pairs_of(found)
        members = set(ask(self._transaction, MEMBERS, pairs=pairs)[0]) if pairs else set()
        return self._keep([kept(step, members) for step in found])

    def _keep(self, steps: Sequence[Kept]) -> list[SavedSegment]:
        news = [step for step in steps if step.news]
        [found] = ask(self._transaction, LAST_MEMBERSHIP) if news else [[]]
        last = sum(found)
        lines: list[Any] = []
        for step in news:
            lines += step.lines(last + len(lines))
        if news:
            self._save(
                segments=[astuple(step.segment) for step in news],
                left=[pair for step in news for pair in step.left()],
                entered=[member_row(row) for step in news for row in step.entered()],
                lines=lines,
            )
        return [step.segment for step in steps]

    def _become(self, number: int, change: Callable[[SavedSegment], SavedSegment]) -> SavedSegment | None:
        [rows] = ask(self._transaction, SEGMENT_THERE, number=number)
        if not rows:
            return None
        segment = change(SavedSegment(*rows[0]))
        self._save(segments=[astuple(segment)])
        return segment

    def _save(self, **rows: list[Any]) -> None:
        self._step += 1
        tell(self._transaction, WRITE, step=self._step, **({name: [] for name in BLOCKS} | rows))

    def _lease(self, name: str) -> Lease | None:
        [row] = ask(self._transaction, LEASE, name=name)
        return None if row is None else Lease(*row)


def member_row(row: Row) -> Row:
    """A member with both its ends: (pair, segment, anchor, since_ms)."""
    pair, since_ms = row
    return pair, pair >> BITS, pair & LOW_HALF, since_ms
