"""Who asks with a key: what is believed of what they say, what they are told, and from which pages they may ask."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onefold.keys import KeyTrust, Scope
from tests.api.graphql_shop import JUDGE, Json, Shop, event
from tests.api.graphql_shop import key as identifier
from tests.contract.stores import Place
from tests.support.keyed import SHOP, WEB, Asking, basic, bearer, key, keyed, secret_of

KEYS = [
    WEB,
    SHOP,
    key("sender", Scope.TRACK),
    key("reader", Scope.READ, Scope.TRACK),
    key("clerk", Scope.STEWARD, Scope.TRACK),
    key("page", Scope.READ, origins=["https://desk.example"]),
    key("anywhere", Scope.TRACK, trust=KeyTrust.PUBLIC, origins=["*"]),
]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Who may ask is decided before any store is, so one kind of store will do."""
    return Place("sqlite", tmp_path)


@pytest.fixture
def shop(place: Place) -> Iterator[Shop]:
    with keyed(place, KEYS) as shop:
        yield shop


@pytest.fixture
def office(shop: Shop) -> Asking:
    return Asking(shop, "shop")


def wire(name: str, **said: Any) -> Json:
    """An event as SDKs send it."""
    return {"type": "track", "event": "Visit", "messageId": name, "timestamp": "2026-03-01T09:30:00Z", **said}


def posted(shop: Shop, path: str, body: Json, headers: dict[str, str] | None = None) -> tuple[int, str | None]:
    """Status and code of an answer, which never repeats a secret."""
    answer = shop.http.post(path, json=body, headers=headers)
    assert "secret" not in answer.text
    return answer.status_code, answer.json().get("code")


# -- how a key is sent


@pytest.mark.parametrize(
    "headers",
    [
        bearer("sender"),
        {"authorization": f"bearer  {secret_of('sender')} "},
        basic(secret_of("sender")),
        basic(secret_of("sender"), "any password"),
        {"authorization": basic(secret_of("sender"))["authorization"].replace("Basic", "bAsIc")},
    ],
)
@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track", "/v1/t"])
def test_a_key_may_be_a_bearer_s_or_the_user_of_basic(shop: Shop, path: str, headers: dict[str, str]) -> None:
    body = {"batch": []} if path == "/v1/batch" else wire("m1", userId="ann")
    assert posted(shop, path, body, headers) == (200, None)
    assert shop.http.post("/graphql", json={"query": "{ __typename }"}, headers=headers).status_code == 200


def test_senders_may_write_their_key_into_the_body(shop: Shop) -> None:
    secret = secret_of("sender")
    assert posted(shop, "/v1/batch", {"batch": [], "writeKey": secret}) == (200, None)
    assert posted(shop, "/v1/t", wire("m1", userId="ann", writeKey=secret)) == (200, None)
    assert posted(shop, "/v1/batch", {"batch": [], "writeKey": "secret"}) == (401, "key.unknown")
    for write_key in (None, "", 7, [secret], {"key": secret}):
        assert posted(shop, "/v1/batch", {"batch": [], "writeKey": write_key}) == (401, "key.missing")
    body = {"query": "{ __typename }", "writeKey": secret_of("shop")}
    assert shop.http.post("/graphql", json=body).status_code == 401


def test_the_header_counts_before_the_body(shop: Shop) -> None:
    for headers in (basic("not-a-secret"), {"authorization": "Bearer"}, {"authorization": ""}):
        assert posted(shop, "/v1/batch", {"batch": [], "writeKey": secret_of("sender")}, headers) == (
            401,
            "key.unknown",
        )


@pytest.mark.parametrize(
    "header",
    [
        "", "Basic", "Bearer", "Basic !!", "Basic YQ", "Basic /////w==", f"Digest {secret_of('shop')}",
        secret_of("shop"), f"Bearer {secret_of('shop')}x", f"Bearer {SHOP.hash}", f"Token {secret_of('shop')}",
        "Bearer " + "x" * 10_000, "Basic " + "x" * 10_000,
    ],
)  # fmt: skip
def test_what_is_no_key_lets_nobody_in(shop: Shop, header: str) -> None:
    for path, body in (("/v1/batch", {"batch": [wire("m1", userId="ann")]}), ("/graphql", {"query": "{ __typename }"})):
        answer = shop.http.post(path, json=body, headers={"authorization": header})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="onefold"'
        assert secret_of("shop") not in answer.text


def test_who_is_turned_away_is_not_listened_to(shop: Shop, office: Asking) -> None:
    assert posted(shop, "/v1/batch", {"batch": [wire("m1", userId="ann")]}, bearer("stranger")) == (401, "key.unknown")
    assert posted(shop, "/v1/batch", {"batch": [wire("m1", userId="ann")]}, bearer("page")) == (403, "key.forbidden")
    assert office.ask("{ status { touchpoints rejects } }")["status"] == {"touchpoints": 0, "rejects": 0}


# -- what is told


def test_a_key_that_only_tracks_sees_nothing_of_anybody(shop: Shop, office: Asking) -> None:
    office.send(event("m1", 1, "user_id:ann", "email:ann@example.com"))
    ann = '{ customer(by: {identifier: {namespace: "user_id", value: "ann"}}) { id } }'
    known = office.ask(ann)["customer"]["id"]
    for name in ("sender", "web"):
        sender = Asking(shop, name)
        report = sender.send(event("m1", 2, "email:ann@example.com"), event("m1", 2, "email:ann@example.com"))
        assert (report["accepted"], report["duplicates"]) == (1, 1)
        assert [result["customer"] for result in report["results"]] == [None, None]
        told = json.dumps(sender.batch(wire("m2", userId="ann", context={"traits": {"email": "ann@example.com"}})))
        assert json.loads(told) == [{"messageId": "m2", "status": "accepted"}]
        assert known not in told
        assert sender.codes(f'{{ node(id: "{known}") {{ id }} }}') == ["key.forbidden"]
        assert sender.codes("mutation { ingest(events: []) { results { customer { id } } } }") == []


def test_with_read_senders_are_told_whose_it_is(shop: Shop) -> None:
    (result,) = Asking(shop, "reader").send(event("m1", 1, "user_id:ann"))["results"]
    assert result["customer"]["id"].startswith("cus_")


def test_nothing_is_done_of_an_operation_that_is_refused(shop: Shop, office: Asking) -> None:
    query = """mutation ($events: [EventInput!]!) {
        ingest(events: $events) { accepted }
        retract(judgement: "jdg_0000000000001", reason: "x") { judgement { id } } }"""
    assert Asking(shop, "sender").codes(query, events=[event("m1", 1, "user_id:ann")]) == ["key.forbidden"]
    assert office.ask("{ status { touchpoints } }")["status"]["touchpoints"] == 0


def test_a_refusal_names_field_and_scope(shop: Shop) -> None:
    (error,) = Asking(shop, "sender").answer("{ status { touchpoints } }")["errors"]
    assert error["message"] == "Query.status needs the scope read, and the key sender has track"
    assert error["extensions"]["hint"]


# -- who says it


def test_what_is_sent_is_said_by_the_key_with_its_trust(shop: Shop, office: Asking) -> None:
    Asking(shop, "web").batch(wire("m1", userId="ann", anonymousId="x"))
    Asking(shop, "sender").send(event("m1", 2, "user_id:ann", "anonymous_id:x"))
    query = """{ customer(by: {identifier: {namespace: "user_id", value: "ann"}}) {
        journey { edges { node { source messageId } } }
        identifiers { edges { node { links { edges { node { sources { source trusted count } } } } } } } } }"""
    found = office.ask(query)["customer"]
    told = [(edge["node"]["source"], edge["node"]["messageId"]) for edge in found["journey"]["edges"]]
    assert sorted(told) == [("sender", "m1"), ("web", "m1")]
    link = found["identifiers"]["edges"][0]["node"]["links"]["edges"][0]["node"]
    assert {(source["source"], source["trusted"], source["count"]) for source in link["sources"]} == {
        ("sender", True, 1),
        ("web", False, 1),
    }


def test_a_judgement_is_its_key_s_and_tells_a_steward_its_id_alone(shop: Shop, office: Asking) -> None:
    office.send(event("m1", 1, "user_id:ann"), event("m2", 2, "user_id:anna"))
    clerk = Asking(shop, "clerk")
    given = {"a": identifier("user_id:ann"), "b": identifier("user_id:anna")}
    assert clerk.codes(JUDGE, verdict="SAME", **given) == ["key.forbidden"]
    told = JUDGE.replace("id verdict author reason at retractedAt a { value } b { value }", "id")
    told = told.replace("joined { id } split { id }", "")
    made = clerk.ask(told, verdict="SAME", **given)["judge"]
    judgement = office.ask(f'{{ node(id: "{made["judgement"]["id"]}") {{ ... on Judgement {{ author }} }} }}')["node"]
    assert judgement == {"author": "clerk"}
    taken_back = 'mutation { retract(judgement: "ID", reason: "a mistake") { judgement { retractedBy } } }'
    back = office.ask(taken_back.replace("ID", made["judgement"]["id"]))
    assert back["retract"]["judgement"]["retractedBy"] == "shop"


def same(office: Asking, a: str, b: str) -> bool:
    """Whether two user ids are one customer."""
    query = "query ($i: [IdentifierInput!]!) { resolve(identifiers: $i) { customer { id } } }"
    found = office.ask(query, i=[identifier(f"user_id:{a}"), identifier(f"user_id:{b}")])["resolve"]
    return len({row["customer"]["id"] for row in found}) == 1


@pytest.mark.parametrize(("name", "judges"), [("clerk", True), ("shop", True), ("sender", False), ("web", False)])
@pytest.mark.parametrize("door", ["batch", "graphql"])
def test_an_alias_of_two_user_ids_is_a_judgement_if_its_key_may_judge(
    shop: Shop, office: Asking, name: str, judges: bool, door: str
) -> None:
    office.send(event("m1", 1, "user_id:ann"), event("m2", 2, "user_id:anna"))
    sender, alias = Asking(shop, name), {"userId": "ann", "previousId": "anna", "messageId": "a1"}
    if door == "batch":
        sender.batch(wire("a1", **alias) | {"type": "alias"})
    else:
        sender.send({**alias, "type": "ALIAS"})
    assert same(office, "ann", "anna") is judges


# -- pages


def test_a_page_may_use_the_keys_that_name_its_origin(shop: Shop) -> None:
    query = {"query": "{ __typename }"}

    def status(name: str, origin: str) -> int:
        answer = shop.http.post("/graphql", json=query, headers=bearer(name) | {"origin": origin})
        if answer.status_code == 403:
            assert "request.forbidden_origin" in answer.text
        return answer.status_code

    assert status("page", "https://desk.example") == 200
    assert status("page", "https://DESK.example") == 200
    assert status("page", "http://127.0.0.1:8470") == 200
    for origin in ("https://evil.example", "http://desk.example", "https://desk.example.evil.example", "null"):
        assert status("page", origin) == 403
        assert status("anywhere", origin) == 200
    assert status("shop", "https://desk.example") == 403


def test_pages_are_told_beforehand_that_they_may_ask(place: Place) -> None:
    desk = "https://desk.example"
    keys = [key(name, Scope.TRACK, origins=[f"https://{name}.example"]) for name in ("desk", "other")]
    with keyed(place, keys) as shop:
        asking = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        told = shop.http.options("/v1/batch", headers={"origin": desk, **asking})
        assert (told.status_code, told.headers["access-control-allow-origin"]) == (200, desk)
        assert shop.http.options("/v1/batch", headers={"origin": "https://evil.example", **asking}).status_code == 403
        body = {"batch": [], "writeKey": secret_of("desk")}
        sent = shop.http.post("/v1/batch", json=body, headers={"origin": desk})
        assert (sent.status_code, sent.headers["access-control-allow-origin"]) == (200, desk)
        refused = shop.http.post("/v1/batch", json=body, headers={"origin": "https://other.example"})
        assert (refused.status_code, refused.json()["code"]) == (403, "request.forbidden_origin")


def test_pages_that_the_settings_name_may_use_every_key(place: Place) -> None:
    with keyed(place, allowed_origins=("http://localhost:3000/",)) as shop:
        headers = bearer("shop") | {"origin": "http://localhost:3000"}
        answer = shop.http.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "http://localhost:3000")


def test_with_keys_any_host_may_be_asked_for_unless_the_settings_name_some(place: Place) -> None:
    def status(shop: Shop, host: str) -> int:
        found = shop.http.post("/graphql", json={"query": "{ __typename }"}, headers=bearer("shop") | {"host": host})
        return found.status_code

    with keyed(place) as shop:
        assert (status(shop, "onefold.example"), status(shop, "127.0.0.1:8470")) == (200, 200)
    with keyed(place, allowed_hosts=("onefold.example",)) as shop:
        assert (status(shop, "onefold.example"), status(shop, "127.0.0.1:8470")) == (200, 403)


# -- secrets


def test_no_secret_is_in_logs_rejects_or_answers(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = secret_of("sender")
    answers = [
        shop.http.post("/v1/t", json={"event": "x", "writeKey": secret}).text,
        shop.http.post("/v1/t", json={"event": "x", "writeKey": secret, "properties": {"x": "y" * 5_000}}).text,
        shop.http.post("/v1/batch", json={"batch": [{"type": "x", "writeKey": secret}], "writeKey": secret}).text,
        shop.http.post("/v1/batch", content=f'{{"writeKey": "{secret}", "batch"', headers=bearer("sender")).text,
        shop.http.post(
            "/v1/t",
            content=f'{{"properties": "{"x" * 4_040}", "writeKey" : "{secret}"}}',
            headers={"content-type": "application/json"},
        ).text,
        shop.http.post("/v1/batch", json={"batch": []}, headers={"authorization": f"Token {secret}"}).text,
        shop.http.get("/readyz").text,
    ]
    with shop.onefold.read() as reading:
        rejects = reading.view.rejects(100)
    assert len(rejects) == 4
    for text in (
        *answers,
        *(row.body.decode() for row in rejects),
        *(record.getMessage() for record in caplog.records),
    ):
        assert secret not in text
        assert secret[:12] not in text
