"""One pass: what the members of segments have to become, so that they are right for one state of the store."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from onefold.analytics.segments import evaluate, expiry
from onefold.analytics.segments.asking import UnaskableError, one_rule
from onefold.analytics.segments.surroundings import Surroundings
from onefold.model.saved import Cause, Member, MemberChange, MembershipStep, SavedSegment
from onefold.model.segments import ConsentTest, InSegment, SegmentRule, walk
from onefold.readmodel.model import Asking
from onefold.service.keeping import causes, turns
from onefold.service.keeping.causes import Happened, Told
from onefold.service.keeping.touched import InOneState, Touched, portions, touched
from onefold.service.keeping.turns import Turn
from onefold.service.reading import Reading

MANY: Final = 20_000
"""When so many customers may have turned, everybody is looked at: that is one statement too."""
HELD: Final = (
    "SELECT number, customer FROM internal.identifiers WHERE customer IN (SELECT unnest($customers::BIGINT[]))"
)


class Due(msgspec.Struct, frozen=True):
    """A segment that is to be brought forward: with its rule, the consent it requires included, and its basis."""

    segment: SavedSegment
    rule: SegmentRule
    basis: str

    @property
    def anew(self) -> bool:
        """Whether everybody has to be looked at, and comes in or leaves because of the rule itself."""
        return self.segment.as_of_seq is None or self.segment.basis != self.basis


class LeftOutError(Exception):
    """A pass cannot go on, for one segment's rule cannot be asked: it is to be done without that segment."""

    def __init__(self, due: Due, reason: str) -> None:
        """`reason`: why, for people."""
        super().__init__(reason)
        self.due: Final = due
        self.reason: Final = reason


class Pass:
    """A pass over segments, in one state of the read model, on one thread. Meanwhile nobody else writes members."""

    def __init__(
        self, in_one_state: InOneState, asking: Asking, surroundings: Surroundings, still: Callable[[], None]
    ) -> None:
        """`asking`: at least as new as what the segments' members are right for; so is the time in `surroundings`.
        `still`: is called again and again; what it raises ends the pass."""
        self._in_one_state: Final = in_one_state
        self._asking: Final = asking
        self._surroundings: Final = surroundings
        self._now_ms: Final = surroundings.now_ms
        self._still: Final = still

    def steps(self, due: Iterable[Due]) -> Iterator[MembershipStep]:
        """What becomes of each, segment by segment; the last step of one says that it is right now.

        Raises LeftOutError: then the steps that were given are right, and there are no more.
        """
        going_on: dict[int, list[Due]] = {}
        for one in due:
            if one.anew:
                yield from self._anew(one)
            else:
                going_on.setdefault(one.segment.as_of_seq or 0, []).append(one)
        for since, together in going_on.items():
            yield from self._brought_forward(since, together)

    # -- everybody anew

    def _anew(self, due: Due) -> Iterator[MembershipStep]:
        first = due.segment.as_of_seq is None and due.segment.revision == 1
        why: Told = (Cause.SAVED if first else Cause.CHANGED), None
        told: MembershipStep | None = None
        everybody = self._everybody(due)
        while (found := self._next(due, everybody)) is not None:
            if told is not None:
                yield replace(told, last=False)
            told = self._step(due, [self._change(turn, why) for turn in found])
        if told is not None:
            yield told

    @staticmethod
    def _next(due: Due, everybody: Iterator[list[Turn]]) -> list[Turn] | None:
        with _asking_for(due):
            return next(everybody, None)

    def _members(self, segment: int, after: int, limit: int) -> list[Member]:
        return self._in_one_state(
            lambda reading: reading.view.segment_members([segment], limit, after).get(segment, [])
        )

    # -- those who may have turned

    def _brought_forward(self, since: int, together: Sequence[Due]) -> Iterator[MembershipStep]:
        """`together`: segments whose members are right for the same state."""
        news = self._touched(since)
        wanted = {one.segment.number: news.customers | self._moved(one) for one in together}
        inside = self._inside(frozenset().union(*(some for some in wanted.values() if len(some) <= MANY)))
        found = {one.segment.number: self._turns(one, wanted[one.segment.number], inside) for one in together}
        anchors = {turn.anchor for some in found.values() for turn in some}
        happened = causes.happened(self._in_one_state, self._asking, news, anchors) if anchors else {}
        for one in together:
            yield self._step(one, self._explained(one, found[one.segment.number], happened))

    def _touched(self, since: int) -> Touched:
        if since == self._asking.as_of_seq:
            return Touched(since, frozenset(), frozenset(), frozenset())
        return touched(self._in_one_state, self._asking, since)

    def _moved(self, due: Due) -> set[int]:
        """Those whose answer time alone may have changed."""
        with _asking_for(due):
            return expiry.moved(self._asking, due.rule, self._surroundings, due.segment.as_of_ms or 0)

    def _inside(self, customers: Collection[int]) -> dict[int, dict[int, list[int]]]:
        """Segment -> customer -> the anchors by which it is a member; the anchors of others that it was joined with are
        among them."""
        found: dict[int, dict[int, list[int]]] = {}
        for portion in portions(customers):
            holders = dict(self._asking.rows(HELD, {"customers": portion}))
            for numbers in portions(holders):
                for member in self._in_one_state(partial(_memberships, numbers=numbers)):
                    of = found.setdefault(member.segment, {})
                    of.setdefault(holders[member.anchor], []).append(member.anchor)
        return found

    def _turns(self, due: Due, wanted: Collection[int], inside: Mapping[int, Mapping[int, list[int]]]) -> list[Turn]:
        self._still()
        with _asking_for(due):
            if len(wanted) > MANY:
                return [turn for some in self._everybody(due) for turn in some]
            return turns.among(self._asking, due.rule, self._surroundings, wanted, inside.get(due.segment.number, {}))

    def _everybody(self, due: Due) -> Iterator[list[Turn]]:
        members = partial(self._members, due.segment.number)
        return turns.whole(self._asking, due.rule, self._surroundings, members)

    # -- why

    def _explained(self, due: Due, found: Sequence[Turn], happened: Mapping[int, Happened]) -> list[MemberChange]:
        consent = _asks_consent(due.rule, self._surroundings)
        by_time = self._by_time(due, [turn for turn in found if turn.anchor in happened], happened)
        return [self._change(turn, causes.told(turn.anchor, happened, by_time, consent=consent)) for turn in found]

    def _by_time(self, due: Due, found: Sequence[Turn], happened: Mapping[int, Happened]) -> set[int]:
        """The anchors of those who were touched, but whom the rule would leave where they were at the moment that the
        members were right for: it is time that turned them."""
        if not found or not expiry.is_rolling(due.rule, self._surroundings):
            return set()
        before = replace(self._surroundings, now_ms=due.segment.as_of_ms or 0)
        customers = list({happened[turn.anchor].customer for turn in found})
        with _asking_for(due):
            met = {person.anchor for person in evaluate.among(self._asking, due.rule, before, customers)}
        return {turn.anchor for turn in found if (turn.anchor in met) is not turn.entered}

    def _change(self, turn: Turn, why: Told) -> MemberChange:
        return MemberChange(turn.anchor, turn.entered, self._now_ms, *why)

    def _step(self, due: Due, changes: Sequence[MemberChange]) -> MembershipStep:
        return MembershipStep(due.segment, self._asking.as_of_seq, self._now_ms, changes, due.basis)


@contextmanager
def _asking_for(due: Due) -> Iterator[None]:
    """Raises LeftOutError when it is this segment's rule that cannot be asked."""
    try:
        with one_rule():
            yield
    except UnaskableError as error:
        raise LeftOutError(due, error.reason) from error


def _memberships(reading: Reading, numbers: list[int]) -> list[Member]:
    return [member for members in reading.view.segments_of(numbers).values() for member in members]


def _asks_consent(rule: SegmentRule, surroundings: Surroundings) -> bool:
    """Whether an answer depends on consent, here or in a segment that the rule names."""
    waiting, seen = [rule], set[str]()
    while waiting:
        for _, test in walk(waiting.pop()):
            if isinstance(test, ConsentTest):
                return True
            if isinstance(test, InSegment) and test.id not in seen:
                seen.add(test.id)
                waiting.append(surroundings.segments[test.id])
    return False
