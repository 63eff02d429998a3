"""Opening a store in Neo4j: it is made once, by whoever comes first; what the database says is told in our words."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from neo4j.exceptions import CypherSyntaxError

from onefold.errors import OnefoldError
from onefold.model.traits import TraitRules
from onefold.store.neo4j import connections
from onefold.store.neo4j.address import Address, address_of
from onefold.store.neo4j.connections import Connections
from onefold.store.neo4j.open import exists, open_neo4j
from onefold.store.neo4j.schema import migrations, statements
from onefold.store.neo4j.store import Neo4jStore
from onefold.store.passing import PassingError
from tests.contract.building import Batch, LostError
from tests.contract.stores import NAMESPACES, TRAITS
from tests.support.neo4j_server import ask

pytestmark = [pytest.mark.xdist_group("neo4j"), pytest.mark.slow]

FIRST = "MATCH (m:Meta {name: 'head'}) SET m.lock = 1 RETURN m.seq"


@pytest.fixture
def address(neo4j_url: str) -> Address:
    return address_of(neo4j_url)


@pytest.fixture
def connected(address: Address) -> Iterator[Connections]:
    with closing(Connections(address)) as opened:
        yield opened


def opened(address: Address, rules: TraitRules = TRAITS, *, read_only: bool = False) -> Neo4jStore:
    return open_neo4j(address, NAMESPACES, rules, read_only=read_only)


def drop_everything(url: str) -> None:
    ask(url, "MATCH (n) DETACH DELETE n")
    for [name] in ask(url, "SHOW CONSTRAINTS YIELD name"):
        ask(url, f"DROP CONSTRAINT {name}")
    for [name] in ask(url, "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name"):
        ask(url, f"DROP INDEX {name}")


def declared() -> set[str]:
    """The names of the indexes and constraints in the files; a constraint's index has its name."""
    return {name for file in migrations() for name in re.findall(r"(?:INDEX|CONSTRAINT) (\w+) IF", file.read_text())}


def test_those_who_make_a_store_at_once_make_one(neo4j_url: str, address: Address) -> None:
    drop_everything(neo4j_url)
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: opened(address), range(4)))
    assert len({store.secret for store in stores}) == 1
    for store in stores:
        store.close()
    online = ask(neo4j_url, "SHOW INDEXES YIELD name, type, state WHERE type <> 'LOOKUP' RETURN name, state")
    assert sorted(online) == sorted([name, "ONLINE"] for name in declared())


def test_a_store_that_is_to_be_read_is_not_made(neo4j_url: str, address: Address) -> None:
    ask(neo4j_url, "MATCH (n) DETACH DELETE n")
    assert not exists(address)
    with pytest.raises(OnefoldError, match=r"store\.unavailable: there is no store"):
        opened(address, read_only=True)
    assert ask(neo4j_url, "MATCH (n) RETURN n") == []
    opened(address).close()
    assert exists(address)


def test_every_store_draws_its_own_secret(neo4j_url: str, address: Address) -> None:
    secrets = set()
    for _ in range(2):
        ask(neo4j_url, "MATCH (n) DETACH DELETE n")
        with closing(opened(address)) as store:
            assert len(store.secret) == 32
            secrets.add(store.secret)
    assert len(secrets) == 2


def test_a_store_opened_for_reading_is_not_written(address: Address) -> None:
    with closing(opened(address, read_only=True)) as store, pytest.raises(OnefoldError) as raised, store.write():
        pass
    assert raised.value.code == "store.read_only"


def test_statements_of_a_migration_end_with_semicolons_at_the_end_of_a_line() -> None:
    text = "// About a; b\nCREATE INDEX a;\n  // c\nCREATE\n  INDEX 'x;y';\n"
    assert list(statements(text)) == ["CREATE INDEX a", "CREATE\n  INDEX 'x;y'"]


def test_a_bug_of_ours_is_no_failure_of_the_store(connected: Connections) -> None:
    with pytest.raises(CypherSyntaxError):
        connected.ask("RETRUN 1")


def test_a_transaction_is_taken_back_when_its_block_raises(connected: Connections) -> None:
    def fail() -> None:
        with connected.writing(FIRST) as (transaction, _):
            transaction.run("CREATE (:Commit {seq: 1})").consume()
            raise LostError

    with pytest.raises(LostError):
        fail()
    assert connected.ask("MATCH (c:Commit) RETURN count(c)") == [0]


def test_whoever_waits_too_long_for_the_writer_is_told_that_it_is_busy(
    address: Address, connected: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Connections(address)) as other, other.writing(FIRST):
        monkeypatch.setattr(connections, "WRITING_SECONDS", 0.3)
        monkeypatch.setattr(connections, "PATIENCE_SECONDS", 0.0)
        with pytest.raises(PassingError) as raised, connected.writing(FIRST):
            pass
    assert (raised.value.code, raised.value.undone) == ("store.busy", True)


def test_two_in_one_process_write_one_after_the_other(connected: Connections) -> None:
    order: list[str] = []
    begun = threading.Event()

    def second() -> None:
        begun.wait()
        with connected.writing(FIRST):
            order.append("second begins")

    thread = threading.Thread(target=second)
    thread.start()
    with connected.writing(FIRST):
        begun.set()
        order.append("first ends")
    thread.join()
    assert order == ["first ends", "second begins"]


def test_a_deadlock_may_pass(address: Address, connected: Connections) -> None:
    """Two transactions that take the same two locks in different orders: Neo4j ends one of them."""
    gate = "MATCH (m:Meta {name: 'gate'}) SET m.lock = 1"
    head = "MATCH (m:Meta {name: 'head'}) SET m.lock = 1"
    ended: list[PassingError] = []
    both = threading.Barrier(2, timeout=30)

    def take(one: str, other: str) -> None:
        try:
            with closing(Connections(address)) as own, own.writing(f"{one} RETURN 1") as (transaction, _):
                both.wait()
                transaction.run(other).consume()
        except PassingError as error:
            ended.append(error)

    threads = [threading.Thread(target=take, args=pair) for pair in ((gate, head), (head, gate))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(error.code, error.undone) for error in ended] == [("store.busy", True)]


def test_what_is_in_the_middle_of_something_when_the_store_is_closed_is_told_so(address: Address) -> None:
    store = opened(address)

    def interrupted() -> None:
        with store.write() as transaction:
            batch = Batch(transaction)
            batch.customer("user_id:ann")
            store.close()
            batch.apply()

    with pytest.raises(OnefoldError) as raised:
        interrupted()
    assert raised.value.code == "store.unavailable"
