"""Who meets a rule, and why one customer does or does not: asked of the read model."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec.structs import astuple, replace

from onefold.analytics.segments import evaluate, parse, shown, words
from onefold.analytics.segments.explain import explain
from onefold.analytics.segments.found import Explained
from onefold.analytics.segments.in_time import in_time
from onefold.analytics.segments.nesting import check_nesting
from onefold.analytics.segments.plain import plain
from onefold.analytics.segments.required import FIELD, required, unknown
from onefold.analytics.segments.settle import settle
from onefold.analytics.segments.surroundings import Surroundings
from onefold.errors import OnefoldError
from onefold.model.reading import KnownCustomer
from onefold.model.saved import SavedSegment
from onefold.model.segments import ConsentTest, SegmentRule
from onefold.readmodel.model import Asking
from onefold.service.pages import SEGMENT_MEMBERS, Page
from onefold.service.reading import Means, Reading
from onefold.service.segment_rules import rule_of, surroundings
from onefold.service.values import Found

BRANCHES: Final = frozenset({"all", "any", "not"})
OLDEST_MS: Final = 86_400_000


class Wanted(msgspec.Struct, frozen=True):
    """A rule that is asked about.

    Attributes:
        consent: a purpose that has to be agreed to, besides. max_staleness_ms: how old the answer may be.
        allow_unknown: whether names that nobody brought yet may stand in it.
        settled: whether the rule was settled already, when it was saved: it goes on meaning what it meant then.
    """

    rule: SegmentRule
    consent: str | None = None
    max_staleness_ms: int = 0
    allow_unknown: bool = False
    settled: bool = False


class Question(msgspec.Struct, frozen=True):
    """A settled rule, and the state of the read model it is asked of."""

    asking: Asking
    rule: SegmentRule
    consent: str | None
    surroundings: Surroundings


def given_rule(value: object) -> SegmentRule:
    """A rule as doors are given it: decoded JSON. Raises `segment.invalid`."""
    return parse.rule(value)


def kept_rule(segment: SavedSegment) -> Wanted:
    """What is asked to find who is in a saved segment."""
    return Wanted(rule_of(segment.rule), segment.require_consent, allow_unknown=True, settled=True)


def check_staleness(max_staleness_ms: int) -> None:
    """Raise `query.invalid` unless answers may be so old."""
    if not 0 <= max_staleness_ms <= OLDEST_MS:
        field = "maxStalenessMs"
        said = f"{field} is {max_staleness_ms}"
        raise OnefoldError("query.invalid", said, f"Give 0 to {OLDEST_MS:,} milliseconds.", field)


def question(reading: Reading, wanted: Wanted) -> Question:
    """The question for those who meet a rule. Raises OnefoldError `segment.…`, naming the place in the rule."""
    around = surroundings(reading.means, reading.view.segments(), reading.asked_ms)
    return asked_of(reading.asking(wanted.max_staleness_ms), reading.means, around, wanted)


def asked_of(asking: Asking, means: Means, around: Surroundings, wanted: Wanted) -> Question:
    """The same of a state of the read model."""
    if wanted.settled:
        check_nesting(wanted.rule, around.segments)
        return Question(asking, wanted.rule, wanted.consent, around)
    consent = required(wanted.consent)
    with in_time(asking):
        rule = settle(asking, wanted.rule, around, means.normaliser)
        if not wanted.allow_unknown:
            for problem in unknown(asking, rule, consent, around.rates):
                raise OnefoldError(*astuple(problem))
    return Question(asking, rule, consent, around)


def to_text(rule: SegmentRule) -> str:
    """A rule as JSON text, as segments are saved with it."""
    return to_json(plain(rule))


def to_json(value: object) -> str:
    """Decoded JSON as text."""
    return msgspec.json.encode(value).decode()


class Preview:
    """Who meets a rule, in one state of the read model."""

    def __init__(self, reading: Reading, asked: Question) -> None:
        """Asked at once, with the first page as long as it may be: that costs no more than to count."""
        self._reading: Final = reading
        self._asked: Final = asked
        with in_time(asked.asking):
            self.counts: Final = evaluate.preview(
                asked.asking, asked.rule, asked.surroundings, consent=asked.consent, limit=reading.means.most
            )

    @property
    def as_of_seq(self) -> int:
        """The state of the store that it shows."""
        return int(self._asked.asking.as_of_seq)

    def page(self, size: int, after: str | None = None) -> Page[KnownCustomer]:
        """A page of them, in the order in which their ids came to be.

        Whoever was joined into another since shows as that one. Raises `query.bad_cursor`, `query.page_too_large`.
        """
        size, position = self._reading.page_size(size), SEGMENT_MEMBERS.read(after)
        people: Sequence[evaluate.Person]
        if position is None:
            people, more = self.counts.people[:size], self.counts.more or len(self.counts.people) > size
        else:
            found = self._after(position[0], size + 1)
            people, more = found[:size], len(found) > size
        anchors = tuple((person.anchor,) for person in people)
        return Page(tuple(customers(self._reading, people)), anchors, more)

    def _after(self, anchor: int, limit: int) -> Sequence[evaluate.Person]:
        asked = self._asked
        with in_time(asked.asking):
            return evaluate.page(
                asked.asking, asked.rule, asked.surroundings, consent=asked.consent, limit=limit, after=anchor
            )


def customers(reading: Reading, people: Sequence[evaluate.Person]) -> list[KnownCustomer]:
    """The customers that their ids stand for in this reading, which was opened `ahead`."""
    known = reading.identifiers([person.anchor for person in people])
    owners = [known[person.anchor].customer for person in people]
    held = reading.customers(owners)
    return [held[owner] for owner in owners]


class Line(msgspec.Struct, frozen=True):
    """A condition of a rule, and what was found of a customer there.

    Attributes:
        path: its place: `rule.all[1]`; within another segment `seg_…:rule`. level: how many it stands within.
        kind: the key it stands under: `trait`, `did`, …. asked: what stands there, as decoded JSON; None of those that
            only join others.
        said: in words. holds: whether it does. found: decoded JSON; None where nothing was. seen: the same in words;
            empty of those that only join others.
    """

    path: str
    level: int
    kind: str
    asked: object
    said: str
    holds: bool
    found: object
    seen: str


class Membership(msgspec.Struct, frozen=True):
    """Whether a customer meets a rule, and why: `lines` has each condition before those within it."""

    customer: Found
    holds: bool
    lines: tuple[Line, ...]
    as_of_seq: int


def membership(reading: Reading, customer: Found, wanted: Wanted) -> Membership:
    """Why a customer meets a rule, or does not. Raises OnefoldError `segment.…`."""
    asked = question(reading, wanted)
    key = _key(asked.asking, customer.customer.anchor)
    with in_time(asked.asking):
        told = [explain(asked.asking, asked.rule, asked.surroundings, key)]
        if asked.consent is not None:
            consented = explain(asked.asking, ConsentTest(asked.consent), asked.surroundings, key)
            told.append(replace(consented, path=FIELD))
    lines = tuple(line for one in told for line in _lines(one, 0))
    return Membership(customer, all(one.holds for one in told), lines, asked.asking.as_of_seq)


def _key(asking: Asking, anchor: int) -> int:
    found = asking.rows("SELECT customer FROM internal.identifiers WHERE number = ?", [anchor])
    if not found:  # only where another field was asked before, of a state just older
        raise OnefoldError("store.busy", "the customer came in while this was asked", "Ask again.")
    return int(found[0][0])


def _lines(told: Explained, level: int) -> Iterator[Line]:
    ((kind, within),) = plain(told.rule).items()
    yield Line(
        told.path,
        level,
        kind,
        None if kind in BRANCHES else within,
        words.said(told.rule),
        told.holds,
        shown.as_json(told.found),
        "" if told.conditions else shown.in_words(told.found),
    )
    for condition in told.conditions:
        yield from _lines(condition, level + 1)
