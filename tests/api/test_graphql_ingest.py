"""Events sent by the mutation: each stands by itself, and the answer shows what it led to."""

from typing import Any

import pytest

from tests.api.graphql_shop import INGEST, Shop, at, event


def test_each_event_of_a_batch_stands_by_itself(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann"))
    report = shop.send(
        event("m1", 1, "user_id:ann"),
        event("m1", 1, "user_id:bob"),
        event("m2", 2, "user_id:ann", "email:null"),
        event("m3", 3),
        event("m4", 4, "user_id:a", "user_id:b"),
        event("m5", 5, "shoe_size:42"),
        {**event("m6", 6, "user_id:ann"), "timestamp": "1969-12-31T23:59:59Z"},
        {**event("m7", 7, "user_id:ann"), "timestamp": "9999-12-31T23:59:59Z"},
        {**event("m8", 7, "user_id:ann"), "timestamp": "0001-01-01T00:00:00Z"},
    )
    assert (report["accepted"], report["duplicates"], report["rejected"]) == (1, 2, 6)
    told = [(r["messageId"], r["status"], r["problem"] and r["problem"]["code"]) for r in report["results"]]
    assert told == [
        ("m1", "DUPLICATE", None),
        ("m1", "DUPLICATE", "event.message_id_reused"),
        ("m2", "ACCEPTED", None),
        ("m3", "REJECTED", "event.no_identifier"),
        ("m4", "REJECTED", "event.ambiguous"),
        ("m5", "REJECTED", "identifier.unknown_namespace"),
        ("m6", "REJECTED", "event.time_out_of_range"),
        ("m7", "REJECTED", "event.time_out_of_range"),
        ("m8", "REJECTED", "event.time_out_of_range"),
    ]
    assert [w["code"] for w in report["results"][2]["warnings"]] == ["identifier.blocked"]
    ann = {"id": shop.customer_id("user_id:ann")}
    assert [r["customer"] for r in report["results"]] == [ann, ann, ann, None, None, None, None, None, None]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_beyond_all_years_sinks_no_other_event(shop: Shop, time: str) -> None:
    report = shop.send(event("far", 1, "user_id:ann", timestamp=time), event("near", 1, "user_id:ann"))
    assert [result["problem"] and result["problem"]["code"] for result in report["results"]] == [
        "event.time_out_of_range",
        None,
    ]


@pytest.mark.parametrize("wrong", [{"userId": 7}, {"timestamp": "x"}])
def test_a_value_of_a_wrong_type_fails_the_whole_request(shop: Shop, wrong: dict[str, Any]) -> None:
    events = [event("good", 1, "user_id:ann"), {**event("bad", 1, "user_id:bob"), **wrong}]
    assert shop.codes(INGEST, events=events) == ["query.invalid"]
    assert shop.ask("{ status { touchpoints } }")["status"]["touchpoints"] == 0


def test_all_that_an_event_may_say_is_taken(shop: Shop) -> None:
    shop.send(
        {
            "type": "SCREEN",
            "messageId": "m1",
            "timestamp": "2026-03-01T02:00:00+02:00",
            "userId": "ann",
            "anonymousId": "x",
            "groupId": "acme",
            "name": "Basket",
            "channel": "kiosk",
            "context": {"ip": "203.0.113.9"},
        },
        {"type": "ALIAS", "messageId": "m2", "timestamp": at(1), "userId": "ann", "previousId": "anna"},
    )
    found = shop.customer(
        "user_id:anna",
        """journey { edges { node { messageId at type name channel context } } }
           identifiers { edges { node { value } } }""",
    )
    assert {edge["node"]["value"] for edge in found["identifiers"]["edges"]} == {"ann", "x", "anna"}
    screen = found["journey"]["edges"][-1]["node"]
    assert (screen["at"], screen["type"], screen["name"], screen["channel"]) == (at(0), "screen", "Basket", "kiosk")
    assert screen["context"] == {"ip": "203.0.113.0", "groupId": "acme"}


def test_an_answer_to_a_mutation_shows_what_it_wrote(shop: Shop) -> None:
    query = """mutation ($one: [EventInput!]!, $two: [EventInput!]!) {
        one: ingest(events: $one) { results { customer { journey { edges { node { messageId } } } } } }
        two: ingest(events: $two) { results { customer { journey { edges { node { messageId } } } } } } }"""
    told = shop.ask(query, one=[event("m1", 1, "user_id:ann")], two=[event("m2", 2, "user_id:ann")])
    journeys = [
        [edge["node"]["messageId"] for edge in told[alias]["results"][0]["customer"]["journey"]["edges"]]
        for alias in ("one", "two")
    ]
    assert journeys == [["m1"], ["m2", "m1"]]
