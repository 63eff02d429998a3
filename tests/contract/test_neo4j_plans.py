"""How Neo4j reaches what a statement asks for: by an index, never by going through all that has a label or a type."""

import ast
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import neo4j
import pytest

from onefold.model.reading import Reject
from onefold.model.traits import TraitRule, TraitRules
from onefold.stitch.needs import Customers
from onefold.store import neo4j as package
from onefold.store.base import Ahead
from onefold.store.columns import ColumnKind
from onefold.store.neo4j.address import address_of
from onefold.store.neo4j.open import open_neo4j
from onefold.store.neo4j.store import Neo4jStore
from tests.contract.building import Batch, at
from tests.contract.stores import NAMESPACES
from tests.contract.test_sqlite_plans import NEEDS, PAGES
from tests.contract.test_sqlite_statements import ASKED
from tests.support.filled import fill, key
from tests.support.glances import glancing
from tests.support.neo4j_server import bare

pytestmark = [pytest.mark.xdist_group("neo4j"), pytest.mark.slow]

CYPHER = re.compile(r"(CYPHER|CALL|CREATE|MATCH|MERGE|OPTIONAL|UNWIND|WITH) ")
THROUGH_ALL = re.compile(
    r"AllNodesScan|\w*ByLabels?Scan|\w*(Relationships|Type|RelationshipIndex)Scan|Node(Unique)?IndexScan"
)
"""Operators that go through everything, or through all of one label, type or index."""
DENSE = re.compile(r"<-\[\w*:(BY|ON|CONCERNS|ABOUT|LINKED)\]|\[\w*:LINKED\]->|-\[\w*:LINKED\]-|-\[\w*\]-")
"""Expanding what a node may have very many of."""
Asked = dict[str, dict[str, Any]]
"""Statements, each with parameters that it was run with."""


@pytest.fixture
def asked(neo4j_url: str, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Everything that was asked of a store on which everything was done that a store does."""
    statements: Asked = {}
    for runner in (neo4j.Session, neo4j.Transaction):
        monkeypatch.setattr(runner, "run", remembering(runner.run, statements))
    rules = TraitRules({}, TraitRule(searchable=True))
    with closing(open_neo4j(address_of(neo4j_url), NAMESPACES, rules)) as store, glancing(earliest=True):
        everything(store)
    return statements


def remembering(run: Callable[..., Any], statements: Asked) -> Callable[..., Any]:
    def remember(runner: Any, query: Any, *values: Any, **named: Any) -> Any:
        text = query.text if isinstance(query, neo4j.Query) else query
        if "p" in named:
            statements[text] = named["p"]
        return run(runner, query, *values, **named)

    return remember


def everything(store: Neo4jStore) -> None:
    """Write and read all that there is."""
    fill(store, NAMESPACES, 120)
    with store.write(Ahead([], [], lambda: Ahead([b"." * 16], [[key("user_id:user 1")]]))) as transaction:
        for need in NEEDS:
            transaction.answer(need)
        transaction.known_messages([b"." * 16])
        batch = Batch(transaction)
        batch.touchpoint("user_id:user 1", operators=("staff_id:clerk 7", "staff_id:new"), consents={"news": True})
        transaction.answer(Customers([1]))
        batch.apply()
        transaction.reject(Reject(at(n), "shop", "x", None, "no", None, b"{}") for n in range(3))
    readings: list[Callable[[Any], object]] = [*PAGES]
    readings += [partial(lambda asking, view: asking(view, 60), asking) for asking in ASKED.values()]
    for reading in readings:
        with store.read() as view:
            reading(view)
    with store.read(hold=True) as view:
        view.head()
    for kind in ColumnKind:
        store.page(kind, 0, 1 << 62, 60)


def operators(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The operators of a plan, each with its details."""
    yield plan["operatorType"].split("@")[0], plan["args"].get("Details", "")
    for child in plan.get("children", ()):
        yield from operators(child)


def through_all(driver: neo4j.Driver, statement: str, p: dict[str, Any]) -> set[str]:
    """The operators of a statement's plan that go through too much."""
    plan = driver.execute_query(f"EXPLAIN {statement}", p=p).summary.plan
    assert plan is not None
    return {
        f"{name} {details}"
        for name, details in operators(plan)
        if THROUGH_ALL.fullmatch(name) or (name.startswith("Expand") and DENSE.search(details))
    }


def test_no_statement_goes_through_all_of_anything(asked: Asked, neo4j_url: str) -> None:
    assert len(asked) > 50
    with bare(neo4j_url) as driver:
        found = {statement: through_all(driver, statement, p) for statement, p in asked.items()}
        assert {statement: much for statement, much in found.items() if much} == {}


def test_every_statement_of_the_store_is_looked_at(asked: Asked) -> None:
    """Whatever the code of the store spells out occurs in something that was asked, but for what makes a store."""
    spelt = [
        part.value.split("{")[0]
        for path in Path(*package.__path__).rglob("*.py")
        if path.name != "schema.py" and path.parent.name != "copying"
        for part in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and CYPHER.match(part.value)
    ]
    assert len(spelt) > 50
    assert [text for text in spelt if not any(text in statement for statement in asked)] == []


@pytest.mark.parametrize(
    ("statement", "operator"),
    [
        ("MATCH (n) RETURN count(n.number)", "AllNodesScan"),
        ("MATCH (i:Identifier) RETURN i.value", "NodeByLabelScan"),
        ("MATCH (i:Identifier) WHERE i.number IS NOT NULL RETURN i.value", "NodeIndexScan"),
        ("MATCH ()-[l:LINKED]->() RETURN l.seen", "DirectedRelationshipTypeScan"),
        ("MATCH ()-[l]->() RETURN l.seen", "DirectedAllRelationshipsScan"),
        ("MATCH (:Identifier {number: 1})-[l:LINKED]-() RETURN l.seen", "Expand(All)"),
        ("MATCH (:Identifier {number: 1})<-[:BY]-(t) RETURN t.name", "Expand(All)"),
    ],
)
def test_going_through_everything_is_noticed(neo4j_url: str, statement: str, operator: str) -> None:
    with bare(neo4j_url) as driver:
        [found] = through_all(driver, statement, {})
        assert found.startswith(operator)
