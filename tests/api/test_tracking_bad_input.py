"""Bad input of every kind, sent between two good events: each gets a clear answer, and nothing else is lost.

What is rejected stays in the reject log as it was sent.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.testclient import TestClient

from onefold.api.app import create_app
from onefold.model.traits import TraitRules
from onefold.service import Onefold
from onefold.settings import Settings
from onefold.store.sqlite.open import open_sqlite
from onefold.store.sqlite.store import SqliteStore
from tests.ingest.events import namespaces
from tests.ingest.stored import message_ids

GOOD = '{"type":"track","event":"Seen","userId":"ann","timestamp":"2025-03-01T12:00:00Z","messageId":"%s"}'


class Opened(NamedTuple):
    client: TestClient
    store: SqliteStore

    def send(self, *events: str | bytes) -> Any:
        body = b'{"batch":[' + b",".join(e if isinstance(e, bytes) else e.encode() for e in events) + b"]}"
        answer = self.client.post("/v1/batch", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 200, answer.text
        return answer.json()["results"]

    def rejects(self) -> list[tuple[str, bytes]]:
        with self.store.read() as view:
            return [(reject.code, reject.body) for reject in view.rejects(10)]


@pytest.fixture
def onefold(tmp_path: Path) -> Iterator[Opened]:
    store = open_sqlite(tmp_path / "onefold.db", namespaces(), TraitRules({}))
    with Onefold(store, namespaces(), TraitRules({}), Settings()) as service:
        yield Opened(TestClient(create_app(service), base_url="http://127.0.0.1"), store)
    store.close()


def bad(fields: str) -> str:
    """An event with these members instead of, or besides, the usual ones."""
    return '{"type":"track","event":"Seen","timestamp":"2025-03-01T12:00:00Z","messageId":"bad",' + fields + "}"


REJECTED = {
    "broken JSON": (b'{"type":"track" "userId":"ann"}', "event.invalid", None),
    "a type that is none": (bad('"userId":"ann","type":"purchase"'), "event.invalid", "type"),
    "no type": (b'{"userId":"ann"}', "event.invalid", "type"),
    "a text for an object": (bad('"userId":"ann","traits":"gold"'), "event.invalid", "traits"),
    "an object for a time": (bad('"userId":"ann","timestamp":{}'), "event.invalid", "timestamp"),
    "a list for an event": (b"[1,2]", "event.invalid", None),
    "an unknown namespace": (
        bad('"userId":"ann","identifiers":[{"namespace":"tin","value":"1"}]'),
        "identifier.unknown_namespace",
        "identifiers[0].namespace",
    ),
    "deep nesting": (bad('"userId":"ann","traits":' + '{"a":' * 5_000 + "1" + "}" * 5_000), "event.invalid", None),
    "the year 1": (bad('"userId":"ann","timestamp":"0001-01-01T00:00:00Z"'), "event.time_out_of_range", "timestamp"),
    "the year 9999": (bad('"userId":"ann","timestamp":"9999-12-31T23:59:59Z"'), "event.time_out_of_range", "timestamp"),
    "hundreds of identifiers": (
        bad('"identifiers":' + json.dumps([{"namespace": "email", "value": f"{n}@shop"} for n in range(500)])),
        "event.too_many_identifiers",
        "identifiers",
    ),
    "two user ids": (
        bad('"userId":"ann","identifiers":[{"namespace":"user_id","value":"bea"}]'),
        "event.ambiguous",
        "user_id",
    ),
    "no identifier": (bad('"properties":{}'), "event.no_identifier", None),
    "blocked values only": (bad('"userId":"undefined","anonymousId":"00000000"'), "event.no_identifier", None),
    "a huge event": (bad('"userId":"ann","traits":{"x":"' + "y" * 100_000 + '"}'), "event.too_large", None),
}  # fmt: skip

DROPPED = {
    "a bare NaN": (bad('"userId":"ann","properties":{"score":NaN}'), "event.value_dropped", "properties.score"),
    "a number without end": (bad('"userId":"ann","properties":{"x":1e999}'), "event.value_dropped", "properties.x"),
    "half a character": (bad('"userId":"ann","anonymousId":"\\ud800"'), "event.value_dropped", "anonymousId"),
    "bytes that are not UTF-8": (
        bad('"userId":"ann","properties":{"name":"?"}').encode().replace(b"?", b"\xff"),
        "event.value_dropped",
        "properties.name",
    ),
    "a blocked value": (bad('"userId":"ann","anonymousId":"null"'), "identifier.blocked", "anonymousId"),
    "an id that is an object": (bad('"userId":"ann","anonymousId":{}'), "identifier.malformed", "anonymousId"),
    "revenue that is none": (
        bad('"userId":"ann","properties":{"revenue":"lots"}'),
        "event.value_dropped",
        "properties.revenue",
    ),
}


@pytest.mark.parametrize(("event", "code", "field"), REJECTED.values(), ids=REJECTED)
def test_what_cannot_be_taken_is_rejected_alone(
    onefold: Opened, event: str | bytes, code: str, field: str | None
) -> None:
    before, result, after = onefold.send(GOOD % "before", event, GOOD % "after")
    assert (before["status"], after["status"]) == ("accepted", "accepted")
    assert (result["status"], result["code"], result.get("field")) == ("rejected", code, field)
    assert result["message"]
    assert result["hint"]
    assert message_ids(onefold.store) == ["before", "after"]
    raw = event if isinstance(event, bytes) else event.encode()
    assert onefold.rejects() == [(code, raw[:4_096])]


@pytest.mark.parametrize(("event", "code", "field"), DROPPED.values(), ids=DROPPED)
def test_a_value_that_cannot_be_taken_is_dropped_from_its_event(
    onefold: Opened, event: str | bytes, code: str, field: str
) -> None:
    before, result, after = onefold.send(GOOD % "before", event, GOOD % "after")
    assert [one["status"] for one in (before, result, after)] == ["accepted"] * 3
    assert [(warning["code"], warning["field"]) for warning in result["warnings"]] == [(code, field)]
    assert result["warnings"][0]["hint"]
    assert message_ids(onefold.store) == ["before", "bad", "after"]
    assert onefold.rejects() == []


def test_a_message_id_used_again_with_other_content_is_told_and_the_first_stays(onefold: Opened) -> None:
    first, same, other = onefold.send(GOOD % "a", GOOD % "a", (GOOD % "a").replace("Seen", "Bought"))
    assert (first["status"], same) == ("accepted", {"messageId": "a", "status": "duplicate"})
    assert (other["status"], other["code"], other["field"]) == (
        "duplicate",
        "event.message_id_reused",
        "messageId",
    )
    assert message_ids(onefold.store) == ["a"]


@pytest.mark.parametrize(
    "body", [b" " * 10_000_000, b'{"batch":[' + b",".join([(GOOD % "x").encode()] * 90_000) + b"]}"], ids=["", "events"]
)
def test_ten_megabytes_are_refused_and_told_how_many_may_be_sent(onefold: Opened, body: bytes) -> None:
    answer = onefold.client.post("/v1/batch", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body.too_large")
    assert "4000000" in answer.json()["message"]
    assert message_ids(onefold.store) == []
    assert onefold.send(GOOD % "after")[0]["status"] == "accepted"
