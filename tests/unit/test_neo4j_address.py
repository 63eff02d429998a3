"""What the URL of a store in Neo4j says; and it never says more to people than where the store is."""

import pytest

from onefold.errors import OnefoldError
from onefold.store.neo4j.address import Address, address_of
from onefold.wiring import STORES, kind_of

READ = {
    "neo4j://localhost": Address("neo4j", "localhost", 7687, "neo4j"),
    "neo4j://localhost/": Address("neo4j", "localhost", 7687, "neo4j"),
    "neo4j://10.0.0.7:17687/people": Address("neo4j", "10.0.0.7", 17687, "people"),
    "neo4j://[::1]:7688/neo4j": Address("neo4j", "[::1]", 7688, "neo4j"),
    "neo4j://ann:pass@host": Address("neo4j", "host", 7687, "neo4j", ("ann", "pass")),
    "neo4j://ann@host": Address("neo4j", "host", 7687, "neo4j", ("ann", "")),
    "neo4j://a%40b:p%2F%3A%40%25%C3%BC@host/d%20b": Address("neo4j", "host", 7687, "d b", ("a@b", "p/:@%ü")),
    "neo4j://ann:p@ss@host": Address("neo4j", "host", 7687, "neo4j", ("ann", "p@ss")),
    "neo4j+s://host": Address("neo4j+s", "host", 7687, "neo4j"),
    "neo4j+ssc://host": Address("neo4j+ssc", "host", 7687, "neo4j"),
}


@pytest.mark.parametrize("url", READ)
def test_a_url_names_a_database(url: str) -> None:
    assert address_of(url) == READ[url]


SECRET = "hunter2"
UNREADABLE = [
    "neo4j:",
    "neo4j://",
    "neo4j:///neo4j",
    f"neo4j://ann:{SECRET}@",
    f"neo4j://ann:{SECRET}/x@host",
    f"neo4j://ann:{SECRET}#x@host",
    f"neo4j://ann:{SECRET}?x@host",
    f"neo4j://ann:{SECRET}@host:port/neo4j",
    f"neo4j://ann:{SECRET}@host/one/two",
    f"neo4j://ann:{SECRET}@host/neo4j?encrypted=true",
    f"neo4j://ann:{SECRET}@host/system",
    f"neo4j://ann:{SECRET}@[host",
]


@pytest.mark.parametrize("url", UNREADABLE)
def test_what_names_none_is_said_without_what_may_be_a_password(url: str) -> None:
    with pytest.raises(OnefoldError) as raised:
        kind_of(url).shown(url)
    error: BaseException | None = raised.value
    assert raised.value.code == "settings.invalid"
    assert "%40" in str(raised.value.hint)
    while error is not None:
        assert SECRET not in repr(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_password_is_not_shown() -> None:
    url = f"neo4j+s://ann:{SECRET}@host:1234/people"
    assert kind_of(url).shown(url) == str(address_of(url)) == "neo4j+s://host:1234/people"
    assert SECRET not in repr(address_of(url))


def test_the_driver_speaks_to_the_one_server_encrypted_if_so_wanted() -> None:
    servers = {address_of(f"{scheme}://host").server for scheme in STORES if scheme != "sqlite"}
    assert servers == {"bolt://host:7687", "bolt+s://host:7687", "bolt+ssc://host:7687"}
