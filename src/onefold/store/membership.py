"""What is written of saved segments, however a store keeps it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from onefold.model.copying import Row
from onefold.model.saved import Cause, Lease, MemberChange, MembershipStep, SavedSegment, SegmentDraft

FIRST_REVISION: Final = 1
NO_RULE: Final = "null"
"""Of a segment that was deleted: a rule may name people."""
BITS: Final = 32


class Kept(msgspec.Struct, frozen=True):
    """What is written of a step.

    Attributes:
        before, segment: as it was, and as it is now.
        as_of_seq: the state of the store in which the changes were found.
        changes: those that say something new, in the order they were told.
    """

    before: SavedSegment
    segment: SavedSegment
    as_of_seq: int | None
    changes: Sequence[MemberChange]

    @property
    def news(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.changes) or self.segment != self.before

    def entered(self) -> list[Row]:
        """(pair, since_ms) of those who came in, as far as they still are; to be written after `left`."""
        last = {change.anchor: change for change in self.changes}
        return [(self._pair(change), change.at_ms) for change in last.values() if change.entered]

    def left(self) -> list[int]:
        """Pairs of those who were in and went, even if they came in again."""
        first = {change.anchor: change for change in reversed(self.changes)}
        return [self._pair(change) for change in first.values() if not change.entered]

    def lines(self, after: int) -> list[Row]:
        """Rows of the log, numbered from `after` + 1 on."""
        return [
            (number, self.segment.number, c.anchor, c.entered, c.at_ms, c.cause.value, c.cause_ref, self.as_of_seq)
            for number, c in enumerate(self.changes, after + 1)
        ]

    def _pair(self, change: MemberChange) -> int:
        return pair_of(self.segment.number, change.anchor)


def pair_of(segment: int, anchor: int) -> int:
    """What a member is found by."""
    return segment << BITS | anchor


def added(number: int, draft: SegmentDraft, at_ms: int) -> SavedSegment:
    """A new segment."""
    return SavedSegment(
        number, draft.name, draft.rule, draft.description, draft.require_consent, FIRST_REVISION,
        created_ms=at_ms, changed_ms=at_ms, deleted_ms=None, as_of_seq=None, as_of_ms=None, basis="", count=0,
    )  # fmt: skip


def changed(segment: SavedSegment, draft: SegmentDraft, at_ms: int) -> SavedSegment:
    """The segment as the draft says. Who is in it has to be found out anew if it says who that is."""
    named = replace(segment, name=draft.name, description=draft.description, changed_ms=at_ms)
    if (draft.rule, draft.require_consent) == (segment.rule, segment.require_consent):
        return named
    return replace(
        named, rule=draft.rule, require_consent=draft.require_consent, revision=segment.revision + 1,
        as_of_seq=None, as_of_ms=None,
    )  # fmt: skip


def dropped(segment: SavedSegment, at_ms: int) -> SavedSegment:
    """What is remembered of the segment."""
    return replace(segment, rule=NO_RULE, description=None, require_consent=None, deleted_ms=at_ms)


def leased(held: Lease | None, name: str, holder: str, now_ms: int, for_ms: int) -> Lease | None:
    """The lease as it is now, if `holder` may have it. `held`: the last that there was."""
    if held is None:
        return Lease(name, holder, 1, now_ms + for_ms)
    if held.holder == holder:
        return replace(held, until_ms=now_ms + for_ms)
    if held.until_ms > now_ms:
        return None
    return Lease(name, holder, held.token + 1, now_ms + for_ms)


def going_on(steps: Iterable[MembershipStep], there: Mapping[int, SavedSegment]) -> list[MembershipStep]:
    """Those whose segment is still as it was read. `there`: the segments that are not deleted, by number."""
    found = []
    for step in steps:
        segment = there.get(step.segment.number)
        if segment is not None and _state(segment) == _state(step.segment):
            found.append(replace(step, segment=segment))
    return found


def _state(segment: SavedSegment) -> tuple[int, int | None, int | None]:
    return segment.revision, segment.as_of_seq, segment.as_of_ms


def pairs_of(steps: Iterable[MembershipStep]) -> list[int]:
    """Whom the steps are about."""
    return [pair_of(step.segment.number, change.anchor) for step in steps for change in step.changes]


def kept(step: MembershipStep, members: Collection[int]) -> Kept:
    """What is written of a step that goes on. `members`: the pairs of those whom it is about who are in."""
    segment, count = step.segment, step.segment.count
    changes: list[MemberChange] = []
    inside: dict[int, bool] = {}
    for change in step.changes:
        was = inside.get(change.anchor, pair_of(segment.number, change.anchor) in members)
        if change.entered != was:
            changes.append(change)
            count += 1 if change.entered else -1
        inside[change.anchor] = change.entered
    now = replace(segment, count=count)
    if step.last:
        now = replace(now, as_of_seq=step.as_of_seq, as_of_ms=step.as_of_ms, basis=step.basis)
    return Kept(segment, now, step.as_of_seq, changes)


def emptied(segment: SavedSegment, anchors: Iterable[int]) -> Kept:
    """What is written of members of a deleted segment, who leave it."""
    assert segment.deleted_ms is not None
    at_ms = segment.deleted_ms
    changes = [MemberChange(anchor, entered=False, at_ms=at_ms, cause=Cause.DELETED) for anchor in anchors]
    return Kept(segment, replace(segment, count=segment.count - len(changes)), segment.as_of_seq, changes)
