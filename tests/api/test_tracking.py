"""`POST /v1/batch`: a result for each event, and a clear answer when the whole request fails."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from onefold.api.app import create_app
from onefold.model.traits import TraitRules
from onefold.service import Onefold
from onefold.settings import Settings
from onefold.store.sqlite.open import open_sqlite
from onefold.store.sqlite.store import SqliteStore
from tests.ingest.events import namespaces, sent
from tests.ingest.stored import message_ids

HERE = "http://127.0.0.1:8470"
JSON = {"content-type": "application/json"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_sqlite(tmp_path / "onefold.db", namespaces(), TraitRules({}))
    yield opened
    opened.close()


@pytest.fixture
def onefold(store: SqliteStore) -> Iterator[Onefold]:
    settings = Settings(
        max_body_bytes=100_000, max_event_bytes=50_000, max_events_per_batch=100, queue_size=200, batch_size=100
    )
    with Onefold(store, namespaces(), TraitRules({}), settings) as service:
        yield service


@pytest.fixture
def client(onefold: Onefold) -> TestClient:
    return TestClient(create_app(onefold), base_url=HERE, raise_server_exceptions=False)


def event(name: str, **fields: Any) -> dict[str, Any]:
    return sent(messageId=name, timestamp="2025-03-01T12:00:00Z", **fields)


def post(client: TestClient, *events: dict[str, Any], **headers: str) -> Any:
    answer = client.post("/v1/batch", content=json.dumps({"batch": events}), headers=JSON | headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def failed(answer: Any) -> tuple[int, str]:
    """Status and code of a request that failed as a whole; its form is checked on the way."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["message"] == problem["detail"]
    assert problem["title"]
    assert None not in problem.values()
    return answer.status_code, problem["code"]


def test_each_event_has_its_result(client: TestClient, store: SqliteStore) -> None:
    answer = post(client, event("a"), event("b", userId=""), event("a"), event("c", anonymousId="null"))
    assert {name: answer[name] for name in ("accepted", "duplicates", "rejected")} == {
        "accepted": 2,
        "duplicates": 1,
        "rejected": 1,
    }
    a, b, again, c = answer["results"]
    assert a == {"messageId": "a", "status": "accepted"}
    assert again == {"messageId": "a", "status": "duplicate"}
    assert (b["messageId"], b["status"], b["code"]) == ("b", "rejected", "event.no_identifier")
    assert "userId" in b["hint"]
    assert b["warnings"][0]["field"] == "userId"
    assert [(w["code"], w["field"]) for w in c["warnings"]] == [("identifier.blocked", "anonymousId")]
    assert message_ids(store) == ["a", "c"]


def test_what_is_answered_is_durable_and_can_be_read(client: TestClient) -> None:
    post(client, event("a", anonymousId="web-1"))
    query = '{ customer(by: {identifier: {namespace: "anonymous_id", value: "web-1"}}) { id } }'
    answer = client.post("/graphql", json={"query": query}).json()
    assert answer["data"]["customer"]["id"].startswith("cus_")


def test_a_nan_in_one_event_sinks_no_other(client: TestClient, store: SqliteStore) -> None:
    events = [event("a"), event("b", type="identify", traits={"score": float("nan"), "plan": "gold"}), event("c")]
    answer = post(client, *events)
    assert [result["status"] for result in answer["results"]] == ["accepted"] * 3
    assert answer["results"][1]["warnings"][0]["field"] == "traits.score"
    assert message_ids(store) == ["a", "b", "c"]


def test_a_compressed_body_is_read(client: TestClient, store: SqliteStore) -> None:
    body = json.dumps({"batch": [event("a")]}).encode()
    whole = gzip.compress(body)
    parts = gzip.compress(body[:20]) + gzip.compress(body[20:])
    for content, encoding in ((whole, "gzip"), (parts, "GZIP"), (whole, "x-gzip"), (body, "identity")):
        answer = client.post("/v1/batch", content=content, headers=JSON | {"content-encoding": encoding})
        assert answer.status_code == 200
    assert message_ids(store) == ["a"]


@pytest.mark.parametrize(
    ("content", "encoding", "expected"),
    [
        (b"not gzip", "gzip", (400, "body.invalid_json")),
        (gzip.compress(b'{"batch": []}')[:-9], "gzip", (400, "body.invalid_json")),
        (gzip.compress(b'{"batch": []}') + b"\x1f\x8b more", "gzip", (400, "body.invalid_json")),
        (gzip.compress(b" " * 100_001), "gzip", (413, "body.too_large")),
        (gzip.compress(b" " * 60_000) * 2, "gzip", (413, "body.too_large")),
        (b"{}", "br", (415, "body.unsupported_media_type")),
    ],
    ids=("no gzip", "cut off", "more behind it", "too much", "too much in two", "another encoding"),
)
def test_a_body_that_cannot_be_unpacked_is_refused(
    client: TestClient, content: bytes, encoding: str, expected: tuple[int, str]
) -> None:
    answer = client.post("/v1/batch", content=content, headers=JSON | {"content-encoding": encoding})
    assert failed(answer) == expected


def test_a_compressed_body_is_inflated_up_to_the_limit(client: TestClient) -> None:
    content = b'{"batch": []' + b" " * (100_000 - 13) + b"}"
    answer = client.post("/v1/batch", content=gzip.compress(content), headers=JSON | {"content-encoding": "gzip"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("content", "code", "status"),
    [
        (b"{broken", "body.invalid_json", 400),
        (b"", "body.invalid_json", 400),
        (b"[]", "body.invalid_json", 400),
        (b"[" * 90_000, "body.invalid_json", 400),
        (b'{"batch": 7}', "event.invalid", 400),
        (json.dumps({"batch": [{}] * 101}).encode(), "body.too_large", 413),
        (b"x" * 100_001, "body.too_large", 413),
    ],
)
def test_a_body_that_is_no_batch_is_refused_as_a_whole(
    client: TestClient, content: bytes, code: str, status: int
) -> None:
    assert failed(client.post("/v1/batch", content=content, headers=JSON)) == (status, code)


@pytest.mark.parametrize("media", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_only_json_is_taken(client: TestClient, media: str) -> None:
    answer = client.post("/v1/batch", content=b'{"batch": []}', headers={"content-type": media})
    assert failed(answer) == (415, "body.unsupported_media_type")
    with_charset = client.post("/v1/batch", content=b'{"batch": []}', headers={"content-type": "Application/JSON; a=b"})
    assert with_charset.status_code == 200


def test_a_body_of_many_events_is_one_batch_too(client: TestClient, store: SqliteStore) -> None:
    events = [event(f"n-{n:02}", properties={"text": "x" * 500}) for n in range(100)]
    assert post(client, *events)["accepted"] == 100
    assert message_ids(store) == [f"n-{n:02}" for n in range(100)]


def test_any_write_key_is_taken(client: TestClient) -> None:
    assert post(client, event("a"), authorization="Basic a2V5Og==")["accepted"] == 1


def test_a_full_queue_asks_to_come_back_and_the_rest_goes_on(client: TestClient, onefold: Onefold) -> None:
    entered, open_ = threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        assert open_.wait(20)

    gate = onefold.batcher.call(wait)
    assert entered.wait(20)
    raw = [json.dumps(event(f"n-{n}")).encode() for n in range(100)]
    waiting = [onefold.submit(raw), onefold.submit(raw)]
    answer = client.post("/v1/batch", json={"batch": [event("late")]})
    assert failed(answer) == (429, "ingest.queue_full")
    assert int(answer.headers["retry-after"]) >= 1
    open_.set()
    gate.result(20)
    assert [len(future.result(20)) for future in waiting] == [100, 100]
    assert post(client, event("late"))["accepted"] == 1


def test_a_store_that_cannot_be_written_asks_to_come_back(client: TestClient, store: SqliteStore) -> None:
    store.close()
    answer = client.post("/v1/batch", json={"batch": [event("a")]})
    assert failed(answer) == (503, "store.unavailable")
    assert int(answer.headers["retry-after"]) >= 1


def test_a_service_that_shuts_down_asks_to_come_back(client: TestClient, onefold: Onefold) -> None:
    onefold.close()
    answer = client.post("/v1/batch", json={"batch": [event("a")]})
    assert failed(answer) == (503, "ingest.stopping")
    assert int(answer.headers["retry-after"]) >= 1


def test_a_full_disk_asks_to_come_back_and_goes_on_when_there_is_room(client: TestClient, store: SqliteStore) -> None:
    pages = store._connections.writer.pragma("page_count")
    store._connections.writer.pragma("max_page_count", pages)
    big = [event(f"n-{n}", properties={"text": "x" * 600}) for n in range(100)]
    answer = client.post("/v1/batch", json={"batch": big})
    assert failed(answer) == (507, "store.full")
    assert int(answer.headers["retry-after"]) >= 1
    assert client.get("/readyz").status_code == 200, "reads go on"
    store._connections.writer.pragma("max_page_count", 1_000_000)
    assert post(client, *big)["accepted"] == 100


def test_a_bug_is_answered_in_the_same_form(
    client: TestClient, onefold: Onefold, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(onefold.decoder, "decode_sent", broken)
    answer = client.post("/v1/batch", json={"batch": []})
    assert failed(answer) == (500, "internal")
    assert "secret" not in answer.text


# -- health


def test_health_is_told(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lambda onefold, store: store.close(), "store.unavailable"),
        (lambda onefold, store: onefold.close(), "ingest.stopping"),
    ],
)
def test_what_cannot_be_used_is_not_ready_but_alive(
    client: TestClient,
    onefold: Onefold,
    store: SqliteStore,
    break_it: Callable[[Onefold, SqliteStore], None],
    code: str,
) -> None:
    break_it(onefold, store)
    assert failed(client.get("/readyz")) == (503, code)
    assert client.get("/healthz").status_code == 200
