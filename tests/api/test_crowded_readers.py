"""While all readers of the store are taken, whoever needs one waits, and nobody else does."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2 as httpx
import pytest

from onefold.api.app import create_app
from onefold.store.sqlite.connections import MOST_READERS
from tests.api.graphql_shop import Shop, event, opened

SOON_S = 5.0
"""Half as long as a thread waits for a reader."""
QUICK = {"query": '{ customer(by: {identifier: {namespace: "user_id", value: "ann"}}) { id } }'}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path) as shop:
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
