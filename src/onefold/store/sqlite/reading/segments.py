"""Reading saved segments, who is in them, and the log of that."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from onefold.model.copying import COLUMNS, RowKind
from onefold.model.saved import Cause, Member, MembershipChange, SavedSegment
from onefold.store.sqlite.reading.snapshot import Snapshot
from onefold.store.sqlite.rows import LAST_MEMBERSHIP, LOW_HALF, SEGMENT, SEGMENTS_THERE, Rows, ask, segments_of

BY_NUMBER: Final = f"SELECT {SEGMENT} FROM carray(?) k CROSS JOIN segments s ON s.number = k.value"
MEMBERS: Final = (
    "SELECT m.segment, m.anchor, m.since_ms FROM carray(?1) k "
    "CROSS JOIN segments s ON s.number = k.value AND s.deleted_ms IS NULL "
    "CROSS JOIN members m ON m.pair IN (SELECT r.pair FROM members r "
    "WHERE r.pair > (k.value << 32) + ?2 AND r.pair < (k.value + 1) << 32 ORDER BY r.pair LIMIT ?3)"
)
MEMBER_OF: Final = (
    "SELECT m.segment, m.anchor, m.since_ms FROM carray(?) k CROSS JOIN members m ON m.anchor = k.value "
    "CROSS JOIN segments s ON s.number = m.segment AND s.deleted_ms IS NULL"
)
LINE: Final = ", ".join(COLUMNS[RowKind.MEMBERSHIPS])
LOG: Final = f"SELECT {LINE} FROM memberships WHERE number > ? ORDER BY number LIMIT ?"
LOG_OF: Final = f"SELECT {LINE} FROM memberships WHERE segment = ? AND number > ? ORDER BY number LIMIT ?"

_CAUSES: Final = {cause.value: cause for cause in Cause}
_anchor: Final = attrgetter("anchor")
_segment: Final = attrgetter("segment")


class Segments(Snapshot):
    """What was saved, and who is in it."""

    __slots__ = ()

    def segments(self) -> list[SavedSegment]:
        """The segments that are there, by number."""
        return segments_of(ask(self._connection, SEGMENTS_THERE))

    def segments_by_number(self, numbers: Sequence[int]) -> dict[int, SavedSegment]:
        """Segments, those too that were deleted."""
        return {segment.number: segment for segment in segments_of(self._ask(BY_NUMBER, numbers))}

    def segment_members(self, segments: Sequence[int], limit: int, after: int | None = None) -> dict[int, list[Member]]:
        """At most `limit` members of each segment, by the anchor's number."""
        found: dict[int, list[Member]] = {}
        for row in self._ask(MEMBERS, segments, min(max(after or 0, 0), LOW_HALF), limit):
            found.setdefault(row[0], []).append(Member(*row))
        for members in found.values():
            members.sort(key=_anchor)
        return found

    def segments_of(self, anchors: Sequence[int]) -> dict[int, list[Member]]:
        """What each is a member of, by the segment's number."""
        found: dict[int, list[Member]] = {}
        for row in self._ask(MEMBER_OF, anchors):
            found.setdefault(row[1], []).append(Member(*row))
        for members in found.values():
            members.sort(key=_segment)
        return found

    def membership_log(self, segment: int | None, after: int, limit: int) -> list[MembershipChange]:
        """Lines of the log with numbers above `after`, oldest first."""
        if segment is None:
            return _lines(ask(self._connection, LOG, after, limit))
        return _lines(ask(self._connection, LOG_OF, segment, after, limit))

    def last_membership(self) -> int:
        """The number of the last line of the log."""
        number: int = ask(self._connection, LAST_MEMBERSHIP)[0][0]
        return number


def _lines(rows: Rows) -> list[MembershipChange]:
    causes = _CAUSES
    return [
        MembershipChange(number, segment, anchor, bool(entered), at_ms, causes[cause], cause_ref, as_of_seq)
        for number, segment, anchor, entered, at_ms, cause, cause_ref, as_of_seq in rows
    ]
