"""What SQLite is asked to do: few statements, and pointers moved instead of history."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import pytest

from onefold.model.changes import DecisionKind
from onefold.model.copying import RowKind
from onefold.model.reading import JourneyPage, PropertyMatch, TouchpointFilter
from onefold.store.columns import ColumnKind
from onefold.store.sqlite.open import open_sqlite
from onefold.store.sqlite.reading.view import SqliteView
from onefold.store.sqlite.store import SqliteStore
from tests.contract.building import Batch, key, message
from tests.contract.stores import NAMESPACES, TRAITS

CUSTOMERS = 60
Asking = Callable[[SqliteView, int], object]

ASKED: dict[str, Asking] = {
    "by_key": lambda view, many: view.by_key([key(f"user_id:{n}") for n in range(many)]),
    "by_public": lambda view, many: view.by_public([bytes([n]) * 16 for n in range(many)]),
    "by_number": lambda view, many: view.by_number(range(1, many + 1)),
    "customers": lambda view, many: view.customers(range(1, many + 1)),
    "members": lambda view, many: view.members(range(1, many + 1)),
    "links": lambda view, many: view.links(range(1, many + 1), 5),
    "links_between": lambda view, many: view.links_between(range(1, many + 1)),
    "refused_links": lambda view, many: view.refused_links(range(1, many + 1), 5),
    "linked_at": lambda view, many: view.linked_at(range(1, many + 1)),
    "links_by_pair": lambda view, many: view.links_by_pair(range(1, many + 1)),
    "journeys": lambda view, many: view.journeys(range(1, many + 1), JourneyPage(50)),
    "filtered journeys": lambda view, many: view.journeys(
        range(1, many + 1),
        JourneyPage(5, filter=TouchpointFilter(types=("page",), properties=(PropertyMatch("a", 1),))),
    ),
    "touchpoints": lambda view, many: view.touchpoints([message(f"{n}-0") for n in range(many)]),
    "touchpoints_by_number": lambda view, many: view.touchpoints_by_number(range(many)),
    "claims": lambda view, many: view.claims(range(1, many + 1)),
    "consents": lambda view, many: view.consents(range(1, many + 1)),
    "judgements": lambda view, many: view.judgements(range(1, many + 1)),
    "judgements_by_number": lambda view, many: view.judgements_by_number(range(1, many + 1)),
    "decisions": lambda view, many: view.decisions(range(1, many + 1), None, 5),
    "decisions of kinds": lambda view, many: view.decisions(range(1, many + 1), [DecisionKind.JOINED], 5),
    "ledger": lambda view, many: view.decisions(None, None, many),
    "ledger of kinds": lambda view, many: view.decisions(None, [DecisionKind.JOINED, DecisionKind.SPLIT], many),
    "decisions_by_seq": lambda view, many: view.decisions_by_seq(range(many)),
    "feed": lambda view, many: view.feed(0, many),
    "feed of": lambda view, many: view.feed(0, many, range(1, many + 1)),
    "search": lambda view, many: view.search("user", many),
    "search short": lambda view, many: view.search("1", many),
    "counts": lambda view, many: view.counts(),
    "rejects": lambda view, many: view.rejects(many),
    "segments": lambda view, many: view.segments(),
    "segments_by_number": lambda view, many: view.segments_by_number(range(1, many + 1)),
    "segment_members": lambda view, many: view.segment_members(range(1, many + 1), 5),
    "segments_of": lambda view, many: view.segments_of(range(1, many + 1)),
    "membership_log": lambda view, many: view.membership_log(None, 0, many),
    "membership_log of": lambda view, many: view.membership_log(1, 0, many),
    "last_membership": lambda view, many: view.last_membership(),
    "changed": lambda view, many: view.changed(0),
    "origin": lambda view, many: view.origin(),
}
ASKED |= {f"rows: {kind}": partial(lambda kind, view, many: view.rows(kind, 0, many), kind) for kind in RowKind}
ASKED |= {
    f"page: {kind}": partial(lambda kind, view, many: view.page(kind, 0, 1 << 62, many), kind) for kind in ColumnKind
}
ASKED |= {
    f"columns: {kind}": partial(lambda kind, view, many: view.columns(kind, range(1, many + 1)), kind)
    for kind in ColumnKind
}
MOST_STATEMENTS = 5


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """Customers with three identifiers, several touchpoints, links, a decision and claims each."""
    opened = open_sqlite(tmp_path / "store.db", NAMESPACES, TRAITS)
    with opened.write() as transaction:
        batch = Batch(transaction)
        for n in range(CUSTOMERS):
            customer = batch.customer(f"user_id:{n}", f"email:{n}@x.de", f"anonymous_id:{n}")
            batch.link(f"email:{n}@x.de", f"user_id:{n}")
            batch.link(f"anonymous_id:{n}", f"user_id:{n}", mark=3, rank=n)
            batch.decision("joined", [customer.anchor], [f"email:{n}@x.de", f"user_id:{n}"])
            for k in range(12):
                text = f"anonymous_id:{n}" if k % 2 else f"user_id:{n}"
                batch.touchpoint(text, minute=k, message_id=f"{n}-{k}", traits={"name": f"N{n}"}, properties={"a": 1})
        batch.apply()
    yield opened
    opened.close()


@contextmanager
def traced(connection: apsw.Connection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are run on a connection meanwhile, with their values."""
    seen: list[tuple[str, Any]] = []

    def remember(cursor: apsw.Cursor, statement: str, values: Any) -> bool:
        seen.append((statement, values))
        return True

    connection.exec_trace = remember
    yield seen
    connection.exec_trace = None


@pytest.mark.parametrize("asked", ASKED)
def test_the_number_of_statements_does_not_grow_with_what_is_asked(store: SqliteStore, asked: str) -> None:
    counts = []
    for many in (1, 8, CUSTOMERS):
        with store.read() as view:
            with traced(view._connection) as seen:
                ASKED[asked](view, many)
            counts.append(len(seen))
    assert max(counts) <= MOST_STATEMENTS, counts


@pytest.mark.parametrize("touchpoints", [1, 300])
def test_what_moves_is_pointers_and_never_touchpoints(tmp_path: Path, touchpoints: int) -> None:
    store = open_sqlite(tmp_path / "store.db", NAMESPACES, TRAITS)
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        batch.customer("anonymous_id:x")
        for number in range(touchpoints):
            batch.touchpoint("anonymous_id:x", message_id=f"m{number}")
        batch.apply()
    writer = store._connections.writer
    before = writer.total_changes()
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.move("anonymous_id:x", batch.stored_customer(1))
        batch.changes.dropped_customers.append(2)
        batch.apply()
    moved, dropped, told, commit = 1, 1, 1, 1
    assert writer.total_changes() - before == moved + dropped + told + commit
    store.close()
