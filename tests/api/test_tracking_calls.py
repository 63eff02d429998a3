"""`POST /v1/track`, `/v1/t` and so on: one event alone, as the SDKs in browsers send it."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from onefold.api.app import create_app
from onefold.api.tracking import DOORS
from onefold.model.events import EVENT_TYPES
from onefold.model.traits import TraitRules
from onefold.service import Onefold
from onefold.settings import Settings
from onefold.store.sqlite.open import open_sqlite
from onefold.store.sqlite.store import SqliteStore
from tests.ingest.events import namespaces, sent
from tests.ingest.stored import message_ids

HERE = "http://127.0.0.1:8470"
SHOP = "https://shop.example"
BROWSER = {"content-type": "text/plain;charset=UTF-8", "origin": SHOP}
CALLS = [path for path in DOORS if path not in ("/v1/batch", "/v1/b")]
JOURNEY = """{
  customer(by: {identifier: {namespace: "user_id", value: "ann"}}) {
    journey(order: OLDEST_FIRST) { edges { node { messageId type at } } }
  }
}"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_sqlite(tmp_path / "onefold.db", namespaces(), TraitRules({}))
    yield opened
    opened.close()


@pytest.fixture
def client(store: SqliteStore) -> Iterator[TestClient]:
    settings = Settings(allowed_origins=(SHOP,), queue_size=5, batch_size=5, max_events_per_batch=5)
    with Onefold(store, namespaces(), TraitRules({}), settings) as service:
        yield TestClient(create_app(service), base_url=HERE)


def call(client: TestClient, path: str, event: object, **headers: str) -> Any:
    """The one result of a request that is answered."""
    content = event if isinstance(event, bytes) else json.dumps(event).encode()
    answer = client.post(path, content=content, headers={"content-type": "application/json"} | headers)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    [result] = said.pop("results")
    counted = {"accepted": "accepted", "duplicate": "duplicates", "rejected": "rejected"}[result["status"]]
    assert said == {"accepted": 0, "duplicates": 0, "rejected": 0} | {counted: 1}
    return result


def journey(client: TestClient) -> list[dict[str, Any]]:
    found = client.post("/graphql", json={"query": JOURNEY}).json()["data"]["customer"]
    return [edge["node"] for edge in found["journey"]["edges"]]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_each_type_has_its_path_and_its_letter(client: TestClient) -> None:
    for kind in EVENT_TYPES:
        for path in (f"/v1/{kind}", f"/v1/{kind[0]}"):
            event = sent(type=None, messageId=path, previousId="b7c1a4de-0f6e-4b3a-8f49-000000000001")
            assert call(client, path, event) == {"messageId": path, "status": "accepted"}
    assert sorted((step["messageId"], step["type"]) for step in journey(client)) == sorted(
        (path, kind) for kind in EVENT_TYPES for path in (f"/v1/{kind}", f"/v1/{kind[0]}")
    )
    assert len(CALLS) == 12


def test_a_batch_has_a_letter_too(client: TestClient, store: SqliteStore) -> None:
    answer = client.post("/v1/b", json={"batch": [sent(messageId="a"), sent(messageId="b")]})
    assert answer.json()["accepted"] == 2
    assert message_ids(store) == ["a", "b"]


def test_the_path_says_the_type_whatever_the_event_says(client: TestClient) -> None:
    call(client, "/v1/t", sent(type="page"))
    assert [step["type"] for step in journey(client)] == ["track"]


def test_an_event_is_the_same_by_whichever_path_it_comes(client: TestClient) -> None:
    assert call(client, "/v1/track", sent(type=None) | {"writeKey": "k", "sentAt": "2026-03-01T12:00:00Z"}) == {
        "messageId": "m-1",
        "status": "accepted",
    }
    assert call(client, "/v1/t", sent()) == {"messageId": "m-1", "status": "duplicate"}
    assert call(client, "/v1/b", {"batch": [sent()]}) == {"messageId": "m-1", "status": "duplicate"}
    assert call(client, "/v1/t", sent(event="Other"))["code"] == "event.message_id_reused"


def test_what_is_sent_alone_has_its_clock_corrected(client: TestClient) -> None:
    slow = datetime.now(tz=UTC) - timedelta(hours=5)
    event = sent(timestamp=(slow - timedelta(minutes=1)).isoformat()) | {"sentAt": slow.isoformat()}
    call(client, "/v1/t", event)
    [step] = journey(client)
    since = datetime.now(tz=UTC) - datetime.fromisoformat(step["at"])
    assert timedelta(seconds=59) < since < timedelta(seconds=80)


def test_what_is_wrong_with_an_event_is_its_result(client: TestClient, store: SqliteStore) -> None:
    rejected = call(client, "/v1/t", sent(userId="null"))
    assert (rejected["status"], rejected["code"]) == ("rejected", "event.no_identifier")
    huge = call(client, "/v1/t", sent(properties={"text": "x" * 32_768}))
    assert (huge["status"], huge["code"]) == ("rejected", "event.too_large")
    with store.read() as view:
        assert {reject.code for reject in view.rejects(10)} == {"event.no_identifier", "event.too_large"}


def test_a_nan_costs_its_value_alone(client: TestClient) -> None:
    event = json.dumps(sent(properties={"score": float("nan"), "n": 1}) | {"sentAt": "2026-03-01T12:00:00Z"}).encode()
    result = call(client, "/v1/t", event)
    assert (result["status"], result["warnings"][0]["field"]) == ("accepted", "properties.score")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'"x"', b'{"userId": "ann"} {}', b"\xff"])
def test_a_body_that_is_no_object_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/t", content=body, headers={"content-type": "application/json"})
    assert code(answer) == (400, "body.invalid_json")


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", ""])
def test_one_event_may_be_compressed_too_and_be_called_anything_then(
    client: TestClient, store: SqliteStore, kind: str
) -> None:
    content = gzip.compress(json.dumps(sent()).encode())
    call(client, "/v1/t", content, **{"content-encoding": "gzip", "content-type": kind})
    assert message_ids(store) == ["m-1"]


@pytest.mark.parametrize("path", ["/v1/t", "/v1/b"])
def test_a_page_that_may_send_may_call_it_plain_text(client: TestClient, store: SqliteStore, path: str) -> None:
    body = {"batch": [sent()]} if path == "/v1/b" else sent()
    answer = client.post(path, content=json.dumps(body), headers=BROWSER)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert message_ids(store) == ["m-1"]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"content-type": "text/plain"}, (415, "body.unsupported_media_type")),
        (BROWSER | {"origin": "https://evil.example"}, (403, "request.forbidden_origin")),
        (BROWSER | {"origin": "null"}, (403, "request.forbidden_origin")),
        (BROWSER | {"content-type": "application/x-www-form-urlencoded"}, (415, "body.unsupported_media_type")),
    ],
    ids=("from no page", "from another page", "from a page without a name", "a form"),
)
def test_nobody_else_may(
    client: TestClient, store: SqliteStore, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    assert code(client.post("/v1/t", content=json.dumps(sent()), headers=headers)) == expected
    assert message_ids(store) == []


def test_a_browser_may_ask_beforehand_and_read_when_to_come_back(client: TestClient) -> None:
    asked = client.options(
        "/v1/t",
        headers={
            "origin": SHOP,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type,x-retry-count",
        },
    )
    assert asked.status_code == 200, asked.text
    answer = client.post("/v1/t", content=json.dumps(sent()), headers=BROWSER)
    assert answer.headers["access-control-expose-headers"] == "retry-after"
