"""Judgements, the ledger and the change feed."""

from typing import Any

import pytest

from tests.api.graphql_shop import Json, Shop, event, key

# -- judgements


def test_judging_the_same_joins_and_retracting_parts_again(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann"), event("m2", 2, "user_id:anne", "anonymous_id:y"))
    ann, anne = shop.customer_id("user_id:ann"), shop.customer_id("user_id:anne")
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
    assert shop.customer_id("anonymous_id:y") == ann
    again = shop.retract(shop.judge("SAME", "user_id:ann", "user_id:anne")["judgement"]["id"])
    assert (again["joined"], again["split"]) == ([], [])
    parted = shop.retract(judged_id(shop))
    assert {customer["id"] for customer in parted["split"]} == {ann, anne}
    assert parted["judgement"]["retractedAt"] is not None
    assert shop.customer_id("anonymous_id:y") == anne


def judged_id(shop: Shop) -> str:
    """The first judgement that was made."""
    query = "{ decisions(kinds: [JUDGED]) { edges { node { judgement { id } } } } }"
    found: str = shop.ask(query)["decisions"]["edges"][-1]["node"]["judgement"]["id"]
    return found


def test_judging_different_splits_and_retracting_joins_again(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "user_id:ann", "email:j@example.com"), event("m2", 2, "email:j@example.com", "anonymous_id:y")
    )
    ann = shop.customer_id("user_id:ann")
    judged = shop.judge("DIFFERENT", "user_id:ann", "anonymous_id:y")
    assert {customer["id"] for customer in judged["split"]} == {ann, shop.customer_id("anonymous_id:y")}
    joined = shop.retract(judged["judgement"]["id"])
    assert (joined["joined"], joined["split"]) == ([{"id": ann}], [])


def test_what_cannot_be_judged_is_a_problem_and_changes_nothing(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann"), event("m2", 2, "user_id:anne"))
    shop.judge("DIFFERENT", "user_id:ann", "user_id:anne")
    expected = {
        ("SAME", "user_id:ann", "user_id:anne"): ("judgement.contradicts", None),
        ("SAME", "user_id:ann", "user_id:nobody"): ("judgement.unknown_identifier", "b"),
        ("SAME", "user_id:ann", "user_id:ann"): ("judgement.one_identifier", "b"),
        ("DIFFERENT", "user_id:ann", "user_id: ann "): ("judgement.one_identifier", "b"),
        ("SAME", "user_id:nobody", "user_id:nobody"): ("judgement.unknown_identifier", "a"),
        ("SAME", "email:nonsense", "user_id:ann"): ("identifier.malformed", "a"),
        ("SAME", "user_id:ann", "shoe_size:1"): ("identifier.unknown_namespace", "b"),
    }
    before = shop.ask("{ status { seq } }")
    for (verdict, a, b), (code, field) in expected.items():
        result = shop.judge(verdict, a, b)
        assert (result["judgement"], result["joined"], result["split"]) == (None, [], [])
        assert (result["problem"]["code"], result["problem"]["field"]) == (code, field)
    assert shop.ask("{ status { seq } }") == before


@pytest.mark.parametrize("reason", ["", " ", " \n\t\u3000"])
def test_a_judgement_without_a_reason_is_a_problem_and_changes_nothing(shop: Shop, reason: str) -> None:
    shop.send(event("m1", 1, "user_id:ann"), event("m2", 2, "user_id:anne"))
    standing = shop.judge("SAME", "user_id:ann", "user_id:anne")["judgement"]["id"]
    before = shop.ask("{ status { seq } }")
    answer = "{ judgement { id } joined { id } split { id } problem { code field } }"
    judge = f"""mutation ($a: IdentifierInput!, $b: IdentifierInput!, $reason: String!) {{
        judge(verdict: SAME, a: $a, b: $b, reason: $reason) {answer} }}"""
    retract = f"mutation ($id: ID!, $reason: String!) {{ retract(judgement: $id, reason: $reason) {answer} }}"
    refused: Json = {
        "judgement": None, "joined": [], "split": [], "problem": {"code": "query.invalid", "field": "reason"}
    }  # fmt: skip
    assert shop.ask(judge, a=key("user_id:ann"), b=key("user_id:anne"), reason=reason)["judge"] == refused
    assert shop.ask(retract, id=standing, reason=reason)["retract"] == refused
    assert shop.ask("{ status { seq } }") == before


def test_a_judgement_is_retracted_once(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann"), event("m2", 2, "user_id:anne"))
    judgement = shop.judge("SAME", "user_id:ann", "user_id:anne")["judgement"]["id"]
    taken_back = shop.retract(judgement)
    assert len(taken_back["split"]) == 2
    before = shop.ask("{ status { seq } }")
    again = shop.retract(judgement)
    assert again == taken_back | {"split": []}
    assert shop.ask("{ status { seq } }") == before
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
    bob = shop.customer_id("user_id:bob")
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
    ann = shop.customer_id("user_id:ann")
    for edge in everything:
        node = edge["node"]
        assert (node["touchpoint"] is not None) == (node["kind"] in ("TOUCHPOINT", "SUBJECT"))
        assert (node["decision"] is not None) == (node["kind"] == "DECISION")
        assert node["customer"] == (None if node["kind"] == "DECISION" else {"id": ann})


def test_a_poller_that_has_caught_up_is_told_to_go_on_from_there(shop: Shop) -> None:
    def poll(after: str | None, **more: Any) -> tuple[int, str]:
        part = shop.ask(CHANGES, after=after, **more)["changes"]
        return len(part["edges"]), part["pageInfo"]["endCursor"]

    assert poll(None) == (0, "0")
    shop.send(event("m1", 1, "user_id:ann"))
    had, cursor = poll("0")
    assert had > 0
    assert poll(cursor) == (0, cursor)
    assert poll(cursor, of=[shop.customer_id("user_id:ann")]) == (0, cursor)
    assert poll(cursor, first=0) == (0, cursor)
    shop.send(event("m2", 2, "user_id:ann"))
    had, after = poll(cursor)
    assert 0 < had == int(after) - int(cursor)


def test_a_crm_learns_what_became_of_the_ids_it_holds(shop: Shop) -> None:
    held = [shop.send(event(f"m{n}", n, f"anonymous_id:x{n}"))["results"][0]["customer"]["id"] for n in range(3)]
    since = shop.ask("{ status { seq } }")["status"]["seq"]
    shop.send(event("join", 9, "user_id:ann", "anonymous_id:x0"), event("other", 9, "user_id:bob"))
    ann = shop.customer_id("user_id:ann")
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
