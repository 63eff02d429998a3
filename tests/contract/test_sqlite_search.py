"""How SQLite's search tables are kept: in steps, and without what was pruned."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.store.sqlite.folding import query
from onefold.store.sqlite.open import open_sqlite
from onefold.store.sqlite.rows import ask
from onefold.store.sqlite.store import SqliteStore
from onefold.store.sqlite.writing.indexing import STEP
from tests.contract.building import Batch
from tests.contract.stores import NAMESPACES, TRAITS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_sqlite(tmp_path / "store.db", NAMESPACES, TRAITS)
    yield opened
    opened.close()


def add(store: SqliteStore, first: int, count: int) -> None:
    """Customers with an e-mail address and a name each."""
    with store.write() as transaction:
        batch = Batch(transaction)
        for number in range(first, first + count):
            batch.customer(f"email:person{number}@x.de")
            batch.touchpoint(f"email:person{number}@x.de", message_id=f"m{number}", traits={"name": f"Name {number}"})
        batch.apply()


def in_index(store: SqliteStore, table: str, text: str) -> int:
    """How many values of a search table hold a text."""
    statement = f"SELECT count(*) FROM {table} s WHERE s.value MATCH ?"
    found: int = ask(store._connections.writer, statement, query(text))[0][0]
    return found


def test_search_tables_follow_in_steps(store: SqliteStore) -> None:
    add(store, 0, STEP - 1)
    assert in_index(store, "identifier_search", "person") == 0
    assert in_index(store, "trait_search", "name") == 0
    add(store, STEP - 1, 1)
    assert in_index(store, "identifier_search", "person") == STEP
    assert in_index(store, "trait_search", "name") == STEP
    add(store, STEP, 1)
    assert in_index(store, "identifier_search", "person") == STEP
    with store.read() as view:
        assert len(view.search("person", 2 * STEP)) == len(view.search("name", 2 * STEP)) == STEP + 1


def test_what_is_pruned_leaves_the_search_table(store: SqliteStore) -> None:
    add(store, 0, STEP)
    assert in_index(store, "trait_search", "name 7") > 0
    with store.write() as transaction:
        batch = Batch(transaction)
        for number in range(50):
            newer = {"name": f"Newer {number}"}
            batch.touchpoint("email:person7@x.de", minute=1, message_id=f"newer{number}", traits=newer)
        batch.apply()
    with store.read() as view:
        assert [hit.value for hit in view.search("name 7", 1)] == ["Name 70"]
    assert in_index(store, "trait_search", "name 7") == 110, "70 to 79, 700 to 799"
