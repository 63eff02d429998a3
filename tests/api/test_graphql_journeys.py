"""Journeys: pages in both directions and orders, cursors that stay right, filters, what became known later."""

from typing import Any

import pytest

from tests.api.graphql_shop import Shop, at, event

PAGE = "edges { cursor node { messageId } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


def page(shop: Shop, arguments: str, **variables: Any) -> Any:
    return shop.customer("user_id:ann", f"journey({arguments}) {{ {PAGE} }}", **variables)["journey"]


def names(found: Any) -> list[str]:
    return [edge["node"]["messageId"] for edge in found["edges"]]


def beyond(found: Any) -> tuple[bool, bool]:
    """(has a page before it, has a page after it)"""
    return found["pageInfo"]["hasPreviousPage"], found["pageInfo"]["hasNextPage"]


def visits(shop: Shop, count: int) -> None:
    shop.send(*(event(f"m{minute}", minute, "user_id:ann") for minute in range(count)))


@pytest.mark.parametrize("order", ["NEWEST_FIRST", "OLDEST_FIRST"])
def test_pages_forwards_are_the_whole_journey(shop: Shop, order: str) -> None:
    visits(shop, 7)
    found, cursor, flags = [], None, []
    for _ in range(3):
        part = page(shop, f"first: 3, after: $after, order: {order}", after=cursor)
        cursor = part["pageInfo"]["endCursor"]
        found += names(part)
        flags.append(beyond(part))
    whole = [f"m{minute}" for minute in range(7)]
    assert found == (whole if order == "OLDEST_FIRST" else whole[::-1])
    assert flags == [(False, True), (True, True), (True, False)]


@pytest.mark.parametrize("order", ["NEWEST_FIRST", "OLDEST_FIRST"])
def test_pages_backwards_are_the_whole_journey(shop: Shop, order: str) -> None:
    visits(shop, 7)
    found: list[str] = []
    cursor, flags = None, []
    for _ in range(3):
        part = page(shop, f"last: 3, before: $before, order: {order}", before=cursor)
        cursor = part["pageInfo"]["startCursor"]
        found = names(part) + found
        flags.append(beyond(part))
    whole = [f"m{minute}" for minute in range(7)]
    assert found == (whole if order == "OLDEST_FIRST" else whole[::-1])
    assert flags == [(True, False), (True, True), (False, True)]


def test_fifty_are_given_when_no_number_is_named(shop: Shop) -> None:
    visits(shop, 55)
    assert names(page(shop, "order: NEWEST_FIRST")) == [f"m{minute}" for minute in range(54, 4, -1)]


def test_an_empty_page_knows_where_it_lies(shop: Shop) -> None:
    visits(shop, 2)
    nothing = page(shop, "first: 0")
    assert (names(nothing), beyond(nothing)) == ([], (False, True))
    assert nothing["pageInfo"]["endCursor"] is None


def test_the_only_page_has_nothing_before_or_after_it(shop: Shop) -> None:
    visits(shop, 2)
    assert beyond(page(shop, "first: 2")) == (False, False)
    assert beyond(page(shop, "last: 2")) == (False, False)


def test_a_page_between_two_cursors_ends_where_it_is_told(shop: Shop) -> None:
    visits(shop, 6)
    everything = page(shop, "order: OLDEST_FIRST")
    first, last = everything["edges"][0]["cursor"], everything["edges"][4]["cursor"]
    between = page(shop, "first: 10, after: $after, before: $before, order: OLDEST_FIRST", after=first, before=last)
    assert (names(between), beyond(between)) == (["m1", "m2", "m3"], (True, True))
    backwards = page(shop, "last: 2, after: $after, before: $before, order: OLDEST_FIRST", after=first, before=last)
    assert (names(backwards), beyond(backwards)) == (["m2", "m3"], (True, True))


def test_touchpoints_that_arrive_between_pages_neither_repeat_nor_skip_anything(shop: Shop) -> None:
    shop.send(*(event(f"m{minute}", minute, "user_id:ann") for minute in range(0, 12, 2)))
    first = page(shop, "first: 2")
    assert names(first) == ["m10", "m8"]
    shop.send(event("newer", 11, "user_id:ann"), event("seen", 9, "user_id:ann"), event("ahead", 7, "user_id:ann"))
    second = page(shop, "first: 2, after: $after", after=first["pageInfo"]["endCursor"])
    assert names(second) == ["ahead", "m6"]
    assert names(page(shop, "last: 2, before: $before", before=first["pageInfo"]["startCursor"])) == ["newer"]


def test_touchpoints_of_one_moment_are_paged_one_by_one(shop: Shop) -> None:
    shop.send(*(event(f"m{number}", 5, "user_id:ann") for number in range(5)))
    found, cursor = [], None
    for _ in range(5):
        part = page(shop, "first: 1, after: $after", after=cursor)
        cursor = part["pageInfo"]["endCursor"]
        found += names(part)
    assert found == ["m4", "m3", "m2", "m1", "m0"]


def test_a_cursor_serves_both_orders(shop: Shop) -> None:
    visits(shop, 3)
    middle = page(shop, "first: 2")["pageInfo"]["endCursor"]
    assert names(page(shop, "after: $after, order: OLDEST_FIRST", after=middle)) == ["m2"]


@pytest.mark.parametrize(
    "cursor",
    ["", "t", "x1-2", "t1", "t1-2-3", "t-1-2", "t1-2 ", "tffffffffffffffff-1", "i1-2", "T1-2", "t1-zz", "t١-٢"],
)
@pytest.mark.parametrize("argument", ["after", "before"])
def test_a_cursor_that_was_tampered_with_is_refused(shop: Shop, cursor: str, argument: str) -> None:
    visits(shop, 1)
    query = """query ($cursor: String) { customer(by: {identifier: {namespace: "user_id", value: "ann"}}) {
        journey(%s: $cursor) { edges { cursor } } } }"""
    answer = shop.post(query % argument, {"cursor": cursor}).json()
    (error,) = answer["errors"]
    assert error["extensions"] == {
        "code": "query.bad_cursor",
        "field": argument,
        "hint": "Hand back a cursor just as this very list gave it.",
    }
    assert error["path"] == ["customer", "journey"]
    assert answer["data"] == {"customer": None}


def test_first_and_last_cannot_both_be_given(shop: Shop) -> None:
    visits(shop, 1)
    query = """{ customer(by: {identifier: {namespace: "user_id", value: "ann"}}) {
        journey(first: 1, last: 1) { edges { cursor } } } }"""
    assert shop.codes(query) == ["query.invalid"]
    assert shop.codes(query.replace("first: 1, last: 1", "first: -1")) == ["query.invalid"]


FILTERED = [
    ({"names": ["Order"]}, ["order", "mail"]),
    ({"types": ["page"]}, ["page"]),
    ({"types": ["page", "track"], "channels": ["web"]}, ["page", "order"]),
    ({"campaigns": ["spring"]}, ["mail"]),
    ({"properties": [{"property": "size", "is": 42}]}, ["order"]),
    ({"properties": [{"property": "size", "is": "42"}]}, ["mail"]),
    ({"properties": [{"property": "gift", "is": True}]}, ["order"]),
    ({"properties": [{"property": "gift", "is": 1}]}, ["mail"]),
    ({"after": at(2)}, ["order", "mail"]),
    ({"before": at(2)}, ["page"]),
    ({"after": at(2), "before": at(3)}, ["order"]),
    ({"names": []}, []),
    ({}, ["page", "order", "mail"]),
    (None, ["page", "order", "mail"]),
]


@pytest.mark.parametrize(("chosen", "expected"), FILTERED)
def test_a_filter_leaves_what_it_says(shop: Shop, chosen: Any, expected: list[str]) -> None:
    shop.send(
        event("page", 1, "user_id:ann", type="PAGE", channel="web"),
        event("order", 2, "user_id:ann", event="Order", channel="web", properties={"size": 42, "gift": True}),
        event(
            "mail",
            3,
            "user_id:ann",
            event="Order",
            channel="email",
            properties={"size": "42", "gift": 1},
            context={"campaign": {"name": "spring"}},
        ),
    )
    found = page(shop, "order: OLDEST_FIRST, filter: $filter", filter=chosen)
    assert names(found) == expected


def test_filters_that_differ_only_in_a_json_type_are_not_mixed_up(shop: Shop) -> None:
    shop.send(
        event("one", 1, "user_id:ann", properties={"gift": 1}),
        event("yes", 2, "user_id:ann", properties={"gift": True}),
    )
    found = shop.customer(
        "user_id:ann",
        """number: journey(filter: {properties: [{property: "gift", is: 1}]}) { edges { node { messageId } } }
           truth: journey(filter: {properties: [{property: "gift", is: true}]}) { edges { node { messageId } } }""",
    )
    assert (names(found["number"]), names(found["truth"])) == (["one"], ["yes"])


@pytest.mark.parametrize("number", ["9" * 400, "-" + "9" * 400, "9" * 5_000, "1e400"])
def test_a_number_larger_than_any_is_compared_like_another(shop: Shop, number: str) -> None:
    shop.send(event("m1", 1, "user_id:ann", properties={"count": 1}))
    edges = f'journey(filter: {{properties: [{{property: "count", is: {number}}}]}}) {{ edges {{ cursor }} }}'
    assert shop.customer("user_id:ann", edges)["journey"]["edges"] == []


def test_a_filter_holds_for_the_flags_too(shop: Shop) -> None:
    visits(shop, 3)
    shop.send(event("order", 1, "user_id:ann", event="Order"))
    found = page(shop, "first: 1, filter: $filter", filter={"names": ["Order"]})
    assert (names(found), beyond(found)) == (["order"], (False, False))


def test_a_list_is_no_value_to_compare_with(shop: Shop) -> None:
    visits(shop, 1)
    query = """{ customer(by: {identifier: {namespace: "user_id", value: "ann"}}) {
        journey(filter: {properties: [{property: "x", is: [1]}]}) { edges { cursor } } } }"""
    assert shop.codes(query) == ["query.invalid"]


def test_an_anonymous_phase_becomes_the_customers_and_says_since_when(shop: Shop) -> None:
    shop.send(*(event(f"browsing {minute}", minute, "anonymous_id:x") for minute in range(3)))
    shop.send(event("log-in", 10, "anonymous_id:x", "user_id:ann"), event("later", 20, "anonymous_id:x"))
    shop.send(event("known", 5, "user_id:ann"))
    found = shop.customer(
        "user_id:ann",
        "journey(order: OLDEST_FIRST) { edges { node { messageId retroactive linkedAt subject { value } } } }",
    )["journey"]
    told = [edge["node"] for edge in found["edges"]]
    assert [(t["messageId"], t["retroactive"], t["linkedAt"]) for t in told] == [
        ("browsing 0", True, at(10)),
        ("browsing 1", True, at(10)),
        ("browsing 2", True, at(10)),
        ("known", False, at(5)),
        ("log-in", False, at(5)),
        ("later", False, at(10)),
    ]
    assert [t["subject"]["value"] for t in told] == ["x", "x", "x", "ann", "ann", "x"]


def test_a_touchpoint_tells_all_that_is_kept_of_it(shop: Shop) -> None:
    shop.send(
        event(
            "order",
            1,
            "email:Ann@Example.com",
            "staff_id:clerk7",
            event="Order Completed",
            channel="store",
            properties={"revenue": "19.90", "currency": "eur", "big": 18446744073709551615, "items": [{"sku": "a"}]},
            context={
                "campaign": {"name": "spring", "source": "news", "medium": "mail"},
                "device": {"id": "D1", "type": "ios", "model": "iPhone 15", "manufacturer": "Apple"},
                "os": {"name": "iOS", "version": "17.1"},
                "app": {"name": "Shop", "version": "2"},
            },
        )
    )
    told = shop.customer(
        "email:ann@example.com",
        """journey { edges { node { id messageId at source type name channel revenue currency properties context
            campaign { name source medium term content }
            device { type manufacturer model os app identifier { namespace value } }
            subject { namespace value } identifiers { namespace value } customer { id } } } }""",
    )["journey"]["edges"][0]["node"]
    assert told["id"].startswith("tp_")
    assert (told["messageId"], told["at"], told["source"], told["type"]) == ("order", at(1), "local", "track")
    assert (told["name"], told["channel"], told["revenue"], told["currency"]) == (
        "Order Completed",
        "store",
        "19.90",
        "EUR",
    )
    assert told["properties"] == {
        "revenue": "19.90",
        "currency": "eur",
        "big": 18446744073709551615,
        "items": [{"sku": "a"}],
    }
    assert told["context"]["device"]["model"] == "iPhone 15"
    assert told["campaign"] == {"name": "spring", "source": "news", "medium": "mail", "term": None, "content": None}
    assert told["device"] == {
        "type": "ios",
        "manufacturer": "Apple",
        "model": "iPhone 15",
        "os": "iOS 17.1",
        "app": "Shop 2",
        "identifier": {"namespace": "device_id", "value": "D1"},
    }
    assert told["subject"] == {"namespace": "email", "value": "ann@example.com"}
    assert [f"{i['namespace']}:{i['value']}" for i in told["identifiers"]] == [
        "email:ann@example.com",
        "device_id:D1",
        "staff_id:clerk7",
    ]


def test_a_touchpoint_without_a_campaign_or_a_device_says_so(shop: Shop) -> None:
    visits(shop, 1)
    fields = "journey { edges { node { campaign { name } device { model } revenue properties context } } }"
    told = shop.customer("user_id:ann", fields)["journey"]["edges"][0]["node"]
    assert told == {"campaign": None, "device": None, "revenue": None, "properties": {}, "context": {}}
