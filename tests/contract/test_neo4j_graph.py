"""graph_schema/README.md describes the graph that a store in Neo4j is: every label, relationship type and property; and
what stands there twice for those who read the graph says the same."""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from onefold.store.neo4j.address import address_of
from onefold.store.neo4j.open import open_neo4j
from tests.contract.stores import NAMESPACES, TRAITS
from tests.docs.test_graph_schema_readme import README
from tests.support.filled import fill, odd
from tests.support.neo4j_server import ask

pytestmark = [pytest.mark.xdist_group("neo4j"), pytest.mark.slow]

SECTION = README.split("\n## The graph in Neo4j\n")[1].split("\n## ")[0]
MORE_LABELS = ["Device", "Generic", "Operator"]
"""That a node may carry besides the one that says what it is."""

NODES = (
    "MATCH (n) UNWIND [label IN labels(n) WHERE NOT label IN $p.more] AS label UNWIND keys(n) AS name "
    "RETURN ':' + label, collect(DISTINCT name)"
)
RELATIONSHIPS = (
    "MATCH (a)-[r]->(b) WITH *, CASE WHEN type(r) = 'ON' AND b:Device THEN 'Device' ELSE head(labels(b)) END AS end "
    "UNWIND CASE keys(r) WHEN [] THEN [null] ELSE keys(r) END AS name "
    "RETURN '(:' + head(labels(a)) + ')-[:' + type(r) + ']->(:' + end + ')', collect(DISTINCT name)"
)
SAID_TWICE = {
    "HAS": "MATCH (i:Identifier) WHERE i.customer <> 0 AND COUNT { (:Customer {key: i.customer})-[:HAS]->(i) } <> 1",
    "one HAS": "MATCH (i:Identifier) WHERE COUNT { ()-[:HAS]->(i) } <> CASE i.customer WHEN 0 THEN 0 ELSE 1 END",
    "Customer.id": "MATCH (c:Customer) WHERE NOT EXISTS { (i:Identifier {number: c.anchor}) "
    "WHERE c.id = 'cus_' + substring(i.id, 4) }",
    "Customer.size": "MATCH (c:Customer) WHERE COUNT { (c)-[:HAS]->() } <> c.size",
    "LINKED": "MATCH (a)-[l:LINKED]->(b) WHERE l.a <> a.number OR l.b <> b.number "
    "OR l.count <> reduce(n = 0, k IN range(3, size(l.seen) - 1, 4) | n + l.seen[k]) "
    "OR l.sources <> [k IN range(0, size(l.seen) - 1, 4) | l.seen[k]]",
    "BY": "MATCH (t:Touchpoint) WHERE COUNT { (t)-[:BY]->(:Identifier {number: t.subject}) } <> 1",
    "one BY": "MATCH (t:Touchpoint) WHERE COUNT { (t)-[:BY]->() } <> 1",
    "ON": "MATCH (t:Touchpoint) WHERE COUNT { (t)-[:ON]->(:Device {number: t.device}) } "
    "<> CASE WHEN t.device IS NULL THEN 0 ELSE 1 END",
    "CLAIMS": "MATCH (c:Claim) WHERE COUNT { (:Identifier {number: c.identifier})-[:CLAIMS]->(c) } <> 1",
    "CONSENTS": "MATCH (c:Consent) WHERE COUNT { (:Identifier {number: c.identifier})-[:CONSENTS]->(c) } <> 1",
    "ABOUT": "MATCH (j:Judgement) WHERE NOT EXISTS { (:Identifier {number: j.a})<-[:ABOUT]-(j) } "
    "OR NOT EXISTS { (j)-[:ABOUT]->(:Identifier {number: j.b}) }",
    "CONCERNS": "MATCH (d:Decision) WITH d, reduce(all = [], n IN d.identifiers + d.customers | "
    "CASE WHEN n IN all THEN all ELSE all + n END) AS about "
    "WHERE COUNT { (d)-[c:CONCERNS {seq: d.seq}]->(i:Identifier) WHERE i.number = c.identifier AND i.number IN about } "
    "<> size(about)",
    ":Device": "MATCH (i:Identifier) WHERE i:Device <> (i.namespace IN $p.devices)",
    ":Generic": "MATCH (i:Identifier) WHERE i:Generic <> (i.generic <= 1)",
    ":Operator": "MATCH (i:Identifier) WHERE i:Operator <> (i.customer = 0)",
    "MEMBER_OF": "MATCH (i)-[m:MEMBER_OF]->(s) WHERE m.anchor <> i.number OR m.segment <> s.number "
    "OR m.pair <> m.segment * 4294967296 + m.anchor",
    "Segment.count": "MATCH (s:Segment) WHERE COUNT { ()-[:MEMBER_OF]->(s) } <> s.count",
    "Commit": "MATCH (m:Meta {name: 'head'}) WHERE NOT EXISTS { (c:Commit {seq: m.seq}) "
    "WHERE all(k IN ['identifier', 'customer', 'judgement', 'customers', 'links', 'touchpoints', 'decisions'] "
    "WHERE c[k] = m[k]) }",
    "counts": "MATCH (m:Meta {name: 'head'}) WHERE m.customers <> COUNT { (:Customer) } "
    "OR m.links <> COUNT { ()-[:LINKED]->() } OR m.touchpoints <> COUNT { (:Touchpoint) } "
    "OR m.decisions <> COUNT { (:Decision) }",
}
"""What finds nodes of which the properties say something else than the graph."""


@pytest.fixture
def graph(neo4j_url: str) -> Iterator[str]:
    """The URL of a store in which there is something of every kind, in which two are still judged to be one."""
    with closing(open_neo4j(address_of(neo4j_url), NAMESPACES, TRAITS)) as store:
        filler = fill(store, NAMESPACES)
        filler.judge("same", "user_id:user 10", "user_id:user 11")
        filler.send([odd(6, userId="user 1", timestamp="1969-12-31T00:00:00Z")])
        yield neo4j_url


def described() -> dict[str, set[str]]:
    """Label, or relationship with its ends → the properties that its section lists."""
    return {
        section.splitlines()[0]: set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
        for section in SECTION.split("\n### ")[1:]
    }


def stored(url: str) -> dict[str, set[str]]:
    rows: list[list[Any]] = ask(url, NODES, more=MORE_LABELS) + ask(url, RELATIONSHIPS)
    return {what: set(names) for what, names in rows}


def test_the_graph_is_as_it_is_described(graph: str) -> None:
    assert described() == stored(graph)
    assert set(re.findall(r"`:(\w+)`", SECTION)) >= set(MORE_LABELS)


def test_what_stands_there_twice_is_the_same(graph: str) -> None:
    assert said_otherwise(graph) == set()


def said_otherwise(url: str) -> set[str]:
    """What the graph says in two ways that differ."""
    devices = [namespace.name for namespace in NAMESPACES if namespace.kind == "device"]
    return {what for what, finding in SAID_TWICE.items() if ask(url, f"{finding} RETURN 1 LIMIT 1", devices=devices)}
