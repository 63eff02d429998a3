"""What is run on the event loop, and what on threads, so that nobody waits for somebody else."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from graphql import execute_sync

from onefold.api.app import create_app
from onefold.api.asking import EVERYBODY
from onefold.api.graphql import execution, http
from onefold.api.graphql.execution import Engine, Request
from onefold.api.graphql.schema import executable
from onefold.api.guards import INLINE_BYTES
from onefold.store.sqlite.connections import MOST_READERS
from tests.api.graphql_shop import Shop, event, opened
from tests.contract.stores import Place

SOON_S = 5.0
"""Half as long as a thread waits for a reader."""
ANN = 'customer(by: {identifier: {namespace: "user_id", value: "ann"}})'
QUICK = {"query": f"{{ {ANN} {{ id }} }}"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(Place("sqlite", tmp_path)) as shop:
        shop.send(event("m1", 1, "user_id:ann"))
        yield shop


@pytest.fixture
def readers(shop: Shop) -> Iterator[ExitStack]:
    """All readers of the store, taken until this is closed. The quick query's document is known."""
    shop.ask(QUICK["query"])
    with ExitStack() as readers:
        for _ in range(MOST_READERS):
            readers.enter_context(shop.onefold.read())
        yield readers


def test_a_quick_query_waits_for_a_reader_while_others_are_answered(shop: Shop, readers: ExitStack) -> None:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(shop.onefold))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8470") as http:
            waiting = asyncio.create_task(http.post("/graphql", json=QUICK))
            assert (await http.get("/healthz")).status_code == 200
            ready = await http.get("/readyz")
            assert (ready.status_code, ready.json()["code"], ready.headers["retry-after"]) == (503, "store.busy", "1")
            assert (await http.get("/")).status_code == 200
            assert not waiting.done()
            readers.close()
            return await waiting

    started = time.monotonic()
    answer = asyncio.run(ask())
    assert time.monotonic() - started < SOON_S
    assert answer.json()["data"]["customer"]["id"].startswith("cus_")
    assert shop.http.get("/readyz").status_code == 200


def test_a_write_is_never_run_on_the_event_loop(shop: Shop) -> None:
    engine = Engine(shop.onefold, executable())
    point_read, journeys, write = (
        engine.plan(Request(query), EVERYBODY)
        for query in (
            f"{{ {ANN} {{ id profile {{ traits {{ name value }} }} }} }}",
            f"{{ {ANN} {{ journey(first: 500) {{ edges {{ node {{ id at name }} }} }} }} }}",
            'mutation { retract(judgement: "jdg_0000000000000", reason: "") { joined { id } } }',
        )
    )
    assert (point_read.quick, journeys.quick, write.quick) == (True, False, False)
    assert (point_read.writes, write.writes) == (False, True)


@pytest.mark.parametrize(
    ("query", "variables", "quick"),
    [
        ("{ ANN { journey { edges { cursor } } } }", {}, True),
        ('{ ANN { journey(filter: {after: "2026-01-01T00:00:00Z"}) { edges { cursor } } } }', {}, True),
        ('{ ANN { journey(filter: {names: ["Visit"]}) { edges { cursor } } } }', {}, False),
        ("{ ANN { ...J } } fragment J on Customer { journey(first: 1, filter: {names: []}) { edges { cursor } } }",
         {}, False),
        ("query ($f: TouchpointFilter) { ANN { journey(filter: $f) { edges { cursor } } } }", {}, True),
        ("query ($f: TouchpointFilter) { ANN { journey(filter: $f) { edges { cursor } } } }",
         {"f": {"before": "2026-01-01T00:00:00Z"}}, True),
        ("query ($f: TouchpointFilter) { ANN { journey(filter: $f) { edges { cursor } } } }",
         {"f": {"types": ["track"]}}, False),
        ('query ($f: TouchpointFilter = {types: ["track"]}) { ANN { journey(filter: $f) { edges { cursor } } } }',
         {}, False),
        ("query ($t: [String!]) { ANN { journey(filter: {types: $t}) { edges { cursor } } } }", {}, False),
        ("{ changes(first: 10) { edges { cursor } } }", {}, True),
        ("{ changes(first: 10, of: []) { edges { cursor } } }", {}, False),
        ("query ($of: [ID!]) { changes(first: 10, of: $of) { edges { cursor } } }", {"of": ["cus_x"]}, False),
        ("query ($of: [ID!]) { changes(first: 10, of: $of) { edges { cursor } } }", {"of": None}, True),
    ],
)  # fmt: skip
def test_what_reads_through_a_history_is_never_run_on_the_event_loop(
    shop: Shop, query: str, variables: Any, quick: bool
) -> None:
    engine = Engine(shop.onefold, executable())
    assert engine.plan(Request(query.replace("ANN", ANN), variables=variables), EVERYBODY).quick is quick


def test_a_large_request_is_decoded_and_run_on_a_thread(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: dict[str, set[int]] = {"decoded": set(), "run": set()}
    decode, run = http._asked, execute_sync

    def decoded(*given: Any) -> Any:
        threads["decoded"].add(threading.get_ident())
        return decode(*given)

    def executed(*given: Any, **more: Any) -> Any:
        threads["run"].add(threading.get_ident())
        return run(*given, **more)

    async def ask(size: int) -> int:
        transport = httpx.ASGITransport(create_app(shop.onefold))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8470") as client:
            body = {"query": "{ status { seq } }", "variables": {"more": "x" * size}}
            assert (await client.post("/graphql", json=body)).json()["data"]["status"]
        return threading.get_ident()

    shop.ask("{ status { seq } }")
    monkeypatch.setattr(http, "_asked", decoded)
    monkeypatch.setattr(execution, "execute_sync", executed)
    loop = asyncio.run(ask(100))
    assert threads == {"decoded": {loop}, "run": {loop}}
    for ran in threads.values():
        ran.clear()
    loop = asyncio.run(ask(INLINE_BYTES))
    assert all(ran and loop not in ran for ran in threads.values())
