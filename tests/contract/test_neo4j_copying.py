"""What holds of copies from and to Neo4j, besides what holds of all."""

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import neo4j
import pytest

from onefold.errors import OnefoldError
from onefold.model.copying import RowKind
from onefold.service.copying import Step, copy
from onefold.store.base import Store
from onefold.store.neo4j.address import address_of
from onefold.store.neo4j.connections import Connections
from onefold.store.neo4j.copying.reading import COLLECTING
from onefold.store.neo4j.copying.target import DELETING
from onefold.store.neo4j.copying.writing import WRITING
from onefold.store.neo4j.open import open_neo4j, open_neo4j_target
from onefold.store.neo4j.schema import ANYTHING
from onefold.store.neo4j.store import Neo4jStore
from onefold.store.passing import PassingError
from tests.contract.stores import NAMESPACES, TRAITS, Place
from tests.contract.test_copying import keep_one_more, rows_of
from tests.contract.test_neo4j_graph import SAID_TWICE, described, stored
from tests.contract.test_neo4j_plans import remembering, through_all
from tests.support.filled import Filler, fill, happened, odd
from tests.support.neo4j_server import WIPE, ask, bare

pytestmark = [pytest.mark.xdist_group("neo4j"), pytest.mark.slow]


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Store]:
    """A store in SQLite with rows of every kind."""
    with closing(Place("sqlite", tmp_path).open()) as opened:
        fill(opened, NAMESPACES)
        yield opened


def opened(url: str) -> Neo4jStore:
    return open_neo4j(address_of(url), NAMESPACES, TRAITS)


def copied(source: Store, url: str) -> None:
    with closing(open_neo4j_target(address_of(url), NAMESPACES, TRAITS)) as target:
        copy(source, target, lambda _: None, 100)


def test_a_copy_is_the_graph_that_analysts_know(source: Store, neo4j_url: str) -> None:
    filler = Filler(source, NAMESPACES)
    filler.judge("same", "user_id:user 10", "user_id:user 11")
    filler.send([odd(6, userId="user 1", timestamp="1969-12-31T00:00:00Z")])
    copied(source, neo4j_url)
    with closing(opened(neo4j_url)) as copy_of:
        keep_one_more(copy_of)  # leases are not copied
    assert stored(neo4j_url) == described()
    devices = [n.name for n in NAMESPACES if n.kind == "device"]
    wrong = {
        what: ask(neo4j_url, f"{finding} RETURN 1 LIMIT 3", devices=devices) for what, finding in SAID_TWICE.items()
    }
    assert {what for what, rows in wrong.items() if rows} == set()
    expected = rows_of(source)
    [[touchpoints, had]] = ask(
        neo4j_url,
        "MATCH (i:Identifier {namespace: 'user_id', value: 'user 2'})<-[:HAS]-(c)-[:HAS]->()<-[:BY]-(t) "
        "RETURN count(t), c.id STARTS WITH 'cus_'",
    )
    assert 0 < touchpoints < len(expected[RowKind.TOUCHPOINTS])
    assert had


def test_what_a_copy_asks_is_found_by_indexes(source: Store, neo4j_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: dict[str, dict[str, Any]] = {}
    for runner in (neo4j.Session, neo4j.Transaction):
        monkeypatch.setattr(runner, "run", remembering(runner.run, statements))
    copied(source, neo4j_url)
    monkeypatch.undo()
    assert statements.keys() >= {*WRITING.values(), *COLLECTING.values(), *DELETING.values()}
    with bare(neo4j_url) as driver:
        found = {statement: through_all(driver, statement, p) for statement, p in statements.items()}
    assert {statement: much for statement, much in found.items() if much and statement != ANYTHING} == {}


def test_what_was_written_to_neo4j_is_copied_as_it_is(neo4j_url: str, tmp_path: Path) -> None:
    place = Place("sqlite", tmp_path)
    with closing(opened(neo4j_url)) as source:
        fill(source, NAMESPACES, 200)
        with closing(place.open_target()) as target:
            done = copy(source, target, lambda _: None)
        assert all(done.rows.values())
        with closing(place.open()) as copy_of:
            assert copy_of.secret == source.secret
            assert rows_of(copy_of) == rows_of(source)


def test_a_source_that_moves_is_not_copied_and_is_when_it_stands_still(neo4j_url: str, tmp_path: Path) -> None:
    place = Place("sqlite", tmp_path)
    with closing(opened(neo4j_url)) as source:
        filler = Filler(source, NAMESPACES)
        filler.send(happened(80))
        news = happened(100)[80:]

        def write(step: Step) -> None:
            if step.kind is RowKind.TOUCHPOINTS and news:
                filler.send([news.pop()])

        with closing(place.open_target()) as target, pytest.raises(OnefoldError) as raised:
            copy(source, target, write, 20)
        assert raised.value.code == "copy.source_moved"
        with closing(place.open_target()) as target:
            assert copy(source, target, lambda _: None).anew
        with closing(place.open()) as copy_of:
            assert rows_of(copy_of) == rows_of(source)


def test_a_reject_that_comes_meanwhile_is_noticed_too(neo4j_url: str, tmp_path: Path) -> None:
    """It gives out no sequence number."""
    with closing(opened(neo4j_url)) as source:
        filler = Filler(source, NAMESPACES)
        filler.send(happened(40))
        bad = [odd(1)]

        def write(step: Step) -> None:
            if step.kind is RowKind.COMMITS and bad:
                filler.send([bad.pop()])

        with closing(Place("sqlite", tmp_path).open_target()) as target, pytest.raises(OnefoldError) as raised:
            copy(source, target, write)
        assert raised.value.code == "copy.source_moved"


def test_whoever_had_the_target_open_when_it_was_empty_can_write_nothing_to_the_copy(
    source: Store, neo4j_url: str
) -> None:
    with closing(opened(neo4j_url)) as stale:
        target = open_neo4j_target(address_of(neo4j_url), NAMESPACES, TRAITS)
        codes: list[str] = []

        def meddle(step: Step) -> None:
            if step.kind is RowKind.LINKS and not step.comparing:
                with pytest.raises(OnefoldError) as raised, stale.read() as view:
                    view.counts()
                codes.append(raised.value.code)
                codes.append(refused(stale))

        copy(source, target, meddle)
        target.close()
        assert set(codes) == {"store.unavailable"}
        assert refused(stale) == "store.unavailable"
    with closing(opened(neo4j_url)) as copy_of:
        assert rows_of(copy_of) == rows_of(source)


def refused(store: Store) -> str:
    """The code of the error with which an event is refused."""
    with pytest.raises(OnefoldError) as raised:
        Filler(store, NAMESPACES).send([odd(1, userId="somebody")])
    return raised.value.code


@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "while it commits"])
def test_a_page_during_which_the_connection_was_lost_is_written_once(
    source: Store, neo4j_url: str, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    """Nobody can tell whether what was being committed is there."""
    writing, writes = Connections.writing, itertools.count()

    @contextmanager
    def lossy(connections: Connections, first: str, **p: Any) -> Iterator[Any]:
        lost = PassingError("store.unavailable", "the connection was lost", undone=not committed)
        lose = next(writes) in (4, 9)
        with writing(connections, first, **p) as answer:
            yield answer
            if lose and not committed:
                raise lost
        if lose:
            raise lost

    monkeypatch.setattr(Connections, "writing", lossy)
    copied(source, neo4j_url)
    monkeypatch.undo()
    with closing(opened(neo4j_url)) as copy_of:
        assert rows_of(copy_of) == rows_of(source)


def test_a_database_with_something_else_in_it_is_left_as_it_is(source: Store, neo4j_url: str) -> None:
    try:
        with bare(neo4j_url) as driver:
            driver.execute_query(WIPE.replace("IN TRANSACTIONS OF 5000 ROWS", ""))
            driver.execute_query("CREATE (:Letter {to: 'a friend'})")
        with pytest.raises(OnefoldError) as raised:
            copied(source, neo4j_url)
        assert raised.value.code == "store.not_ours"
        assert ask(neo4j_url, "MATCH (n) RETURN n.to") == [["a friend"]]
    finally:
        ask(neo4j_url, "MATCH (n) DETACH DELETE n")


def test_a_database_without_a_store_becomes_one(source: Store, neo4j_url: str) -> None:
    ask(neo4j_url, "MATCH (n) DETACH DELETE n")
    copied(source, neo4j_url)
    with closing(opened(neo4j_url)) as copy_of:
        assert rows_of(copy_of) == rows_of(source)
