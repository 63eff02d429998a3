"""The DuckDB database of a read model: opened, or made anew when it is of no use."""

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

import duckdb

from onefold.model.traits import TraitRules
from onefold.readmodel import sessions
from onefold.readmodel.place import Place
from onefold.readmodel.slots import Slot, take_slot
from onefold.schema_files import schema_file

FILES: Final = ("tables.sql", "macros.sql", "views.sql")
IN_MEMORY: Final = ":memory:"
FILE: Final = "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
PROGRESS: Final = "UPDATE internal.reached SET seq = $1, commit_ms = $2, committed = $3"
REACHED: Final = "SELECT seq, committed FROM internal.reached"
PLANNING: Final = {"asof_loop_join_threshold": 0}
"""Of rows that are thought to be few DuckDB would compare each with all others; but it guesses too few where conditions
are many."""
SETTLED: Final = (
    "SET GLOBAL TimeZone = 'UTC'",
    "SET GLOBAL enable_external_access = false",
    "SET GLOBAL lock_configuration = true",
)
"""Whoever asks sees these tables alone: no files, no network, no other settings."""


class Database:
    """An open database with its tables.

    Attributes:
        connection: that writes. seq, commit: how far it has come, and that row of the store's commits as it was read.
    """

    connection: duckdb.DuckDBPyConnection

    def __init__(self, place: Place, identity: Mapping[str, str], traits: TraitRules) -> None:
        """Open the first file at `place` that no other process uses, or memory where there is none.

        Args:
            identity: facts by their names in internal.meta. What was made of others is made anew.
            traits: the rules of survivorship.
        """
        self._slot: Final = _slot(place.folder)
        self._spill: Final = self._slot.spill if self._slot else Path(tempfile.mkdtemp(prefix="onefold-"))
        self._place: Final = place
        self._identity: Final = identity
        self._traits: Final = traits
        self._open()

    def close(self) -> None:
        """Close it, and let others use its file."""
        self.connection.close()
        self._let_go()

    def make_anew(self) -> None:
        """Its file is damaged, and questions may still be asked of it: go on with an empty one in memory. Whoever opens
        the file next makes it anew."""
        self.connection.close()
        if self._slot:
            self._slot.clear()
        self.connection = self._made(None)
        self._read_progress()

    def open_again(self) -> None:
        """Close its file and open it: what a process has written it reads slower than what it finds (sequences by a
        seventh), and what writing took of memory is free. Nobody else has it open. It may have to be made anew."""
        if self._slot is None or self.connection.execute(FILE).fetchone() == (None,):
            return
        self.connection.close()
        self._open()

    def is_of_spilling(self, error: duckdb.Error) -> bool:
        """Whether an error is one of writing what does not fit into memory: then the file is as it was."""
        return str(self._spill) in str(error)

    def progressed(self, seq: int, commit: str, commit_ms: int) -> None:
        """Say, in the transaction that is open, how far it has come by then."""
        self.connection.execute(PROGRESS, [seq, commit_ms, commit])
        self.seq, self.commit = seq, commit

    def _read_progress(self) -> None:
        [(self.seq, self.commit)] = self.connection.execute(REACHED).fetchall()

    def take_back(self) -> None:
        """End the transaction that is open; it has changed nothing."""
        with suppress(duckdb.Error):
            self.connection.execute("ROLLBACK")
        self._read_progress()

    def _open(self) -> None:
        try:
            self.connection = self._opened()
            self._read_progress()
        except BaseException:
            self._let_go()
            raise

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._slot is None or not self._slot.file.exists():
            return self._made_somewhere()
        connection = None
        try:
            connection = self._connect(str(self._slot.file))
            facts = _facts(connection)
            if {name: facts.get(name) for name in self._identity} == self._identity:
                _prepare(connection, self._place)
                return connection
        except duckdb.Error:
            pass  # damaged, or written by another DuckDB
        if connection is not None:
            connection.close()
        return self._made_somewhere()

    def _made_somewhere(self) -> duckdb.DuckDBPyConnection:
        """In its file; in memory where that cannot be written."""
        try:
            return self._made(self._slot)
        except (OSError, duckdb.IOException):
            return self._made(None)

    def _made(self, slot: Slot | None) -> duckdb.DuckDBPyConnection:
        if slot:
            slot.clear()
        connection = self._connect(str(slot.file) if slot else IN_MEMORY)
        connection.execute("BEGIN")
        for name in FILES:
            connection.execute(_sql(name))
        facts = [list(fact) for fact in self._identity.items()]
        connection.executemany("INSERT INTO internal.meta VALUES (?, ?)", facts)
        rules = [(None, self._traits.default), *self._traits.declared.items()]
        connection.executemany(
            "INSERT INTO internal.trait_rules VALUES (?, ?, ?)",
            [[trait, rule.survivorship.value, list(rule.sources)] for trait, rule in rules],
        )
        connection.execute("COMMIT")
        _prepare(connection, self._place)
        return connection

    def _connect(self, name: str) -> duckdb.DuckDBPyConnection:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self._place.memory,
            "temp_directory": str(self._spill),
            "python_enable_replacements": False,  # a name is never a variable's
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            **PLANNING,
        }
        if self._place.threads is not None:
            config["threads"] = self._place.threads
        connection = duckdb.connect(name, config=config)
        connection.execute("SET enable_progress_bar = false")  # Python's prompt would show it; cursors never do
        return connection

    def _let_go(self) -> None:
        if self._slot:
            self._slot.release()
        else:
            shutil.rmtree(self._spill, ignore_errors=True)


def identity_of(secret: bytes, traits: TraitRules) -> dict[str, str]:
    """What a read model is made by: facts by their names in internal.meta."""
    rules = {name: (rule.survivorship.value, rule.sources) for name, rule in sorted(traits.declared.items())}
    default = (traits.default.survivorship.value, traits.default.sources)
    return {
        "version": _fingerprint(*(_sql(name).encode() for name in FILES)),
        "store": _fingerprint(secret),
        "traits": _fingerprint(repr((default, rules)).encode()),
    }


def _fingerprint(*parts: bytes) -> str:
    return blake2b(b"\0".join(parts), digest_size=16).hexdigest()


def _slot(folder: Path | None) -> Slot | None:
    """A file, or None where none can be had: then memory does."""
    if folder is None:
        return None
    with suppress(OSError):
        return take_slot(folder)
    return None


def _sql(name: str) -> str:
    return schema_file(f"readmodel/{name}").read_text(encoding="utf-8")


def _facts(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, value FROM internal.meta").fetchall())


def _prepare(connection: duckdb.DuckDBPyConnection, place: Place) -> None:
    connection.execute(sessions.view(place.orders, place.session_ms))
    for statement in SETTLED:
        connection.execute(statement)
