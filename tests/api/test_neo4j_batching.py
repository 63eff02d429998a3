"""One operation asks Neo4j as few statements however many things it asks about: each is a round trip."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final

import neo4j
import pytest

from onefold.service import Onefold
from onefold.settings import Settings
from onefold.store.neo4j.address import address_of
from onefold.store.neo4j.open import open_neo4j
from tests.api.graphql_shop import Shop, key
from tests.api.test_graphql_batching import EVERYTHING, SHOPPING, visit
from tests.contract.stores import NAMESPACES, TRAITS
from tests.support.neo4j_server import wiped

pytestmark = [pytest.mark.xdist_group("neo4j"), pytest.mark.slow]

CUSTOMERS: Final = 12
RESOLVE: Final = """query ($identifiers: [IdentifierInput!]!) {
    resolve(identifiers: $identifiers) { customer { id lastSeen } } }"""
WITHOUT_SEGMENTS: Final = "\n".join(
    line for line in EVERYTHING.splitlines() if not line.lstrip().startswith(("segments", "consents"))
)
"""Each of the two is one more question."""
JOURNEY: Final = """query ($identifiers: [IdentifierInput!]!) { resolve(identifiers: $identifiers) { customer {
    id journey(first: 50) { edges { node { id at name channel } } } } } }"""


@pytest.fixture(scope="module")
def shop(neo4j_database: str) -> Iterator[Shop]:
    """Customers who each came six times, with two cookies, a phone and an address that the next one uses too."""
    with (
        closing(open_neo4j(address_of(wiped(neo4j_database)), NAMESPACES, TRAITS)) as store,
        Onefold(store, NAMESPACES, TRAITS, Settings()) as onefold,
    ):
        shop = Shop(onefold)
        for number in range(CUSTOMERS):
            shop.send(*(visit(number, visited) for visited in range(6)))
        yield shop


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that is asked from now on."""
    asked: list[str] = []

    def counting(run: Callable[..., Any]) -> Callable[..., Any]:
        def count(runner: Any, query: Any, *values: Any, **named: Any) -> Any:
            asked.append(query.text if isinstance(query, neo4j.Query) else query)
            return run(runner, query, *values, **named)

        return count

    for runner in (neo4j.Session, neo4j.Transaction):
        monkeypatch.setattr(runner, "run", counting(runner.run))
    return asked


@pytest.mark.parametrize(
    ("query", "most"),
    [(RESOLVE, 1), (JOURNEY, 2), (SHOPPING, 6), (WITHOUT_SEGMENTS, 21), (EVERYTHING, 23)],
    ids=["resolve", "journey", "shopping", "everything but segments and consents", "everything"],
)
def test_many_customers_take_as_many_statements_as_two(
    shop: Shop, statements: list[str], query: str, most: int
) -> None:
    counts = []
    shop.ask(query, identifiers=[key("user_id:u0")])  # so that what is read once a process is not counted
    for customers in (2, CUSTOMERS - 2):
        statements.clear()
        answer = shop.ask(query, identifiers=[key(f"user_id:u{number}") for number in range(customers)])["resolve"]
        assert len({row["customer"]["id"] for row in answer}) == customers
        counts.append(len(statements))
    assert counts[0] == counts[1] <= most, statements
