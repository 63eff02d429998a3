"""Everything that came in, kept whole: accepted events and standing judgements, and nothing derived from them.

The oracle recomputes all the rest from this (design, sections 3 and 4). It imports nothing of onefold, so a mistake
there cannot hide here. Identifiers are (namespace, value), already normalised; times are epoch milliseconds.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Literal, NamedTuple, TypeAlias

Identifier: TypeAlias = tuple[str, str]
Pair: TypeAlias = tuple[Identifier, Identifier]
MessageKey: TypeAlias = tuple[str, str]
Verdict: TypeAlias = Literal["same", "different"]
Admission: TypeAlias = Literal["accepted", "duplicate", "event.ambiguous", "event.no_identifier"]

SERVER, PUBLIC = 0, 1
TRUSTS = (SERVER, PUBLIC)
DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Namespace:
    """Section 3: how one kind of identifier may be used. A lower `priority` is stronger; a `limit` of None is none."""

    priority: int
    kind: str = "contact"
    limit: int | None = None
    fanout: int = 20
    prefer: Literal["oldest", "newest"] = "oldest"
    distinguishes: bool = False


Rules: TypeAlias = Mapping[str, Namespace]

DEFAULT_RULES: Rules = {
    "user_id": Namespace(1, kind="person", limit=1),
    "crm_id": Namespace(2, kind="person", limit=1, fanout=5),
    "loyalty_card": Namespace(3, kind="person", limit=1, fanout=5),
    "email": Namespace(4, limit=5, fanout=5, distinguishes=True),
    "phone": Namespace(5, limit=5, fanout=5),
    "anonymous_id": Namespace(8, kind="device", limit=1000, fanout=20),
    "device_id": Namespace(9, kind="device", limit=100, fanout=1),
    "staff_id": Namespace(20, kind="operator"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One event as sent. `source` names who said it, `trust` says how far that source is believed."""

    message_id: str
    source: str
    trust: int
    at_ms: int
    received_ms: int
    identifiers: tuple[Identifier, ...]
    traits: Mapping[str, Any] = field(default_factory=dict)
    consents: Mapping[str, bool] = field(default_factory=dict)

    @property
    def key(self) -> MessageKey:
        """Section 3: a message id counts within its source."""
        return self.source, self.message_id

    @property
    def evidence_ms(self) -> int:
        """Section 3: evidence from a public source is dated no earlier than a day before its receipt."""
        return max(self.at_ms, self.received_ms - DAY_MS) if self.trust == PUBLIC else self.at_ms

    @property
    def consent_ms(self) -> int:
        """Section 7: the newest word counts, so nobody dates it ahead of its receipt."""
        return min(self.at_ms, self.received_ms)


class Judgement(NamedTuple):
    """The word of a person or a system about two identifiers; `a` sorts before `b`."""

    verdict: Verdict
    a: Identifier
    b: Identifier


class Seen(NamedTuple):
    """What one source says of one link; adding to it is commutative (section 4)."""

    first_ms: int
    last_ms: int
    times: int

    def again(self, at_ms: int) -> "Seen":
        return Seen(min(self.first_ms, at_ms), max(self.last_ms, at_ms), self.times + 1)


class Source(NamedTuple):
    """Evidence is kept for each of these apart; the trust comes first, so the best source is the smallest."""

    trust: int
    name: str


Links: TypeAlias = dict[Pair, dict[Source, Seen]]


@dataclass
class Evidence:
    """Accepted events in order of arrival, and a count of each standing judgement."""

    rules: Rules = field(default_factory=lambda: DEFAULT_RULES)
    size_limit: int = 10_000
    events: dict[MessageKey, Event] = field(default_factory=dict)
    judgements: Counter[Judgement] = field(default_factory=Counter)

    def observe(self, event: Event) -> Admission:
        """Section 3: take an event, or say why not. What is refused leaves nothing behind, not even its message id."""
        usable = self.linking(event)
        if not usable:
            return "event.no_identifier"
        if event.key in self.events:
            return "duplicate"
        if self._ambiguous(usable):
            return "event.ambiguous"
        self.events[event.key] = event
        return "accepted"

    def judge(self, verdict: Verdict, a: Identifier, b: Identifier) -> bool:
        """Section 4: False where it names an unknown identifier or contradicts what stands. It may be said twice."""
        known = self.identifiers()
        if a == b or a not in known or b not in known:
            return False
        judgement = judgement_of(verdict, a, b)
        trial = classes(known, [*self.judged("same"), judgement[1:]] if verdict == "same" else self.judged("same"))
        apart = [*self.judged("different"), judgement[1:]] if verdict == "different" else self.judged("different")
        if any(trial[x] == trial[y] for x, y in apart):
            return False
        self.judgements[judgement] += 1
        return True

    def retract(self, verdict: Verdict, a: Identifier, b: Identifier) -> bool:
        """Section 4: take one back, False where none stands. A pair stays judged while another of it stands."""
        judgement = judgement_of(verdict, a, b)
        if not self.judgements[judgement]:
            return False
        self.judgements[judgement] -= 1
        return True

    def judged(self, verdict: Verdict) -> list[Pair]:
        return [(j.a, j.b) for j, standing in self.judgements.items() if standing and j.verdict == verdict]

    def linking(self, event: Event) -> list[Identifier]:
        """Section 3: an event's identifiers, strongest first, without operators: they never link and are no subject."""
        usable = {i for i in event.identifiers if self.rules[i[0]].kind != "operator"}
        return sorted(usable, key=self.strength)

    def strength(self, identifier: Identifier) -> tuple[int, str, str]:
        """Smaller is stronger: priority, then namespace, then value."""
        return self.rules[identifier[0]].priority, *identifier

    def identifiers(self) -> dict[Identifier, int]:
        """Section 5: every identifier met, with its age: first met is eldest, and within an event the stronger."""
        met: dict[Identifier, int] = {}
        for event in self.events.values():
            for identifier in self.linking(event):
                met.setdefault(identifier, len(met))
        return met

    def links(self) -> Links:
        """Section 4: evidence for every pair of identifiers of an event, summed up per source; pairs in plain order."""
        found: Links = {}
        for event in self.events.values():
            source, at_ms = Source(event.trust, event.source), event.evidence_ms
            for pair in combinations(sorted(self.linking(event)), 2):
                sources = found.setdefault(pair, {})
                sources[source] = sources[source].again(at_ms) if source in sources else Seen(at_ms, at_ms, 1)
        return found

    def _ambiguous(self, usable: list[Identifier]) -> bool:
        """Section 3: more values of a namespace than its limit in one event, those judged the same counting once."""
        one_of = classes(usable, self.judged("same"))
        distinct = Counter(name for name, _ in {(identifier[0], one_of[identifier]) for identifier in usable})
        return any(count > (self.rules[name].limit or count) for name, count in distinct.items())


def judgement_of(verdict: Verdict, a: Identifier, b: Identifier) -> Judgement:
    return Judgement(verdict, *sorted((a, b)))


def classes(identifiers: Mapping[Identifier, int] | list[Identifier], same: list[Pair]) -> dict[Identifier, Identifier]:
    """Section 4: identifier -> the one that stands for all that are judged the same as it; alone, itself."""
    one_of = {identifier: identifier for identifier in [*identifiers, *(i for pair in same for i in pair)]}
    for a, b in same:
        kept, dropped = one_of[a], one_of[b]
        one_of = {i: kept if one == dropped else one for i, one in one_of.items()}
    return one_of


def ends(pair: Pair) -> Iterator[Pair]:
    """Both ways to look along a link: from one end to the other."""
    yield pair
    yield pair[1], pair[0]
