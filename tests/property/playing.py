"""Histories played on a store of plain dictionaries, beside the oracle."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from onefold.errors import Problem
from onefold.model.changes import Decision
from onefold.model.graph import Observation
from onefold.model.identifiers import IdentifierKey
from onefold.model.namespaces import Kind, Namespace, Namespaces, Prefer
from onefold.model.sources import Source, Trust
from onefold.stitch.rules import Rules
from tests.oracle.evidence import Event, Evidence, Identifier, Links
from tests.oracle.evidence import Rules as OracleRules
from tests.oracle.stitching import Stitched, stitch
from tests.property.growth import Growth, growth
from tests.property.strategies import History, Judge, Retract
from tests.support.memory import MemoryStore

Turn: TypeAlias = Sequence[Event] | Judge | Retract


def namespaces_of(rules: OracleRules) -> Namespaces:
    """The oracle's namespaces as the service declares them."""
    return Namespaces(
        tuple(
            Namespace(
                name,
                rule.priority,
                Kind(rule.kind),
                limit=rule.limit,
                fanout=rule.fanout,
                prefer=Prefer(rule.prefer),
                distinguishes=rule.distinguishes,
            )
            for name, rule in rules.items()
        )
    )


def key_of(identifier: Identifier) -> IdentifierKey:
    return IdentifierKey(*identifier)


class Expected(NamedTuple):
    """What the oracle says after a turn.

    Attributes:
        admitted: of a batch, what the oracle says of each event; of a judgement or retraction, whether it held.
        events: all that count, in order of arrival. different: pairs judged so.
    """

    turn: Turn
    admitted: tuple[str, ...] | bool
    links: Links
    stitched: Stitched
    growth: Growth
    events: tuple[Event, ...]
    different: frozenset[tuple[Identifier, Identifier]]


def expect(history: History, turns: Sequence[Turn]) -> Iterator[Expected]:
    """The oracle's answers, turn by turn."""
    evidence = Evidence(history.rules, history.size_limit)
    for turn in turns:
        if isinstance(turn, Judge):
            admitted: tuple[str, ...] | bool = evidence.judge(*turn)
        elif isinstance(turn, Retract):
            admitted = evidence.retract(*turn)
        else:
            admitted = tuple(evidence.observe(event) for event in turn)
        links, stitched = evidence.links(), stitch(evidence)
        grown = growth(evidence, links, stitched)
        different = frozenset(evidence.judged("different"))
        yield Expected(turn, admitted, links, stitched, grown, tuple(evidence.events.values()), different)


class Player:
    """Plays turns on a MemoryStore as the way in does: duplicates never reach stitching.

    Attributes:
        told: the ledger's lines of the last turn. causes: the observations they may name by their position.
        older: pairs of the links that were there before it.
    """

    def __init__(self, rules: OracleRules, size_limit: int) -> None:
        self.store = MemoryStore(Rules(namespaces_of(rules), size_limit))
        self._rules = rules
        self._known: set[tuple[str, str]] = set()
        self._standing: dict[Judge, list[int]] = {}
        self.told: list[Decision] = []
        self.causes: list[Observation] = []
        self.older: frozenset[int] = frozenset()

    def play(self, turn: Turn) -> tuple[str, ...] | bool:
        """-> what became of each event, or whether the judgement or retraction held."""
        so_far, self.causes, self.older = len(self.store.decisions), [], frozenset(self.store.links)
        if isinstance(turn, Judge):
            outcome: tuple[str, ...] | bool = self._judge(turn)
        elif isinstance(turn, Retract):
            outcome = self._retract(turn)
        else:
            outcome = self._batch(turn)
        self.told = self.store.decisions[so_far:]
        return outcome

    def observation(self, event: Event) -> Observation:
        """An event as stitching sees it."""
        linking = {i for i in event.identifiers if self._rules[i[0]].kind != "operator"}
        keys = sorted(linking, key=lambda i: (self._rules[i[0]].priority, i))
        held = [name for name, _ in keys]
        crowded = any(held.count(name) > (self._rules[name].limit or len(held)) for name in held)
        source = self.store.source(Source(event.source, Trust(event.trust)))
        return Observation(tuple(map(key_of, keys)), event.at_ms, event.evidence_ms, source, crowded)

    def _batch(self, events: Sequence[Event]) -> tuple[str, ...]:
        outcomes = ["duplicate"] * len(events)
        fresh: dict[tuple[str, str], int] = {}
        for place, event in enumerate(events):
            if not self.observation(event).keys:
                outcomes[place] = "event.no_identifier"
            elif event.key not in self._known:
                fresh.setdefault(event.key, place)
        self.causes = [self.observation(events[place]) for place in fresh.values()]
        for place, placed in zip(fresh.values(), self.store.resolve(self.causes), strict=True):
            outcomes[place] = "event.ambiguous" if placed is None else "accepted"
            if placed is not None:
                self._known.add(events[place].key)
        for place, event in enumerate(events):
            if outcomes[place] == "duplicate" and event.key not in self._known:
                outcomes[place] = "event.ambiguous"
        return tuple(outcomes)

    def _judge(self, judge: Judge) -> bool:
        number = self.store.judge(judge.verdict == "same", key_of(judge.a), key_of(judge.b))
        if isinstance(number, Problem):
            return False
        self._standing.setdefault(_plain(judge), []).append(number)
        return True

    def _retract(self, retract: Retract) -> bool:
        numbers = self._standing.get(_plain(retract))
        if not numbers:
            return False
        self.store.retract(numbers.pop())
        return True


def _plain(said: Judge | Retract) -> Judge:
    return Judge(said.verdict, *sorted((said.a, said.b)))
