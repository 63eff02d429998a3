"""How SQLite's search tables are kept: in steps, and without what was pruned."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from onefold.model.traits import TraitRule, TraitRules
from onefold.store.kept import MOST_VALUES
from onefold.store.sqlite.open import open_sqlite
from onefold.store.sqlite.reading.search import query
from onefold.store.sqlite.rows import ask
from onefold.store.sqlite.store import SqliteStore
from onefold.store.sqlite.writing.indexing import STEP
from tests.contract.building import Batch
from tests.contract.stores import NAMESPACES, TRAITS

BOTH = ("name", "colour")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_sqlite(tmp_path / "store.db", NAMESPACES, TRAITS)
    yield opened
    opened.close()


def add(store: SqliteStore, first: int, count: int, traits: Sequence[str] = ("name",)) -> None:
    """Customers with an e-mail address and these traits each."""
    with store.write() as transaction:
        batch = Batch(transaction)
        for number in range(first, first + count):
            batch.customer(f"email:person{number}@x.de")
            said = {trait: f"{trait.title()} {number}" for trait in traits}
            batch.touchpoint(f"email:person{number}@x.de", message_id=f"m{number}", traits=said)
        batch.apply()


def rename(store: SqliteStore, number: int, traits: Sequence[str] = ("name",)) -> None:
    """So often that what was said before is forgotten."""
    with store.write() as transaction:
        batch = Batch(transaction)
        for n in range(MOST_VALUES):
            newer = dict.fromkeys(traits, f"Newer {n}")
            batch.touchpoint(f"email:person{number}@x.de", minute=1, message_id=f"{number}/{n}", traits=newer)
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
    rename(store, 7)
    with store.read() as view:
        assert [hit.value for hit in view.search("name 7", 1)] == ["Name 70"]
    assert in_index(store, "trait_search", "name 7") == 110, "70 to 79, 700 to 799"


def test_processes_with_other_traits_files_agree_on_what_the_search_table_holds(tmp_path: Path) -> None:
    """Whoever came last decides. The table would be damaged if it were told to forget what it does not hold."""
    names = TraitRules({"name": TraitRule(searchable=True)})
    colours = TraitRules({"colour": TraitRule(searchable=True)})
    elder = open_sqlite(tmp_path / "store.db", NAMESPACES, names)
    add(elder, 0, STEP, BOTH)
    younger = open_sqlite(tmp_path / "store.db", NAMESPACES, colours)
    rename(elder, 7, BOTH)
    add(elder, STEP, STEP, BOTH)
    assert in_index(elder, "trait_search", "name") == 0
    assert in_index(elder, "trait_search", "colour") == 2 * STEP - 1
    assert in_index(elder, "trait_search", "colour 7") == 110
    rename(younger, 8, BOTH)
    assert in_index(younger, "trait_search", "colour") == 2 * STEP - 2
    with younger.read() as view:
        assert [hit.value for hit in view.search("colour 1999", 9)] == ["Colour 1999"]
        assert view.search("name", 9) == []
    younger._connections.writer.execute("INSERT INTO trait_search (trait_search, rank) VALUES ('integrity-check', 0)")
    elder.close()
    younger.close()
