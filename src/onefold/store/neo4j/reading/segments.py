"""Reading saved segments, who is in them, and the log of that."""

from collections.abc import Iterable, Sequence
from typing import Final

from onefold.model.copying import COLUMNS, RowKind
from onefold.model.saved import Cause, Member, MembershipChange, SavedSegment
from onefold.store.neo4j.reading.gate import gated
from onefold.store.neo4j.reading.snapshot import Snapshot
from onefold.store.neo4j.rows import (
    LARGEST,
    LAST_MEMBERSHIP,
    LOW_HALF,
    SEGMENT,
    SEGMENTS_THERE,
    Row,
    known_numbers,
    within,
)

THERE: Final = gated(f"{SEGMENTS_THERE} WITH s ORDER BY s.number RETURN collect({SEGMENT})")
BY_NUMBER: Final = gated(
    "UNWIND $p.numbers AS n MATCH (s:Segment) USING INDEX SEEK s:Segment(number) WHERE n <= s.number <= n "
    f"RETURN collect({SEGMENT})"
)
MEMBERS: Final = gated(
    "UNWIND $p.numbers AS n MATCH (s:Segment) USING INDEX SEEK s:Segment(number) "
    "WHERE n <= s.number <= n AND s.deleted_ms IS NULL "
    f"WITH n * {LOW_HALF + 1} AS low CALL (low) {{ "
    f"WITH low + $p.after AS from, low + {LOW_HALF + 1} AS beyond "
    "MATCH ()-[m:MEMBER_OF]->() USING INDEX SEEK m:MEMBER_OF(pair) WHERE from < m.pair AND m.pair < beyond "
    "RETURN [m.segment, m.anchor, m.since_ms] AS member ORDER BY m.pair LIMIT $p.limit } RETURN collect(member)"
)
MEMBER_OF: Final = gated(
    "UNWIND $p.numbers AS n MATCH ()-[m:MEMBER_OF]->(s) USING INDEX SEEK m:MEMBER_OF(anchor) "
    "WHERE n <= m.anchor <= n AND s.deleted_ms IS NULL RETURN collect([m.segment, m.anchor, m.since_ms])"
)
LINE: Final = f"[{', '.join(f'l.{column}' for column in COLUMNS[RowKind.MEMBERSHIPS])}]"
LOG: Final = gated(
    "MATCH (l:MembershipChange) USING INDEX SEEK l:MembershipChange(number) WHERE l.number > $p.after "
    f"WITH l ORDER BY l.number LIMIT $p.limit RETURN collect({LINE})"
)
LOG_OF: Final = gated(
    "MATCH (l:MembershipChange) USING INDEX SEEK l:MembershipChange(segment, number) "
    "WHERE l.segment = $p.segment AND l.number > $p.after "
    f"WITH l ORDER BY l.segment, l.number LIMIT $p.limit RETURN collect({LINE})"
)
LAST_LINE: Final = gated(LAST_MEMBERSHIP)

_CAUSES: Final = {cause.value: cause for cause in Cause}


class Segments(Snapshot):
    """What was saved, and who is in it."""

    __slots__ = ()

    def segments(self) -> list[SavedSegment]:
        """The segments that are there, by number."""
        return [SavedSegment(*row) for row in self._ask_steps(THERE)]

    def segments_by_number(self, numbers: Sequence[int]) -> dict[int, SavedSegment]:
        """Segments, those too that were deleted."""
        asked = known_numbers(numbers)
        return {row[0]: SavedSegment(*row) for row in self._ask_steps(BY_NUMBER, numbers=asked)} if asked else {}

    def segment_members(self, segments: Sequence[int], limit: int, after: int | None = None) -> dict[int, list[Member]]:
        """At most `limit` members of each segment, by the anchor's number."""
        asked = [number for number in known_numbers(segments) if number <= LOW_HALF]
        start = min(max(after or 0, 0), LOW_HALF)
        found: dict[int, list[Member]] = {}
        for row in self._ask_steps(MEMBERS, numbers=asked, after=start, limit=limit) if asked else ():
            found.setdefault(row[0], []).append(Member(*row))
        return found

    def segments_of(self, anchors: Sequence[int]) -> dict[int, list[Member]]:
        """What each is a member of, by the segment's number."""
        asked = known_numbers(anchors)
        found: dict[int, list[Member]] = {}
        for row in sorted(self._ask_steps(MEMBER_OF, numbers=asked)) if asked else ():
            found.setdefault(row[1], []).append(Member(*row))
        return found

    def membership_log(self, segment: int | None, after: int, limit: int) -> list[MembershipChange]:
        """Lines of the log with numbers above `after`, oldest first."""
        start = within(after)
        if segment is None:
            return _lines(self._ask_steps(LOG, after=start, limit=limit))
        if segment > LARGEST:
            return []
        return _lines(self._ask_steps(LOG_OF, segment=segment, after=start, limit=limit))

    def last_membership(self) -> int:
        """The number of the last line of the log."""
        return sum(self._ask_steps(LAST_LINE))


def _lines(rows: Iterable[Row]) -> list[MembershipChange]:
    causes = _CAUSES
    return [
        MembershipChange(number, segment, anchor, entered, at_ms, causes[cause], cause_ref, as_of_seq)
        for number, segment, anchor, entered, at_ms, cause, cause_ref, as_of_seq in rows
    ]
