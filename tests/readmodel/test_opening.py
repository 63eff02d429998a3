"""Files of read models: taken, found again, and made anew when they are of no use."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pytest

from onefold.errors import OnefoldError
from onefold.model.traits import Survivorship, TraitRule, TraitRules
from onefold.readmodel import catching_up, database, filling
from onefold.readmodel.database import Database
from onefold.readmodel.model import ReadModel
from onefold.readmodel.slots import MOST_FILES
from onefold.store.base import Store
from onefold.store.sqlite.open import open_sqlite
from onefold.store.view import Head
from tests.contract.stores import NAMESPACES, TRAITS
from tests.readmodel.models import check, count, reading
from tests.support.filled import Filler, fill, odd


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_sqlite(tmp_path / "store.db", NAMESPACES, TRAITS)
    fill(made, NAMESPACES, 200)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store.db.readmodel"


@pytest.fixture
def fills(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows whenever a read model is made from all there is."""
    made: list[str] = []
    fill_all = filling.fill

    def counted(
        connection: duckdb.DuckDBPyConnection, store: Store, head: Head, named: list[str], parted: Callable[[], None]
    ) -> None:
        made.append(store.describe())
        fill_all(connection, store, head, named, parted)

    monkeypatch.setattr(catching_up, "fill", counted)
    return made


def test_a_file_is_found_again_and_only_caught_up(store: Store, folder: Path, fills: list[str]) -> None:
    with reading(store, folder) as model:
        check(model, store)
    assert sorted(file.name for file in folder.iterdir()) == ["1.duckdb", "1.lock"]
    Filler(store, NAMESPACES).send([odd(900 + n, userId=f"user {n}") for n in range(9)])
    with reading(store, folder) as model:
        check(model, store)
    assert len(fills) == 1


def test_its_folder_is_for_its_owner_alone(store: Store, folder: Path) -> None:
    with reading(store, folder) as model:
        count(model)
    assert folder.stat().st_mode & 0o077 == 0


def test_each_model_has_a_file_of_its_own_and_memory_when_there_is_none(store: Store, folder: Path) -> None:
    with ExitStack() as opened:
        models = [opened.enter_context(reading(store, folder)) for _ in range(MOST_FILES + 1)]
        assert {count(model) for model in models} == {count(models[0])}
        assert len(list(folder.glob("*.duckdb"))) == MOST_FILES
    with reading(store, folder) as model:
        count(model)
    assert len(list(folder.glob("*.duckdb"))) == MOST_FILES


def test_where_no_file_can_be_made_memory_does(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("no folder")
    with reading(store, tmp_path / "a file") as model:
        check(model, store)


def truncated(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def cut_to_nothing(file: Path) -> None:
    file.write_bytes(b"")


def no_database(file: Path) -> None:
    file.write_text("this is not a database\n" * 1_000)


def overwritten_in_the_middle(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 3)
        opened.write(b"\xff" * (file.stat().st_size // 2))


def of_another_version(file: Path) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute("UPDATE internal.meta SET value = 'newer' WHERE name = 'version'")


def without_its_facts(file: Path) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute("DROP SCHEMA internal CASCADE")


@pytest.mark.parametrize(
    "damage",
    [truncated, cut_to_nothing, no_database, overwritten_in_the_middle, of_another_version, without_its_facts],
)
def test_a_file_that_is_of_no_use_is_made_anew(
    damage: Callable[[Path], None], store: Store, folder: Path, fills: list[str]
) -> None:
    with reading(store, folder) as model:
        check(model, store)
    damage(folder / "1.duckdb")
    with reading(store, folder) as model:
        asked_until_well(model, store)
    assert len(fills) == 2


def test_damage_that_only_questions_meet_is_told_once(store: Store, folder: Path, fills: list[str]) -> None:
    with reading(store, folder) as model:
        check(model, store)
    file = folder / "1.duckdb"
    whole = file.read_bytes()
    for start in range(274_432, len(whole), 262_144):  # DuckDB's blocks, after the first
        file.write_bytes(whole[: start + 100] + b"\xff" * 2_000 + whole[start + 2_100 :])
        with reading(store, folder) as model:
            asked_until_well(model, store)
        if not file.exists():
            break
    assert len(fills) == 2


def asked_until_well(model: ReadModel, store: Store) -> None:
    """Damage that is met in the middle of a question is told once; the next question is answered."""
    try:
        check(model, store)
    except OnefoldError as error:
        if error.code != "store.unavailable":
            raise
        check(model, store)


@pytest.mark.parametrize(("spoil", "made"), [(lambda _: None, 1), (truncated, 2)], ids=["well", "spoilt"])
def test_a_file_that_much_was_written_to_is_opened_again_before_anybody_asks(
    spoil: Callable[[Path], object], made: int, store: Store, folder: Path, fills: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """If it should be spoilt in that moment it is made anew, like any other."""
    files, opening = [], Database._opened

    def opened(opened_one: Database) -> duckdb.DuckDBPyConnection:
        files.append(file := folder / "1.duckdb")
        if len(files) == 2:
            spoil(file)
        return opening(opened_one)

    monkeypatch.setattr(Database, "_opened", opened)
    monkeypatch.setattr(catching_up, "FAR", 50)
    with reading(store, folder) as model:
        check(model, store)
        assert len(files) == 2
        Filler(store, NAMESPACES).send([odd(900 + n, userId=f"user {n}") for n in range(60)])
        check(model, store)
    assert len(files) == 2, "not when others may be asking"
    assert len(fills) == made


def test_a_file_of_another_store_is_made_anew(store: Store, folder: Path, tmp_path: Path, fills: list[str]) -> None:
    with reading(store, folder) as model:
        check(model, store)
    other = open_sqlite(tmp_path / "other.db", NAMESPACES, TRAITS)
    fill(other, NAMESPACES, 250)
    with reading(other, folder) as model:
        check(model, other)
    other.close()
    assert len(fills) == 2


def test_other_rules_of_survivorship_make_it_anew(store: Store, folder: Path, fills: list[str]) -> None:
    with reading(store, folder) as model:
        check(model, store)
    oldest = TraitRules({"name": TraitRule(Survivorship.OLDEST)}, TraitRule(Survivorship.MOST_FREQUENT))
    with reading(store, folder, oldest) as model:
        check(model, store, oldest)
    assert len(fills) == 2


def test_a_store_that_has_gone_back_is_read_anew(store: Store, folder: Path, tmp_path: Path, fills: list[str]) -> None:
    """A backup was put in its place, and then it went another way, past where the read model had come."""
    store.close()
    shutil.copy(tmp_path / "store.db", tmp_path / "backup.db")
    for place, more in (("store.db", 20), ("backup.db", 30)):
        gone_on = open_sqlite(tmp_path / place, NAMESPACES, TRAITS)
        Filler(gone_on, NAMESPACES).send([odd(700 + n, userId=f"{place} {n}") for n in range(more)])
        with reading(gone_on, folder) as model:
            check(model, gone_on)
        gone_on.close()
    assert len(fills) == 2


def test_a_store_that_goes_back_while_it_is_open_is_read_anew(
    store: Store, folder: Path, tmp_path: Path, fills: list[str]
) -> None:
    before = tmp_path / "before.db"
    store.close()
    shutil.copy(tmp_path / "store.db", before)
    opened = open_sqlite(tmp_path / "store.db", NAMESPACES, TRAITS)
    Filler(opened, NAMESPACES).send([odd(900, userId="user 1")])
    earlier = open_sqlite(before, NAMESPACES, TRAITS)
    with reading(opened, folder) as model:
        check(model, opened)
        model._store = earlier  # type: ignore[misc]
        check(model, earlier)
    opened.close()
    earlier.close()
    assert len(fills) == 2


def test_another_version_of_the_tables_is_another_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    now = database.identity_of(b"s", TRAITS)
    monkeypatch.setattr(database, "FILES", ("tables.sql", "macros.sql"))
    assert database.identity_of(b"s", TRAITS)["version"] != now["version"]


def test_whoever_asks_reaches_neither_files_nor_settings(store: Store, tmp_path: Path) -> None:
    with reading(store) as model:
        for statement in (
            f"COPY internal.identifiers TO '{tmp_path / 'stolen.csv'}'",
            f"ATTACH '{tmp_path / 'store.db'}'",
            "SELECT * FROM read_text('/etc/hostname')",
            "INSTALL httpfs",
            "SET memory_limit = '10GB'",
            "SELECT * FROM tmp_path",
        ):
            with model.ask() as asking, pytest.raises(duckdb.Error):
                asking.rows(statement)


def test_a_question_writes_nothing(store: Store) -> None:
    with reading(store) as model:
        before = count(model)
        with model.ask() as asking, pytest.raises(duckdb.Error, match="read-only"):
            asking.rows("DELETE FROM internal.touchpoints")
        assert count(model) == before


def test_what_does_not_fit_into_memory_is_written_to_disk(store: Store, folder: Path) -> None:
    with reading(store, folder, memory="64MB") as model:
        with model.ask() as asking:
            asking.rows("CREATE TEMP TABLE large AS SELECT n, md5(n::VARCHAR) AS text FROM range(3_000_000) r (n)")
            assert any((folder / "1.tmp").iterdir())
            assert asking.rows("SELECT count(DISTINCT text) FROM large WHERE n < 1_000") == [(1_000,)]
        check(model, store)
    assert not (folder / "1.tmp").exists()


SORTED = "SELECT list(i ORDER BY i % 7) FROM range(20_000_000) t (i)"
TWICE = "SELECT count(*) FROM (SELECT DISTINCT md5(n::VARCHAR) AS text FROM range(3_000_000) r (n))"


def test_a_question_that_needs_more_memory_than_there_is_says_so(store: Store) -> None:
    with reading(store, memory="64MB") as model:
        with pytest.raises(OnefoldError) as told, model.ask() as asking:
            asking.rows(SORTED)
        assert (told.value.code, told.value.hint) == ("store.unavailable", "Raise the setting read_model_memory.")
        check(model, store)


def test_where_nothing_can_be_spilled_to_the_file_stays(store: Store, folder: Path, fills: list[str]) -> None:
    """As on a full disk."""
    folder.mkdir()
    (folder / "1.tmp").write_text("no folder")
    with reading(store, folder, memory="64MB") as model:
        with pytest.raises(OnefoldError, match="cannot write what does not fit"), model.ask() as asking:
            asking.rows(TWICE)
        check(model, store)
        Filler(store, NAMESPACES).send([odd(900, userId="user 1")])
        check(model, store)
        assert (folder / "1.duckdb").exists()
    assert len(fills) == 1


def test_what_cannot_be_spilled_in_catching_up_deletes_no_file(
    store: Store, folder: Path, fills: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with reading(store, folder) as model:
        check(model, store)
        Filler(store, NAMESPACES).send([odd(900, userId="user 1")])

        def full(*_: object) -> None:
            raise duckdb.IOException(f'IO Error: Could not write file "{folder / "1.tmp"}/0": No space left on device')

        monkeypatch.setattr(catching_up, "_apply", full)
        with pytest.raises(OnefoldError, match="cannot write what does not fit"):
            count(model)
        monkeypatch.undo()
        assert (folder / "1.duckdb").exists()
        check(model, store)


PROGRESS = """
from pathlib import Path
import sys
from onefold.model.traits import TraitRules
from onefold.readmodel.database import Database
from onefold.readmodel.place import Place

facts = {"version": "1"}
for folder in (None, Path(sys.argv[1]), Path(sys.argv[1])):
    database = Database(Place(folder=folder), facts, TraitRules({}))
    for connection in (database.connection, database.connection.cursor()):
        print(*connection.execute("SELECT current_setting('enable_progress_bar')").fetchone())
    database.close()
"""


def test_no_progress_is_drawn_on_a_terminal(folder: Path) -> None:
    """DuckDB draws a bar where Python runs without a file: with -c, or at its prompt."""
    asked = [sys.executable, "-c", PROGRESS, str(folder)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False"] * 6


def test_a_closed_model_says_so(store: Store, folder: Path) -> None:
    with reading(store, folder) as model:
        count(model)
    with pytest.raises(OnefoldError, match=r"store.unavailable"):
        count(model)
