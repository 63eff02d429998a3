"""The servers that benchmarks of Neo4j run on: with a graph of 300,000 touchpoints, built once, and copies of it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import neo4j
from rich.progress import Progress

from bench.service import Service
from bench.stores import FOLDER, chunks, made_by
from bench.world import World
from onefold.store.neo4j.address import address_of

SCRIPT: Final = Path(__file__).parents[2] / "scripts" / "neo4j-server"
PEOPLE: Final = 30_000
TOUCHPOINTS: Final = 300_000
BUILT_UNTIL: Final = 0.97
"""The share of the year that the base graph has seen."""
STEP: Final = 1_000
OPTIONS: Final = ("--heap", "1g", "--page-cache", "512m", "--set", "db.tx_log.rotation.size=64m")
SECONDS: Final = 120.0


def world(*, telling: bool = False) -> World:
    """Those whose touchpoints the base graph holds."""
    return World(PEOPLE, telling=telling)


@cache
def base(*, telling: bool = False) -> Path:
    """The home of a server that was stopped, with 300,000 touchpoints, on request of people who say who they are. What
    it is made by is part of its name."""
    FOLDER.mkdir(exist_ok=True)
    key = made_by(("neo4j/*.cypher",), ("store/neo4j/writing/*.py",), PEOPLE, TOUCHPOINTS, BUILT_UNTIL)
    kind = "neo4j-telling" if telling else "neo4j-base"
    home = FOLDER / f"{kind}-{key}"
    if not home.exists():
        for old in FOLDER.glob(f"{kind}-*"):
            shutil.rmtree(old)
        unfinished = FOLDER / "neo4j-unfinished"
        with server(unfinished) as url:
            _build(url, world(telling=telling))
        unfinished.rename(home)
    return home


@contextmanager
def copied(name: str, *, telling: bool = False) -> Iterator[str]:
    """A server on a copy of a base graph, gone when the block ends; -> its URL. `name` tells copies apart."""
    home = FOLDER / f"neo4j-copy-{name}"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(base(telling=telling), home)
    try:
        with server(home) as url:
            yield url
    finally:
        shutil.rmtree(home)


@contextmanager
def server(home: Path) -> Iterator[str]:
    """A server of this home until the block ends; -> its URL. It does not outlive this process."""
    command = [sys.executable, str(SCRIPT), "run", "--watch", "--home", str(home), *OPTIONS]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    try:
        yield running.stdout.readline().strip()
    finally:
        running.terminate()
        running.communicate(timeout=SECONDS)


@contextmanager
def bare(url: str) -> Iterator[neo4j.Session]:
    """The driver on its own."""
    address = address_of(url)
    with (
        neo4j.GraphDatabase.driver(address.server, notifications_min_severity="OFF", telemetry_disabled=True) as driver,
        driver.session(database=address.database) as session,
    ):
        yield session


def _build(url: str, people: World) -> None:
    service = Service(url)
    with Progress(transient=True) as progress:
        task = progress.add_task("building the graph of 300,000 touchpoints", total=TOUCHPOINTS)
        for chunk in chunks(people.events(TOUCHPOINTS, 0.0, BUILT_UNTIL), 20 * STEP):
            service.ingest(chunk, STEP)
            progress.advance(task, len(chunk))
    service.close()
