"""Saved segments, who is in them, and how they came in and went: what a store keeps of them.

A member is a customer's *public identity*, named by the number of its anchor: the identifier its public id is made of.
After a join the elder's id goes on and the other's leaves; after a split it enters again.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from onefold.model.ids import encode_number


class SegmentDraft(msgspec.Struct, frozen=True):
    """What somebody says a segment is.

    Attributes:
        name: no two segments that are there have the same.
        rule: who is in it, as JSON text (`onefold.model.segments`).
        require_consent: a purpose; who has not consented to it is not in the segment.
    """

    name: str
    rule: str
    description: str | None = None
    require_consent: str | None = None


class SavedSegment(msgspec.Struct, frozen=True):
    """A segment as it is kept.

    Attributes:
        name, rule, description, require_consent: as in `SegmentDraft`.
        revision: 1 at first; grows when `rule` or `require_consent` become others. Then `as_of_…` is None again, while
            the members are still those of the rule before.
        created_ms, changed_ms: when it was first saved, and last. deleted_ms: when it was deleted; None while it is
            there. Its number, name and times are remembered, for the log tells of it; its rule is `null` then.
        as_of_seq, as_of_ms: the state of the store, and the time, that its members are right for; None: of none yet.
        basis: what else the members were found by (`MembershipStep`). count: how many members it has; of a
            deleted one: how many of whom the log does not yet say that they left.
    """

    number: int
    name: str
    rule: str
    description: str | None
    require_consent: str | None
    revision: int
    created_ms: int
    changed_ms: int
    deleted_ms: int | None
    as_of_seq: int | None
    as_of_ms: int | None
    basis: str
    count: int

    @property
    def public_id(self) -> str:
        """As doors name it: `seg_…`."""
        return encode_number("seg", self.number)


class Member(msgspec.Struct, frozen=True, gc=False):
    """One who is in a segment, by the number of the anchor; since_ms: `at_ms` of the change that it entered by."""

    segment: int
    anchor: int
    since_ms: int


class Cause(StrEnum):
    """Why somebody entered a segment or left it."""

    EVENT = "event"
    JOIN = "join"
    SPLIT = "split"
    JUDGEMENT = "judgement"
    CONSENT = "consent"
    TIME = "time"
    SAVED = "saved"
    CHANGED = "changed"
    DELETED = "deleted"


class MemberChange(msgspec.Struct, frozen=True, gc=False):
    """Somebody enters a segment, or leaves it.

    Attributes:
        anchor: number of the identifier that the customer's public id is, or was, made of.
        at_ms: when that was found.
        cause_ref: of EVENT and CONSENT the number of a touchpoint, of JOIN, SPLIT and JUDGEMENT the seq of a decision;
            None where there is no such.
    """

    anchor: int
    entered: bool
    at_ms: int
    cause: Cause
    cause_ref: int | None = None


class MembershipChange(msgspec.Struct, frozen=True, gc=False):
    """A line of the log of memberships.

    Attributes:
        number: its place in the log, 1 for the first: without gaps, in the order of the commits. It is not a `seq` of
            the change feed.
        as_of_seq: the state of the store that it was found in; None where a segment was deleted that had not been
            looked at since its rule was changed.
        The rest as in `MemberChange`.
    """

    number: int
    segment: int
    anchor: int
    entered: bool
    at_ms: int
    cause: Cause
    cause_ref: int | None
    as_of_seq: int | None


class MembershipStep(msgspec.Struct, frozen=True):
    """What a segment's members become.

    Attributes:
        segment: as it was read when this was found out. The step is kept only while its `revision`, `as_of_seq` and
            `as_of_ms` are still these.
        as_of_seq, as_of_ms: what the changes were found in.
        basis: fingerprint of what besides the store decides who is in, such as the declared traits; whoever finds
            another in a segment looks at everybody anew.
        last: whether all are told, so that the segment is right as of this. A step of very many changes may be told in
            parts, each in its own transaction, so that others write meanwhile (Neo4j takes a second for some thousand):
            all but the last leave `as_of_…` as it was.
    """

    segment: SavedSegment
    as_of_seq: int
    as_of_ms: int
    changes: Sequence[MemberChange] = ()
    basis: str = ""
    last: bool = True


class Lease(msgspec.Struct, frozen=True):
    """The right of one process to do something, until a time.

    Attributes:
        name: of what it is for. holder: a text that no other process calls itself.
        token: grows with each new holder. until_ms: from this time on another may take it.
    """

    name: str
    holder: str
    token: int
    until_ms: int
