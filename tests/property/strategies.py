"""Whole histories for property tests: events interleaved with judgements and retractions, under several sets of rules.

A history is a pure value. `replay` runs it through the oracle; `features` and `outcomes` say what is in it, so that a
test can assert that its cases bite.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

from hypothesis import strategies as st

from tests.oracle.evidence import DAY_MS, PUBLIC, SERVER, Event, Evidence, Identifier, Rules, Verdict
from tests.oracle.profiles import Survivorship
from tests.oracle.stitching import Stitched
from tests.property.shapes import (
    RULE_SETS,
    SHAPES,
    Dice,
    Shape,
    Sighting,
    bridges,
    chain,
    doubled,
    equals,
    family,
    rerouted,
    scattered,
)

START_MS = 1_700_000_000_000
TICK_MS = 60_000
SOURCES = {SERVER: ("crm", "till"), PUBLIC: ("web", "app")}

TRAITS = {
    "name": Survivorship("newest"),
    "joined": Survivorship("oldest"),
    "colour": Survivorship("most_frequent"),
    "city": Survivorship("source_order", ("till", "web")),
}
VALUES = ("a", "b", 7)
PURPOSES = ("marketing", "profiling")


class Judge(NamedTuple):
    """A judgement said; whether it holds depends on what stands by then."""

    verdict: Verdict
    a: Identifier
    b: Identifier


class Retract(NamedTuple):
    """One such judgement taken back; nothing where none stands."""

    verdict: Verdict
    a: Identifier
    b: Identifier


Step: TypeAlias = Event | Judge | Retract


@dataclass(frozen=True, slots=True)
class History:
    """What happens to a store, in order, and by which rules. `batch_size` is a suggestion for runs of events."""

    shape: str
    rule_set: str
    rules: Rules
    size_limit: int
    batch_size: int
    steps: tuple[Step, ...]

    def events(self) -> list[Event]:
        return [step for step in self.steps if isinstance(step, Event)]

    def batches(self) -> list[list[Event] | Judge | Retract]:
        """The steps in order, runs of events cut into batches of at most `batch_size`."""
        found: list[list[Event] | Judge | Retract] = []
        for step in self.steps:
            if not isinstance(step, Event):
                found.append(step)
            elif found and isinstance(found[-1], list) and len(found[-1]) < self.batch_size:
                found[-1].append(step)
            else:
                found.append([step])
        return found


def take(evidence: Evidence, step: Step) -> bool:
    """Run one step through the oracle; whether it was accepted."""
    if isinstance(step, Event):
        return evidence.observe(step) == "accepted"
    if isinstance(step, Judge):
        return evidence.judge(*step)
    return evidence.retract(*step)


def replay(history: History) -> Evidence:
    evidence = Evidence(history.rules, history.size_limit)
    for step in history.steps:
        take(evidence, step)
    return evidence


def reordered(events: Sequence[Event], salt: int) -> list[Event]:
    """The same events in another order of arrival; each salt gives one."""
    order = list(events)
    random.Random(salt).shuffle(order)
    return order


# -- how histories are drawn: the clock, the sources, then the steps

MANNER_BYTES, SIGHTING_BYTES, CONSENT_BYTES = 12, 10, 5
Clock: TypeAlias = Literal["any order", "in order", "some late", "backwards", "at once"]
CLOCKS: tuple[Clock, ...] = ("any order", "any order", "in order", "some late", "backwards", "at once")
SPANS = (50, 3, 400)


def _tick(clock: Clock, span: int, number: int, dice: Dice) -> int:
    """When the event of this number happened; a `span` is the number of ticks that events spread over."""
    if clock == "any order":
        return dice.below(span)
    if clock == "some late":
        return dice.below(number + 1) if dice.chance(25) else number
    return {"in order": number, "backwards": span - number, "at once": 0}[clock]


@dataclass(frozen=True, slots=True)
class _Manner:
    """What all events of a history have in common: the clock, how many are public, whether some are back-dated. What is
    agreed to, and what is dated ahead of its receipt, follows from all that is drawn of an event: stitching knows of
    neither, and has the same histories as without."""

    clock: Clock
    span: int
    public_percent: int
    back_dating: bool

    def event(self, number: int, sighting: Sighting, dice: Dice, agreed: Dice) -> Event:
        tick = _tick(self.clock, self.span, number, dice) if sighting.tick is None else sighting.tick
        public = dice.chance(self.public_percent) if sighting.trust is None else sighting.trust == PUBLIC
        trust = PUBLIC if public else SERVER
        source, at_ms = dice.pick(SOURCES[trust]), START_MS + tick * TICK_MS
        late_ms = DAY_MS + dice.below(self.span) * TICK_MS if self.back_dating and dice.chance(40) else 0
        traits = {dice.pick(tuple(TRAITS)): dice.pick(VALUES)} if dice.chance(30) else {}
        identifiers = tuple(dict.fromkeys(sighting.identifiers))
        consents = {agreed.pick(PURPOSES): agreed.chance(50)} if agreed.chance(50) else {}
        early_ms = agreed.below(self.span) * TICK_MS if agreed.chance(20) and not late_ms else 0
        return Event(f"m{number}", source, trust, at_ms, at_ms + late_ms - early_ms, identifiers, traits, consents)


def _manner(dice: Dice) -> _Manner:
    return _Manner(dice.pick(CLOCKS), dice.pick(SPANS), dice.pick((0, 20, 50)), dice.chance(40))


def _events(shape: Shape, rules: Rules, setup: bytes, drawn: Iterable[bytes]) -> list[Event]:
    dice = Dice(setup)
    manner, scene = _manner(dice), shape(dice, rules)
    events = [manner.event(k, sighting, Dice(b""), Dice(b"")) for k, sighting in enumerate(scene.opening)]
    for how in drawn:
        dice, who = Dice(how[:MANNER_BYTES]), Dice(how[MANNER_BYTES:])
        agreed = Dice(blake2b(how, digest_size=CONSENT_BYTES).digest())
        again = dice.chance(4) and events
        events.append(dice.pick(events) if again else manner.event(len(events), scene.draw(who), dice, agreed))
    return events


def _judgement(dice: Dice, rules: Rules, known: Sequence[Identifier], said: Sequence[Judge]) -> Judge | Retract | None:
    """Something new, mostly about two of one namespace and often about persons; or said before: again or taken back."""
    way = dice.below(10)
    if way > 4 and said:
        earlier = dice.pick(said)
        return earlier if way < 7 else Retract(*earlier)
    verdict: Verdict = dice.pick(("same", "same", "different"))
    persons = [i for i in known if rules[i[0]].kind == "person"]
    a = dice.pick(persons if persons and dice.chance(50) else known)
    alike = [i for i in known if i != a and i[0] == a[0]]
    others = alike if alike and dice.chance(70) else [i for i in known if i != a]
    return Judge(verdict, a, dice.pick(others)) if others else None


def _steps(rules: Rules, events: Sequence[Event], judgements: Iterable[bytes]) -> tuple[Step, ...]:
    """Each judgement stands before the event that its first byte names, and speaks of identifiers seen before."""
    placed: dict[int, list[Dice]] = {}
    for drawn in judgements:
        dice = Dice(drawn)
        placed.setdefault(len(events) - dice.below(len(events)), []).append(dice)
    steps: list[Step] = []
    said: list[Judge] = []
    known: dict[Identifier, None] = {}
    for k in range(len(events) + 1):
        for dice in placed.get(k, ()):
            step = _judgement(dice, rules, list(known), said)
            steps += [step] if step else []
            said += [step] if isinstance(step, Judge) else []
        if k < len(events):
            steps.append(events[k])
            known.update(dict.fromkeys(events[k].identifiers))
    return tuple(steps)


_SETUP = st.binary(min_size=24, max_size=24)
_EVENT = st.binary(min_size=MANNER_BYTES + SIGHTING_BYTES, max_size=MANNER_BYTES + SIGHTING_BYTES)
_JUDGEMENT = st.binary(min_size=7, max_size=7)
_LENGTHS = {length: st.lists(_EVENT, min_size=length, max_size=3 * length) for length in (4, 12, 30)}
_JUDGING = {most: st.lists(_JUDGEMENT, min_size=most // 3, max_size=most) for most in (0, 4, 18)}


def _rule_sets(shape: Shape) -> tuple[str, ...]:
    """Those under which a shape bites most."""
    if shape is chain:
        return ("ones",)
    if shape is family:
        return ("tight",)
    if shape is equals:
        return ("tight", "tight", "ones")
    if shape is scattered:
        return ("default", "tight", "tight", "ones")
    return ("tight", "mails", "default") if shape in (bridges, rerouted) else ("tight", "default", "tight")


def _judging(shape: Shape) -> tuple[int, ...]:
    """How many judgements at most."""
    if shape is family:
        return (18,)
    return (4, 18, 0) if shape is doubled else (0, 4, 18, 0, 4)


@st.composite
def histories(draw: st.DrawFn, shapes: Sequence[Shape] = SHAPES, judging: bool = True) -> History:
    """Histories of any shape. Message ids are never used again with other content, so any order of events is fair."""
    shape = draw(st.sampled_from(shapes))
    dice = Dice(draw(st.binary(min_size=5, max_size=5)))
    rule_set = dice.pick(_rule_sets(shape))
    size_limit, batch_size = dice.pick((10_000, 10_000, 10_000, 8, 4)), dice.pick((1, 1, 3, 50))
    length, most = dice.pick((4, 12, 30)), dice.pick(_judging(shape))
    rules = RULE_SETS[rule_set]
    events = _events(shape, rules, draw(_SETUP), draw(_LENGTHS[length]))
    steps = _steps(rules, events, draw(_JUDGING[most]) if judging else ())
    return History(shape.__name__, rule_set, rules, size_limit, batch_size, steps)


# -- what is in a history


def features(history: History) -> frozenset[str]:
    """What a history contains by itself, whatever the rules make of it: the names below."""
    events = history.events()
    dated = [event.evidence_ms for event in events]
    said = [step for step in history.steps if isinstance(step, Judge)]
    said_of: dict[str, set[bool]] = {}
    for event in events:
        for purpose, given in event.consents.items():
            said_of.setdefault(purpose, set()).add(given)
    found = {
        "ties": len(set(dated)) < len({event.key for event in events}),
        "late": any(later < earlier for earlier, later in pairwise(dated)),
        "public": any(event.trust == PUBLIC for event in events),
        "back_dated": any(event.evidence_ms > event.at_ms for event in events),
        "dated_ahead": any(event.received_ms < event.at_ms for event in events),
        "contradicting_consents": any({True, False} <= given for given in said_of.values()),
        "duplicates": len({event.key for event in events}) < len(events),
        "judgements": bool(said),
        "repeated_judgements": len(set(said)) < len(said),
        "retractions": any(isinstance(step, Retract) for step in history.steps),
        "operators": any(history.rules[i[0]].kind == "operator" for event in events for i in event.identifiers),
    }
    return frozenset(name for name, present in found.items() if present)


def outcomes(stitched: Stitched) -> frozenset[str]:
    """What the rules made of it: each reason to refuse, generic_by_trust where server evidence alone says otherwise."""
    reasons = {reason.partition(":")[0] for reason in stitched.refusals.values()}
    by_trust = {"generic_by_trust"} if stitched.generic[PUBLIC] != stitched.generic[SERVER] else set()
    return frozenset(reasons | by_trust | ({"generic"} if stitched.generic[PUBLIC] else set()))
