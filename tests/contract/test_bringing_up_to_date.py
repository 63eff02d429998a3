"""Stores that an older onefold made: whoever opens one for writing brings it up to date, and everything stays."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import apsw
import pytest

from onefold.errors import OnefoldError
from onefold.model.copying import Origin, RowKind
from onefold.model.reading import FeedKind
from onefold.schema_files import schema_file
from onefold.store.base import Store
from onefold.store.neo4j.schema import statements
from tests.contract.building import Batch, customer_of
from tests.contract.stores import NAMESPACES, Place
from tests.support.filled import all_rows, save_segments
from tests.support.neo4j_server import ask

SINCE: Final = {RowKind.CONSENTS: 2, RowKind.SEGMENTS: 3, RowKind.MEMBERS: 3, RowKind.MEMBERSHIPS: 3}
"""The versions that the newer kinds of rows came with."""
LATEST: Final = 3
VERSIONS: Final = range(1, LATEST)


def people(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        for number in range(4):
            batch.customer(f"user_id:{number}", f"email:{number}@x.de")
            batch.touchpoint(f"user_id:{number}", message_id=f"m{number}", traits={"name": f"N{number}"})
        batch.apply()


MADE: Final = {"sqlite": r"CREATE TABLE (\w+)", "neo4j": r"CREATE (CONSTRAINT|INDEX) (\w+) IF"}


def migrations(kind: str) -> list[str]:
    folder = schema_file("namespaces.yaml").parent / kind
    return [file.read_text(encoding="utf-8") for file in sorted(folder.iterdir())]


@pytest.fixture
def take_back(place: Place) -> Iterator[Callable[[int], None]]:
    """Makes a store, or an unfinished copy, what an older onefold would have made."""

    def take(version: int) -> None:
        made = [found for text in migrations(place.kind)[version:] for found in re.findall(MADE[place.kind], text)]
        if place.kind == "neo4j":
            for what, name in made:
                ask(place.url, f"DROP {what} {name}")
            ask(place.url, "MATCH (s:Meta {name: 'store'}) SET s.version = $p.version", version=version)
            return
        with closing(apsw.Connection(str(file_of(place)))) as connection:
            for name in made:
                connection.execute(f"DROP TABLE {name}")
            connection.pragma("user_version", version)

    yield take
    if place.kind == "neo4j":  # the database is every test's
        bring_back(place.url)


def bring_back(url: str) -> None:
    for text in migrations("neo4j"):
        for statement in statements(text):
            ask(url, statement)
    ask(url, "CALL db.awaitIndexes(60)")


def file_of(place: Place) -> Path:
    return place.folder / "store.db"


def version_of(place: Place) -> int:
    if place.kind == "neo4j":
        [[version]] = ask(place.url, "MATCH (s:Meta {name: 'store'}) RETURN s.version")
        return int(version)
    with closing(apsw.Connection(str(file_of(place)))) as connection:
        return int(connection.pragma("user_version"))


@pytest.fixture(params=VERSIONS)
def old(place: Place, take_back: Callable[[int], None], request: pytest.FixtureRequest) -> Place:
    """A store of an older version, with people in it."""
    with closing(place.open()) as store:
        people(store)
    take_back(request.param)
    assert version_of(place) == request.param
    return place


def test_a_store_of_an_older_onefold_keeps_what_it_holds_and_gains_what_is_new(old: Place) -> None:
    with closing(old.open()) as store:
        secret = store.secret
        with store.read() as view:
            rows = all_rows(view)
        assert len(rows[RowKind.IDENTIFIERS]) == 8
        assert len(rows[RowKind.TOUCHPOINTS]) == 4
        save_segments(store)
        with store.read() as view:
            assert len(view.segments()) == 2
            found = all_rows(view)
        assert {kind: found[kind] for kind in RowKind if kind not in SINCE} == {
            kind: rows[kind] for kind in RowKind if kind not in SINCE
        }
    assert version_of(old) == LATEST
    with closing(old.open()) as again:
        assert again.secret == secret


def test_a_store_of_an_older_onefold_keeps_consents_from_then_on(old: Place) -> None:
    with closing(old.open()) as store:
        for given in (True, False):
            with store.write() as transaction:
                batch = Batch(transaction)
                batch.touchpoint("user_id:1", message_id=f"said {given}", minute=5, consents={"news": given})
                batch.apply()
        with store.read() as view:
            [[news]] = view.consents([customer_of(view, "user_id:1")]).values()
            kinds = [line.kind for line in view.feed(0, 1_000)]
    assert (news.purpose, news.given) == ("news", False)
    assert kinds.count(FeedKind.CONSENTS) == 2


def test_a_store_of_an_older_onefold_is_not_changed_by_those_who_may_only_read(old: Place) -> None:
    before = version_of(old)
    with pytest.raises(OnefoldError) as raised:
        old.open(read_only=True)
    assert raised.value.code == "store.read_only"
    assert version_of(old) == before


def test_an_unfinished_copy_that_an_older_onefold_began_is_finished(
    place: Place, take_back: Callable[[int], None]
) -> None:
    with closing(place.open_target()) as target:
        progress = target.begin(Origin(b"s" * 32, NAMESPACES.fingerprint, None, 1, 0))
    take_back(1)
    done = progress.with_rows(RowKind.SOURCES, 1, [b"x"])
    with closing(place.open_target()) as target:
        assert target.progress() == progress
        target.take([(1, "shop", 0)], progress, done)
        target.complete(done)
    with closing(place.open()) as store, store.read() as view:
        assert [source.name for source in view.sources().values()] == ["shop"]
