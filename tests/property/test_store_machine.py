"""A real store through anything that may happen to it, beside the oracle: after every step it shows what that says."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from onefold.ingest.commit import commit_batch
from onefold.ingest.decode import Decoded
from onefold.model.copying import RowKind
from onefold.model.reading import FeedKind
from onefold.service import judging
from onefold.service.judging import Verdict
from onefold.stitch.rules import Rules
from onefold.store.base import Store
from onefold.store.neo4j.address import address_of
from onefold.store.neo4j.open import open_neo4j
from onefold.store.sqlite.open import open_sqlite
from tests.oracle.evidence import Event, Evidence
from tests.property.playing import key_of, namespaces_of
from tests.property.shown import TRAIT_RULES, Look, stored_event
from tests.property.strategies import START_MS, History, Judge, Retract, Step, histories
from tests.support.glances import Glanced
from tests.support.neo4j_server import wiped

HANDLES = 2
MOST_STEPS = 25
LEAST_COMPARED = 5
"""How often a history is to be interrupted to compare, on average: one that ends after its beginning shows nothing."""
LEAST_GLANCES = 10
"""How often what was read early is to be used, in all."""
MOST_EXAMPLES = 2_000
"""Of a night: a real store takes ten times as long as one of dictionaries."""
MOST_UPCOMING = 10
SLOWER = 10
"""How many times fewer examples a store gets that is asked over a network."""


class StoreMachine(RuleBasedStateMachine):
    """Several handles on one store, of which any may write and any may be read."""

    compared: ClassVar[int] = 0
    """How often what a store shows was compared with what the oracle says."""

    @initialize(history=histories())
    def begin(self, history: History) -> None:
        self.stitching = Rules(namespaces_of(history.rules), history.size_limit)
        self.evidence = Evidence(history.rules, history.size_limit)
        self.waiting: list[Step] = list(history.steps)
        self.sent: list[Event] = []
        self.standing: list[tuple[int, Judge]] = []
        self.prepare()
        self.stores = [self.open() for _ in range(HANDLES)]
        self.secret = self.stores[0].secret
        self.writer = self.seq = 0
        self.answered: set[bytes] = set()
        self.fed: dict[int, int] = {}
        self.agreed: dict[int, set[object]] = {}

    def prepare(self) -> None:
        """There is no store yet."""
        raise NotImplementedError

    def open(self) -> Store:
        raise NotImplementedError

    def teardown(self) -> None:
        if hasattr(self, "stores"):
            for store in self.stores:
                store.close()

    @property
    def store(self) -> Store:
        """The handle whose turn it is to write."""
        return self.stores[self.writer]

    # -- what may happen

    @precondition(lambda self: self.waiting)
    @rule(most=st.sampled_from((1, 2, 5, 20)))
    def go_on(self, most: int) -> None:
        """The next events in one batch; or the next judgement."""
        batch: list[Event] = []
        while self.waiting and len(batch) < most and isinstance(self.waiting[0], Event):
            step = self.waiting.pop(0)
            assert isinstance(step, Event)
            batch.append(step)
        if batch:
            self.ingest(batch)
        else:
            step = self.waiting.pop(0)
            if isinstance(step, Judge):
                self.judge(step)
            elif isinstance(step, Retract):
                self.take_back(step)

    @precondition(lambda self: self.sent)
    @rule(places=st.lists(st.integers(0, 1_000), min_size=1, max_size=6))
    def send_again(self, places: list[int]) -> None:
        """Events that were sent before; what was refused as ambiguous may get in now."""
        self.ingest([self.sent[place % len(self.sent)] for place in places])

    @precondition(lambda self: self.evidence.identifiers())
    @rule(same=st.booleans(), first=st.integers(0, 1_000), second=st.integers(0, 1_000))
    def judge_and_take_back(self, same: bool, first: int, second: int) -> None:
        """It leaves no trace in what is shown."""
        known = list(self.evidence.identifiers())
        judge = Judge("same" if same else "different", known[first % len(known)], known[second % len(known)])
        before = self.look()
        if judge.a != judge.b and self.judge(judge):
            self.check()
            self.take_back(Retract(*judge))
            assert self.look() == before

    @rule()
    def open_again(self) -> None:
        """Every handle is closed and opened."""
        for store in self.stores:
            store.close()
        self.stores = [self.open() for _ in self.stores]
        assert {store.secret for store in self.stores} == {self.secret}

    @rule()
    def let_another_write(self) -> None:
        self.writer = (self.writer + 1) % HANDLES

    # -- how it happens

    def ingest(self, events: Sequence[Event]) -> None:
        self.sent += events
        batch = [Decoded(stored_event(event, self.evidence), (), b"{}") for event in events if self.links(event)]
        outcomes = commit_batch(self.store, self.stitching, batch, START_MS, self.upcoming)
        expected = [self.evidence.observe(event) for event in events if self.links(event)]
        found = [outcome.problem.code if outcome.problem else outcome.status.value for outcome in outcomes]
        assert found == expected

    def upcoming(self) -> list[Decoded]:
        """What comes next, if nothing else comes in between."""
        found: list[Decoded] = []
        for step in self.waiting[:MOST_UPCOMING]:
            if not isinstance(step, Event):
                break
            if self.links(step):
                found.append(Decoded(stored_event(step, self.evidence), (), b"{}"))
        return found

    def links(self, event: Event) -> bool:
        """What has no identifier but operators does not pass the door."""
        return bool(self.evidence.linking(event))

    def judge(self, judge: Judge) -> bool:
        ends = (key_of(judge.a), key_of(judge.b))
        judged = judging.judge(
            self.store, self.stitching, Verdict(judge.verdict == "same", ends, "ann", "seen at the till")
        )
        holds = self.evidence.judge(*judge)
        assert (judged.problem is None) == holds
        if judged.number is not None:
            self.standing.append((judged.number, plain(judge)))
        return holds

    def take_back(self, retract: Retract) -> None:
        numbers = [number for number, judge in self.standing if judge == plain(retract)]
        assert self.evidence.retract(*retract) == bool(numbers)
        if numbers:
            self.standing.remove((numbers[-1], plain(retract)))
            assert judging.retract(self.store, self.stitching, numbers[-1], "bob", "a slip").problem is None

    # -- what is shown

    def look(self) -> dict[str, object]:
        """As another handle than the one that writes sees it."""
        with self.stores[self.writer - 1].read() as view:
            return Look(view, self.stitching, self.secret).shown()

    @invariant()
    def check(self) -> None:
        if not hasattr(self, "stores"):
            return
        with self.stores[self.writer - 1].read() as view:
            look = Look(view, self.stitching, self.secret)
            look.check(self.evidence)
            known = look.all_known()
            told = set()
            for line in view.feed(self.seq, 100_000):
                assert line.seq > self.seq, "the feed is in order"
                self.seq = line.seq
                if line.kind is FeedKind.CONSENTS:
                    told.add(line.identifier)
                if line.kind is FeedKind.IDENTIFIER and line.identifier and line.customer:
                    assert self.fed.get(line.identifier, 0) == line.was, "the feed says where it came from"
                    self.fed[line.identifier] = line.customer
            assert self.fed == {row.number: row.customer for row in known.values()}, "the feed tells who belongs where"
            agreed: dict[int, set[object]] = {}
            for _, identifier, *statement in view.rows(RowKind.CONSENTS, 0, 100_000):
                agreed.setdefault(identifier, set()).add(tuple(statement))
            assert told == {n for n in agreed if agreed[n] != self.agreed.get(n)}, "the feed tells whose changed"
            self.agreed = agreed
            self.answered |= {c.public for c in view.customers(sorted(set(self.fed.values()))).values()}
            resolved = view.by_public(sorted(self.answered))
            assert all(resolved[public].customer for public in self.answered), "an id that was answered still resolves"
        StoreMachine.compared += 1


def plain(said: Judge | Retract) -> Judge:
    return Judge(said.verdict, *sorted((said.a, said.b)))


class SqliteMachine(StoreMachine):
    """The handles are on one file."""

    def prepare(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="onefold-"))

    def open(self) -> Store:
        return open_sqlite(self.folder / "store.db", self.stitching.namespaces, TRAIT_RULES)

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)


class Neo4jMachine(StoreMachine):
    """The handles are on the database at `url`."""

    url: ClassVar[str]

    def prepare(self) -> None:
        wiped(self.url, self.stitching.namespaces)

    def open(self) -> Store:
        return open_neo4j(address_of(self.url), self.stitching.namespaces, TRAIT_RULES)


def run(machine: type[StoreMachine], examples: int) -> float:
    """Play so many histories; -> how often a store was compared with the oracle in each, on average."""
    before = StoreMachine.compared
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples, stateful_step_count=MOST_STEPS, suppress_health_check=[*HealthCheck]),
    )
    return (StoreMachine.compared - before) / examples


@pytest.mark.slow
def test_a_store_in_a_file_shows_what_the_oracle_says_whatever_happens() -> None:
    compared = run(SqliteMachine, min(settings().max_examples, MOST_EXAMPLES))
    assert compared >= LEAST_COMPARED


@pytest.mark.slow
@pytest.mark.xdist_group("neo4j")
def test_a_store_in_neo4j_shows_what_the_oracle_says_whatever_happens(
    neo4j_database: str, monkeypatch: pytest.MonkeyPatch, glanced: Glanced
) -> None:
    monkeypatch.setattr(Neo4jMachine, "url", neo4j_database, raising=False)
    compared = run(Neo4jMachine, min(max(settings().max_examples // SLOWER, 20), MOST_EXAMPLES // SLOWER))
    assert compared >= LEAST_COMPARED
    assert glanced.used >= LEAST_GLANCES
