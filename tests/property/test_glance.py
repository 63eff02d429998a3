"""What is read while Neo4j writes the transaction before is used, and spoils nothing."""

from collections.abc import Iterator, Sequence

import neo4j
import pytest
from neo4j.exceptions import Neo4jError

from onefold.errors import OnefoldError
from onefold.model.copying import Row, RowKind
from onefold.store.neo4j.writing import glance
from tests.oracle.evidence import PUBLIC, SERVER, Event, Rules
from tests.oracle.told import identifier
from tests.property.mutants import Mutant, planted
from tests.property.shapes import ONES, TIGHT
from tests.property.strategies import START_MS, History
from tests.property.test_mutants import drawn
from tests.property.test_store_machine import Neo4jMachine, SqliteMachine, StoreMachine
from tests.support.glances import Glanced

PLAYED = 6
"""Histories that are played."""
SIZES = (4, 2, 6, 3)
"""Of batches, over and over."""
MOST_EVENTS = 40
MOST_ROWS = 100_000
PACKAGE = "store.neo4j.writing"
POPPED = "found.customers.pop(customer, None)"

EARLIEST = pytest.mark.parametrize("glanced", [True], indirect=True, ids=["earliest"])

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("neo4j")]


def saw(name: str, *texts: str, minute: int = 0, public: bool = False) -> Event:
    """An event of this message id with these identifiers."""
    source, trust = ("web", PUBLIC) if public else ("crm", SERVER)
    at_ms = START_MS + minute * 60_000
    return Event(name, source, trust, at_ms, at_ms, tuple(map(identifier, texts)))


def by_hand(*events: Event, rules: Rules = TIGHT, size_limit: int = 10_000) -> History:
    return History("by hand", "", rules, size_limit, 1, events)


def chained() -> Iterator[Event]:
    """A chain of which each customer holds two, told from its newest link to its oldest; then what changes some of
    them, and in the end its head."""
    for k in reversed(range(13)):
        ends = (f"user_id:{k}", f"email:{k + 1}") if k % 2 == 0 else (f"email:{k}", f"user_id:{k + 1}")
        yield saw(f"link {k}", *ends, minute=10 * k)
    yield saw("a", "user_id:2", "email:3", minute=435, public=True)
    yield saw("b", "user_id:4", "email:5", minute=517, public=True)
    yield saw("c", "user_id:2", "email:3", minute=347, public=True)
    yield saw("d", "device_id:x", "email:7", minute=441, public=True)
    yield saw("e", "device_id:x", "email:13", minute=344)
    yield saw("f", "user_id:12", "email:13", minute=653, public=True)
    yield saw("g", "email:21", "user_id:22", minute=291)
    yield saw("h", "email:head", "user_id:0", minute=-1)
    yield saw("i", "user_id:8", "email:9", minute=23)
    yield saw("j", "device_id:x", "user_id:14", minute=534)


NEWCOMER = by_hand(saw("a", "email:1"), saw("b", "email:2"), saw("c", "email:2", "phone:1"), saw("d", "phone:1"))
AGAIN = by_hand(saw("a", "email:1"), saw("b", "email:1"), saw("b", "email:1"), saw("c", "email:1"))
LINKED = by_hand(*(saw(name, "email:1", "phone:1") for name in "abcd"))
CHAIN = by_hand(*chained(), rules=ONES, size_limit=8)

MISTAKES = (
    (NEWCOMER, (1,), 1, Mutant("identifiers stay as seen early", "glance", "key in self.keys", "False", PACKAGE)),
    (CHAIN, (1, 2), 1, Mutant("customers stay as seen early", "glance", POPPED, "pass", PACKAGE)),
    (LINKED, (1,), 1, Mutant("links stay as seen early", "glance", "changes.seen_links, ", "", PACKAGE)),
    (AGAIN, (1,), 1, Mutant("messages stay unknown", "glance", "found.messages.pop(message, None)", "pass", PACKAGE)),
    (NEWCOMER, (1,), 2, Mutant("others are not noticed", "glance", "head == self._glance.left", "True", PACKAGE)),
)
"""With histories in which they show, the sizes of their batches, and how many handles take turns."""
FAILURES = (AssertionError, OnefoldError, Neo4jError)


@pytest.fixture(autouse=True)
def _on_neo4j(neo4j_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Neo4jMachine, "url", neo4j_database, raising=False)


def play(history: History, sizes: Sequence[int] = SIZES, handles: int = 1) -> None:
    """All events in small batches, from one handle or two; the store is then as one in a file is, and shows what the
    oracle says."""
    assert played(Neo4jMachine, history, sizes, handles) == played(SqliteMachine, history, sizes, handles)


def played(machine: type[StoreMachine], history: History, sizes: Sequence[int], handles: int) -> list[list[Row]]:
    """-> the rows of what stitching keeps of customers and links."""
    playing = machine()
    try:
        playing.begin(history)
        events = history.events()
        for turn in range(len(events)):
            size = sizes[turn % len(sizes)]
            batch, events = events[:size], events[size:]
            playing.waiting = [*events]
            if batch:
                playing.ingest(batch)
            playing.writer = (playing.writer + 1) % handles
        playing.check()
        with playing.store.read() as view:
            return [sorted(view.rows(kind, 0, MOST_ROWS)) for kind in (RowKind.CUSTOMERS, RowKind.LINKS)]
    finally:
        playing.teardown()


def long_ones() -> list[History]:
    """Histories in which much comes next."""
    found = [history for history in drawn() if 2 * max(SIZES) < len(history.events()) <= MOST_EVENTS]
    return found[:PLAYED]


def test_what_was_read_early_spoils_nothing(glanced: Glanced) -> None:
    for history in long_ones():
        play(history)
    assert glanced.used >= 3 * PLAYED
    assert glanced.spared >= 5 * PLAYED
    assert glanced.pauses == 0


@EARLIEST
def test_what_others_wrote_since_is_seen(glanced: Glanced) -> None:
    for history in long_ones():
        play(history, handles=2)
    assert glanced.pauses >= 2 * PLAYED
    assert glanced.used == 0


@EARLIEST
@pytest.mark.usefixtures("glanced")
def test_what_was_read_early_counts_for_nothing_when_the_commit_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else writes instead, and leaves the head as this process would have left it."""
    b, c = saw("b", "email:1"), saw("c", "email:1")
    playing, commit = Neo4jMachine(), neo4j.Transaction.commit
    try:
        playing.begin(by_hand(saw("a", "email:1"), b, c))
        playing.ingest([saw("a", "email:1")])

        def fail(transaction: neo4j.Transaction) -> None:
            monkeypatch.setattr(neo4j.Transaction, "commit", commit)
            transaction.rollback()
            playing.writer = 1
            playing.ingest([c])
            raise ZeroDivisionError

        monkeypatch.setattr(neo4j.Transaction, "commit", fail)
        playing.waiting = [c]
        with pytest.raises(ZeroDivisionError):
            playing.ingest([b])
        playing.writer = 0
        playing.ingest([c])
        playing.check()
    finally:
        playing.teardown()


@EARLIEST
def test_what_takes_too_long_is_not_waited_for(glanced: Glanced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glance, "WAITED_SECONDS", 0.0)
    monkeypatch.setattr(glance.Glance, "_run", lambda *_: None)
    monkeypatch.setattr("tests.support.glances.SECONDS", 0.0)
    play(LINKED, (1,))
    assert glanced.used == 0
    assert glanced.pauses >= 2, "it pauses"


@EARLIEST
def test_what_cannot_be_read_early_is_read_later(glanced: Glanced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glance, "READ_ALONE", "RETURN 1 / 0")
    play(LINKED, (1,))
    assert (glanced.used, glanced.pauses) == (0, 0)


@EARLIEST
@pytest.mark.parametrize(
    ("history", "sizes", "handles", "mistake"), MISTAKES, ids=[mistake.name for *_, mistake in MISTAKES]
)
def test_a_mistake_is_found(
    history: History, sizes: Sequence[int], handles: int, mistake: Mutant, glanced: Glanced
) -> None:
    play(history, sizes, handles)
    assert glanced.used + glanced.pauses >= 1
    with planted(mistake), pytest.raises(FAILURES):
        play(history, sizes, handles)
