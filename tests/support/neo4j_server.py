"""Neo4j as people run it: a server of its own, started by `scripts/neo4j-server`, which does not outlive the tests."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

from neo4j import Driver, GraphDatabase

from onefold.model import namespaces_file, traits
from onefold.model.namespaces import Namespaces
from onefold.schema_files import schema_file
from onefold.store.neo4j.address import address_of
from onefold.store.neo4j.connections import Connections
from onefold.store.neo4j.schema import HEAD, MAKE, migrations, prepare
from onefold.store.searched import searched_by
from tests.tables import ROOT

NAMESPACES: Final = namespaces_file.load(schema_file("namespaces.yaml"))
SEARCHED: Final = searched_by(traits.load(schema_file("traits.yaml")))

SCRIPT: Final = ROOT / "scripts" / "neo4j-server"
SECONDS: Final = 180.0
"""After how long a server that does not start is given up; the first start has to fetch it."""
WIPE: Final = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS"


class Neo4jServer:
    """A server with a home of its own. It may be killed, and started again where it was.

    Attributes:
        url: of its database, once it was started.
    """

    def __init__(self, home: Path, *arguments: str) -> None:
        """`arguments`: further ones of `scripts/neo4j-server run`."""
        self.url = ""
        self._home: Final = home
        self._arguments: Final = arguments
        self._running: subprocess.Popen[str] | None = None

    def start(self, *arguments: str) -> Self:
        """Start it, and wait until it answers. It ends with this process at the latest."""
        self.begin(*arguments)
        return self.wait()

    def begin(self, *arguments: str) -> None:
        """Start it, and do not wait."""
        port = ("--port", str(address_of(self.url).port)) if self.url else ()
        self._running = subprocess.Popen(
            [
                *(sys.executable, SCRIPT, "run", "--watch", "--home", self._home),
                *(*self._arguments, *port, *arguments),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> Self:
        """Until it answers."""
        assert self._running is not None
        assert self._running.stdout is not None
        self.url = self._running.stdout.readline().strip()
        assert self.url, f"the server did not start; {self._home} has its logs"
        return self

    def kill(self) -> None:
        """End it without notice (kill -9)."""
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((self._home / "run" / "server.pid").read_text()), signal.SIGKILL)
        self._end()

    def stop(self) -> None:
        """Have it end as it should, which takes ten seconds."""
        assert self._running is not None
        self._running.terminate()
        self._end()

    def _end(self) -> None:
        if self._running is not None:
            self._running.communicate(timeout=SECONDS)
            self._running = None


@contextmanager
def neo4j_server(home: Path, *arguments: str) -> Iterator[Neo4jServer]:
    """A server that answers, until the block ends."""
    server = Neo4jServer(home, *arguments)
    try:
        yield server.start()
    finally:
        server.kill()


@contextmanager
def bare(url: str) -> Iterator[Driver]:
    """The driver on its own, as anybody may use it."""
    address = address_of(url)
    with GraphDatabase.driver(address.server, auth=address.auth, notifications_min_severity="OFF") as driver:
        yield driver


def ask(url: str, statement: str, **p: Any) -> list[list[Any]]:
    """The rows that a statement answers with, asked without onefold."""
    with bare(url) as driver, driver.session(database=address_of(url).database) as session:
        return session.run(statement, p=p).values()


@contextmanager
def database(home: Path) -> Iterator[str]:
    """The URL of a database with a store in it: the one ONEFOLD_TEST_NEO4J names, else that of a server of its own."""
    if url := os.environ.get("ONEFOLD_TEST_NEO4J"):
        yield prepared(url)
        return
    with neo4j_server(home) as server:
        yield prepared(server.url)


def prepared(url: str) -> str:
    """Make a store in a database; -> the same URL. What an earlier run left, maybe of other namespaces, is gone."""
    ask(url, WIPE)
    with closing(Connections(address_of(url))) as connections:
        prepare(connections, NAMESPACES, SEARCHED, read_only=False)
    return url


def wiped(url: str, namespaces: Namespaces = NAMESPACES) -> str:
    """Make the store of a database a new one, keeping its indexes; -> the same URL."""
    made = {"secret": os.urandom(32), "rules": namespaces.fingerprint, "head": HEAD, "version": len(migrations())}
    with bare(url) as driver, driver.session(database=address_of(url).database) as session:
        session.run(WIPE).consume()
        session.run(MAKE, p=made).consume()
    return url
