"""Opening a SQLite file: each way it can go wrong says which, and leaves the file alone."""

import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import apsw
import pytest

from onefold.errors import OnefoldError
from onefold.model import namespaces_file
from onefold.schema_files import schema_file
from onefold.store.sqlite.connections import Connections
from onefold.store.sqlite.open import APPLICATION_ID, open_sqlite, path_of
from onefold.store.sqlite.store import SqliteStore
from tests.contract.building import Batch, customer_of
from tests.contract.stores import NAMESPACES, TRAITS

LATEST: Final = len(list(schema_file("sqlite/0001_core.sql").parent.glob("*.sql")))


def opened(path: Path, *, read_only: bool = False) -> SqliteStore:
    return open_sqlite(path, NAMESPACES, TRAITS, read_only=read_only)


def refused(path: Path, *, read_only: bool = False) -> OnefoldError:
    """Why it cannot be opened; the file, if there is one, is as it was."""
    before = hashlib.sha256(path.read_bytes()).digest() if path.is_file() else None
    with pytest.raises(OnefoldError) as raised:
        opened(path, read_only=read_only)
    after = hashlib.sha256(path.read_bytes()).digest() if path.is_file() else None
    assert before == after
    assert str(path) in raised.value.message
    assert raised.value.hint
    return raised.value


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A store with one customer."""
    store = opened(tmp_path / "store.db")
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        batch.apply()
    store.close()
    return tmp_path / "store.db"


def test_urls_name_files() -> None:
    assert path_of("sqlite:///onefold.db") == Path("onefold.db")
    assert path_of("sqlite:///data/my store.db") == Path("data/my store.db")
    assert path_of("sqlite:////var/lib/onefold.db") == Path("/var/lib/onefold.db")


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:////", "sqlite:onefold.db", "neo4j://x", "onefold.db"]
)
def test_other_urls_are_none(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///"):
        path_of(url)


def test_a_relative_path_is_taken_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("onefold.db", ":memory:", "file:x?mode=memory"):
        opened(Path(name)).close()
        assert (tmp_path / name).stat().st_size > 0


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "store.db").touch()
    store = opened(tmp_path / "store.db")
    assert len(store.secret) == 32
    store.close()


@pytest.fixture
def usual_umask() -> Iterator[None]:
    """Files that are made may be read by everybody, unless they are made otherwise."""
    kept = os.umask(0o022)
    yield
    os.umask(kept)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


@pytest.mark.usefixtures("usual_umask")
def test_a_new_store_with_its_secret_is_for_its_user_alone(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.db").symlink_to(tmp_path / "store.db")
    store = opened(tmp_path / "elsewhere.db")
    assert modes(tmp_path) == dict.fromkeys(("elsewhere.db", "store.db", "store.db-wal", "store.db-shm"), 0o600)
    store.close()


@pytest.mark.usefixtures("usual_umask")
def test_a_file_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    (tmp_path / "store.db").touch()
    store = opened(tmp_path / "store.db")
    assert modes(tmp_path) == dict.fromkeys(("store.db", "store.db-wal", "store.db-shm"), 0o644)
    store.close()


def test_every_store_draws_its_own_secret(tmp_path: Path) -> None:
    secrets = set()
    for name in ("a", "b"):
        store = opened(tmp_path / name)
        secrets.add(store.secret)
        store.close()
    assert len(secrets) == 2


def test_two_that_make_a_store_at_once_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have seen an empty file before either begins."""
    barrier, kept = threading.Barrier(2), Connections.prepare_to_write

    def meet(connections: Connections) -> None:
        kept(connections)
        barrier.wait(10)

    monkeypatch.setattr(Connections, "prepare_to_write", meet)
    with ThreadPoolExecutor(2) as pool:
        stores = list(pool.map(opened, [tmp_path / "store.db"] * 2))
    assert stores[0].secret == stores[1].secret
    for store in stores:
        store.close()


def test_the_file_says_whose_it_is(made: Path) -> None:
    connection = apsw.Connection(str(made))
    assert connection.pragma("application_id") == APPLICATION_ID
    assert connection.pragma("user_version") == LATEST
    connection.close()


def test_a_folder_that_is_not_there_cannot_be_written(tmp_path: Path) -> None:
    assert refused(tmp_path / "missing" / "store.db").code == "store.unwritable"


def test_a_file_is_no_folder(made: Path) -> None:
    assert refused(made / "store.db").code == "store.unwritable"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path).code == "store.unwritable"


def test_a_folder_that_takes_no_files(tmp_path: Path) -> None:
    """Nobody, not even root, makes files in /proc."""
    assert refused(Path("/proc/onefold.db")).code == "store.unwritable"


def test_a_file_that_may_not_be_written(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write to anything, so the file system says no by SQLite's own means: an immutable read-only open."""
    kept = apsw.Connection

    def read_only(name: str, flags: int, **more: Any) -> apsw.Connection:
        return kept(name, flags=apsw.SQLITE_OPEN_READONLY, **more)

    monkeypatch.setattr(apsw, "Connection", read_only)
    assert refused(made).code == "store.unwritable"


def test_a_file_system_without_shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite comes with a way to files that makes do without; it then keeps another kind of journal."""
    kept = apsw.Connection

    def apart(name: str, **more: Any) -> apsw.Connection:
        return kept(name, vfs="unix-dotfile", **more)

    monkeypatch.setattr(apsw, "Connection", apart)
    (tmp_path / "store.db").touch()
    error = refused(tmp_path / "store.db")
    assert error.code == "store.unavailable"
    assert "share memory" in error.message
    assert (tmp_path / "store.db").stat().st_size == 0


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary, " * 1_000)
    assert refused(path).code == "store.not_ours"
    assert refused(path, read_only=True).code == "store.not_ours"


def test_the_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE contacts (name)")
    connection.close()
    assert refused(path).code == "store.not_ours"


@pytest.mark.parametrize("pragma", ["application_id = 1196444487", "user_version = 3"])
def test_a_database_that_another_program_marked_as_its_own(tmp_path: Path, pragma: str) -> None:
    path = tmp_path / "other.db"
    connection = apsw.Connection(str(path))
    connection.execute(f"PRAGMA {pragma}")
    connection.close()
    assert refused(path).code == "store.not_ours"


def test_a_store_of_a_newer_onefold(made: Path) -> None:
    connection = apsw.Connection(str(made))
    connection.execute(f"PRAGMA user_version = {LATEST + 1}")
    connection.close()
    error = refused(made)
    assert error.code == "store.newer_schema"
    assert f"version {LATEST + 1}, and this onefold knows {LATEST}" in error.message


def test_namespaces_that_stitch_otherwise(made: Path) -> None:
    text = schema_file("namespaces.yaml").read_text()
    changed = namespaces_file.parse(text.replace("fanout: 5", "fanout: 6"))
    with pytest.raises(OnefoldError) as raised:
        open_sqlite(made, changed, TRAITS)
    assert raised.value.code == "store.rules_changed"
    opened(made).close()


def test_namespaces_that_only_read_otherwise(made: Path) -> None:
    text = schema_file("namespaces.yaml").read_text()
    harmless = namespaces_file.parse(text.replace("blocked:", "blocked:\n  - nobody-at-all", 1))
    store = open_sqlite(made, harmless, TRAITS)
    assert store.describe() == str(made)
    store.close()


def test_opened_for_reading_only(made: Path) -> None:
    store = opened(made, read_only=True)
    with store.read() as view:
        assert customer_of(view, "user_id:ann") == 1
    with pytest.raises(OnefoldError) as raised, store.write():
        pass
    assert raised.value.code == "store.read_only"
    store.close()


def test_reading_only_makes_no_store(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.db", read_only=True).code == "store.unavailable"
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "empty.db").touch()
    assert refused(tmp_path / "empty.db", read_only=True).code == "store.read_only"


def test_a_damaged_store_says_so(made: Path) -> None:
    content = bytearray(made.read_bytes())
    content[4096 : len(content)] = b"\xff" * (len(content) - 4096)
    made.write_bytes(content)
    with pytest.raises(OnefoldError) as raised:
        opened(made)
    assert raised.value.code == "store.unavailable"
    assert "damaged" in raised.value.message


def test_a_failed_opening_leaves_no_handle(tmp_path: Path) -> None:
    """The file can be removed and made anew at once."""
    path = tmp_path / "store.db"
    path.write_text("Dear diary, " * 1_000)
    refused(path)
    path.unlink()
    opened(path).close()
    assert path.read_bytes().startswith(b"SQLite format 3")
