"""Making a store in a database, and bringing its indexes up to date, or saying why not."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from onefold.errors import OnefoldError
from onefold.model.namespaces import Namespaces
from onefold.schema_files import schema_file
from onefold.store.folding import claimed_text
from onefold.store.neo4j.connections import Connections
from onefold.store.neo4j.rows import searched_text
from onefold.store.searched import Searched, write_searched

MIGRATION: Final = re.compile(r"(\d{4})_\w+\.cypher")
SECRET_BYTES: Final = 32
INDEXING_SECONDS: Final = 600
CLAIMS: Final = 10_000
"""How many are read and written at once when other traits are searched than before."""

STORE: Final = (
    "OPTIONAL MATCH (m:Meta {name: 'store'}) "
    "RETURN coalesce(m.version, 0), coalesce(m.rules, ''), m.secret, coalesce(m.searchable, ''), m.copy"
)
ANYTHING: Final = "OPTIONAL MATCH (n) WITH n LIMIT 1 RETURN n IS NOT NULL"
WRITABLE: Final = "MATCH (g:Meta {name: 'gate'}) SET g.lock = 1 RETURN 1"
AWAIT_INDEXES: Final = f"CALL db.awaitIndexes({INDEXING_SECONDS})"
# Whoever comes second finds what the first has made: names of Meta are unique.
MAKE: Final = (
    "MERGE (g:Meta {name: 'gate'}) ON CREATE SET g.lock = 1 "
    "MERGE (h:Meta {name: 'head'}) ON CREATE SET h += $p.head, h.lock = 1 "
    "MERGE (s:Meta {name: 'store'}) ON CREATE SET s.secret = $p.secret, s.rules = $p.rules, s.searchable = '' "
    "SET s.version = $p.version RETURN 1"
)
HEAD: Final = dict.fromkeys(
    ("seq", "identifier", "customer", "judgement", "customers", "links", "touchpoints", "decisions", "claim", "reject"),
    0,
)
CLAIMS_AFTER: Final = (
    "CALL () { MATCH (c:Claim) USING INDEX c:Claim(number) WHERE c.number > $p.after "
    "RETURN [c.number, c.trait, c.value] AS claim ORDER BY c.number LIMIT $p.limit } RETURN collect(claim)"
)
FOLDED: Final = (
    "UNWIND $p.claims AS claim MATCH (c:Claim {number: claim[0]}) USING INDEX c:Claim(number) SET c.folded = claim[1] "
    "RETURN count(*)"
)
BROUGHT_UP_TO_DATE: Final = "MATCH (s:Meta {name: 'store'}) SET s.version = $p.version RETURN 1"
SEARCHABLE: Final = "MATCH (m:Meta {name: 'store'}) SET m.searchable = $p.searchable RETURN 1"


class Known(msgspec.Struct, frozen=True):
    """What a store knows about itself. Version 0: there is none.

    Attributes:
        rules: fingerprint of those it was stitched by. searchable: the traits it searches (`write_searched`).
        copy: how far it is, while it is an unfinished copy of another.
    """

    version: int
    rules: str
    secret: bytes | None
    searchable: str
    copy: str | None


def known(connections: Connections) -> Known:
    """What the database says of the store in it.

    Raises: OnefoldError `store.not_ours`, `store.newer_schema`, and what `Connections.ask` raises.
    """
    found = Known(*connections.ask(STORE))
    if not found.version and connections.ask(ANYTHING)[0]:
        found = Known(*connections.ask(STORE))  # another process may have made it just now
        if not found.version:
            raise OnefoldError(
                "store.not_ours",
                f"{connections.place} holds something else",
                "Name another database; onefold makes its store in one that is empty.",
            )
    if found.version > len(migrations()):
        raise OnefoldError(
            "store.newer_schema",
            f"{connections.place} has schema version {found.version}, and this onefold knows {len(migrations())}",
            "Install the onefold that wrote it, or a newer one.",
        )
    return found


def prepare(connections: Connections, namespaces: Namespaces, searched: Searched, *, read_only: bool) -> bytes:
    """Unless `read_only`, make the store if there is none, and bring it up to date; -> its secret.

    Raises: OnefoldError `store.rules_changed`; `store.unfinished_copy`; `store.read_only`, also of a database that
        takes no writes; and what `known` raises.
    """
    found = known(connections)
    if found.copy is None and found.version < len(migrations()):
        if read_only:
            raise _outdated(connections.place, found)
        migrate(connections, namespaces)
        found = known(connections)
    if found.copy is not None:
        raise OnefoldError(
            "store.unfinished_copy",
            f"{connections.place} is a copy of another store that is not complete",
            "Finish it with the same onefold copy, or name another store.",
        )
    if found.rules != namespaces.fingerprint:
        raise OnefoldError(
            "store.rules_changed",
            f"{connections.place} was stitched by other namespaces than those declared now",
            "Declare the namespaces as they were, or import the events into a new store.",
        )
    if not read_only:
        connections.ask(WRITABLE)
        if found.searchable != write_searched(searched):
            _search_other_traits(connections, searched)
    assert found.secret is not None
    return found.secret


def migrations() -> list[Path]:
    """The files that make indexes and constraints; the first leads from version 0 to 1."""
    folder = schema_file("neo4j/0001_core.cypher").parent
    return sorted(path for path in folder.iterdir() if MIGRATION.fullmatch(path.name))


def statements(migration: str) -> Iterator[str]:
    """Those in the text of a migration: each ends with a semicolon at the end of a line."""
    lines = (line for line in migration.splitlines() if not line.lstrip().startswith("//"))
    for statement in re.split(r";\s*(?:\n|\Z)", "\n".join(lines)):
        if statement.strip():
            yield statement.strip()


def migrate(connections: Connections, namespaces: Namespaces) -> None:
    """Make the store, or what it lacks. Each statement may be run again: another process may do the same at the same
    time. Raises what `known` raises."""
    latest, version = migrations(), known(connections).version
    if version == len(latest):
        return
    for migration in latest[version:]:
        for statement in statements(migration.read_text(encoding="utf-8")):
            if known(connections).version == len(latest):
                return  # another process was faster, and may be writing: that would have to wait
            connections.tell(statement, seconds=INDEXING_SECONDS)
    connections.tell(AWAIT_INDEXES, seconds=INDEXING_SECONDS)
    if version:  # an unfinished copy has neither head nor gate, and shall get none
        connections.ask(BROUGHT_UP_TO_DATE, version=len(latest))
        return
    made: dict[str, Any] = {"secret": secrets.token_bytes(SECRET_BYTES), "rules": namespaces.fingerprint}
    connections.ask(MAKE, head=HEAD, version=len(latest), **made)


def _search_other_traits(connections: Connections, searched: Searched) -> None:
    """The traits file makes other traits searchable than before. If it is interrupted, it begins anew."""
    after = 0
    while claims := connections.ask(CLAIMS_AFTER, after=after, limit=CLAIMS)[0]:
        texts = [(number, claimed_text(trait, value, searched)) for number, trait, value in claims]
        connections.ask(FOLDED, claims=[[n, None if text is None else searched_text(text)] for n, text in texts])
        after = claims[-1][0]
    connections.ask(SEARCHABLE, searchable=write_searched(searched))


def _outdated(place: str, found: Known) -> OnefoldError:
    if not found.version:
        return OnefoldError("store.unavailable", f"there is no store at {place}", "Import events, or name another.")
    return OnefoldError("store.read_only", f"{place} has to be brought up to date first", "Open it once for writing.")
