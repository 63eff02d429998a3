"""What makes a commit durable: the settings of every connection, and syncing seen from below SQLite."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from onefold.errors import OnefoldError
from onefold.store.sqlite import connections
from onefold.store.sqlite.open import open_sqlite
from onefold.store.sqlite.store import SqliteStore
from tests.contract.building import Batch, customer_of, message
from tests.contract.stores import NAMESPACES, TRAITS


@pytest.fixture
def every(monkeypatch: pytest.MonkeyPatch) -> list[apsw.Connection]:
    """Every connection that is opened from now on."""
    found: list[apsw.Connection] = []
    kept = apsw.Connection

    def remember(*args: Any, **more: Any) -> apsw.Connection:
        found.append(kept(*args, **more))
        return found[-1]

    monkeypatch.setattr(apsw, "Connection", remember)
    return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_sqlite(tmp_path / "store.db", NAMESPACES, TRAITS)
    yield opened
    opened.close()


def add(store: SqliteStore, name: str, properties: int = 0) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer(f"user_id:{name}")
        batch.touchpoint(f"user_id:{name}", message_id=name, properties={"filler": "x" * properties})
        batch.apply()


def test_every_connection_has_its_settings(every: list[apsw.Connection], store: SqliteStore) -> None:
    with contextlib.ExitStack() as views:
        for _ in range(connections.MOST_READERS):
            views.enter_context(store.read())
        writer, *readers = every
        assert len(readers) == connections.MOST_READERS
        for connection in every:
            assert connection.pragma("journal_mode") == "wal"
            assert connection.pragma("temp_store") == 2
            assert connection.pragma("fullfsync") == connection.pragma("checkpoint_fullfsync") == 1
        assert writer.pragma("synchronous") == 2, "FULL"
        assert writer.pragma("wal_autocheckpoint") == 16_000
        assert writer.pragma("cache_size") == -65_536
        for reader in readers:
            assert reader.pragma("query_only") == 1


def test_readers_are_bounded_and_used_again(
    every: list[apsw.Connection], store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_MS", 50)
    for _ in range(50):
        with store.read():
            pass
    assert len(every) == 2
    with contextlib.ExitStack() as views:
        for _ in range(connections.MOST_READERS):
            views.enter_context(store.read())
        with pytest.raises(OnefoldError) as raised, store.read():
            pass
        assert raised.value.code == "store.busy"
    with store.read():
        pass
    assert len(every) == 1 + connections.MOST_READERS


def test_a_reader_that_cannot_end_its_transaction_leaves_room_for_another(
    every: list[apsw.Connection], store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_MS", 50)
    for _ in range(connections.MOST_READERS + 1):
        with pytest.raises(apsw.ExecTraceAbort), store.read() as view:
            view._connection.exec_trace = lambda _, statement, values: statement != "ROLLBACK"
        with pytest.raises(apsw.ConnectionClosedError):
            every[-1].in_transaction  # noqa: B018 (asking raises)
    with store.read() as view:
        assert view.head().seq == 0


def test_a_reader_that_cannot_be_set_up_is_closed(
    every: list[apsw.Connection], store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_MS", 50)
    for _ in range(connections.MOST_READERS + 1):
        with monkeypatch.context() as broken:
            broken.setattr(connections, "READER", ("query_only = ON", "no pragma"))
            with pytest.raises(apsw.SQLError):
                store._connections.take_reader()
        with pytest.raises(apsw.ConnectionClosedError):
            every[-1].in_transaction  # noqa: B018 (asking raises)
    with store.read() as view:
        assert view.head().seq == 0


def test_a_check_asks_through_a_connection_that_remembers_nothing_and_leaves_none_open(
    every: list[apsw.Connection], store: SqliteStore
) -> None:
    for _ in range(connections.MOST_READERS + 1):
        store.check()
        with pytest.raises(apsw.ConnectionClosedError):
            every[-1].in_transaction  # noqa: B018 (asking raises)
    assert len(every) == 1 + connections.MOST_READERS + 1


class CountingFile(apsw.VFSFile):
    """A file whose syncs are counted; nothing else is changed."""

    def __init__(self, vfs: "CountingVFS", name: str | apsw.URIFilename, flags: list[int]) -> None:
        super().__init__(vfs.base, name, flags)
        self._vfs = vfs
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else name

    def xSync(self, flags: int) -> None:  # noqa: N802 (apsw names it)
        self._vfs.syncs.append(self._name)
        super().xSync(flags)


class CountingVFS(apsw.VFS):
    """SQLite's own way to the disk, with files that count."""

    def __init__(self, name: str) -> None:
        self.base = apsw.vfs_names()[0]
        self.syncs: list[str] = []
        super().__init__(name, self.base, makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 (apsw names it)
        if name is None:
            return super().xOpen(name, flags)
        return CountingFile(self, name, flags)


@pytest.fixture
def syncs() -> Iterator[list[str]]:
    """Names of files, one for each sync. The shim is the default only for this test."""
    shim = CountingVFS("counting")
    yield shim.syncs
    shim.unregister()


def test_every_commit_is_synced_before_it_is_acknowledged(tmp_path: Path, syncs: list[str]) -> None:
    store = open_sqlite(tmp_path / "store.db", NAMESPACES, TRAITS)
    for number in range(20):
        before = len(syncs)
        add(store, f"m{number}")
        new = syncs[before:]
        assert any(name.endswith("store.db-wal") for name in new), number
    before = len(syncs)
    with store.read() as view:
        assert view.counts().touchpoints == 20
    assert len(syncs) == before
    store.close()


def limit(store: SqliteStore, more_pages: int) -> None:
    """Leave room for so many more pages: SQLite then behaves as on a full disk."""
    writer = store._connections.writer
    writer.pragma("max_page_count", writer.pragma("page_count") + more_pages)


def test_a_full_disk_takes_nothing_back_and_goes_on_when_there_is_room(store: SqliteStore) -> None:
    add(store, "before")
    limit(store, 10)
    with pytest.raises(OnefoldError) as raised:
        add(store, "too much", properties=200_000)
    assert raised.value.code == "store.full"
    assert raised.value.hint
    with store.read() as view:
        assert customer_of(view, "user_id:before") == 1
        assert view.touchpoints([message("too much")]) == {}
        assert view.counts().touchpoints == 1
    add(store, "small")
    limit(store, 10_000)
    add(store, "too much", properties=200_000)
    with store.read() as view:
        assert view.counts().touchpoints == 3
        assert view.touchpoints([message("too much")]).keys() == {message("too much")}


def test_a_full_disk_can_be_opened_and_read(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "store.db", NAMESPACES, TRAITS)
    limit(store, 0)
    with pytest.raises(OnefoldError) as raised:
        add(store, "too much", properties=200_000)
    assert raised.value.code == "store.full"
    with store.write() as transaction:
        assert transaction.head.seq == 0
    store.close()


def test_closing_ends_what_is_open(store: SqliteStore) -> None:
    """A view and a write transaction that are open say that the store was closed; nothing of the write is kept."""
    add(store, "ann")

    def read() -> None:
        with store.read() as view:
            store.close()
            view.counts()

    with pytest.raises(OnefoldError) as raised:
        read()
    assert raised.value.code == "store.unavailable"


def test_closing_takes_an_open_write_back(store: SqliteStore, tmp_path: Path) -> None:
    def write() -> None:
        with store.write() as transaction:
            batch = Batch(transaction)
            batch.customer("user_id:ann")
            batch.apply()
            store.close()

    with pytest.raises(OnefoldError) as raised:
        write()
    assert raised.value.code == "store.unavailable"
    again = open_sqlite(tmp_path / "store.db", NAMESPACES, TRAITS)
    with again.read() as view:
        assert view.head().seq == 0
    again.close()
