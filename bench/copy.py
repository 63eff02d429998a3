"""Whole stores moved, against the same rows carried without care: no note of how far it is, no sums, no comparison."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

import apsw
import neo4j

from bench.neo4j.servers import bare, server, world
from bench.report import Asked, Row, Table
from bench.service import Service
from bench.stores import FOLDER, chunks
from onefold.model import namespaces_file, traits
from onefold.model.copying import Row as StoredRow
from onefold.model.copying import RowKind
from onefold.model.namespaces import Kind
from onefold.schema_files import schema_file
from onefold.service.copying import PAGE_ROWS, copy
from onefold.store.base import CopyTarget, Store
from onefold.store.neo4j.address import address_of
from onefold.store.neo4j.copying.writing import WRITING, lists_of
from onefold.store.neo4j.open import open_neo4j, open_neo4j_target
from onefold.store.searched import searched_by
from onefold.store.sqlite.copying.tables import add_rows
from onefold.store.sqlite.open import open_sqlite, open_sqlite_target
from onefold.store.view import Rows

TOUCHPOINTS: Final = 300_000
STEP: Final = 1_000
ASKED: Final = Asked(least=5_000, unit="touchpoints/s")
COLUMNS: Final = ("copied", "of which compared", "without care", "rows")

NAMESPACES: Final = namespaces_file.load(schema_file("namespaces.yaml"))
TRAITS: Final = traits.load(schema_file("traits.yaml"))
DEVICES: Final = frozenset(n.name for n in NAMESPACES if n.kind is Kind.DEVICE)


def run() -> list[Table]:
    """Copy a store of 300,000 touchpoints from each kind to each, as far as one machine has room for."""
    FOLDER.mkdir(exist_ok=True)
    with _folder("moving") as folder, server(folder / "copied") as url, server(folder / "bare") as bare_url:
        _build(folder / "source.db")
        rows = (*_from_sqlite(folder, url, bare_url), *_from_neo4j(folder, url))
    title = f"Touchpoints per second when a store of {TOUCHPOINTS:,} is moved"
    return [Table(title, COLUMNS, rows, ("Each copy was compared with its source, row by row, before it was opened.",))]


def _from_sqlite(folder: Path, url: str, bare_url: str) -> Iterator[Row]:
    with closing(open_sqlite(folder / "source.db", NAMESPACES, TRAITS, read_only=True)) as source:
        yield _row("SQLite to SQLite", source, _sqlite_target(folder / "copy.db"), _into_sqlite(folder / "bare.db"))
        target = open_neo4j_target(address_of(url), NAMESPACES, TRAITS)
        with _into_neo4j(bare_url) as carelessly:
            yield _row("SQLite to Neo4j", source, target, carelessly, ASKED)


def _from_neo4j(folder: Path, url: str) -> Iterator[Row]:
    with closing(open_neo4j(address_of(url), NAMESPACES, TRAITS)) as source:
        target = _sqlite_target(folder / "back.db")
        yield _row("Neo4j to SQLite", source, target, _into_sqlite(folder / "bare-back.db"), ASKED)


Carelessly = Callable[[RowKind, list[StoredRow]], float]
"""Writes a page and no more; -> the seconds it took."""


def _row(name: str, source: Store, target: CopyTarget, carelessly: Carelessly, asked: Asked | None = None) -> Row:
    compared: list[float] = []
    started = perf_counter()
    with closing(target):
        done = copy(source, target, lambda step: compared.append(perf_counter()) if step.comparing else None)
    ended = perf_counter()
    with source.read() as view:
        bare_seconds = _carry(view, carelessly)
    touchpoints = done.rows[RowKind.TOUCHPOINTS]
    assert touchpoints == TOUCHPOINTS
    rate = touchpoints / (ended - started)
    cells = (
        f"{rate:,.0f}",
        f"{(ended - compared[0]) / (ended - started):.0%}",
        f"{touchpoints / bare_seconds:,.0f}",
        f"{sum(done.rows.values()):,}",
    )
    return Row(name, cells, bare_seconds / (ended - started), asked, rate)


def _carry(view: Rows, carelessly: Carelessly) -> float:
    """Read all, write all; -> seconds."""
    seconds = 0.0
    for kind in RowKind:
        after = 0
        while True:
            started = perf_counter()
            page = view.rows(kind, after, PAGE_ROWS)
            seconds += perf_counter() - started
            if not page:
                break
            seconds += carelessly(kind, page)
            after = page[-1][0]
    return seconds


def _sqlite_target(path: Path) -> CopyTarget:
    return open_sqlite_target(path, NAMESPACES, TRAITS)


def _into_sqlite(path: Path) -> Carelessly:
    """Into tables with their indexes, a transaction a page; nothing is made searchable."""
    open_sqlite(path, NAMESPACES, TRAITS).close()
    connection = apsw.Connection(str(path))

    def write(kind: RowKind, page: list[StoredRow]) -> float:
        started = perf_counter()
        with connection:
            add_rows(connection, kind, page)
        return perf_counter() - started

    return write


@contextmanager
def _into_neo4j(url: str) -> Iterator[Carelessly]:
    """By the same statements, a transaction a page, with rows that were prepared while no clock ran."""
    open_neo4j(address_of(url), NAMESPACES, TRAITS).close()
    searched = searched_by(TRAITS)
    with bare(url) as session:

        def write(kind: RowKind, page: list[StoredRow]) -> float:
            lists = lists_of(kind, page, DEVICES, searched)
            started = perf_counter()
            session.run(neo4j.Query(WRITING[kind]), p={"copy": None, **lists}).consume()
            return perf_counter() - started

        yield write


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _build(path: Path) -> None:
    service = Service(path)
    for chunk in chunks(world().events(TOUCHPOINTS), 20 * STEP):
        service.ingest(chunk, STEP)
    service.close()
