"""Several threads and processes at once, questions that may be a little old, and kill -9."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import duckdb
import pytest

from onefold.errors import OnefoldError
from onefold.readmodel import catching_up, filling
from onefold.readmodel.database import Database
from onefold.readmodel.model import Asking
from onefold.store.base import Store
from onefold.store.columns import ColumnKind
from onefold.store.sqlite.open import open_sqlite
from onefold.store.view import MovedError
from tests.contract.stores import NAMESPACES, TRAITS, Place
from tests.readmodel.models import check, count, reading
from tests.support.filled import Filler, fill, odd

WAITING_SECONDS = 60.0
NO_HURRY_MS = 3_600_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_sqlite(tmp_path / "store.db", NAMESPACES, TRAITS)
    fill(made, NAMESPACES, 200)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store.db.readmodel"


def test_an_answer_is_never_older_than_the_question(place: Place) -> None:
    """While others write and ask: whoever asks after something was written finds it, in one state."""
    ours, theirs = place.open(), place.open()
    rounds, writers = 12, 2
    filler = Filler(theirs, NAMESPACES)
    with reading(ours) as model, ThreadPoolExecutor(4) as threads:
        start = Barrier(4)

        def write(writer: int) -> None:
            start.wait(WAITING_SECONDS)
            for turn in range(rounds):
                name = f"w{writer}-{turn}"
                filler.send([odd(9_000 + writer * 100 + turn, userId=name, anonymousId=f"a-{name}")])
                with model.ask() as asking:
                    found = asking.rows("SELECT count(*) FROM internal.identifiers WHERE value = $v", {"v": name})
                    assert found == [(1,)]

        def ask() -> None:
            start.wait(WAITING_SECONDS)
            last = 0
            for _ in range(rounds):
                with model.ask() as asking:
                    whole(asking)
                    assert asking.as_of_seq >= last
                    last = asking.as_of_seq

        for work in [*(threads.submit(write, n) for n in range(writers)), *(threads.submit(ask) for _ in range(2))]:
            work.result(WAITING_SECONDS)
        check(model, ours)
    ours.close()
    theirs.close()


def whole(asking: Asking) -> None:
    """All tables are of one state: everything has a customer, and every customer has its identifiers."""
    [[lost]] = asking.rows(
        "SELECT count(*) FROM internal.touchpoints t LEFT JOIN internal.identifiers i ON i.number = t.subject "
        "LEFT JOIN internal.customers c ON c.customer = i.customer WHERE c.customer IS NULL"
    )
    [[empty]] = asking.rows(
        "SELECT count(*) FROM internal.customers c ANTI JOIN internal.identifiers i ON i.customer = c.customer"
    )
    assert (lost, empty) == (0, 0)


def test_a_question_keeps_its_state_while_the_next_is_made(store: Store, folder: Path) -> None:
    filler = Filler(store, NAMESPACES)
    with reading(store, folder) as model, model.ask() as before:
        seq, [[touchpoints]] = before.as_of_seq, before.rows("SELECT count(*) FROM internal.touchpoints")
        filler.send([odd(900 + n, userId=f"user {n}", anonymousId="shared") for n in range(9)])
        with model.ask() as after:
            assert after.as_of_seq > seq
            assert after.rows("SELECT count(*) FROM internal.touchpoints") == [(touchpoints + 9,)]
            assert before.rows("SELECT count(*) FROM internal.touchpoints") == [(touchpoints,)]


def test_who_can_do_with_an_older_state_waits_for_nobody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    filler = Filler(store, NAMESPACES)
    with reading(store) as model, ThreadPoolExecutor(1) as threads:
        before = count(model)
        filler.send([odd(900, userId="user 1")])
        begun, go_on = Event(), Event()
        level = catching_up.level

        def slow(*asked: object, **named: object) -> None:
            begun.set()
            assert go_on.wait(WAITING_SECONDS)
            level(*asked, **named)  # type: ignore[arg-type]

        monkeypatch.setattr("onefold.readmodel.model.level", slow)
        current = threads.submit(count, model)
        assert begun.wait(WAITING_SECONDS)
        assert count(model, max_staleness_ms=NO_HURRY_MS) == before
        go_on.set()
        assert current.result(WAITING_SECONDS) == before + 1
        assert count(model, max_staleness_ms=NO_HURRY_MS) == before + 1


def test_what_is_older_than_allowed_is_caught_up(store: Store) -> None:
    filler = Filler(store, NAMESPACES)
    with reading(store) as model:
        before = count(model)
        filler.send([odd(900, userId="user 1")])
        model._level_at -= 10
        assert count(model, max_staleness_ms=9_000) == before + 1


def test_closing_ends_what_is_asked(store: Store) -> None:
    with reading(store) as model, ThreadPoolExecutor(1) as threads:
        begun = Event()

        def ask() -> None:
            with model.ask() as asking:
                begun.set()
                asking.rows("SELECT count(*) FROM range(1_000_000) a (n), range(1_000_000) b (n) WHERE a.n + b.n = 1")

        asked = threads.submit(ask)
        assert begun.wait(WAITING_SECONDS)
        model.close()
        with pytest.raises(OnefoldError, match=r"store.unavailable"):
            asked.result(WAITING_SECONDS)


def test_closing_ends_what_is_being_caught_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with reading(store) as model, ThreadPoolExecutor(1) as threads:
        begun = Event()

        def endless(database: Database, *_: object, **__: object) -> None:
            begun.set()
            database.connection.execute("SELECT count(*) FROM range(1e12::BIGINT) a (n) WHERE n % 7 = 8")

        monkeypatch.setattr("onefold.readmodel.model.level", endless)
        asked = threads.submit(count, model)
        assert begun.wait(WAITING_SECONDS)
        model.close()
        with pytest.raises(OnefoldError, match=r"store.unavailable"):
            asked.result(WAITING_SECONDS)


def test_a_first_build_ends_when_it_is_closed(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would go on for ever: a page comes again and again."""
    with reading(store, folder) as model, ThreadPoolExecutor(1) as threads:
        begun = Event()
        read = type(store).page

        def again(self: Store, kind: ColumnKind, after: int, upto: int, limit: int) -> object:
            begun.set()
            return read(self, kind, 0, upto, limit)

        monkeypatch.setattr(type(store), "page", again)
        asked = threads.submit(count, model)
        assert begun.wait(WAITING_SECONDS)
        model.close()
        with pytest.raises(OnefoldError, match=r"store.unavailable"):
            asked.result(WAITING_SECONDS)
        monkeypatch.undo()
    with reading(store, folder) as model:
        check(model, store)


def test_a_view_that_moves_is_begun_again_and_held_at_last(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    filler = Filler(store, NAMESPACES)
    with reading(store) as model:
        count(model)
        filler.send([odd(900, userId="user 1", anonymousId="kiosk")])
        held: list[bool] = []
        read, new = type(store).read, catching_up._apply

        def watched(self: Store, *, wait: bool = True, hold: bool = False) -> object:
            held.append(hold)
            return read(self, wait=wait, hold=hold)

        def moving(*asked: object) -> None:
            new(*asked)  # type: ignore[arg-type]
            if not held[-1]:
                filler.send([odd(910 + len(held), userId="user 2", anonymousId="kiosk")])
                held.append(False)
                raise MovedError

        monkeypatch.setattr(type(store), "read", watched)
        monkeypatch.setattr(catching_up, "_apply", moving)
        count(model)
        assert held[-1]
        monkeypatch.undo()
        check(model, store)


def test_what_breaks_off_leaves_the_state_before(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filler = Filler(store, NAMESPACES)
    with reading(store, folder) as model:
        before = count(model)
        filler.send([odd(900, userId="user 1", anonymousId="kiosk")])

        def broken(*_: object) -> None:
            raise OnefoldError("store.unavailable", "the server has gone away")

        monkeypatch.setattr(Database, "progressed", broken)
        with pytest.raises(OnefoldError, match="gone away"):
            count(model)
        assert count(model, max_staleness_ms=NO_HURRY_MS) == before
        monkeypatch.undo()
        check(model, store)


CATCH_UP = """
import sys
from pathlib import Path
from onefold.readmodel import catching_up, filling
from onefold.store.sqlite.open import open_sqlite
from tests.contract.stores import NAMESPACES, TRAITS
from tests.readmodel.models import reading
# first

moment, store, folder = sys.argv[1:]
target = getattr(catching_up, moment)

def stop(*asked, **named):
    found = target(*asked, **named)
    print("here", flush=True)
    sys.stdin.read()
    return found

setattr(catching_up, moment, stop)
with reading(open_sqlite(Path(store), NAMESPACES, TRAITS), Path(folder)) as model, model.ask():
    pass
"""


def killed(moment: str, store: Path, folder: Path, before: str = "") -> None:
    """A process that catches up, killed when it has done this."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", CATCH_UP.replace("# first\n", before), moment, str(store), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("moment", ["fill", "_apply", "_in_one_view"])
def test_kill_9_leaves_a_usable_file(moment: str, store: Store, folder: Path, tmp_path: Path) -> None:
    """While it is made, or caught up, or just before that is committed."""
    if moment != "fill":
        with reading(store, folder) as model:
            check(model, store)
    Filler(store, NAMESPACES).send([odd(900 + n, userId=f"user {n}", anonymousId="kiosk") for n in range(9)])
    killed(moment, tmp_path / "store.db", folder)
    assert (folder / "1.duckdb").exists()
    with reading(store, folder) as model:
        check(model, store)
    assert not (folder / "2.duckdb").exists(), "the file of who was killed is free"


PARTS = """
from onefold.readmodel import filling
filling.PAGE_ROWS, filling.PART_PAGES, catching_up.FAR = 3, 1, 0
"""
"""Everything is committed in parts, however little it is."""


@pytest.mark.parametrize("there_before", [False, True])
def test_kill_9_between_the_parts_of_much_leaves_a_usable_file(
    there_before: bool, store: Store, folder: Path, tmp_path: Path
) -> None:
    if there_before:
        with reading(store, folder) as model:
            check(model, store)
    before = touchpoints_in(folder) if there_before else 0
    Filler(store, NAMESPACES).send([odd(900 + n, userId=f"user {n}", anonymousId="kiosk") for n in range(9)])
    killed("_commit_part", tmp_path / "store.db", folder, PARTS)
    assert touchpoints_in(folder) == before + 3, "a part was committed"
    with reading(store, folder) as model:
        check(model, store)


def touchpoints_in(folder: Path) -> int:
    """How many rows the table holds, whether they count or not."""
    with duckdb.connect(str(folder / "1.duckdb")) as connection:
        [(count,)] = connection.execute("SELECT count(*) FROM internal.touchpoints").fetchall()
    return int(count)


def test_what_came_in_parts_is_never_seen_before_all_is_there(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "PAGE_ROWS", 3)
    monkeypatch.setattr(filling, "PART_PAGES", 1)
    done, parted = [0], catching_up._commit_part

    def breaks(connection: duckdb.DuckDBPyConnection) -> None:
        parted(connection)
        done[-1] += 1
        [(identifiers,)] = connection.execute("SELECT count(*) FROM internal.identifiers").fetchall()
        if (len(done) == 1 and done[-1] == 3) or (len(done) == 2 and identifiers):
            raise OnefoldError("store.unavailable", "the server has gone away")

    monkeypatch.setattr(catching_up, "_commit_part", breaks)
    with reading(store, folder) as model:
        for _ in ("among the touchpoints", "among the identifiers"):
            with pytest.raises(OnefoldError, match="gone away"):
                count(model, max_staleness_ms=NO_HURRY_MS)
            done.append(0)
        check(model, store)


def test_processes_have_files_of_their_own(store: Store, folder: Path, tmp_path: Path) -> None:
    with reading(store, folder) as model:
        check(model, store)
        killed("_in_one_view", tmp_path / "store.db", folder)
        assert (folder / "2.duckdb").exists()
        Filler(store, NAMESPACES).send([odd(900, userId="user 1")])
        check(model, store)
