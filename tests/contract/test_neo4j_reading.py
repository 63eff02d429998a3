"""What views ask of Neo4j: one statement a question, of one state, that waits for nobody and reads what it shows."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any, Final

import neo4j
import pytest

from onefold.model.ids import encode
from onefold.model.reading import JourneyPage, PropertyMatch, TouchpointFilter
from onefold.store.neo4j.address import address_of
from onefold.store.neo4j.open import open_neo4j
from onefold.store.neo4j.reading.gate import HEAD
from onefold.store.neo4j.reading.view import Neo4jView
from onefold.store.neo4j.store import Neo4jStore
from tests.contract.building import START_MS, Batch, key
from tests.contract.stores import NAMESPACES, TRAITS
from tests.contract.test_sqlite_plans import PAGES
from tests.contract.test_sqlite_statements import ASKED
from tests.support.neo4j_server import ask, bare

pytestmark = [pytest.mark.xdist_group("neo4j"), pytest.mark.slow]

CUSTOMERS: Final = 20
TOUCHPOINTS: Final = 12
Asked = list[tuple[str, dict[str, Any]]]
"""Statements, each with its parameters."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What is asked from now on."""
    statements: Asked = []
    for runner in (neo4j.Session, neo4j.Transaction):
        monkeypatch.setattr(runner, "run", remembering(runner.run, statements))
    return statements


def remembering(run: Callable[..., Any], statements: Asked) -> Callable[..., Any]:
    def remember(runner: Any, query: Any, *values: Any, **named: Any) -> Any:
        if "p" in named:
            statements.append((query.text if isinstance(query, neo4j.Query) else query, named["p"]))
        return run(runner, query, *values, **named)

    return remember


@pytest.fixture
def store(neo4j_url: str) -> Iterator[Neo4jStore]:
    """Customers with three identifiers, several touchpoints, links, a decision and claims each."""
    with closing(open_neo4j(address_of(neo4j_url), NAMESPACES, TRAITS)) as store:
        with store.write() as transaction:
            batch = Batch(transaction)
            for n in range(CUSTOMERS):
                customer = batch.customer(f"user_id:{n}", f"email:{n}@x.de", f"anonymous_id:{n}")
                batch.link(f"email:{n}@x.de", f"user_id:{n}")
                batch.link(f"anonymous_id:{n}", f"user_id:{n}", mark=3, rank=n)
                batch.decision("joined", [customer.anchor], [f"email:{n}@x.de", f"user_id:{n}"])
                for k in range(TOUCHPOINTS):
                    text = f"anonymous_id:{n}" if k % 2 else f"user_id:{n}"
                    more: dict[str, Any] = {"traits": {"name": f"N{n}"}, "properties": {"a": 1}}
                    batch.touchpoint(text, minute=k, message_id=f"{n}-{k}", **more)
            batch.apply()
        with store.read() as view:
            view.sources()
        yield store


def test_each_question_is_one_statement_however_much_is_asked(store: Neo4jStore, asked: Asked) -> None:
    counts = {}
    for name, asking in ASKED.items():
        for many in (1, CUSTOMERS):
            asked.clear()
            with store.read() as view:
                asking(view, many)  # type: ignore[arg-type]  # every view answers what SQLite's does
            counts[name, many] = len(asked)
    assert {name: count for name, count in counts.items() if count != 1} == {}


def operators(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The operators of a plan, each with its details, in the order in which they are done."""
    for child in plan.get("children", ()):
        yield from operators(child)
    yield plan["operatorType"].split("@")[0], plan["args"].get("Details", "")


def test_every_statement_collects_then_takes_the_gate_then_reads_the_head(
    store: Neo4jStore, asked: Asked, neo4j_url: str
) -> None:
    readings: list[Callable[[Any], object]] = [*PAGES, Neo4jView.head]
    readings += [partial(lambda asking, view: asking(view, 5), asking) for asking in ASKED.values()]
    for reading in readings:
        with store.read() as view:
            reading(view)
    texts = dict(asked)
    assert len(texts) > 25
    with bare(neo4j_url) as driver:
        for statement, p in texts.items():
            plan = driver.execute_query(f"EXPLAIN {statement}", p=p).summary.plan
            assert plan is not None
            done = list(operators(plan))
            names = [name for name, _ in done]
            [gate] = [place for place, name in enumerate(names) if name == "SetProperty"]
            collected = [place for place, name in enumerate(names) if "Aggregation" in name]
            [head] = [place for place, (_, details) in enumerate(done) if "m:Meta(" in details]
            assert bool(collected) == (statement != HEAD)
            assert all(place < gate for place in collected), "what is asked for is collected before"
            assert gate < head, "the head is read after"
            locking = [details for name, details in done if "Locking" in name and ":Meta(" not in details]
            assert locking == [], statement
            open_ended = [details for _, details in done if re.search(r"WHERE \w+ <=? \S+(,|$)", details)]
            assert [d for d in open_ended if "seq < $p.before" not in d] == [], "a range has two ends"


def test_a_reader_does_not_wait_for_what_is_being_written(store: Neo4jStore, neo4j_url: str) -> None:
    """Not even when it asks for just that, until it is committed."""
    found: list[Any] = []

    def read() -> None:
        with store.read() as view:
            found.append(view.by_key([key("user_id:new"), key("user_id:1")]).keys())

    new = store._facts.ids.digest(key("user_id:new"))
    with bare(neo4j_url) as driver, driver.session() as session, session.begin_transaction() as transaction:
        transaction.run("CREATE (:Identifier {number: 999, id: $id, customer: 999})", id=encode("idn", new)).consume()
        reader = threading.Thread(target=read)
        reader.start()
        reader.join(20)
        assert found == [{key("user_id:1")}]
        transaction.rollback()


HISTORY: Final = (
    "MATCH (i:Identifier {customer: 1}) WITH i UNWIND range(1, $p.each) AS k "
    "CREATE (t:Touchpoint {number: 1000000 + $p.from + i.number * 100000 + k, "
    "id: 'tp_' + right('0000000000000000000000000' + toString($p.from + i.number * 100000 + k), 26), message_id: 'm', "
    "source: 1, at_ms: $p.start + ($p.from + k) * 1000, received_ms: 0, type: 'page', channel: 'web', "
    'subject: i.number, identifiers: [i.number], body: \'{"properties":{"a":1},"context":{},"traits":{}}\'}) '
    "WITH i, max(t.at_ms) AS last SET i.touched_first_ms = $p.start, i.touched_last_ms = last"
)
PAGES_OF_JOURNEYS: Final = {
    "newest": JourneyPage(50),
    "oldest": JourneyPage(50, newest_first=False),
    "middle": JourneyPage(50, beyond=(START_MS + 500_000, 1)),
    "filtered": JourneyPage(50, filter=TouchpointFilter(types=("page",), properties=(PropertyMatch("a", 1),))),
}
HITS_A_TOUCHPOINT: Final = 25
"""What stands in a row is read from one touchpoint: fewer than this many hits."""


@pytest.mark.parametrize("page", PAGES_OF_JOURNEYS)
def test_a_page_of_a_journey_never_reads_the_history(
    store: Neo4jStore, asked: Asked, neo4j_url: str, page: str
) -> None:
    def hits() -> int:
        asked.clear()
        with store.read() as view:
            assert len(view.journeys([1], PAGES_OF_JOURNEYS[page])[1]) == 50
        [(statement, p)] = asked
        with bare(neo4j_url) as driver:
            return db_hits(driver.execute_query(f"PROFILE {statement}", p=p).summary.profile)

    ask(neo4j_url, HISTORY, each=1_000, start=START_MS, **{"from": 0})
    few = hits()
    ask(neo4j_url, HISTORY, each=10_000, start=START_MS, **{"from": 1_000})
    many = hits()
    shown = 50 + 16
    assert many <= 3 * shown + shown * HITS_A_TOUCHPOINT < 2_000, "three identifiers are visited for a page"
    assert abs(many - few) < 50


def db_hits(plan: Any) -> int:
    return int(plan["args"].get("DbHits", 0)) + sum(db_hits(child) for child in plan.get("children", ()))


DENSE: Final = (
    "MATCH (hub:Identifier {number: 1}) WITH hub UNWIND range(1, 5000) AS k "
    "CREATE (o:Identifier {number: 10000 + k, customer: 10000 + k, id: 'idn_dense' + toString(k), generic: 2}) "
    "CREATE (o)-[:LINKED {pair: (10000 + k) * 4294967296 + 1, a: 10000 + k, b: 1, mark: 1 + k % 3, rank: k % 7, "
    "sources: 1, seen: [1, 0, 0, 1], first_ms: 0, last_ms: 0, count: 1}]->(hub)"
)


def test_a_page_of_links_reads_as_many_as_it_shows_however_many_there_are(
    store: Neo4jStore, asked: Asked, neo4j_url: str
) -> None:
    ask(neo4j_url, f"{DENSE} RETURN count(*)")
    with store.read() as view:
        for read in (view.links, view.refused_links):
            after = None
            for _ in range(3):
                asked.clear()
                page = read([1], 20, after)[1]
                assert len(page) == 20
                after = page[-1].pair
                [(statement, p)] = asked
                with bare(neo4j_url) as driver:
                    profile = driver.execute_query(f"PROFILE {statement}", p=p).summary.profile
                assert db_hits(profile) < 500
