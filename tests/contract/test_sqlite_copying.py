"""What holds of copies from and to SQLite, besides what holds of all."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from onefold.errors import OnefoldError
from onefold.model.copying import RowKind
from onefold.service.copying import Copied, Step, Watch, copy
from onefold.store.base import Store
from onefold.store.sqlite.copying import target as target_of_copies
from tests.contract.stores import NAMESPACES, Place
from tests.contract.test_copying import FURTHER, rows_of
from tests.support.filled import Filler, fill, happened, odd
from tests.support.whole import check_file


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Where the copy will be."""
    (tmp_path / "copy").mkdir()
    return Place("sqlite", tmp_path / "copy")


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Store]:
    """A store with rows of every kind."""
    opened = Place("sqlite", tmp_path).open()
    fill(opened, NAMESPACES)
    yield opened
    opened.close()


def copied(source: Store, place: Place, watch: Watch = lambda _: None) -> Copied:
    target = place.open_target()
    try:
        return copy(source, target, watch, 100)
    finally:
        target.close()


def test_a_copy_is_of_the_state_in_which_it_began_while_the_source_is_written_to(source: Store, place: Place) -> None:
    before, steps = rows_of(source), list[Step]()
    news = happened(500 + FURTHER)[500:]

    def write(step: Step) -> None:
        steps.append(step)
        if news and not step.comparing:
            Filler(source, NAMESPACES).send([news.pop(), odd(400)])

    copied(source, place, write)
    copy_of = place.open()
    assert rows_of(copy_of) == before
    assert len(rows_of(source)[RowKind.TOUCHPOINTS]) > len(before[RowKind.TOUCHPOINTS]) + 20
    copy_of.close()


def test_what_follows_from_the_rows_is_the_same(source: Store, place: Place, tmp_path: Path) -> None:
    copied(source, place)
    found = []
    for path in (tmp_path / "store.db", place.folder / "store.db"):
        check_file(path)
        connection = apsw.Connection(str(path))
        tables = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
        about = connection.execute("SELECT * FROM decisions_about").fetchall()
        found.append((tables, about))
        connection.close()
    assert found[0] == found[1]


def test_a_copy_is_searched_by_its_index(place: Place, tmp_path: Path) -> None:
    source = Place("sqlite", tmp_path).open()
    events = [
        odd(number, anonymousId=f"cookie {number}", type="identify", traits={"name": f"Name {number}"})
        for number in range(2_500)
    ]
    Filler(source, NAMESPACES).send(events)
    copied(source, place)
    source.close()
    with apsw.Connection(str(place.folder / "store.db")) as connection:
        facts = dict(connection.execute("SELECT name, value FROM meta WHERE name LIKE '%_indexed'"))
    assert all(1_500 < reached <= 2_500 for reached in facts.values())
    copy_of = place.open()
    with copy_of.read() as view:
        assert [hit.value for hit in view.search("ie 77", 100)] == [
            "cookie 77",
            *(f"cookie {77}{n}" for n in range(10)),
        ]
        assert len(view.search("name 24", 1_000)) == 1 + 10 + 100
    copy_of.close()


def test_a_store_that_somebody_has_open_becomes_no_copy_even_if_it_is_empty(
    source: Store, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its secret would change under them."""
    monkeypatch.setattr(target_of_copies, "ALONE_SECONDS", 0.1)
    opened = place.open()
    with pytest.raises(OnefoldError) as raised:
        copied(source, place)
    assert raised.value.code == "store.busy"
    Filler(opened, NAMESPACES).send([odd(1, userId="somebody")])
    with opened.read() as view:
        assert view.counts().touchpoints == 1
    opened.close()


def test_an_empty_store_that_nobody_has_open_becomes_a_copy(source: Store, place: Place) -> None:
    place.open().close()
    assert not copied(source, place).anew
    copy_of = place.open()
    assert rows_of(copy_of) == rows_of(source)
    copy_of.close()


def test_a_file_that_is_no_store_is_left_as_it_is(source: Store, place: Place) -> None:
    file = place.folder / "store.db"
    file.write_text("letters to a friend\n" * 100)
    with pytest.raises(OnefoldError) as raised:
        copied(source, place)
    assert raised.value.code == "store.not_ours"
    assert file.read_text() == "letters to a friend\n" * 100


def test_nothing_is_copied_to_a_full_disk_and_it_goes_on_when_there_is_room(source: Store, place: Place) -> None:
    target = place.open_target()
    writer = target._connections.writer  # type: ignore[attr-defined]
    writer.pragma("max_page_count", 60)
    with pytest.raises(OnefoldError) as raised:
        copy(source, target, lambda _: None, 100)
    assert raised.value.code == "store.full"
    writer.pragma("max_page_count", 1_000_000)
    assert copy(source, target, lambda _: None, 100).resumed
    target.close()
    copy_of = place.open()
    assert rows_of(copy_of) == rows_of(source)
    copy_of.close()
