"""Who is this: customers by id and by identifier, resolving, searching, profiles, devices, nodes."""

from typing import Any

import pytest

from tests.api.graphql_shop import Shop, at, event, key
from tests.contract.stores import Place

CUSTOMER = "query ($by: CustomerRef!) { customer(by: $by) { id requestedId } }"
RESOLVE = """query ($identifiers: [IdentifierInput!]!) { resolve(identifiers: $identifiers) {
    identifier { namespace value } customer { id } generic contested problem { code field } } }"""
NODE = (
    "query ($id: ID!) { node(id: $id) { __typename id ... on Identifier { value } ... on Touchpoint { messageId } } }"
)


def identify(message: str, minute: int, *identifiers: str, **traits: Any) -> Any:
    return event(message, minute, *identifiers, type="IDENTIFY", traits=traits)


# -- by id and by identifier


def test_a_customer_is_found_by_any_of_its_identifiers_however_written(shop: Shop) -> None:
    shop.send(event("m", 1, "user_id:ann", "email:ann@example.com"))
    by_account = shop.ask(CUSTOMER, by={"identifier": key("user_id:ann")})["customer"]
    by_address = shop.ask(CUSTOMER, by={"identifier": key("email: Ann@EXAMPLE.com ")})["customer"]
    assert by_account == by_address
    assert by_account["id"].startswith("cus_")
    assert shop.ask(CUSTOMER, by={"id": by_account["id"]})["customer"] == by_account


def test_an_id_from_before_a_join_finds_who_it_became_and_is_named(shop: Shop) -> None:
    cookie = shop.send(event("m1", 1, "anonymous_id:x"))["results"][0]["customer"]["id"]
    known = shop.send(event("m2", 2, "anonymous_id:x", "user_id:ann"))["results"][0]["customer"]["id"]
    assert known != cookie
    assert shop.ask(CUSTOMER, by={"id": cookie})["customer"] == {"id": known, "requestedId": cookie}
    assert shop.ask(CUSTOMER, by={"id": known})["customer"] == {"id": known, "requestedId": None}
    assert shop.ask(CUSTOMER, by={"identifier": key("anonymous_id:x")})["customer"]["requestedId"] is None


def test_an_id_is_taken_as_people_copy_it_and_named_as_it_is(shop: Shop) -> None:
    known = shop.send(event("m", 1, "user_id:ann"))["results"][0]["customer"]["id"]
    assert shop.ask(CUSTOMER, by={"id": known.upper()})["customer"] == {"id": known, "requestedId": None}


def test_an_identifiers_id_names_its_customer(shop: Shop) -> None:
    shop.send(event("m", 1, "user_id:ann", "anonymous_id:x"))
    found = shop.customer("user_id:ann", "id identifiers { edges { node { id } } }")
    for edge in found["identifiers"]["edges"]:
        assert shop.ask(CUSTOMER, by={"id": edge["node"]["id"]})["customer"] == {"id": found["id"], "requestedId": None}


@pytest.mark.parametrize(
    ("by", "code"),
    [
        ({"id": "cus_00000000000000000000000000"}, "customer.not_found"),
        ({"id": "idn_00000000000000000000000000"}, "identifier.not_found"),
        ({"id": "tp_00000000000000000000000000"}, "query.bad_reference"),
        ({"id": "ann"}, "query.bad_reference"),
        ({"id": ""}, "query.bad_reference"),
        ({"identifier": key("user_id:nobody")}, "identifier.not_found"),
        ({"identifier": key("user_id:null")}, "identifier.blocked"),
        ({"identifier": key("email:nonsense")}, "identifier.malformed"),
        ({"identifier": key("shoe_size:42")}, "identifier.unknown_namespace"),
        ({"identifier": key("staff_id:clerk7")}, "customer.not_found"),
    ],
)
def test_who_cannot_be_found_is_null_with_a_code(shop: Shop, by: Any, code: str) -> None:
    shop.send(event("m", 1, "user_id:ann", "staff_id:clerk7"))
    answer = shop.post(CUSTOMER, {"by": by}).json()
    assert answer["data"] == {"customer": None}
    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]


@pytest.mark.parametrize("by", [{}, {"id": None}, {"id": "cus_x", "identifier": key("email:a@b.example")}])
def test_a_reference_is_exactly_one_thing(shop: Shop, by: Any) -> None:
    answer = shop.post(CUSTOMER, {"by": by}).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["query.invalid"]
    assert "data" not in answer


@pytest.mark.parametrize("by", ["{}", "{id: null}", '{id: "cus_x", identifier: {namespace: "email", value: "a"}}'])
def test_a_reference_that_is_written_out_is_exactly_one_thing(shop: Shop, by: str) -> None:
    answer = shop.post(f"{{ customer(by: {by}) {{ id }} }}").json()
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"query.invalid"}
    assert "data" not in answer


# -- resolving


def test_many_identifiers_are_resolved_in_the_order_asked(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann", "email:ann@example.com"), event("m2", 2, "user_id:bob"))
    asked = ["user_id:bob", "email:ANN@example.com", "user_id:nobody", "user_id:bob"]
    answers = shop.ask(RESOLVE, identifiers=[key(text) for text in asked])["resolve"]
    bob, ann, nobody, again = answers
    assert ann["identifier"] == {"namespace": "email", "value": "ann@example.com"}
    assert ann["customer"] == shop.customer("user_id:ann", "id")
    assert bob == again
    assert bob["customer"] != ann["customer"]
    assert nobody == {
        "identifier": key("user_id:nobody"),
        "customer": None,
        "generic": False,
        "contested": False,
        "problem": None,
    }


def test_what_can_be_no_identifier_does_not_sink_the_others(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann"))
    asked = ["email:nonsense", "shoe_size:42", "user_id:ann", "phone:undefined"]
    answers = shop.ask(RESOLVE, identifiers=[key(text) for text in asked])["resolve"]
    assert [answer["problem"] and answer["problem"]["code"] for answer in answers] == [
        "identifier.malformed",
        "identifier.unknown_namespace",
        None,
        "identifier.blocked",
    ]
    assert [answer["customer"] is None for answer in answers] == [True, True, False, True]
    assert answers[0]["identifier"] == key("email:nonsense")


def test_a_contested_customer_says_so(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "user_id:ann", "email:j@example.com"),
        event("m2", 2, "user_id:bob", "email:j@example.com"),
        event("m3", 3, "user_id:cas"),
    )
    asked = [key(f"user_id:{name}") for name in ("ann", "bob", "cas")]
    assert [a["contested"] for a in shop.ask(RESOLVE, identifiers=asked)["resolve"]] == [True, True, False]


def test_a_generic_identifier_says_so(shop: Shop) -> None:
    shop.send(*(event(f"m{n}", n, f"user_id:u{n}", "email:info@shop.example") for n in range(6)))
    (answer,) = shop.ask(RESOLVE, identifiers=[key("email:info@shop.example")])["resolve"]
    assert (answer["generic"], answer["contested"]) == (True, True)
    assert answer["customer"]["id"] != shop.customer_id("user_id:u0")
    held = shop.customer("email:info@shop.example", "identifiers { edges { node { value } } }")["identifiers"]["edges"]
    assert held == [{"node": {"value": "info@shop.example"}}]
    assert shop.ask("{ status { customers } }")["status"]["customers"] == 6 + 1


def test_a_thousand_are_resolved_and_not_one_more(shop: Shop) -> None:
    asked = [key(f"user_id:u{number}") for number in range(1001)]
    assert len(shop.ask(RESOLVE, identifiers=asked[:1000])["resolve"]) == 1000
    assert shop.codes(RESOLVE, identifiers=asked) == ["query.page_too_large"]
    assert shop.ask(RESOLVE, identifiers=[])["resolve"] == []


# -- what is known of a customer


def test_a_customer_tells_who_it_is(shop: Shop) -> None:
    shop.send(event("m1", 1, "anonymous_id:x", "device_id:d"), event("m2", 9, "anonymous_id:x"))
    fields = "anonymous firstSeen lastSeen"
    told = {"firstSeen": at(1), "lastSeen": at(9)}
    assert shop.customer("device_id:d", fields) == {"anonymous": True, **told}
    shop.send(event("m3", 5, "anonymous_id:x", "phone:+442071838750"))
    assert shop.customer("device_id:d", fields) == {"anonymous": False, **told}


def test_identifiers_come_strongest_first_page_by_page(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "anonymous_id:z", "device_id:d"),
        event("m2", 2, "anonymous_id:z", "user_id:ann"),
        event("m3", 3, "anonymous_id:a", "user_id:ann", "email:ann@example.com"),
    )
    fields = """identifiers(first: 2, after: $after) { edges { cursor node { namespace value } }
        pageInfo { hasNextPage hasPreviousPage endCursor } }"""
    found, cursor, flags = [], None, []
    for _ in range(3):
        part = shop.customer("user_id:ann", fields, after=cursor)["identifiers"]
        cursor = part["pageInfo"]["endCursor"]
        found += [f"{edge['node']['namespace']}:{edge['node']['value']}" for edge in part["edges"]]
        flags.append((part["pageInfo"]["hasPreviousPage"], part["pageInfo"]["hasNextPage"]))
    assert found == ["user_id:ann", "email:ann@example.com", "anonymous_id:z", "anonymous_id:a", "device_id:d"]
    assert flags == [(False, True), (True, True), (True, False)]


def test_identifiers_may_be_asked_for_by_kind(shop: Shop) -> None:
    shop.send(event("m1", 1, "anonymous_id:z", "device_id:d", "user_id:ann"))
    found = shop.customer(
        "user_id:ann",
        """some: identifiers(namespaces: ["device_id", "user_id"]) { edges { node { value } } }
           none: identifiers(namespaces: []) { edges { node { value } } }""",
    )
    assert [edge["node"]["value"] for edge in found["some"]["edges"]] == ["ann", "d"]
    assert found["none"]["edges"] == []


def test_an_identifier_says_since_when_it_is_linked(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "anonymous_id:x"), event("m2", 7, "anonymous_id:x", "user_id:ann"), event("m3", 3, "user_id:ann")
    )
    fields = "identifiers { edges { node { value firstSeen lastSeen linkedAt customer { id } } } } id"
    found = shop.customer("user_id:ann", fields)
    own = {"id": found["id"]}
    assert [edge["node"] for edge in found["identifiers"]["edges"]] == [
        {"value": "ann", "firstSeen": at(3), "lastSeen": at(7), "linkedAt": at(3), "customer": own},
        {"value": "x", "firstSeen": at(1), "lastSeen": at(7), "linkedAt": at(7), "customer": own},
    ]


def test_devices_are_told_with_what_was_last_said_of_them(shop: Shop) -> None:
    phone = {"id": "D1", "type": "ios", "model": "iPhone 15"}
    shop.send(
        event(
            "m1", 1, "user_id:ann", "anonymous_id:x", context={"device": phone, "os": {"name": "iOS", "version": "16"}}
        ),
        event("m2", 2, "user_id:ann", context={"device": phone, "os": {"name": "iOS", "version": "17"}}),
        event("m3", 3, "user_id:ann", "device_id:D2"),
    )
    found = shop.customer("user_id:ann", "devices { edges { node { identifier { value } type model os app } } }")[
        "devices"
    ]
    assert [edge["node"] for edge in found["edges"]] == [
        {"identifier": {"value": "D1"}, "type": "ios", "model": "iPhone 15", "os": "iOS 17", "app": None},
        {"identifier": {"value": "D2"}, "type": None, "model": None, "os": None, "app": None},
    ]


def test_a_profile_shows_each_value_with_where_it_came_from(shop: Shop) -> None:
    shop.send(
        identify("m1", 1, "email:ann@example.com", name="Ann", plan="free", created_at="2020"),
        identify(
            "m2", 2, "user_id:ann", "email:ann@example.com", name="Ann B.", created_at="2021", tags=["a", {"b": None}]
        ),
        identify("m3", 3, "user_id:ann", plan=None),
    )
    told = "value source at identifier { namespace value }"
    found = shop.customer(
        "user_id:ann",
        f"""profile {{ traits {{ name {told} others {{ value source firstAt lastAt count identifier {{ value }} }} }} }}
            name: trait(name: "name") {{ value }} none: trait(name: "shoe size") {{ value }}""",
    )
    traits = {trait.pop("name"): trait for trait in found["profile"]["traits"]}
    assert list(traits) == ["created_at", "name", "plan", "tags"]
    assert traits["name"] == {
        "value": "Ann B.",
        "source": "local",
        "at": at(2),
        "identifier": key("user_id:ann"),
        "others": [
            {
                "value": "Ann",
                "source": "local",
                "firstAt": at(1),
                "lastAt": at(1),
                "count": 1,
                "identifier": {"value": "ann@example.com"},
            }
        ],
    }
    assert traits["created_at"]["value"] == "2020"
    assert traits["tags"]["value"] == ["a", {"b": None}]
    assert (found["name"], found["none"]) == ({"value": "Ann B."}, None)


def test_a_profile_may_be_asked_for_some_traits_only(shop: Shop) -> None:
    shop.send(identify("m1", 1, "user_id:ann", name="Ann", plan="free", age=7))
    found = shop.customer("user_id:ann", 'profile { traits(names: ["plan", "age", "none"]) { name value } }')
    assert found["profile"]["traits"] == [{"name": "age", "value": 7}, {"name": "plan", "value": "free"}]


# -- search


SEARCH = """query ($text: String!, $first: Int! = 20, $after: String) {
    search(text: $text, first: $first, after: $after) {
        edges { cursor node { id } matched { attribute value } }
        pageInfo { hasNextPage hasPreviousPage endCursor } } }"""


def test_search_finds_customers_by_parts_of_identifiers_and_traits(shop: Shop) -> None:
    shop.send(
        identify("m1", 1, "user_id:u1", "email:rené@example.com", name="René Dupont"),
        identify("m2", 2, "user_id:u2", name="Irene"),
    )
    found = shop.ask(SEARCH, text="RENE")["search"]
    told = {(e["node"]["id"], e["matched"]["attribute"], e["matched"]["value"]) for e in found["edges"]}
    assert told == {
        (shop.customer_id("user_id:u1"), "email", "rené@example.com"),
        (shop.customer_id("user_id:u2"), "trait:name", "Irene"),
    }
    assert shop.ask(SEARCH, text="nobody here")["search"]["edges"] == []


def test_search_gives_every_customer_once_over_its_pages(shop: Shop) -> None:
    shop.send(*(event(f"m{n}", n, f"user_id:searched-{n}") for n in range(5)))
    found, cursor = [], None
    for more in (True, True, False):
        part = shop.ask(SEARCH, text="searched", first=2, after=cursor)["search"]
        cursor = part["pageInfo"]["endCursor"]
        found += [edge["node"]["id"] for edge in part["edges"]]
        assert part["pageInfo"]["hasNextPage"] is more
    assert len(found) == len(set(found)) == 5


def test_a_customer_found_in_many_places_stands_once_a_page(shop: Shop) -> None:
    shop.send(
        *(event(f"m{n}", n, "user_id:ann", f"anonymous_id:cookie-{n}") for n in range(8)),
        event("other", 9, "user_id:bob", "anonymous_id:cookie-of-bob"),
    )
    found = shop.ask(SEARCH, text="cookie", first=2)["search"]
    assert [edge["matched"]["value"] for edge in found["edges"]] == ["cookie-0", "cookie-of-bob"]
    assert found["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize("text", ["", "  ", "x" * 513])
def test_what_cannot_be_searched_is_refused(shop: Shop, text: str) -> None:
    assert shop.codes(SEARCH, text=text) == ["query.invalid"]


def test_no_text_is_taken_for_a_search_language(shop: Shop) -> None:
    shop.send(event("m", 1, "user_id:plain"))
    for text in ('"', "* OR plain", "plain*", "NEAR(plain)", "%", "_____", "' OR 1=1 --", "\\", "pl\x00ain"):
        assert shop.ask(SEARCH, text=text)["search"]["edges"] == []


# -- nodes


def test_every_id_finds_its_node(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "user_id:ann", "email:ann@example.com"), event("m2", 2, "user_id:bob", "email:ann@example.com")
    )
    judged = shop.judge("DIFFERENT", "user_id:ann", "user_id:bob")["judgement"]["id"]
    found = shop.customer(
        "user_id:ann",
        "id identifiers { edges { node { id } } } journey { edges { node { id } } } history { edges { node { id } } }",
    )
    expected = {found["id"]: "Customer", judged: "Judgement"}
    for field, kind in (("identifiers", "Identifier"), ("journey", "Touchpoint"), ("history", "Decision")):
        expected |= {edge["node"]["id"]: kind for edge in found[field]["edges"]}
    assert set(expected.values()) == {"Customer", "Judgement", "Identifier", "Touchpoint", "Decision"}
    for public_id, kind in expected.items():
        node = shop.ask(NODE, id=public_id)["node"]
        assert (node["id"], node["__typename"]) == (public_id, kind)


def test_a_node_that_is_not_there_is_null(shop: Shop) -> None:
    for prefix, digits in (("cus", 26), ("idn", 26), ("tp", 26), ("dec", 13), ("jdg", 13)):
        assert shop.ask(NODE, id=f"{prefix}_{'0' * digits}") == {"node": None}
    for text in ("", "cus_", "cus_1", "seg_00000000000000000000000000", "x" * 10_000):
        assert shop.codes(NODE, id=text) == ["query.bad_reference"]


def test_namespaces_and_status_tell_what_serves(shop: Shop, place: Place) -> None:
    shop.send(event("m1", 1, "user_id:ann", "email:ann@example.com"), event("bad", 2))
    told = shop.ask(
        """{ namespaces { name priority kind limit fanout prefer distinguishes from }
             status { version store seq customers identifiers links touchpoints decisions rejects } }"""
    )
    assert [n["name"] for n in told["namespaces"]][:2] == ["user_id", "crm_id"]
    assert told["namespaces"][0] | {"fanout": 0} == {
        "name": "user_id",
        "priority": 1,
        "kind": "PERSON",
        "limit": 1,
        "fanout": 0,
        "prefer": "OLDEST",
        "distinguishes": False,
        "from": ["userId"],
    }
    status = told["status"]
    assert status.pop("version")
    assert status.pop("store").endswith(place.url or "store.db")
    assert int(status.pop("seq")) >= 3
    assert status == {
        "customers": 1,
        "identifiers": 2,
        "links": 1,
        "touchpoints": 1,
        "decisions": 0,
        "rejects": 1,
    }


def test_a_search_gets_past_a_customer_who_is_found_in_very_many_places(shop: Shop) -> None:
    shop.send(event("b0", 1, "user_id:bob", "anonymous_id:zebra-first"))
    for start in range(0, 60, 10):
        cookies = [f"anonymous_id:zebra-{number}" for number in range(start, start + 10)]
        shop.send(event(f"a{start}", 2, "user_id:ann", *cookies))
    shop.send(event("c0", 3, "user_id:cas", "anonymous_id:zebra-last"))
    query = """query ($after: String) { search(text: "zebra", first: 2, after: $after) {
        edges { cursor node { id } matched { value } } pageInfo { endCursor hasNextPage } } }"""
    places: list[str] = []
    customers: list[str] = []
    after, more = None, True
    while more:
        assert len(places) <= 62, "every page goes on where the one before ended"
        page = shop.ask(query, after=after)["search"]
        assert page["pageInfo"]["endCursor"] != after
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        places += [edge["matched"]["value"] for edge in page["edges"]]
        customers += [edge["node"]["id"] for edge in page["edges"]]
    bob, ann, cas = (shop.customer_id(f"user_id:{name}") for name in ("bob", "ann", "cas"))
    assert (customers[0], customers[-1], set(customers[1:-1])) == (bob, cas, {ann})
    assert len(customers) <= 2 + 60 // 15 + 1, "a page passes over what it has shown already"
    assert len(set(places)) == len(places)
