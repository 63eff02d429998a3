"""How SQLite reaches rows: by a key or an index, never by going through a table that grows."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from onefold.model.changes import DecisionKind, Retraction
from onefold.model.reading import JourneyPage, PropertyMatch, Reject, TouchpointFilter
from onefold.model.sources import Source
from onefold.model.traits import TraitRule, TraitRules
from onefold.service.copying import copy
from onefold.stitch import needs
from onefold.store import sqlite
from onefold.store.kept import MOST_VALUES
from onefold.store.sqlite.open import open_sqlite, open_sqlite_target
from onefold.store.sqlite.reading.view import SqliteView
from onefold.store.sqlite.rows import ask
from onefold.store.sqlite.store import SqliteStore
from onefold.store.sqlite.writing.indexing import STEP
from tests.contract.building import MINUTE_MS, Batch, at, empty
from tests.contract.stores import NAMESPACES, TRAITS
from tests.contract.test_sqlite_statements import ASKED
from tests.support.filled import save_segments

GROWING = {
    "identifiers", "customers", "links", "touchpoints", "claims", "judgements", "decisions", "decisions_about",
    "changes", "commits", "rejects", "consents", "members", "memberships",
}  # fmt: skip
STATEMENT = re.compile(r"(SELECT|INSERT|UPDATE|DELETE) ")
NAMED = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO) (\w+)(?: (?!NOT\b|WHERE\b|ON\b|ORDER\b|SET\b|CROSS\b|VALUES\b)(\w+))?")
NEWEST = re.compile(r"SELECT [^()]+ FROM \w+ ORDER BY (seq|number) DESC LIMIT (1|\?)")
"""Goes from the last row back, as far as the limit."""
EMPTIED = re.compile(r"DELETE FROM \w+")
"""What a copy begins with; a table that is deleted whole is not gone through."""
Asked = dict[str, tuple[Any, ...]]
"""Statements, each with values it was run with."""

NEEDS: list[needs.Need] = [
    needs.ByNumber([1]), needs.Customers([1]), needs.Members([1]), needs.Links([1]), needs.LinksOf([1]),
    needs.InsideOf([1]), needs.RefusedBelow([1]), needs.HoldRefused([1], [3]), needs.RefusedAbove(1, 3, 0, 9, 0, 5),
    needs.Ones([1]), needs.Judgements([1]), needs.TouchpointsBy([1]),
]  # fmt: skip

EVERY_FILTER = TouchpointFilter(("page",), ("x",), ("web",), ("sale",), (PropertyMatch("a", 1),), at(0), at(9))
PAGES: tuple[Callable[[SqliteView], object], ...] = (
    lambda view: view.links([1], 5, 2 << 32 | 1),
    lambda view: view.links([2], 5, 2 << 32 | 1),
    lambda view: view.refused_links([1], 5, 2 << 32 | 1),
    lambda view: view.refused_links([2], 5, 2 << 32 | 1),
    lambda view: view.journeys([1], JourneyPage(5, newest_first=True, beyond=(at(9), 9), filter=EVERY_FILTER)),
    lambda view: view.journeys([1], JourneyPage(5, newest_first=False, beyond=(at(1), 1), filter=EVERY_FILTER)),
    lambda view: view.decisions(None, None, 5, 9),
    lambda view: view.decisions([1], [DecisionKind.JOINED], 5, 9),
    lambda view: view.search("user", 5, (0, 1)),
    lambda view: view.search("user", 5, (1, 1)),
    lambda view: view.segment_members([1], 5, 1),
    lambda view: view.membership_log(1, 5, 5),
)
"""Pages beyond the first."""


@pytest.fixture
def seen() -> Iterator[Asked]:
    """What is asked by connections that are opened meanwhile."""
    statements: Asked = {}

    def remember(_: apsw.Cursor, statement: str, values: Any) -> bool:
        if STATEMENT.match(statement):
            statements[statement] = values or ()
        return True

    def attach(connection: apsw.Connection) -> None:
        connection.exec_trace = remember

    apsw.connection_hooks.append(attach)
    yield statements
    apsw.connection_hooks.remove(attach)


@pytest.fixture
def store(seen: Asked, tmp_path: Path) -> Iterator[SqliteStore]:
    """A store on which everything was done that a store does."""
    open_sqlite(tmp_path / "store.db", NAMESPACES, TRAITS).close()
    opened = open_sqlite(tmp_path / "store.db", NAMESPACES, TraitRules({}, TraitRule(searchable=True)))
    fill(opened)
    change(opened)
    for asking in ASKED.values():
        with opened.read() as view:
            asking(view, 60)
    for beyond in PAGES:
        with opened.read() as view:
            beyond(view)
    target = open_sqlite_target(tmp_path / "copy.db", NAMESPACES, TRAITS)
    copy(opened, target, lambda _: None)
    target.close()
    yield opened
    opened.close()


def fill(store: SqliteStore) -> None:
    """More identifiers and claims than the search tables wait for; of one trait more values than are kept."""
    with store.write() as transaction:
        batch = Batch(transaction)
        for n in range(STEP):
            batch.customer(f"user_id:{n}", f"email:{n}@x.de")
            batch.link(f"email:{n}@x.de", f"user_id:{n}", mark=3, rank=n)
            batch.decision("joined", [1], [f"email:{n}@x.de", f"user_id:{n}"])
            batch.touchpoint(f"user_id:{n}", message_id=f"{n}-0", traits={"name": f"N{n}"}, operators=("staff_id:k",))
        batch.judgement("user_id:1", "user_id:2")
        batch.apply()
    for n in range(MOST_VALUES + 1):
        with store.write() as transaction:
            batch = Batch(transaction)
            said, agreed = {"name": f"Newer {n}"}, {"news": n % 2 == 0}
            batch.touchpoint("user_id:1", minute=n, traits=said, operators=("staff_id:k",), consents=agreed)
            batch.apply()


def change(store: SqliteStore) -> None:
    """What else is written, and what stitching asks for."""
    with store.write() as transaction:
        for need in NEEDS:
            transaction.answer(need)
        transaction.known_messages([b"." * 16])
        transaction.source_number(Source("new", transaction.trusts()[1]))
        judged = transaction.judgement(1)
        assert judged is not None
        transaction.reject(Reject(at(n), "shop", "x", None, "no", None, b"{}") for n in range(3))
        changes = empty()
        changes.retracted = Retraction(judged.number, "bob", "a slip", at(2))
        changes.subjects = {1: 3}
        transaction.apply(changes, [], at(3))
    with store.write() as transaction:
        batch = Batch(transaction)
        link, other = batch.stored_link("email:1@x.de", "user_id:1"), batch.stored_link("email:2@x.de", "user_id:2")
        link.seen[0].last_ms += MINUTE_MS
        batch.changes.seen_links.append(link)
        batch.changes.marked_links.append(other)
        kept = batch.stored_customer(3)
        batch.move("user_id:5", kept)
        batch.changes.changed_customers.append(kept)
        batch.changes.dropped_customers.append(6)
        batch.changed(batch["user_id:4"])
        batch.apply()
    save_segments(store)


def scanned(store: SqliteStore, statement: str, values: tuple[Any, ...]) -> set[str]:
    """Tables that grow, as far as SQLite goes through all of one."""
    if NEWEST.fullmatch(statement) or EMPTIED.fullmatch(statement):
        return set()
    named = {alias or table: table for table, alias in NAMED.findall(statement)}
    plan = ask(store._connections.writer, f"EXPLAIN QUERY PLAN {statement}", *values)
    found = {detail.split()[1] for *_, detail in plan if detail.startswith("SCAN ")}
    return GROWING & ({named.get(name, name) for name in found})


def test_no_statement_goes_through_a_table_that_grows(store: SqliteStore, seen: Asked) -> None:
    asked = dict(seen)
    assert len(asked) > 80
    assert {statement: found for statement in asked if (found := scanned(store, statement, asked[statement]))} == {}


def test_every_statement_of_the_store_is_looked_at(store: SqliteStore, seen: Asked) -> None:
    """Whatever the code of the store spells out occurs in something that was asked."""
    spelt = [
        part.value.split("{")[0]
        for path in Path(*sqlite.__path__).rglob("*.py")
        for part in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and STATEMENT.match(part.value)
    ]
    assert len(spelt) > 60
    assert [text for text in spelt if not any(text in statement for statement in seen)] == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT count(*) FROM identifiers", {"identifiers"}),
        ("SELECT 1 FROM claims c WHERE c.value = 'x'", {"claims"}),
        ("UPDATE links SET mark = 1 WHERE mark = 2", {"links"}),
        ("SELECT 1 FROM claims c CROSS JOIN identifiers i ON i.number = c.identifier WHERE c.number > 1", set()),
    ],
)
def test_going_through_a_table_is_noticed(store: SqliteStore, statement: str, expected: set[str]) -> None:
    assert scanned(store, statement, ()) == expected
