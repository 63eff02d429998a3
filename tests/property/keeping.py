"""A store that two services keep segments of, through whatever may happen to it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import msgspec
import pytest

from onefold.analytics.segments import evaluate
from onefold.ingest.commit import commit_batch
from onefold.ingest.decode import Decoded
from onefold.model.events import DAY_MS
from onefold.model.saved import Cause, MembershipChange, SavedSegment, SegmentDraft
from onefold.service import Onefold, judging, segment_rules
from onefold.service.judging import Verdict
from onefold.service.keeping import keeper
from onefold.settings import Settings
from onefold.stitch.rules import Rules
from onefold.store.base import Store, Transaction
from tests.oracle.evidence import Event, Evidence
from tests.property.playing import key_of, namespaces_of
from tests.property.shapes import Dice
from tests.property.shown import TRAIT_RULES, stored_event
from tests.property.strategies import PURPOSES, START_MS, TICK_MS, History, Judge, Retract

ALL: Final = 100_000
TICKS: Final = (1, 3, 30, 100, 400, 1_500)

Json = dict[str, Any]


def leaf(dice: Dice, namespaces: Sequence[str], others: Sequence[str]) -> Json:
    """A condition that histories turn one way and the other."""
    track: Json = {"touchpoint": {"types": ["track"]}}
    lately: Json = {"within": {"lastDays": dice.pick((1, 1, 2))}}
    number = 1 + dice.below(3)
    conditions: list[Json] = [
        {"did": track | lately | {"times": {"atLeast": number}}},
        {"did": track | lately | {"times": {"atMost": number}}},
        {"did": track | {"times": {"atLeast": number}}},
        {"did": {"touchpoint": {"types": ["identify"]}, "times": {"is": 0}}},
        {"trait": {"name": "colour", "is": dice.pick(("a", 7))}},
        {"trait": {"name": dice.pick(("name", "joined", "city")), "exists": dice.chance(50)}},
        {"sequence": {"steps": [{"types": ["identify"]}, {"types": ["track"]}]}},
        {"sequence": {"steps": [{"types": ["track"]}], "notFollowedBy": {"types": ["identify"]}}},
        {"holds": {"namespace": dice.pick(namespaces)}},
        {"consents": dice.pick(PURPOSES)},
        {"consents": dice.pick(PURPOSES)},
        {"computed": {"name": "days_since_last", "atMost": dice.below(2)}},
        {"computed": {"name": "sessions", "atLeast": number}},
        *({"in": other} for other in others),
    ]
    return dice.pick(conditions)


def rule(dice: Dice, namespaces: Sequence[str], others: Sequence[str]) -> Json:
    """Some tree of conditions."""
    one, other = (leaf(dice, namespaces, others) for _ in range(2))
    shapes: tuple[Json, ...] = (one, {"all": [one, other]}, {"any": [one, {"not": other}]}, {"not": one})
    return dice.pick(shapes)


class Died(BaseException):
    """The process of whoever keeps is gone."""


class World:
    """A store, opened twice, with a service on each handle.

    Attributes:
        now_ms: the time. told: how often each cause was told, of an `entered` or a `left`.
    """

    def __init__(self, history: History, stores: Sequence[Store], told: Counter[str]) -> None:
        """`stores`: two handles on one new store."""
        self.now_ms = START_MS + DAY_MS
        self.told: Final = told
        self._stores: Final = stores
        self._stitching: Final = Rules(namespaces_of(history.rules), history.size_limit)
        self._evidence: Final = Evidence(history.rules, history.size_limit)
        self._standing: Final[list[tuple[int, Judge]]] = []
        self._names = 0
        self._lines = 0
        self._inside: Final[set[tuple[int, int]]] = set()
        chosen = Settings(read_model="memory", read_model_threads=1)
        namespaces = self._stitching.namespaces
        self._services: Final = [
            Onefold(store, namespaces, TRAIT_RULES, chosen, clock_ms=lambda: self.now_ms) for store in stores
        ]

    def close(self) -> None:
        for service in self._services:
            service.close()

    # -- what may happen

    def play(self, step: list[Event] | Judge | Retract) -> None:
        store = self._stores[0]
        if isinstance(step, Judge):
            verdict = Verdict(step.verdict == "same", (key_of(step.a), key_of(step.b)), "ann", "seen at the till")
            judged = judging.judge(store, self._stitching, verdict)
            if judged.number is not None:
                self._standing.append((judged.number, step))
        elif isinstance(step, Retract):
            for number, judge in [it for it in self._standing if it[1] == tuple(step)][:1]:
                self._standing.remove((number, judge))
                judging.retract(store, self._stitching, number, "bob", "a slip")
        else:
            batch = [
                Decoded(stored_event(event, self._evidence), (), b"{}")
                for event in step
                if self._evidence.linking(event)
            ]
            commit_batch(store, self._stitching, batch, self.now_ms)

    def act(self, dice: Dice) -> None:
        """Time may pass; somebody keeps segments, saves one, changes one, deletes one, or dies."""
        who, there = dice.below(2), self.there()
        if dice.chance(30):
            self.pass_time(dice.pick(TICKS))
        way = dice.below(16)
        if way < 9:
            self.keep(who)
        elif way < 11:
            self.save(dice, who, dice.pick(there) if there and dice.chance(60) else None)
        elif way < 12 and len(there) > 1:
            self.delete(dice, who)
        elif way < 14:
            self.die(dice, who)

    def pass_time(self, ticks: int) -> None:
        self.now_ms += ticks * TICK_MS

    def save(self, dice: Dice, who: int, changed: SavedSegment | None = None) -> None:
        """A new segment; or another rule for one there is."""
        others = [it.public_id for it in self.there() if changed is None or it.number < changed.number]
        namespaces = [n.name for n in self._stitching.namespaces if n.links]
        self._names += 1
        said = msgspec.json.encode(rule(dice, namespaces, others)).decode()
        draft = SegmentDraft(f"segment {self._names}", said, require_consent=dice.pick((None, None, *PURPOSES)))
        saved = self._services[who].save_segment(draft, changed.public_id if changed else None, allow_unknown=True)
        assert isinstance(saved, SavedSegment), saved
        self.check([saved])

    def keep(self, who: int) -> None:
        assert self._services[who].keep_now()
        self.check(self.there())

    def delete(self, dice: Dice, who: int) -> None:
        """A segment, unless others name it."""
        there = self.there()
        segment = dice.pick(there)
        used = any(segment.public_id in other.rule for other in there)
        assert isinstance(self._services[who].delete_segment(segment.public_id), SavedSegment) is not used
        self.check([])

    def die(self, dice: Dice, who: int) -> None:
        """Whoever keeps dies after so many writes; another takes over when the lease is over."""
        with self._dying(self._services[who], dice.below(8)), suppress(Died):
            self._services[who].keep_now()
        self.now_ms += keeper.LEASE_MS
        self.keep(1 - who)

    @contextmanager
    def _dying(self, service: Onefold, writes: int) -> Iterator[None]:
        write, left = service.in_transaction, [writes]

        def written(work: Callable[[Transaction], Any]) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Died
            return write(work)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(service, "in_transaction", written)
            yield

    # -- what has to hold

    def there(self) -> list[SavedSegment]:
        with self._stores[0].read() as view:
            return view.segments()

    def check(self, segments: Sequence[SavedSegment]) -> None:
        """The members of these segments are those who meet the rule; and the log is that of the members."""
        asker = self._services[0]
        with asker.ask() as asking, self._stores[1].read() as view:
            there = view.segments()
            for segment in segments:
                assert segment.as_of_seq == asking.as_of_seq
                around = segment_rules.surroundings(asker.means, there, segment.as_of_ms or 0)
                met = evaluate.page(asking, segment_rules.whole_rule(segment), around)
                members = view.segment_members([segment.number], ALL).get(segment.number, [])
                assert [member.anchor for member in members] == [person.anchor for person in met], segment
                assert segment.count == len(members)
        self._check_log()

    def _check_log(self) -> None:
        """From the first line on it gives the members; everybody comes in and goes in turn; every cause is told."""
        with self._stores[1].read() as view:
            log = view.membership_log(None, self._lines, ALL)
            members = view.segment_members([segment.number for segment in view.segments()], ALL)
        for line in log:
            self._lines += 1
            assert line.number == self._lines, "there are no gaps"
            place = (line.segment, line.anchor)
            assert (place in self._inside) is not line.entered, line
            self._inside.symmetric_difference_update({place})
            self._check_cause(line)
        assert self._inside == {(m.segment, m.anchor) for some in members.values() for m in some}

    def _check_cause(self, line: MembershipChange) -> None:
        """Decisions and touchpoints are named where they are the cause."""
        self.told[f"{line.cause} {'entered' if line.entered else 'left'}"] += 1
        if line.cause in {Cause.JOIN, Cause.SPLIT, Cause.JUDGEMENT}:
            assert line.cause_ref is not None, line
        elif line.cause not in {Cause.EVENT, Cause.CONSENT}:
            assert line.cause_ref is None, line
