"""The protocol graphql-transport-ws, message by message: what is answered, what closes the connection and with which
code."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.testclient import WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from onefold.api.graphql.sockets import connection
from onefold.keys import KeyTrust, Scope
from tests.api.graphql_shop import Shop, event, opened
from tests.contract.stores import Place
from tests.support.keyed import bearer, key, keyed, secret_of

URL: Final = "ws://127.0.0.1:8470/graphql"
PROTOCOL: Final = "graphql-transport-ws"
INIT: Final = {"type": "connection_init"}
ACK: Final = {"type": "connection_ack"}
QUERY: Final = "{ status { touchpoints } }"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(Place("sqlite", tmp_path), max_subscriptions=2) as shop, shop.http:
        yield shop


@contextmanager
def socket(shop: Shop, **headers: str) -> Iterator[WebSocketTestSession]:
    """A connection, not yet initialised."""
    with shop.http.websocket_connect(URL, [PROTOCOL], headers=headers) as session:
        yield session


@contextmanager
def begun(shop: Shop, payload: Any = None, **headers: str) -> Iterator[WebSocketTestSession]:
    """A connection that is ready."""
    with socket(shop, **headers) as session:
        session.send_json(INIT | ({} if payload is None else {"payload": payload}))
        assert session.receive_json() == ACK
        yield session


def subscribe(session: WebSocketTestSession, query: str, name: str = "1", **variables: Any) -> None:
    session.send_json({"type": "subscribe", "id": name, "payload": {"query": query, "variables": variables}})


def closed(session: WebSocketTestSession) -> tuple[int, str]:
    """The code and the reason with which it is closed next."""
    with pytest.raises(WebSocketDisconnect) as caught:
        session.receive_json()
    return caught.value.code, caught.value.reason


def codes(message: Any) -> list[str]:
    """Of the errors in a message."""
    return [error["extensions"]["code"] for error in message["payload"]]


# -- what is answered


def test_a_query_is_answered_once_and_completed(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann"))
    with begun(shop) as session:
        subscribe(session, QUERY)
        data = {"data": {"status": {"touchpoints": 1}}}
        assert session.receive_json() == {"type": "next", "id": "1", "payload": data}
        assert session.receive_json() == {"type": "complete", "id": "1"}


def test_a_mutation_is_done(shop: Shop) -> None:
    with begun(shop) as session:
        query = "mutation ($e: [EventInput!]!) { ingest(events: $e) { accepted } }"
        subscribe(session, query, e=[event("m1", 1, "user_id:ann")])
        assert session.receive_json()["payload"] == {"data": {"ingest": {"accepted": 1}}}
    assert shop.ask(QUERY)["status"]["touchpoints"] == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nothing }", "query.invalid"),
        ("{ status {", "query.invalid"),
        ("{ a: status { seq } " + "".join(f"b{n}: status {{ seq }} " for n in range(40)) + "}", "query.too_complex"),
        ('subscription { segmentMembership(segment: "seg_0000000000007") { seq } }', "segment.not_found"),
        ('subscription { segmentMembership(segment: "cus_x") { seq } }', "query.bad_reference"),
        ('subscription { segmentMembership(segment: "seg_0000000000007", after: 7) { seq } }', "query.invalid"),
        ('subscription { a: segmentMembership(segment: "x") { seq } b: segmentMembership(segment: "x") { seq } }',
         "query.invalid"),
    ],
)  # fmt: skip
def test_an_operation_that_is_not_run_ends_with_its_errors_and_the_connection_goes_on(
    shop: Shop, query: str, code: str
) -> None:
    with begun(shop) as session:
        subscribe(session, query)
        message = session.receive_json()
        assert (message["type"], message["id"], codes(message)) == ("error", "1", [code])
        subscribe(session, QUERY)
        assert session.receive_json()["type"] == "next"


def test_an_error_below_the_root_comes_with_the_data(shop: Shop) -> None:
    with begun(shop) as session:
        subscribe(session, '{ customer(by: {id: "cus_00000000000000000000000000"}) { id } }')
        payload = session.receive_json()["payload"]
        assert payload["data"] == {"customer": None}
        assert codes({"payload": payload["errors"]}) == ["customer.not_found"]


def test_a_ping_is_answered_before_and_after_the_connection_is_initialised(shop: Shop) -> None:
    with socket(shop) as session:
        session.send_json({"type": "ping", "payload": {"at": 1}})
        assert session.receive_json() == {"type": "pong"}
        session.send_json({"type": "pong"})
        session.send_json(INIT)
        assert session.receive_json() == ACK
        session.send_json({"type": "ping"})
        assert session.receive_json() == {"type": "pong"}


def test_what_was_completed_already_may_be_completed_again_and_its_id_used_again(shop: Shop) -> None:
    with begun(shop) as session:
        for _ in range(2):
            subscribe(session, QUERY)
            assert [session.receive_json()["type"] for _ in range(2)] == ["next", "complete"]
            session.send_json({"type": "complete", "id": "1"})


def test_a_subscription_over_http_is_told_where_to_go(shop: Shop) -> None:
    answer = shop.post('subscription { segmentMembership(segment: "seg_0000000000007") { seq } }').json()
    assert answer["errors"][0]["extensions"]["code"] == "query.invalid"
    assert "WebSocket" in answer["errors"][0]["extensions"]["hint"]


# -- what closes it


@pytest.mark.parametrize(
    "text",
    [
        "", "no JSON", "[]", "1", "{}", '{"type": "unknown"}', '{"type": "subscribe"}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ a }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ a }"}}',
        '{"type": "subscribe", "id": "1", "payload": {}}', '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
        '{"type": "connection_init", "payload": 7}', '{"type": "complete"}', '{"type": "next", "id": "1"}',
        '{"type": "connection_ack"}', "[" * 100_000,
        json.dumps({"type": "complete", "id": "x" * 1_000}),
    ],
)  # fmt: skip
def test_what_is_no_message_closes_the_connection(shop: Shop, text: str) -> None:
    with begun(shop) as session:
        session.send_text(text)
        code, reason = closed(session)
    assert code == 4400
    assert 0 < len(reason.encode()) <= 123


def test_bytes_close_the_connection(shop: Shop) -> None:
    with begun(shop) as session:
        session.send_bytes(b"{}")
        assert closed(session)[0] == 4400


def test_nothing_is_asked_before_the_connection_is_initialised(shop: Shop) -> None:
    with socket(shop) as session:
        subscribe(session, QUERY)
        assert closed(session) == (4401, "Unauthorized")


def test_whoever_does_not_initialise_is_not_waited_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "INIT_SECONDS", 0.05)
    with socket(shop) as session:
        session.send_json({"type": "ping"})
        assert session.receive_json() == {"type": "pong"}
        assert closed(session) == (4408, "Connection initialisation timeout")


def test_a_connection_is_initialised_once(shop: Shop) -> None:
    with begun(shop) as session:
        session.send_json(INIT)
        assert closed(session) == (4429, "Too many initialisation requests")


@pytest.mark.parametrize("protocols", [[], ["graphql-ws"], ["something", "else"]])
def test_another_protocol_is_not_spoken(shop: Shop, protocols: list[str]) -> None:
    with shop.http.websocket_connect(URL, protocols) as session:
        assert session.accepted_subprotocol is None
        assert closed(session) == (4406, "Subprotocol not acceptable")


def test_ours_is_chosen_among_several(shop: Shop) -> None:
    with shop.http.websocket_connect(URL, ["graphql-ws", PROTOCOL]) as session:
        assert session.accepted_subprotocol == PROTOCOL


# -- who may


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Shop]:
    """With keys: one reads, one tracks in a page."""
    keys = (
        key("reader", Scope.READ, origins=["https://shop.example"]),
        key("web", Scope.TRACK, trust=KeyTrust.PUBLIC, origins=["https://shop.example"]),
    )
    with keyed(Place("sqlite", tmp_path), keys) as shop, shop.http:
        yield shop


@pytest.mark.parametrize(
    "payload", [{"authorization": f"Bearer {secret_of('reader')}"}, {"key": secret_of("reader"), "more": 1}]
)
def test_a_page_says_its_key_in_the_first_message(guarded: Shop, payload: Any) -> None:
    with begun(guarded, payload, origin="https://shop.example") as session:
        subscribe(session, "{ status { seq } }")
        assert session.receive_json()["payload"] == {"data": {"status": {"seq": "0"}}}


def test_a_header_is_as_good(guarded: Shop) -> None:
    with begun(guarded, **bearer("reader")) as session:
        subscribe(session, "{ status { seq } }")
        assert session.receive_json()["type"] == "next"


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (None, "key.missing"), ({}, "key.missing"), ({"key": ""}, "key.missing"), ({"key": 7}, "key.missing"),
        ({"key": "wrong"}, "key.unknown"), ({"authorization": "Bearer wrong"}, "key.unknown"),
    ],
)  # fmt: skip
def test_without_a_key_nobody_gets_in(guarded: Shop, payload: Any, code: str) -> None:
    with socket(guarded) as session:
        session.send_json(INIT | {"payload": payload})
        closing, reason = closed(session)
    assert closing == 4403
    assert code in reason


def test_a_key_is_not_for_every_page(guarded: Shop) -> None:
    with socket(guarded, origin="http://127.0.0.1:8470") as session:
        session.send_json(INIT | {"payload": {"key": secret_of("reader")}})
        assert session.receive_json() == ACK
    with pytest.raises(WebSocketDisconnect) as caught, socket(guarded, origin="https://evil.example"):
        pass
    assert caught.value.code == 1008


def test_each_operation_needs_its_scope(guarded: Shop) -> None:
    with begun(guarded, {"key": secret_of("web")}) as session:
        subscribe(session, 'subscription { segmentMembership(segment: "seg_0000000000007") { seq } }')
        assert codes(session.receive_json()) == ["key.forbidden"]
        subscribe(session, "{ status { seq } }")
        assert codes(session.receive_json()) == ["key.forbidden"]


def test_without_keys_no_foreign_page_and_no_foreign_host_gets_in(shop: Shop) -> None:
    for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
        with pytest.raises(WebSocketDisconnect) as caught, socket(shop, **headers):
            pass
        assert caught.value.code == 1008


# -- how much


def test_there_are_no_more_connections_than_may_be(tmp_path: Path) -> None:
    with opened(Place("sqlite", tmp_path), max_sockets=1) as shop, shop.http:
        with begun(shop):
            with pytest.raises(WebSocketDenialResponse) as caught, socket(shop):
                pass
            assert (caught.value.status_code, caught.value.json()["code"]) == (503, "socket.too_many")
        with begun(shop):
            pass
