"""Why and why not: chains, refusals, the graph around a customer, judgements, the ledger and the change feed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.graphql_shop import Shop, at, event, key, opened

WHY = """query ($a: IdentifierInput!, $b: IdentifierInput!) { why(a: $a, b: $b) {
    __typename
    ... on Together { a { value } b { value } customer { id }
        chain { a { value } b { value } judgement { id reason }
            link { count sources { source trusted } refused { reason } } } }
    ... on Apart { customers { id } refusal { reason message hint } judgements { id verdict }
        refused { a { value } b { value } refused { reason } } }
    ... on NeverSeen { a { value } unknown { namespace value } }
} }"""
GRAPH = """query ($around: CustomerRef!, $depth: Int! = 1, $most: Int! = 300) {
    identityGraph(around: $around, depth: $depth, maxNodes: $most) {
        truncated nodes { value customer { id } } links { a { value } b { value } refused { reason } } } }"""
REFUSED = """refusedLinks(first: 2, after: $after) {
    edges { cursor node { a { value } b { value } refused { reason } } } pageInfo { endCursor hasNextPage } }"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path) as shop:
        yield shop


def why(shop: Shop, a: str, b: str) -> Any:
    return shop.ask(WHY, a=key(a), b=key(b))["why"]


def customer_id(shop: Shop, identifier: str) -> str:
    found: str = shop.customer(identifier, "id")["id"]
    return found


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
    assert told["customer"]["id"] == customer_id(shop, "user_id:ann")
    # x was seen with the address too, but the account is the stronger witness of both.
    assert chain(told) == [("d", "x"), ("x", "ann"), ("ann", "ann@example.com")]
    assert told["chain"][0]["link"] == {"count": 1, "sources": [{"source": "local", "trusted": True}], "refused": None}
    assert all(step["judgement"] is None for step in told["chain"])


def test_a_chain_is_told_from_a_to_b(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann", "anonymous_id:x"), event("m2", 2, "anonymous_id:x", "device_id:d"))
    forth, back = why(shop, "user_id:ann", "device_id:d"), why(shop, "device_id:d", "user_id:ann")
    assert chain(forth) == [("ann", "x"), ("x", "d")]
    assert chain(back) == [("d", "x"), ("x", "ann")]


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
    assert [c["id"] for c in told["customers"]] == [customer_id(shop, f"user_id:{name}") for name in ("bob", "ann")]
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
        event("m1", 1, "email:ann@example.com", "phone:+442071838750"),
        event("m2", 2, "email:bob@example.com", "phone:+442071838750"),
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
    shop.send(event("m1", 1, "user_id:ann", "email:j@example.com"), event("m2", 2, "phone:+442071838750"))
    judgement = shop.judge("DIFFERENT", "user_id:ann", "email:j@example.com")["judgement"]["id"]
    told = why(shop, "user_id:ann", "email:j@example.com")
    assert (told["__typename"], told["refusal"]["reason"]) == ("Apart", "judged_different")
    assert told["judgements"] == [{"id": judgement, "verdict": "DIFFERENT"}]
    assert [link["refused"]["reason"] for link in told["refused"]] == ["judged_different"]
    shop.judge("DIFFERENT", "user_id:ann", "phone:+442071838750")
    apart = why(shop, "user_id:ann", "phone:+442071838750")
    assert (apart["refusal"]["reason"], apart["refused"]) == ("judged_different", [])


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
    assert owners["bob"] == owners["y"] == customer_id(shop, "user_id:bob")


def test_a_graph_that_is_too_large_says_that_it_was_cut(shop: Shop) -> None:
    shop.send(*(event(f"m{n}", n, "user_id:ann", f"anonymous_id:x{n}") for n in range(6)))
    around = {"identifier": key("user_id:ann")}
    cut = shop.ask(GRAPH, around=around, most=3)["identityGraph"]
    assert ([node["value"] for node in cut["nodes"]], cut["truncated"]) == (["ann", "x0", "x1"], True)
    whole = shop.ask(GRAPH, around=around, most=7)["identityGraph"]
    assert (len(whole["nodes"]), whole["truncated"]) == (7, False)
    assert shop.codes(GRAPH, around=around, depth=11) == ["query.invalid"]
    assert shop.codes(GRAPH, around=around, most=501) == ["query.page_too_large"]


# -- judgements


def test_judging_the_same_joins_and_retracting_parts_again(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann"), event("m2", 2, "user_id:anne", "anonymous_id:y"))
    ann, anne = customer_id(shop, "user_id:ann"), customer_id(shop, "user_id:anne")
    judged = shop.judge("SAME", "user_id:ann", "user_id:anne")
    assert (judged["joined"], judged["split"], judged["problem"]) == ([{"id": ann}], [], None)
    said = judged["judgement"]
    assert said.pop("id").startswith("jdg_")
    assert said.pop("at")
    assert said == {
        "verdict": "SAME",
        "author": "local",
        "reason": "the clerk asked",
        "retractedAt": None,
        "a": {"value": "ann"},
        "b": {"value": "anne"},
    }
    assert customer_id(shop, "anonymous_id:y") == ann
    again = shop.retract(shop.judge("SAME", "user_id:ann", "user_id:anne")["judgement"]["id"])
    assert (again["joined"], again["split"]) == ([], [])
    parted = shop.retract(judged_id(shop))
    assert {customer["id"] for customer in parted["split"]} == {ann, anne}
    assert parted["judgement"]["retractedAt"] is not None
    assert customer_id(shop, "anonymous_id:y") == anne


def judged_id(shop: Shop) -> str:
    """The first judgement that was made."""
    query = "{ decisions(kinds: [JUDGED]) { edges { node { judgement { id } } } } }"
    found: str = shop.ask(query)["decisions"]["edges"][-1]["node"]["judgement"]["id"]
    return found


def test_judging_different_splits_and_retracting_joins_again(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "user_id:ann", "email:j@example.com"), event("m2", 2, "email:j@example.com", "anonymous_id:y")
    )
    ann = customer_id(shop, "user_id:ann")
    judged = shop.judge("DIFFERENT", "user_id:ann", "anonymous_id:y")
    assert {customer["id"] for customer in judged["split"]} == {ann, customer_id(shop, "anonymous_id:y")}
    joined = shop.retract(judged["judgement"]["id"])
    assert (joined["joined"], joined["split"]) == ([{"id": ann}], [])


def test_what_cannot_be_judged_is_a_problem_and_changes_nothing(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann"), event("m2", 2, "user_id:anne"))
    shop.judge("DIFFERENT", "user_id:ann", "user_id:anne")
    expected = {
        ("SAME", "user_id:ann", "user_id:anne"): ("judgement.contradicts", None),
        ("SAME", "user_id:ann", "user_id:nobody"): ("judgement.unknown_identifier", "b"),
        ("SAME", "email:nonsense", "user_id:ann"): ("identifier.malformed", "a"),
        ("SAME", "user_id:ann", "shoe_size:1"): ("identifier.unknown_namespace", "b"),
    }
    before = shop.ask("{ status { seq } }")
    for (verdict, a, b), (code, field) in expected.items():
        result = shop.judge(verdict, a, b)
        assert (result["judgement"], result["joined"], result["split"]) == (None, [], [])
        assert (result["problem"]["code"], result["problem"]["field"]) == (code, field)
    assert shop.judge("SAME", "user_id:ann", "user_id:ann")["problem"] is not None
    assert shop.ask("{ status { seq } }") == before


def test_a_judgement_is_retracted_once(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann"), event("m2", 2, "user_id:anne"))
    judgement = shop.judge("SAME", "user_id:ann", "user_id:anne")["judgement"]["id"]
    assert len(shop.retract(judgement)["split"]) == 2
    again = shop.retract(judgement)
    assert (again["split"], again["problem"], again["judgement"]["id"]) == ([], None, judgement)
    assert shop.retract("jdg_0000000000099")["problem"]["code"] == "judgement.not_found"
    for text in ("7", "cus_00000000000000000000000000"):
        assert shop.codes('mutation ($id: ID!) { retract(judgement: $id, reason: "") { joined { id } } }', id=text) == [
            "query.bad_reference"
        ]


# -- the ledger and the feed


def test_the_ledger_tells_what_was_decided_and_what_brought_it_about(shop: Shop) -> None:
    cookie = shop.send(event("m1", 1, "anonymous_id:x"))["results"][0]["customer"]["id"]
    ann = shop.send(event("m2", 2, "user_id:ann"))["results"][0]["customer"]["id"]
    shop.send(event("m3", 3, "user_id:ann", "anonymous_id:x"))
    fields = """{ decisions(kinds: [JOINED]) { edges { node { id seq at kind reason customerIds customers { id }
        identifiers { namespace value } link { a { value } count } judgement { id } touchpoints { messageId } } } } }"""
    (edge,) = shop.ask(fields)["decisions"]["edges"]
    joined = edge["node"]
    assert joined.pop("id").startswith("dec_")
    assert int(joined.pop("seq")) > 0
    assert joined.pop("at")
    identifiers = {f"{i['namespace']}:{i['value']}" for i in joined.pop("identifiers")}
    assert identifiers == {"user_id:ann", "anonymous_id:x"}
    assert joined == {
        "kind": "JOINED",
        "reason": "link:server",
        "customerIds": [ann, cookie],
        "customers": [{"id": ann}],
        "link": {"a": {"value": "x"}, "count": 1},
        "judgement": None,
        "touchpoints": [{"messageId": "m3"}],
    }


def test_decisions_are_paged_newest_first_and_chosen_by_customer_and_kind(shop: Shop) -> None:
    for name in ("ann", "bob", "cas"):
        shop.send(event(f"{name}1", 1, f"user_id:{name}"), event(f"{name}2", 2, f"anonymous_id:{name}"))
        shop.send(event(f"{name}3", 3, f"user_id:{name}", f"anonymous_id:{name}"))
    query = """query ($of: CustomerRef, $first: Int! = 50, $after: String) {
        decisions(of: $of, first: $first, after: $after) {
            edges { node { seq customerIds } } pageInfo { endCursor hasNextPage hasPreviousPage } } }"""
    everything = [edge["node"]["seq"] for edge in shop.ask(query)["decisions"]["edges"]]
    assert everything == sorted(everything, key=int, reverse=True)
    found, cursor = [], None
    for _ in everything:
        part = shop.ask(query, first=1, after=cursor)["decisions"]
        cursor = part["pageInfo"]["endCursor"]
        found += [edge["node"]["seq"] for edge in part["edges"]]
    assert (found, part["pageInfo"]["hasNextPage"], part["pageInfo"]["hasPreviousPage"]) == (everything, False, True)
    of_bob = shop.ask(query, of={"identifier": key("anonymous_id:bob")})["decisions"]["edges"]
    bob = customer_id(shop, "user_id:bob")
    assert of_bob
    assert all(bob in edge["node"]["customerIds"] for edge in of_bob)
    history = shop.customer("user_id:bob", "history { edges { node { seq customerIds } } }")["history"]["edges"]
    assert history == of_bob
    assert shop.codes(query, of={"identifier": key("user_id:nobody")}) == ["identifier.not_found"]


CHANGES = """query ($after: Seq, $first: Int! = 500, $of: [ID!]) { changes(after: $after, first: $first, of: $of) {
    edges { cursor node { seq at kind identifier { value } customer { id } touchpoint { messageId }
        decision { kind customers { id } } } }
    pageInfo { endCursor hasNextPage hasPreviousPage } } }"""


def test_the_feed_is_followed_from_page_to_page_without_gaps(shop: Shop) -> None:
    shop.send(event("m1", 1, "anonymous_id:x"), event("m2", 2, "user_id:ann"))
    shop.send(event("m3", 3, "user_id:ann", "anonymous_id:x", type="IDENTIFY", traits={"name": "Ann"}))
    everything = shop.ask(CHANGES)["changes"]["edges"]
    seqs = [int(edge["node"]["seq"]) for edge in everything]
    assert seqs == sorted(set(seqs))
    assert {edge["node"]["kind"] for edge in everything} == {"TOUCHPOINT", "IDENTIFIER", "CLAIMS", "DECISION"}
    found: list[Any] = []
    cursor, more = None, True
    while more:
        part = shop.ask(CHANGES, first=2, after=cursor)["changes"]
        assert part["pageInfo"]["hasPreviousPage"] is bool(found)
        cursor, more = part["pageInfo"]["endCursor"], part["pageInfo"]["hasNextPage"]
        found += part["edges"]
    assert found == everything
    assert cursor == shop.ask("{ status { seq } }")["status"]["seq"] == everything[-1]["cursor"]
    assert shop.ask(CHANGES, after=cursor)["changes"]["edges"] == []
    ann = customer_id(shop, "user_id:ann")
    for edge in everything:
        node = edge["node"]
        assert (node["touchpoint"] is not None) == (node["kind"] in ("TOUCHPOINT", "SUBJECT"))
        assert (node["decision"] is not None) == (node["kind"] == "DECISION")
        assert node["customer"] == (None if node["kind"] == "DECISION" else {"id": ann})


def test_a_crm_learns_what_became_of_the_ids_it_holds(shop: Shop) -> None:
    held = [shop.send(event(f"m{n}", n, f"anonymous_id:x{n}"))["results"][0]["customer"]["id"] for n in range(3)]
    since = shop.ask("{ status { seq } }")["status"]["seq"]
    shop.send(event("join", 9, "user_id:ann", "anonymous_id:x0"), event("other", 9, "user_id:bob"))
    ann = customer_id(shop, "user_id:ann")
    nodes = [edge["node"] for edge in shop.ask(CHANGES, after=since, of=held)["changes"]["edges"]]
    assert nodes
    assert any(node["decision"] and node["decision"]["customers"] == [{"id": ann}] for node in nodes) or any(
        node["customer"] == {"id": ann} for node in nodes
    )
    assert all((node["identifier"] or {"value": "x0"})["value"] == "x0" for node in nodes)
    assert shop.ask(CHANGES, of=["cus_00000000000000000000000000"])["changes"]["edges"] == []
    assert shop.ask(CHANGES, of=[])["changes"]["edges"] == []
    assert shop.codes(CHANGES, of=["x"]) == ["query.bad_reference"]


@pytest.mark.parametrize("after", ["-1", "x", "1.5", 1, "99999999999999999999", "٣"])
def test_what_is_no_sequence_number_is_refused(shop: Shop, after: Any) -> None:
    assert shop.codes(CHANGES, after=after) == ["query.invalid"]


# -- what became of events


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
    ann = {"id": customer_id(shop, "user_id:ann")}
    assert [r["customer"] for r in report["results"]] == [ann, ann, ann, None, None, None, None, None, None]


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
