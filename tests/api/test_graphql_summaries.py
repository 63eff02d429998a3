"""Journeys summed up: summaries, sessions and computed traits, always of what is stored when they are asked for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onefold.api.asking import EVERYBODY
from onefold.api.graphql import execution
from onefold.api.graphql.execution import Engine, Request
from onefold.api.graphql.schema import executable
from onefold.readmodel.model import Asking
from tests.api.graphql_shop import Shop, at, event, key, opened
from tests.contract.stores import Place

SUMMARY = """summary { touchpoints sessions orders revenue { amount currency } firstAt lastAt lastOrderAt
    firstChannel lastChannel firstCampaign asOfSeq
    channels { channel touchpoints orders revenue { amount currency } } }"""
SESSIONS = """edges { cursor node { start end touchpoints entry firstChannel lastChannel firstCampaign orders
    device { namespace value } revenue { amount currency } } } pageInfo { hasNextPage endCursor }"""
EVERYTHING = """query ($identifiers: [IdentifierInput!]!) { resolve(identifiers: $identifiers) { customer {
    summary { orders channels { channel } } computed { name value currency }
    sessions(first: 3) { edges { node { touchpoints device { value } } } } } } }"""


def order(message: str, minute: int, *identifiers: str, **properties: Any) -> Any:
    return event(message, minute, *identifiers, event="Order Completed", channel="store", properties=properties)


@pytest.fixture
def ann(shop: Shop) -> Shop:
    """A shop that knows Ann: a visit by a campaign on her telephone, an order, and two more the next morning."""
    shop.send(
        event("m1", 0, "user_id:ann", "device_id:d1", channel="web", context={"campaign": {"name": "spring"}}),
        event("m2", 29, "user_id:ann", channel="app"),
        order("m3", 58, "user_id:ann", revenue=10.10, currency="EUR"),
        order("m4", 600, "user_id:ann", revenue="5.25", currency="GBP"),
        order("m5", 629, "user_id:ann", revenue=0.2),
        order("m6", 629, "user_id:ann", revenue=20.20, currency="EUR"),
    )
    return shop


def test_a_journey_is_summed_up_by_channel_and_currency(ann: Shop) -> None:
    in_euros, in_pounds, in_nothing = (
        {"amount": "30.3", "currency": "EUR"},
        {"amount": "5.25", "currency": "GBP"},
        {"amount": "0.2", "currency": None},
    )
    told = ann.customer("user_id:ann", SUMMARY)["summary"]
    assert told.pop("asOfSeq") == ann.ask("{ status { seq } }")["status"]["seq"]
    assert told == {
        "touchpoints": 6,
        "sessions": 2,
        "orders": 4,
        "revenue": [in_euros, in_pounds, in_nothing],
        "firstAt": at(0),
        "lastAt": at(629),
        "lastOrderAt": at(629),
        "firstChannel": "web",
        "lastChannel": "store",
        "firstCampaign": "spring",
        "channels": [
            {"channel": "store", "touchpoints": 4, "orders": 4, "revenue": [in_euros, in_pounds, in_nothing]},
            {"channel": "app", "touchpoints": 1, "orders": 0, "revenue": []},
            {"channel": "web", "touchpoints": 1, "orders": 0, "revenue": []},
        ],
    }
    assert len(ann.customer("user_id:ann", "summary { channels(first: 2) { channel } }")["summary"]["channels"]) == 2


def test_sessions_are_told_the_newest_first(ann: Shop) -> None:
    newest, oldest = ann.customer("user_id:ann", f"sessions {{ {SESSIONS} }}")["sessions"]["edges"]
    assert newest["node"] == {
        "start": at(600),
        "end": at(629),
        "touchpoints": 3,
        "entry": "Order Completed",
        "firstChannel": "store",
        "lastChannel": "store",
        "firstCampaign": None,
        "orders": 3,
        "device": None,
        "revenue": [
            {"amount": "20.2", "currency": "EUR"},
            {"amount": "5.25", "currency": "GBP"},
            {"amount": "0.2", "currency": None},
        ],
    }
    assert oldest["node"] == {
        "start": at(0),
        "end": at(58),
        "touchpoints": 3,
        "entry": "Visit",
        "firstChannel": "web",
        "lastChannel": "store",
        "firstCampaign": "spring",
        "orders": 1,
        "device": {"namespace": "device_id", "value": "d1"},
        "revenue": [{"amount": "10.1", "currency": "EUR"}],
    }


def test_pages_of_sessions_are_all_of_them_whatever_arrives_between_two_pages(shop: Shop) -> None:
    shop.send(*(event(f"m{hour}", 60 * hour, "user_id:ann") for hour in range(5)))
    found, cursor = [], None
    for hour in (20, 21, 22):
        part = shop.customer("user_id:ann", f"sessions(first: 2, after: $after) {{ {SESSIONS} }}", after=cursor)
        found += [edge["node"]["start"] for edge in part["sessions"]["edges"]]
        cursor = part["sessions"]["pageInfo"]["endCursor"]
        shop.send(event(f"late{hour}", 60 * hour, "user_id:ann"))
    assert found == [at(60 * hour) for hour in (4, 3, 2, 1, 0)]
    assert not part["sessions"]["pageInfo"]["hasNextPage"]
    assert shop.codes('{ customer(by: {identifier: {namespace: "user_id", value: "ann"}}) { sessions(after: "x") '
                      "{ edges { cursor } } } }") == ["query.bad_cursor"]  # fmt: skip


def test_computed_traits_are_told_by_name(ann: Shop) -> None:
    told = ann.customer(
        "user_id:ann",
        'computed(names: ["first_campaign", "computed.revenue", "average_order", "orders"]) { name value currency }',
    )["computed"]
    assert told == [
        {"name": "first_campaign", "value": "spring", "currency": None},
        {"name": "revenue", "value": 0.2, "currency": None},
        {"name": "revenue", "value": 30.3, "currency": "EUR"},
        {"name": "revenue", "value": 5.25, "currency": "GBP"},
        {"name": "average_order", "value": 0.2, "currency": None},
        {"name": "average_order", "value": 15.15, "currency": "EUR"},
        {"name": "average_order", "value": 5.25, "currency": "GBP"},
        {"name": "orders", "value": 4, "currency": None},
    ]
    every = {row["name"] for row in ann.customer("user_id:ann", "computed { name description }")["computed"]}
    assert every == {
        "orders", "revenue", "average_order", "days_since_order", "touchpoints", "sessions", "first_channel",
        "last_channel", "first_campaign", "days_since_first", "days_since_last",
    }  # fmt: skip


def test_who_has_none_of_what_is_counted_has_a_zero_and_otherwise_no_value(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann"))
    told = shop.customer("user_id:ann", "computed { name value }")["computed"]
    values = {row["name"]: row["value"] for row in told}
    assert values["orders"] == 0
    assert values["sessions"] == 1
    assert {"revenue", "average_order", "days_since_order", "first_campaign"}.isdisjoint(values)


def test_a_name_that_is_not_declared_is_refused_with_the_one_it_may_be(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann"))
    query = (
        '{ customer(by: {identifier: {namespace: "user_id", value: "ann"}}) { computed(names: ["order"]) { name } } }'
    )
    (error,) = shop.post(query).json()["errors"]
    assert error["message"] == "no computed trait is called 'order'"
    assert error["extensions"] == {"code": "query.invalid", "hint": "Did you mean orders?", "field": "names"}


def test_what_a_cookie_did_counts_from_the_moment_it_is_linked_and_no_longer_when_it_is_split_off(shop: Shop) -> None:
    def touchpoints() -> Any:
        return shop.customer("user_id:ann", "summary { touchpoints sessions firstChannel } computed { name value }")

    shop.send(event("c1", 0, "anonymous_id:x", channel="web"), event("c2", 100, "anonymous_id:x", channel="web"))
    shop.send(event("m1", 200, "user_id:ann", channel="store"))
    apart = touchpoints()
    assert apart["summary"] == {"touchpoints": 1, "sessions": 1, "firstChannel": "store"}
    judged = shop.judge("SAME", "user_id:ann", "anonymous_id:x")
    joined = touchpoints()
    assert joined["summary"] == {"touchpoints": 3, "sessions": 3, "firstChannel": "web"}
    assert {"name": "touchpoints", "value": 3} in joined["computed"]
    shop.retract(judged["judgement"]["id"])
    assert touchpoints() == apart


def test_an_operation_that_keeps_others_from_committing_asks_the_read_model_before(
    ann: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = ann.customer("user_id:ann", f"firstSeen {SUMMARY} sessions {{ {SESSIONS} }} computed {{ name value }}")
    monkeypatch.setattr(execution, "MOST_RUNS", 0)
    ann.send(event("m7", 700, "user_id:ben"))
    again = ann.customer("user_id:ann", f"firstSeen {SUMMARY} sessions {{ {SESSIONS} }} computed {{ name value }}")
    assert int(again["summary"].pop("asOfSeq")) > int(told["summary"].pop("asOfSeq"))
    assert again == told
    assert ann.customer("user_id:ben", "id summary { touchpoints }")["summary"] == {"touchpoints": 1}


# What does not depend on the kind of store.


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Shop]:
    """A shop with a hundred customers."""
    with opened(Place("sqlite", tmp_path)) as shop:
        for number in range(100):
            shop.send(
                *(
                    event(f"m{number}-{visit}", 40 * visit, f"user_id:u{number}", f"device_id:d{number}")
                    for visit in range(3)
                )
            )
        yield shop


def test_a_hundred_customers_take_as_many_statements_as_two(crowd: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    run: list[str] = []
    original = Asking.rows

    def rows(asking: Asking, sql: str, *more: Any) -> Any:
        run.append(sql)
        return original(asking, sql, *more)

    monkeypatch.setattr(Asking, "rows", rows)
    crowd.ask(EVERYTHING, identifiers=[key("user_id:u0")])
    for customers in (2, 100):
        run.clear()
        told = crowd.ask(EVERYTHING, identifiers=[key(f"user_id:u{number}") for number in range(customers)])
        assert len({id(row) for row in told["resolve"]}) == customers
        assert all(len(row["customer"]["sessions"]["edges"]) == 3 for row in told["resolve"])
        counts.append(len(run))
    assert counts[0] == counts[1] <= 10, run


def test_whatever_is_asked_of_the_read_model_never_runs_on_the_event_loop(crowd: Shop) -> None:
    engine = Engine(crowd.onefold, executable())
    for field in ("summary { orders }", "computed { name }", "sessions(first: 1) { edges { cursor } }"):
        query = f'{{ customer(by: {{identifier: {{namespace: "user_id", value: "u1"}}}}) {{ {field} }} }}'
        assert not engine.plan(Request(query), EVERYBODY).quick, field


def test_the_length_of_a_pause_is_a_setting(tmp_path: Path) -> None:
    with opened(Place("sqlite", tmp_path), session_minutes=41) as shop:
        shop.send(
            *(event(f"m{visit}", 40 * visit, "user_id:ann") for visit in range(3)), event("m9", 120, "user_id:ann")
        )
        assert shop.customer("user_id:ann", "summary { sessions }")["summary"] == {"sessions": 1}
        shop.send(event("m10", 120 + 41, "user_id:ann"))
        assert shop.customer("user_id:ann", "summary { sessions }")["summary"] == {"sessions": 2}
