"""What waits and what is rejected is bounded: the queue says no, the log forgets, and both go on."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.support.crowd import Happening, crowd
from tests.support.locks import locked
from tests.support.server import Answer, Server, run, serving, until
from tests.support.whole import check_store, stored_ids

INGEST = "mutation ($events: [EventInput!]!) { ingest(events: $events) { accepted } }"
BATCH = 10
QUEUE = 50
MOST_TAKEN = QUEUE // BATCH + 1
"""Batches: those that wait, and one that is being written, if the writer came before the queue was full."""
REJECTS_KEPT = 10_000


def post(server: Server, batch: list[Happening]) -> Answer:
    with server.client() as client:
        return client.ingest([happening.wire() for happening in batch])


@pytest.mark.slow
def test_a_queue_that_is_full_says_when_to_come_again_and_takes_the_rest_when_it_drains(tmp_path: Path) -> None:
    happenings = list(islice(crowd(seed=9, people=20), 300))
    batches = [happenings[start : start + BATCH] for start in range(0, 200, BATCH)]
    many = [happening.wire() for happening in happenings[-QUEUE:]]
    with (
        serving(tmp_path, batch_size=BATCH, queue_size=QUEUE, max_events_per_batch=QUEUE) as server,
        server.client() as client,
        ThreadPoolExecutor(len(batches)) as threads,
    ):
        with locked(tmp_path / "store.db"):
            sent = [threads.submit(post, server, batch) for batch in batches]
            until(lambda: sum(future.done() for future in sent) >= len(batches) - MOST_TAKEN, "the others are answered")
            answer = client.ingest(many)
            assert (answer.status, answer.said["code"]) == (429, "ingest.queue_full")
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.said["message"]
            assert answer.said["hint"]
            said = client.graphql(INGEST, events=[event | {"type": event["type"].upper()} for event in many])
            assert [error["extensions"]["code"] for error in said["errors"]] == ["ingest.queue_full"]
            assert client.graphql("{ status { touchpoints } }") == {"data": {"status": {"touchpoints": 0}}}
            assert client.get("/readyz").status == 200
        answers = [future.result() for future in sent]
        assert {answer.status for answer in answers} == {200, 429}
        taken = [batch for batch, answer in zip(batches, answers, strict=True) if answer.status == 200]
        assert MOST_TAKEN - 1 <= len(taken) <= MOST_TAKEN
        names = {happening.message_id for batch in taken for happening in batch}
        assert set(stored_ids(tmp_path / "store.db")) == names, "what was turned away was not taken"
        for start in range(0, len(happenings), QUEUE):
            again = post(server, happenings[start : start + QUEUE])
            assert {result["messageId"] for result in again.said["results"] if result["status"] == "duplicate"} == {
                happening.message_id for happening in happenings[start : start + QUEUE]
            } & names
            assert again.said["rejected"] == 0
        assert server.stop() == 0
        assert server.complaints() == ""
    check_store(tmp_path / "store.db", {happening.message_id: happening for happening in happenings})


@pytest.mark.slow
def test_a_store_that_another_process_holds_too_long_is_busy_and_then_goes_on(tmp_path: Path) -> None:
    """The sender is told after a while; the command line, too."""
    happenings = list(islice(crowd(seed=10, people=3), 2))
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps(happenings[1].wire()) + "\n")
    with serving(tmp_path) as server, ThreadPoolExecutor() as threads:
        with locked(tmp_path / "store.db"):
            sent = threads.submit(post, server, happenings[:1])
            imported = threads.submit(run, tmp_path, "import", file, "--store", "sqlite:///store.db")
            answer = sent.result()
            assert (answer.status, answer.said["code"]) == (503, "store.busy")
            assert int(answer.headers["retry-after"]) >= 1
            ended = imported.result()
            assert ended.returncode == 8
            assert ended.stderr.startswith("store.busy: ")
            assert ended.stderr.count("\n") == 1
        assert stored_ids(tmp_path / "store.db") == []
        assert post(server, happenings).said["accepted"] == 2
        assert server.complaints() == ""


@pytest.mark.slow
def test_the_reject_log_keeps_the_newest_ten_thousand(tmp_path: Path) -> None:
    def bad(number: int) -> dict[str, Any]:
        return {"type": "track", "messageId": f"bad {number}", "timestamp": "2026-03-01T12:00:00Z"}

    with serving(tmp_path) as server, server.client() as client:
        for start in range(0, 12_500, 2_500):
            answer = client.ingest([bad(number) for number in range(start, start + 2_500)])
            assert (answer.status, answer.said["rejected"]) == (200, 2_500)
        assert client.graphql("{ status { rejects touchpoints } }")["data"]["status"] == {
            "rejects": REJECTS_KEPT,
            "touchpoints": 0,
        }
    with closing(apsw.Connection(str(tmp_path / "store.db"))) as connection:
        kept = connection.execute("SELECT CAST(body AS TEXT) ->> 'messageId' FROM rejects ORDER BY number").fetchall()
    assert [row[0] for row in kept] == [f"bad {number}" for number in range(2_500, 12_500)]
