"""What a store holds as tables: all of it, from every kind of store."""

from collections import Counter, defaultdict
from typing import Any

import pytest

from onefold.errors import OnefoldError
from onefold.service.exporting import HOLDS, Table, whole
from onefold.store.base import Store
from tests.contract.building import Batch
from tests.contract.stores import NAMESPACES
from tests.support.filled import fill

EVENTS = 120


def tables(store: Store) -> dict[Table, list[dict[str, Any]]]:
    found: dict[Table, list[dict[str, Any]]] = defaultdict(list)
    with store.read() as view:
        for table, rows in whole(view, touchpoints=True):
            found[table] += [dict(zip(HOLDS[table], row, strict=True)) for row in rows]
    return found


def test_everything_is_there_once_and_hangs_together(store: Store) -> None:
    fill(store, NAMESPACES, EVENTS)
    found = tables(store)
    with store.read() as view:
        counts = view.counts()
        numbers = range(1, counts.identifiers + 1)
        identifiers = {i.public_id: i for i in view.by_number(numbers).values()}
        customers = {c.key: c for c in view.customers(sorted({i.customer for i in identifiers.values()})).values()}
        touchpoints = {t.public_id: t for t in view.touchpoints_by_number(range(1, view.head().seq + 1)).values()}
        pairs = {(link.a, link.b): link for link in view.links_between(numbers)}
    assert {table: len(rows) for table, rows in found.items()} == {
        Table.CUSTOMERS: counts.customers,
        Table.IDENTIFIERS: counts.identifiers,
        Table.LINKS: counts.links,
        Table.TOUCHPOINTS: counts.touchpoints,
    }
    of = {i.number: id_ for id_, i in identifiers.items()}
    for row in found[Table.IDENTIFIERS]:
        known = identifiers[row["id"]]
        assert (row["namespace"], row["value"], row["generic"]) == (*known.key, known.generic)
        assert row["customer"] == (customers[known.customer].public_id if known.customer else None)
        assert (row["first_seen"], row["last_seen"]) == (known.first_ms, known.last_ms)
    assert {row["id"]: row["identifiers"] for row in found[Table.CUSTOMERS]} == Counter(
        row["customer"] for row in found[Table.IDENTIFIERS] if row["customer"]
    )
    expected = {(of[a], of[b]): sum(seen.count for seen in link.seen) for (a, b), link in pairs.items()}
    assert {(row["a"], row["b"]): row["count"] for row in found[Table.LINKS]} == expected
    for row in found[Table.TOUCHPOINTS]:
        touchpoint = touchpoints[row["id"]]
        assert (row["at"], row["source"], row["subject"]) == (
            touchpoint.at_ms,
            touchpoint.source,
            of[touchpoint.subject],
        )


def test_it_is_of_one_state_or_not_at_all(store: Store) -> None:
    fill(store, NAMESPACES, EVENTS)
    before = tables(store)
    with store.read() as view:
        pages = whole(view, touchpoints=True)
        found = [next(pages)]
        with store.write() as transaction:
            batch = Batch(transaction)
            batch.customer("user_id:somebody new")
            batch.apply()
        if store.remote:
            with pytest.raises(OnefoldError, match=r"store\.busy"):
                list(pages)
            return
        found += pages
    assert Counter(table for table, rows in found for _ in rows) == {t: len(rows) for t, rows in before.items()}
