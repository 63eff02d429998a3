"""The ten questions of docs/cypher.md are answered in Cypher as they are in GraphQL."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final, NamedTuple

import pytest

from onefold import demo
from onefold.service import Onefold
from onefold.settings import Settings
from onefold.store.neo4j.address import address_of
from onefold.store.neo4j.open import open_neo4j
from tests.api.graphql_shop import Shop
from tests.contract.stores import NAMESPACES, TRAITS
from tests.support.neo4j_server import ask, bare, wiped
from tests.tables import ROOT

pytestmark = [pytest.mark.xdist_group("neo4j"), pytest.mark.slow]

Rows = list[list[Any]]


class Question(NamedTuple):
    """A section of the guide: its number, its title, and the question in both languages."""

    number: int
    title: str
    cypher: str
    graphql: str

    def __str__(self) -> str:
        return f"{self.number}. {self.title}"


SECTION: Final = re.compile(
    r"^## (\d+)\. ([^\n]+)\n(?:(?!^## ).)*?^```cypher\n(.*?)^```\n+```graphql\n(.*?)^```", re.MULTILINE | re.DOTALL
)
QUESTIONS: Final = [
    Question(int(number), *texts)
    for number, *texts in SECTION.findall((ROOT / "docs" / "cypher.md").read_text(encoding="utf-8"))
]


@pytest.fixture(scope="module")
def shop(neo4j_database: str) -> Iterator[tuple[Shop, str]]:
    """A store in Neo4j in which the demo was told, and its URL."""
    url = wiped(neo4j_database)
    with (
        closing(open_neo4j(address_of(url), NAMESPACES, TRAITS)) as store,
        Onefold(store, NAMESPACES, TRAITS, Settings()) as onefold,
    ):
        assert demo.tell(onefold) == len(demo.events())
        yield Shop(onefold), url


def nodes(connection: Any) -> list[Any]:
    return [edge["node"] for edge in connection["edges"]]


def identifiers(data: Any) -> Rows:
    customer = data["customer"]
    return [[customer["id"], i["namespace"], i["value"]] for i in nodes(customer["identifiers"])]


def devices(data: Any) -> Rows:
    met = Counter(
        (i["value"], i["generic"])
        for touchpoint in nodes(data["customer"]["journey"])
        if touchpoint["device"]
        for i in [touchpoint["device"]["identifier"]]
    )
    return [[value, generic, count] for (value, generic), count in met.items()]


def shared_devices(data: Any) -> Rows:
    seen: dict[str, list[str]] = defaultdict(list)
    for change in nodes(data["changes"]):
        touchpoint = change["touchpoint"]
        if touchpoint and touchpoint["device"]:
            seen[touchpoint["device"]["identifier"]["value"]].append(touchpoint["customer"]["id"])
    return [[device, len(set(ids)), len(ids)] for device, ids in seen.items() if len(set(ids)) > 1]


def chain(data: Any) -> Rows:
    steps = data["why"]["chain"]
    values = [steps[0]["a"]["value"], *(step["b"]["value"] for step in steps)]
    return [[values, [step["link"]["count"] for step in steps]]]


def refused(data: Any) -> Rows:
    own = {i["value"] for i in nodes(data["customer"]["identifiers"])}
    rows = []
    for link in nodes(data["customer"]["refusedLinks"]):
        a, b = link["a"]["value"], link["b"]["value"]
        rows.append([*((a, b) if a in own else (b, a)), link["refused"]["reason"]])
    return rows


def largest(data: Any) -> Rows:
    customers = {
        change["identifier"]["customer"]["id"]: len(nodes(change["identifier"]["customer"]["identifiers"]))
        for change in nodes(data["changes"])
        if change["identifier"]
    }
    return sorted(([id_, size] for id_, size in customers.items()), key=lambda row: (-row[1], row[0]))[:3]


def second(at: str) -> str:
    """As Neo4j writes a time that has no milliseconds; the demo's have none."""
    return at.replace(".000Z", "Z")


def journey(data: Any) -> Rows:
    return [
        [t["id"], second(t["at"]), t["channel"], t["name"] or t["type"].lower(), t["subject"]["value"]]
        for t in nodes(data["customer"]["journey"])
    ]


def retroactive(data: Any) -> Rows:
    late = [t for t in nodes(data["customer"]["journey"]) if t["retroactive"]]
    return [[t["id"], second(t["linkedAt"])] for t in reversed(late)]


def said(data: Any) -> Rows:
    return [
        [trait["name"], [json.dumps(said["value"], ensure_ascii=False) for said in (trait, *trait["others"])]]
        for trait in data["customer"]["profile"]["traits"]
    ]


def history(data: Any) -> Rows:
    return [
        [d["id"], d["kind"].lower(), d["reason"], [i["value"] for i in d["identifiers"]]]
        for d in nodes(data["customer"]["history"])
    ]


IN_ANY_ORDER: Final = {identifiers, devices, shared_devices, refused}
ROWS_OF: Final[dict[int, Callable[[Any], Rows]]] = dict(
    enumerate(
        (
            identifiers, devices, shared_devices, chain, refused, largest, journey, retroactive, said, history,
        ),
        1,
    )
)  # fmt: skip
"""By the number of a question, the rows that Cypher answers with, made of what GraphQL answers."""


def test_there_are_ten_questions() -> None:
    assert [question.number for question in QUESTIONS] == list(ROWS_OF)


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_cypher_and_graphql_answer_alike(shop: tuple[Shop, str], question: Question) -> None:
    asked, url = shop
    rows_of = ROWS_OF[question.number]
    expected, found = rows_of(asked.ask(question.graphql)), ask(url, question.cypher)
    assert expected
    if rows_of in IN_ANY_ORDER:
        expected, found = sorted(expected), sorted(found)
    assert found == expected


@pytest.mark.parametrize("question", [q for q in QUESTIONS if "folded" in q.cypher], ids=str)
def test_a_question_about_one_customer_begins_at_the_text_index(shop: tuple[Shop, str], question: Question) -> None:
    with bare(shop[1]) as driver:
        plan = driver.execute_query(f"EXPLAIN {question.cypher}").summary.plan
    assert plan is not None
    told = plan["args"]["string-representation"]
    assert re.search(r"TEXT INDEX \w+:Identifier\(folded\)", told)
    assert "NodeByLabelScan" not in told
