"""Opening a store: make it, bring its tables up to date, or say why not."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw

from onefold.errors import OnefoldError
from onefold.model.namespaces import Namespaces
from onefold.model.traits import TraitRules
from onefold.schema_files import schema_file
from onefold.store.searched import Searched, searched_by, write_searched
from onefold.store.sqlite.connections import ANYTHING, Connections
from onefold.store.sqlite.copying.target import SqliteCopyTarget, is_unfinished
from onefold.store.sqlite.errors import in_our_words, not_ours, unwritable
from onefold.store.sqlite.rows import ask
from onefold.store.sqlite.store import SqliteStore
from onefold.store.sqlite.writing.indexing import rebuild_trait_search

APPLICATION_ID: Final = 0x6F6E666C
"""`onfl`, in the file's header."""
SECRET_BYTES: Final = 32
PREFIX: Final = "sqlite:///"
MIGRATION: Final = re.compile(r"(\d{4})_\w+\.sql")


def path_of(url: str) -> Path:
    """The file that `sqlite:///relative.db` or `sqlite:////absolute.db` names. Raises ValueError for other URLs."""
    if not url.startswith(PREFIX) or not url.removeprefix(PREFIX).strip("/"):
        raise ValueError(f"{url!r} is no URL like sqlite:///onefold.db or sqlite:////var/lib/onefold.db")
    return Path(url.removeprefix(PREFIX))


def open_sqlite(path: Path, namespaces: Namespaces, traits: TraitRules, *, read_only: bool = False) -> SqliteStore:
    """The store in the file at `path`; unless `read_only`, it is made if there is none.

    Raises:
        OnefoldError: `store.unwritable`, `store.unavailable`, `store.busy`, `store.full`; `store.not_ours`;
            `store.newer_schema`; `store.rules_changed`: its customers were stitched by other namespaces;
            `store.unfinished_copy`.
    """
    with _connected(path, create=not read_only) as connections:
        return _opened(connections, namespaces, traits, read_only)


def open_sqlite_target(path: Path, namespaces: Namespaces, traits: TraitRules) -> SqliteCopyTarget:
    """The file at `path`, to be filled with another store's rows; it is made if there is none.

    Raises:
        OnefoldError: as `open_sqlite`, but not `store.rules_changed`.
    """
    with _connected(path, create=True) as connections:
        _bring_up_to_date(connections, namespaces, read_only=False)
        return SqliteCopyTarget(connections, searched_by(traits))


@contextmanager
def _connected(path: Path, *, create: bool) -> Iterator[Connections]:
    """Connections to the file, which are closed if the block raises."""
    path = path.absolute()
    if not path.parent.is_dir():
        raise unwritable(str(path), f"{path.parent} is not a folder")
    try:
        connections = Connections(path, create=create)
    except apsw.CantOpenError as error:
        raise _cannot_open(path, read_only=not create) from error
    try:
        with in_our_words(connections.place):
            yield connections
    except BaseException as error:
        connections.close()
        # The log of a store lies beside it, even for readers.
        if isinstance(error.__cause__, apsw.CantOpenError) and not os.access(path.parent, os.W_OK):
            raise unwritable(str(path), f"nothing can be written to {path.parent}") from error
        raise


def _opened(connections: Connections, namespaces: Namespaces, traits: TraitRules, read_only: bool) -> SqliteStore:
    connection, place = connections.writer, connections.place
    _bring_up_to_date(connections, namespaces, read_only=read_only)
    if is_unfinished(connection):
        raise OnefoldError(
            "store.unfinished_copy",
            f"{place} is a copy of another store that is not complete",
            "Finish it with the same onefold copy, or name another store.",
        )
    facts: dict[str, Any] = dict(ask(connection, "SELECT name, value FROM meta"))
    if facts["rules"] != namespaces.fingerprint:
        raise OnefoldError(
            "store.rules_changed",
            f"{place} was stitched by other namespaces than those declared now",
            "Declare the namespaces as they were, or import the events into a new store.",
        )
    searched = searched_by(traits)
    if not read_only and facts["searchable"] != write_searched(searched):
        _search_other_traits(connection, searched)
    return SqliteStore(connections, facts["secret"], namespaces, traits, read_only=read_only)


def _bring_up_to_date(connections: Connections, namespaces: Namespaces, *, read_only: bool) -> None:
    """Make the tables that are missing. Raises `store.read_only`, `store.not_ours`, `store.newer_schema`, …"""
    connection, place = connections.writer, connections.place
    version, latest = _version(connection, place), _migrations()
    if not read_only:
        if connection.readonly("main"):
            raise unwritable(place)
        connections.prepare_to_write()
    if version < len(latest):
        if read_only:
            raise OnefoldError(
                "store.read_only", f"{place} has to be brought up to date first", "Open it once for writing."
            )
        _migrate(connection, place, latest, namespaces)


def _version(connection: apsw.Connection, place: str) -> int:
    """The number of the last migration; 0 for an empty file. Raises `store.not_ours`, `store.newer_schema`."""
    application: int = connection.pragma("application_id")
    version: int = connection.pragma("user_version")
    if application == APPLICATION_ID:
        if version > len(_migrations()):
            raise OnefoldError(
                "store.newer_schema",
                f"{place} has schema version {version}, and this onefold knows {len(_migrations())}",
                "Install the onefold that wrote it, or a newer one.",
            )
        return version
    if application or version or ask(connection, ANYTHING):
        raise not_ours(place)
    return 0


def _migrations() -> list[Path]:
    """The files that make the tables; the first leads from version 0 to 1."""
    folder = schema_file("sqlite/0001_core.sql").parent
    return sorted(path for path in folder.iterdir() if MIGRATION.fullmatch(path.name))


def _migrate(connection: apsw.Connection, place: str, migrations: list[Path], namespaces: Namespaces) -> None:
    """Run what is missing; another process may have been faster."""
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection, place)
    for migration in migrations[version:]:
        connection.execute(migration.read_text(encoding="utf-8")).fetchall()
    if version == 0:
        connection.pragma("application_id", APPLICATION_ID)
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [
                ("secret", secrets.token_bytes(SECRET_BYTES)),
                ("rules", namespaces.fingerprint),
                ("searchable", ""),
                ("identifiers_indexed", 0),
                ("claims_indexed", 0),
            ],
        )
    connection.pragma("user_version", len(migrations))
    connection.execute("COMMIT")


def _search_other_traits(connection: apsw.Connection, searched: Searched) -> None:
    """The traits file makes other traits searchable than before."""
    connection.execute("BEGIN IMMEDIATE")
    rebuild_trait_search(connection, searched)
    connection.execute("COMMIT")


def _cannot_open(path: Path, *, read_only: bool) -> OnefoldError:
    if read_only and not path.exists():
        return OnefoldError("store.unavailable", f"there is no store at {path}", "Import events, or name another.")
    return unwritable(str(path))
