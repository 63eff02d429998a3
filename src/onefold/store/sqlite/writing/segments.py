"""Writing saved segments, who is in them, the log of that, and leases."""

from collections.abc import Callable, Sequence
from typing import Final

import apsw
from msgspec.structs import astuple

from onefold.model.copying import COLUMNS, RowKind
from onefold.model.saved import Lease, MembershipStep, SavedSegment, SegmentDraft
from onefold.store.base import LeaseLostError
from onefold.store.membership import (
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
from onefold.store.sqlite.rows import LAST_MEMBERSHIP, SEGMENT, SEGMENTS_THERE, ask, numbers, segments_of

LAST_SEGMENT: Final = "SELECT coalesce(max(number), 0) FROM segments"
SEGMENT_THERE: Final = f"SELECT {SEGMENT} FROM segments s WHERE s.number = ? AND s.deleted_ms IS NULL"
WRITE_SEGMENT: Final = (
    f"REPLACE INTO segments ({', '.join(COLUMNS[RowKind.SEGMENTS])}) "
    f"VALUES ({', '.join('?' for _ in COLUMNS[RowKind.SEGMENTS])})"
)
EMPTYING: Final = (
    f"SELECT {SEGMENT} FROM segments s WHERE s.deleted_ms IS NOT NULL AND s.count > 0 ORDER BY s.number LIMIT 1"
)
ANCHORS: Final = (
    "SELECT m.pair & 4294967295 FROM members m WHERE m.pair > ?1 << 32 AND m.pair < (?1 + 1) << 32 "
    "ORDER BY m.pair LIMIT ?2"
)
MEMBERS: Final = "SELECT m.pair FROM carray(?) k CROSS JOIN members m ON m.pair = k.value"
ENTER: Final = "INSERT INTO members (pair, since_ms) VALUES (?, ?)"
LEAVE: Final = "DELETE FROM members WHERE pair = ?"
LOG: Final = (
    f"INSERT INTO memberships ({', '.join(COLUMNS[RowKind.MEMBERSHIPS])}) "
    f"VALUES ({', '.join('?' for _ in COLUMNS[RowKind.MEMBERSHIPS])})"
)
LEASE: Final = "SELECT l.name, l.holder, l.token, l.until_ms FROM leases l WHERE l.name = ?"
WRITE_LEASE: Final = "REPLACE INTO leases (name, holder, token, until_ms) VALUES (?, ?, ?, ?)"
END_LEASE: Final = "UPDATE leases SET until_ms = 0 WHERE name = ? AND token = ?"


class SegmentWrites:
    """The part of a write transaction that is about segments."""

    def __init__(self, connection: apsw.Connection) -> None:
        """`connection` is between BEGIN IMMEDIATE and COMMIT."""
        self._connection: Final = connection

    def segments(self) -> list[SavedSegment]:
        """The segments that are there, by number."""
        return segments_of(ask(self._connection, SEGMENTS_THERE))

    def add_segment(self, draft: SegmentDraft, at_ms: int) -> SavedSegment:
        """A new segment, without members."""
        [[last]] = ask(self._connection, LAST_SEGMENT)
        segment = added(last + 1, draft, at_ms)
        self._save(segment)
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
        while cleared < limit and (rows := ask(self._connection, EMPTYING)):
            [segment] = segments_of(rows)
            anchors = [anchor for [anchor] in ask(self._connection, ANCHORS, segment.number, limit - cleared)]
            self._keep([emptied(segment, anchors)])
            cleared += len(anchors)
        return cleared

    def take_lease(self, name: str, holder: str, now_ms: int, for_ms: int) -> Lease | None:
        """The lease of this name, if `holder` may have it."""
        lease = leased(self._lease(name), name, holder, now_ms, for_ms)
        if lease is not None:
            self._connection.execute(WRITE_LEASE, astuple(lease))
        return lease

    def end_lease(self, lease: Lease) -> None:
        """Let go of a lease before its time."""
        self._connection.execute(END_LEASE, (lease.name, lease.token))

    def keep(self, lease: Lease, steps: Sequence[MembershipStep]) -> list[SavedSegment]:
        """Write the steps that go on from what is there. Raises LeaseLostError."""
        held = self._lease(lease.name)
        if held is None or held.token != lease.token:
            raise LeaseLostError
        found = going_on(steps, {segment.number: segment for segment in self.segments()})
        pairs = pairs_of(found)
        members = {pair for [pair] in ask(self._connection, MEMBERS, numbers(pairs))} if pairs else set()
        return self._keep([kept(step, members) for step in found])

    def _keep(self, steps: Sequence[Kept]) -> list[SavedSegment]:
        connection = self._connection
        [[last]] = ask(connection, LAST_MEMBERSHIP)
        for step in steps:
            if step.news:
                connection.executemany(LEAVE, [(pair,) for pair in step.left()])
                connection.executemany(ENTER, step.entered())
                connection.executemany(LOG, step.lines(last))
                last += len(step.changes)
                self._save(step.segment)
        return [step.segment for step in steps]

    def _become(self, number: int, change: Callable[[SavedSegment], SavedSegment]) -> SavedSegment | None:
        rows = ask(self._connection, SEGMENT_THERE, number)
        if not rows:
            return None
        segment = change(segments_of(rows)[0])
        self._save(segment)
        return segment

    def _save(self, segment: SavedSegment) -> None:
        self._connection.execute(WRITE_SEGMENT, astuple(segment))

    def _lease(self, name: str) -> Lease | None:
        rows = ask(self._connection, LEASE, name)
        return Lease(*rows[0]) if rows else None
