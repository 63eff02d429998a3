"""Why and why not: chains, refusals, and the graph around a customer."""

from typing import Any

from tests.api.graphql_shop import Shop, event, key

WHY = """query ($a: IdentifierInput!, $b: IdentifierInput!) { why(a: $a, b: $b) {
    __typename
    ... on Together { a { value } b { value } customer { id }
        chain { a { value } b { value } judgement { id reason }
            link { count sources { source trusted } refused { reason } } } }
    ... on Apart { customers { id } refusal { reason message hint } judgements { id verdict }
        refused { a { value } b { value } refused { reason } } }
    ... on NeverSeen { a { value } unknown { namespace value } }
} }"""
PHONE = "phone:+442071838750"
GRAPH = """query ($around: CustomerRef!, $depth: Int! = 1, $most: Int! = 300) {
    identityGraph(around: $around, depth: $depth, maxNodes: $most) {
        truncated nodes { value customer { id } } links { a { value } b { value } refused { reason } } } }"""
REFUSED = """refusedLinks(first: 2, after: $after) {
    edges { cursor node { a { value } b { value } refused { reason } } } pageInfo { endCursor hasNextPage } }"""


def why(shop: Shop, a: str, b: str) -> Any:
    return shop.ask(WHY, a=key(a), b=key(b))["why"]


def chain(explanation: Any) -> list[tuple[str, str]]:
    return [(step["a"]["value"], step["b"]["value"]) for step in explanation["chain"]]


# -- why


def test_a_join_is_explained_by_the_strongest_chain(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "user_id:ann", "anonymous_id:x"),
        event("m2", 2, "anonymous_id:x", "device_id:d"),
        event("m3", 3, "user_id:ann", "email:ann@example.com"),
        event("m4", 4, "anonymous_id:x", "email:ann@example.com"),
    )
    told = why(shop, "device_id:d", "email:ann@example.com")
    assert told["__typename"] == "Together"
    assert told["customer"]["id"] == shop.customer_id("user_id:ann")
    # x was seen with the address too, but the account is the stronger witness of both.
    assert chain(told) == [("d", "x"), ("x", "ann"), ("ann", "ann@example.com")]
    assert told["chain"][0]["link"] == {"count": 1, "sources": [{"source": "local", "trusted": True}], "refused": None}
    assert all(step["judgement"] is None for step in told["chain"])


def test_a_chain_is_told_from_a_to_b(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann", "anonymous_id:x"), event("m2", 2, "anonymous_id:x", "device_id:d"))
    forth, back = why(shop, "user_id:ann", "device_id:d"), why(shop, "device_id:d", "user_id:ann")
    assert chain(forth) == [("ann", "x"), ("x", "d")]
    assert chain(back) == [("d", "x"), ("x", "ann")]


def test_of_equally_strong_chains_the_one_that_comes_first_in_plain_order_is_told(shop: Shop) -> None:
    shop.send(
        *(event(f"{end}{x}", 1, f"anonymous_id:{x}", end) for x in "yx" for end in ("email:j@example.com", PHONE))
    )
    assert chain(why(shop, "email:j@example.com", PHONE)) == [("j@example.com", "x"), ("x", PHONE[6:])]


def test_an_identifier_is_itself(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann"))
    told = why(shop, "user_id:ann", "user_id:ann")
    assert (told["__typename"], told["chain"]) == ("Together", [])


def test_a_judgement_joins_what_was_never_seen_together_and_is_named(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann", "anonymous_id:x"), event("m2", 2, "user_id:anne"))
    judgement = shop.judge("SAME", "user_id:ann", "user_id:anne")["judgement"]["id"]
    told = why(shop, "anonymous_id:x", "user_id:anne")
    assert chain(told) == [("x", "ann"), ("ann", "anne")]
    assert told["chain"][1] == {
        "a": {"value": "ann"},
        "b": {"value": "anne"},
        "link": None,
        "judgement": {"id": judgement, "reason": "the clerk asked"},
    }


def test_two_accounts_on_one_address_are_apart_for_the_limit(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "user_id:ann", "email:j@example.com"), event("m2", 2, "user_id:bob", "email:j@example.com")
    )
    told = why(shop, "user_id:bob", "email:j@example.com")
    assert told["__typename"] == "Apart"
    assert [c["id"] for c in told["customers"]] == [shop.customer_id(f"user_id:{name}") for name in ("bob", "ann")]
    assert told["refused"] == [
        {"a": {"value": "j@example.com"}, "b": {"value": "bob"}, "refused": {"reason": "limit:user_id"}}
    ]
    assert told["refusal"]["reason"] == "limit:user_id"
    assert "1 user_id" in told["refusal"]["message"]
    assert "Judge" in told["refusal"]["hint"]
    # ann and bob themselves were never seen together: the address is what connects them.
    assert why(shop, "user_id:ann", "user_id:bob")["refused"] == told["refused"]


def test_a_shared_phone_between_two_addresses_is_a_weak_bridge(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "email:ann@example.com", PHONE),
        event("m2", 2, "email:bob@example.com", PHONE),
    )
    told = why(shop, "email:bob@example.com", "email:ann@example.com")
    assert told["refusal"]["reason"] == "weak_bridge:email"
    assert [link["a"]["value"] for link in told["refused"]] == ["+442071838750"]


def test_what_is_generic_joins_nobody_and_is_named_as_what_lies_between(shop: Shop) -> None:
    shop.send(*(event(f"m{n}", n, f"user_id:u{n}", "email:info@shop.example") for n in range(6)))
    direct = why(shop, "user_id:u0", "email:info@shop.example")
    assert direct["refusal"]["reason"] == "generic"
    assert "email" in direct["refusal"]["message"]
    between = why(shop, "user_id:u0", "user_id:u5")
    assert between["refusal"]["reason"] == "generic"
    assert [(link["a"]["value"], link["b"]["value"]) for link in between["refused"]] == [
        ("info@shop.example", "u0"),
        ("info@shop.example", "u5"),
    ]


def test_those_judged_different_are_apart_for_that(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann", "email:j@example.com"), event("m2", 2, PHONE))
    judgement = shop.judge("DIFFERENT", "user_id:ann", "email:j@example.com")["judgement"]["id"]
    told = why(shop, "user_id:ann", "email:j@example.com")
    assert (told["__typename"], told["refusal"]["reason"]) == ("Apart", "judged_different")
    assert told["judgements"] == [{"id": judgement, "verdict": "DIFFERENT"}]
    assert [link["refused"]["reason"] for link in told["refused"]] == ["judged_different"]
    shop.judge("DIFFERENT", "user_id:ann", PHONE)
    apart = why(shop, "user_id:ann", PHONE)
    assert (apart["refusal"]["reason"], apart["refused"]) == ("judged_different", [])


def test_a_judgement_is_the_first_reason_of_several(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "user_id:ann", "email:j@example.com"), event("m2", 2, "user_id:bob", "email:j@example.com")
    )
    assert why(shop, "user_id:bob", "email:j@example.com")["refusal"]["reason"] == "limit:user_id"
    shop.judge("DIFFERENT", "user_id:bob", "user_id:ann")
    assert why(shop, "user_id:bob", "email:j@example.com")["refusal"]["reason"] == "judged_different"


def test_what_nothing_connects_was_never_seen_together(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann"), event("m2", 2, "user_id:bob", "staff_id:clerk7"))
    assert why(shop, "user_id:ann", "user_id:bob") == {"__typename": "NeverSeen", "a": {"value": "ann"}, "unknown": []}
    assert why(shop, "user_id:nobody", "user_id:bob")["unknown"] == [key("user_id:nobody")]
    assert why(shop, "staff_id:clerk7", "user_id:bob")["unknown"] == []
    assert shop.codes(WHY, a=key("email:nonsense"), b=key("user_id:bob")) == ["identifier.malformed"]


# -- refused links and the graph


def test_refused_links_are_paged_and_lead_to_others(shop: Shop) -> None:
    shop.send(event("m0", 0, "user_id:ann", "email:a@example.com", "email:b@example.com", "email:c@example.com"))
    shop.send(*(event(f"m{name}", 1, f"user_id:{name}", f"email:{name}@example.com") for name in "abc"))
    first = shop.customer("user_id:ann", REFUSED, after=None)["refusedLinks"]
    second = shop.customer("user_id:ann", REFUSED, after=first["pageInfo"]["endCursor"])["refusedLinks"]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    links = [edge["node"] for part in (first, second) for edge in part["edges"]]
    assert {(link["a"]["value"], link["b"]["value"]) for link in links} == {(f"{n}@example.com", n) for n in "abc"}
    assert {link["refused"]["reason"] for link in links} == {"limit:user_id"}


def test_a_cursor_of_another_lists_links_is_refused(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "user_id:ann", "email:j@example.com"), event("m2", 2, "user_id:bob", "email:j@example.com")
    )
    shop.send(event("m3", 3, "user_id:cas", "anonymous_id:x"))
    cursor = shop.customer("user_id:bob", REFUSED, after=None)["refusedLinks"]["pageInfo"]["endCursor"]
    query = """query ($after: String) { customer(by: {identifier: {namespace: "user_id", value: "cas"}}) { %s } }"""
    assert shop.codes(query % REFUSED, after=cursor) == ["query.bad_cursor"]
    links = "identifiers(first: 1) { edges { node { links(after: $after) { edges { cursor } } } } }"
    assert shop.codes(query % links, after=cursor) == ["query.bad_cursor"]
    assert shop.codes(query % links, after="l7fffffffffffffff") == ["query.bad_cursor"]


def test_the_links_of_an_identifier_are_paged(shop: Shop) -> None:
    shop.send(*(event(f"m{n}", n, "user_id:ann", f"anonymous_id:x{n}") for n in range(5)))
    fields = """identifiers(first: 1) { edges { node { links(first: 2, after: $after) {
        edges { node { a { value } b { value } } } pageInfo { endCursor hasNextPage hasPreviousPage } } } } }"""
    found, cursor, flags = [], None, []
    for _ in range(3):
        part = shop.customer("user_id:ann", fields, after=cursor)["identifiers"]["edges"][0]["node"]["links"]
        cursor = part["pageInfo"]["endCursor"]
        found += [edge["node"]["a"]["value"] for edge in part["edges"]]
        flags.append((part["pageInfo"]["hasPreviousPage"], part["pageInfo"]["hasNextPage"]))
    assert sorted(found) == [f"x{n}" for n in range(5)]
    assert flags == [(False, True), (True, True), (True, False)]
    five = "identifiers(first: 1) { edges { node { links(first: 5) { pageInfo { hasNextPage } } } } }"
    whole = shop.customer("user_id:ann", five)["identifiers"]["edges"][0]["node"]["links"]
    assert whole["pageInfo"]["hasNextPage"] is False


def test_the_graph_around_a_customer_grows_ring_by_ring(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "user_id:ann", "email:j@example.com", "anonymous_id:x"),
        event("m2", 2, "user_id:bob", "email:j@example.com"),
        event("m3", 3, "user_id:bob", "anonymous_id:y"),
        event("m4", 4, "user_id:cas"),
    )
    around = {"identifier": key("anonymous_id:x")}
    rings = [shop.ask(GRAPH, around=around, depth=depth)["identityGraph"] for depth in range(3)]
    assert [[node["value"] for node in ring["nodes"]] for ring in rings] == [
        ["ann", "j@example.com", "x"],
        ["ann", "j@example.com", "x", "bob"],
        ["ann", "j@example.com", "x", "bob", "y"],
    ]
    assert not any(ring["truncated"] for ring in rings)
    links = {(k["a"]["value"], k["b"]["value"]): k["refused"] and k["refused"]["reason"] for k in rings[1]["links"]}
    assert links == {
        ("j@example.com", "ann"): None,
        ("x", "ann"): None,
        ("x", "j@example.com"): None,
        ("j@example.com", "bob"): "limit:user_id",
    }
    owners = {node["value"]: node["customer"]["id"] for node in rings[2]["nodes"]}
    assert owners["bob"] == owners["y"] == shop.customer_id("user_id:bob")


def test_a_graph_that_is_too_large_says_that_it_was_cut(shop: Shop) -> None:
    shop.send(*(event(f"m{n}", n, "user_id:ann", f"anonymous_id:x{n}") for n in range(6)))
    around = {"identifier": key("user_id:ann")}
    cut = shop.ask(GRAPH, around=around, most=3)["identityGraph"]
    assert ([node["value"] for node in cut["nodes"]], cut["truncated"]) == (["ann", "x0", "x1"], True)
    own = shop.ask(GRAPH, around=around, depth=0, most=3)["identityGraph"]
    assert ([node["value"] for node in own["nodes"]], own["truncated"]) == (["ann", "x0", "x1"], True)
    whole = shop.ask(GRAPH, around=around, most=7)["identityGraph"]
    assert (len(whole["nodes"]), whole["truncated"]) == (7, False)
    assert shop.codes(GRAPH, around=around, depth=11) == ["query.invalid"]
    assert shop.codes(GRAPH, around=around, most=501) == ["query.page_too_large"]
