"""Segments over GraphQL: who meets a rule, who is kept in one, and why somebody is or is not."""

import threading
from collections.abc import Iterator
from typing import Any, Final

import pytest

from onefold.analytics.segments import in_time
from onefold.api.asking import EVERYBODY
from onefold.api.graphql.execution import Engine, Request
from onefold.api.graphql.schema import executable
from tests.api.graphql_shop import Json, Shop, event, key, opened
from tests.contract.stores import Place

PREVIEW: Final = """query ($rule: SegmentRule!, $consent: String, $first: Int! = 20, $after: String, $age: Int! = 0) {
    previewSegment(rule: $rule, requireConsent: $consent, maxStalenessMs: $age) { count share withoutConsent asOfSeq
        customers(first: $first, after: $after) { pageInfo { hasNextPage endCursor } edges { node {
            id identifiers { edges { node { value } } } } } } } }"""
WHY: Final = """query ($who: CustomerRef!, $segment: ID, $rule: SegmentRule) {
    segmentMembership(customer: $who, segment: $segment, rule: $rule) { holds segment { name } customer { id }
        conditions { path level kind text asked holds found foundText } } }"""
SAVE: Final = """mutation ($input: SaveSegmentInput!) { saveSegment(input: $input) {
    segment { id name description rule requireConsent count customers { edges { node { id segments { name } } } } }
    problem { code field hint } } }"""
DELETE: Final = "mutation ($id: ID!) { deleteSegment(id: $id) { segment { id } problem { code } } }"
LIST: Final = """query ($first: Int! = 2, $after: String) { segments { id name count asOfSeq
    customers(first: $first, after: $after) { pageInfo { hasNextPage endCursor } edges { node { id } } } } }"""

BOUGHT: Final[Json] = {"did": {"touchpoint": {"names": ["Order Completed"]}}}
HOSTILE: Final = "'; DROP TABLE internal.claims; -- \u202e\0\U0001f600 <script>"


def order(message: str, minute: int, *identifiers: str, revenue: float = 10, currency: str = "EUR") -> Json:
    properties = {"revenue": revenue, "currency": currency}
    return event(message, minute, *identifiers, event="Order Completed", properties=properties)


def person(name: str, minute: int = 1, **traits: Any) -> Json:
    return event(f"about-{name}-{minute}", minute, f"user_id:{name}", type="IDENTIFY", traits=traits)


def preview(shop: Shop, rule: Json, **variables: Any) -> Json:
    found: Json = shop.ask(PREVIEW, rule=rule, **variables)["previewSegment"]
    return found


def who(found: Json) -> set[str]:
    """One identifier of each customer of a page."""
    edges = found["customers"]["edges"]
    return {edge["node"]["identifiers"]["edges"][0]["node"]["value"] for edge in edges}


def why(shop: Shop, name: str, **asked: Any) -> Json:
    found: Json = shop.ask(WHY, who={"identifier": key(f"user_id:{name}")}, **asked)["segmentMembership"]
    return found


def save(shop: Shop, name: str, rule: Json, **more: Any) -> Json:
    saved: Json = shop.ask(SAVE, input={"name": name, "rule": rule, **more})["saveSegment"]
    return saved


# -- previews


def test_a_preview_counts_shares_and_shows_who_meets_a_rule(shop: Shop) -> None:
    shop.send(person("ann", city="Hull"), person("ben", city="York"), order("o1", 2, "user_id:ann"))
    found = preview(shop, BOUGHT)
    assert (found["count"], found["share"], found["withoutConsent"]) == (1, 0.5, 0)
    assert who(found) == {"ann"}
    assert who(preview(shop, {"not": BOUGHT})) == {"ben"}
    city: Json = {"trait": {"name": "city", "in": ["Hull", "York"]}}
    assert who(preview(shop, {"all": [city, {"any": [BOUGHT, {"holds": {"namespace": "email"}}]}]})) == {"ann"}


def test_a_preview_is_never_older_than_the_question(shop: Shop) -> None:
    shop.send(order("o1", 1, "user_id:ann"))
    for number in range(3):
        seq = shop.ask("{ status { seq } }")["status"]["seq"]
        found = preview(shop, BOUGHT)
        assert (found["count"], found["asOfSeq"]) == (1 + number, seq)
        shop.send(order(f"more-{number}", 2, f"user_id:new-{number}"))
    older = preview(shop, BOUGHT, age=600_000)
    assert (older["count"], len(who(older))) == (3, 3), "nothing was read anew"
    assert preview(shop, BOUGHT)["count"] == 4


def test_the_moment_an_anonymous_phase_is_linked_it_counts(shop: Shop) -> None:
    shop.send(event("m1", 1, "anonymous_id:x", type="PAGE", name="Prices"), person("ann", 2))
    rule: Json = {"all": [{"did": {"touchpoint": {"names": ["Prices"]}}}, {"holds": {"namespace": "user_id"}}]}
    assert preview(shop, rule)["count"] == 0
    shop.send(event("m2", 3, "anonymous_id:x", "user_id:ann", type="IDENTIFY"))
    assert who(preview(shop, rule)) == {"ann"}


def test_who_has_not_consented_is_left_out_and_counted(shop: Shop) -> None:
    for name, consents in (("ann", True), ("ben", False)):
        said = {"consent": {"marketing": consents}}
        shop.send(event(f"c-{name}", 1, f"user_id:{name}", type="IDENTIFY", context=said))
    shop.send(*(order(f"o-{name}", 2, f"user_id:{name}") for name in ("ann", "ben", "cleo")))
    found = preview(shop, BOUGHT, consent="marketing")
    assert (found["count"], found["withoutConsent"], who(found)) == (1, 2, {"ann"})
    assert who(preview(shop, {"all": [BOUGHT, {"consents": "marketing"}]})) == {"ann"}


def test_pages_stay_right_when_customers_enter_and_leave_between_them(shop: Shop) -> None:
    names = [f"u{number}" for number in range(7)]
    for name in names:
        shop.send(order(f"o-{name}", 1, f"user_id:{name}"))
    seen: list[str] = []
    after: str | None = None
    for page in range(4):
        found = preview(shop, BOUGHT, first=2, after=after)
        seen += sorted(who(found))
        after = found["customers"]["pageInfo"]["endCursor"]
        shop.send(order(f"late-{page}", 2, f"user_id:late-{page}"))
        if page == 0:  # one of the first page goes, by becoming part of another
            shop.judge("SAME", "user_id:u0", "user_id:u6")
    assert len(seen) == len(set(seen)), "nobody twice"
    assert set(seen) >= set(names) - {"u6"}, "nobody missing"


def test_a_page_says_whether_there_is_another_and_takes_only_its_own_cursors(shop: Shop) -> None:
    shop.send(*(order(f"o-{number}", 1, f"user_id:u{number}") for number in range(3)))
    first = preview(shop, BOUGHT, first=2)["customers"]["pageInfo"]
    assert first["hasNextPage"]
    last = preview(shop, BOUGHT, first=2, after=first["endCursor"])["customers"]["pageInfo"]
    assert not last["hasNextPage"]
    assert preview(shop, BOUGHT, first=0)["customers"]["edges"] == []
    assert shop.codes(PREVIEW, rule=BOUGHT, after="t1-2") == ["query.bad_cursor"]
    assert shop.codes(PREVIEW, rule=BOUGHT, first=501) == ["query.page_too_large"]
    assert shop.codes(PREVIEW, rule=BOUGHT, age=-1) == ["query.invalid"]


def test_an_operation_knows_everybody_who_is_found_however_much_comes_in_meanwhile(shop: Shop) -> None:
    shop.send(order("o1", 1, "user_id:u"))
    stop = threading.Event()

    def send() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            shop.onefold.ingest([order_json(number)])

    sender = threading.Thread(target=send)
    sender.start()
    try:
        for _ in range(20):
            answer = shop.ask(f"{{ before: status {{ seq }} {PREVIEWED} after: status {{ seq }} }}")
            assert len(answer["previewSegment"]["customers"]["edges"]) == min(500, answer["previewSegment"]["count"])
            assert int(answer["after"]["seq"]) >= int(answer["previewSegment"]["asOfSeq"])
    finally:
        stop.set()
        sender.join()


PREVIEWED: Final = """previewSegment(rule: {did: {touchpoint: {names: ["Order Completed"]}}}) { count asOfSeq
    customers(first: 500) { edges { node { id lastSeen } } } }"""


def order_json(number: int) -> bytes:
    at = f"2026-03-01T00:00:{number % 60:02d}Z"
    return (
        f'{{"type": "track", "event": "Order Completed", "messageId": "n{number}", "userId": "n{number}", '
        f'"timestamp": "{at}"}}'
    ).encode()


# -- mistakes


@pytest.mark.parametrize(
    ("rule", "code", "field"),
    [
        ({"trait": {"name": "cty", "is": "Hull"}}, "segment.unknown_name", "rule.trait.name"),
        ({"all": []}, "segment.invalid", "rule.all"),
        ({"all": [{"trait": {"name": "city"}}]}, "segment.invalid", "rule.all[0].trait"),
        ({"trait": {"name": "city", "is": None}}, "segment.invalid", "rule.trait"),
        ({"did": {"touchpoint": {"names": ["Oder"]}}}, "segment.unknown_name", "rule.did.touchpoint.names[0]"),
        ({"did": {"touchpoint": {}, "times": {}}}, "segment.invalid", "rule.did.times"),
        ({"did": {"touchpoint": {}, "within": {"lastDays": 0}}}, "segment.invalid", "rule.did.within.lastDays"),
        ({"sequence": {"steps": []}}, "segment.invalid", "rule.sequence.steps"),
        ({"in": "seg_0000000000009"}, "segment.not_found", "rule.in"),
        ({"holds": {"namespace": "emial"}}, "segment.unknown_name", "rule.holds.namespace"),
        ({"consents": "nobody asked"}, "segment.unknown_name", "rule.consents"),
        ({"computed": {"name": "ordres", "atLeast": 1}}, "segment.unknown_name", "rule.computed.name"),
        ({"trait": {"name": HOSTILE, "is": HOSTILE}}, "segment.unknown_name", "rule.trait.name"),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "replace").decode() if isinstance(value, str) else "rule",
)  # fmt: skip
def test_a_mistake_in_a_rule_is_told_with_its_place_and_saving_it_is_a_problem(
    tried: Shop, rule: Json, code: str, field: str
) -> None:
    [error] = tried.post(PREVIEW, {"rule": rule}).json()["errors"]
    assert (error["extensions"]["code"], error["extensions"].get("field")) == (code, field)
    problem = save(tried, "mistaken", rule)["problem"]
    assert (problem["code"], problem["field"]) == (code, field)
    assert tried.ask("{ segments { id } }")["segments"] == []


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened(Place("sqlite", tmp_path_factory.mktemp("tried"))) as shop:
        shop.send(person("ann", city="Hull"), order("o1", 2, "user_id:ann"))
        yield shop


def test_names_that_come_from_anybody_are_values_and_nothing_else(shop: Shop) -> None:
    shop.send(person("ann", 1, **{HOSTILE.replace("\0", ""): HOSTILE.replace("\0", "")}), person("ben"))
    name = HOSTILE.replace("\0", "")
    assert who(preview(shop, {"trait": {"name": name, "is": name}})) == {"ann"}
    assert save(shop, name, {"trait": {"name": name, "contains": "DROP"}})["segment"]["count"] == 1
    assert why(shop, "ann", rule={"trait": {"name": name, "is": name}})["holds"]
    assert preview(shop, {"not": {"trait": {"name": name, "exists": True}}})["count"] == 1


def test_a_rule_gives_one_condition_at_a_time(tried: Shop) -> None:
    assert tried.codes(PREVIEW, rule={"trait": {"name": "a", "exists": True}, "consents": "b"}) == ["query.invalid"]
    assert tried.codes(PREVIEW, rule={}) == ["query.invalid"]


def test_null_is_a_value_of_a_property_and_of_nothing_else(shop: Shop) -> None:
    shop.send(event("m1", 1, "user_id:ann", properties={"coupon": None}), event("m2", 1, "user_id:ben"))
    rule: Json = {"did": {"touchpoint": {"properties": [{"property": "coupon", "is": None}]}, "times": None}}
    assert who(preview(shop, rule)) == {"ann"}


def test_rules_are_measured_before_they_run(tried: Shop) -> None:
    deep: Json = BOUGHT
    for _ in range(11):
        deep = {"not": deep}
    assert tried.codes(PREVIEW, rule=deep) == ["segment.invalid"]
    for _ in range(200):
        deep = {"not": deep}
    assert tried.codes(PREVIEW, rule=deep) == ["query.too_deep"]
    wide: Json = {"all": [BOUGHT] * 201}
    assert tried.codes(PREVIEW, rule=wide) == ["segment.invalid"]
    assert tried.codes(PREVIEW, rule={"all": [BOUGHT] * 5_000}) == ["query.too_complex"]
    mean = "".join(f"a{number}: previewSegment(rule: $rule) {{ count }} " for number in range(15))
    many: Json = {"all": [BOUGHT] * 150}
    assert tried.codes(f"query ($rule: SegmentRule!) {{ {mean} }}", rule=many) == ["query.too_complex"]


def test_what_asks_the_read_model_never_runs_on_the_event_loop(tried: Shop) -> None:
    engine = Engine(tried.onefold, executable())
    rule = '{holds: {namespace: "email"}}'
    asked = f"{{ previewSegment(rule: {rule}) {{ count }} }}"
    explained = f'{{ segmentMembership(customer: {{id: "cus_1"}}, rule: {rule}) {{ holds }} }}'
    by_id = '{ segmentMembership(customer: {id: "cus_1"}, segment: "seg_0000000000001") { holds } }'
    kept = "{ segments { name count } }"
    quick = [engine.plan(Request(query), EVERYBODY).quick for query in (asked, explained, by_id, kept)]
    assert quick == [False, False, False, True]


# -- why


def test_each_condition_is_told_with_the_value_found(shop: Shop) -> None:
    shop.send(person("ann", city="Hull"), order("o1", 2, "user_id:ann", revenue=19.9), order("o2", 3, "user_id:ann"))
    rule: Json = {"all": [
        {"trait": {"name": "city", "is": "York"}},
        {"not": {"did": {**BOUGHT["did"], "sum": {"property": "revenue", "atLeast": 29.9}}}},
    ]}  # fmt: skip
    told = why(shop, "ann", rule=rule)
    lines = [(line["path"], line["level"], line["kind"], line["holds"]) for line in told["conditions"]]
    assert lines == [
        ("rule", 0, "all", False),
        ("rule.all[0]", 1, "trait", False),
        ("rule.all[1]", 1, "not", False),
        ("rule.all[1].not", 2, "did", True),
    ]
    assert (told["holds"], told["segment"]) == (False, None)
    trait, behaviour = told["conditions"][1], told["conditions"][3]
    assert trait["found"]["value"] == "Hull"
    assert trait["asked"] == {"name": "city", "is": "York"}
    assert trait["text"] == 'city is "York"'
    found = behaviour["found"]
    assert (found["times"], found["sum"], found["currency"]) == (2, "29.9", "EUR")
    assert [line["asked"] is None for line in told["conditions"]] == [True, False, True, False]


def test_a_saved_segment_is_explained_with_the_consent_it_requires(shop: Shop) -> None:
    said = {"consent": {"marketing": False}}
    shop.send(order("o1", 1, "user_id:ann"), event("c1", 2, "user_id:ann", type="IDENTIFY", context=said))
    segment = save(shop, "buyers", BOUGHT, requireConsent="marketing")["segment"]
    told = why(shop, "ann", segment=segment["id"])
    assert (told["holds"], told["segment"]["name"], segment["count"]) == (False, "buyers", 0)
    assert [(line["path"], line["holds"]) for line in told["conditions"]] == [("rule", True), ("requireConsent", False)]
    assert told["conditions"][1]["found"]["given"] is False


def test_one_thing_at_a_time_is_explained(tried: Shop) -> None:
    ann = {"identifier": key("user_id:ann")}
    assert tried.codes(WHY, who=ann) == ["query.invalid"]
    assert tried.codes(WHY, who=ann, segment="seg_0000000000001", rule=BOUGHT) == ["query.invalid"]
    assert tried.codes(WHY, who=ann, segment="seg_0000000000009") == ["segment.not_found"]
    assert tried.codes(WHY, who=ann, segment="cus_1") == ["query.bad_reference"]
    assert tried.codes(WHY, who={"identifier": key("user_id:zoe")}, rule=BOUGHT) == ["identifier.not_found"]


# -- saved segments


def test_a_segment_is_saved_found_by_its_id_changed_and_deleted(shop: Shop) -> None:
    shop.send(order("o1", 1, "user_id:ann"), order("o2", 1, "user_id:ben"), person("ann", city="Hull"))
    saved = save(shop, "buyers", BOUGHT, description="for the letter")["segment"]
    assert (saved["name"], saved["description"], saved["rule"], saved["count"]) == (
        "buyers", "for the letter", BOUGHT, 2,
    )  # fmt: skip
    assert [edge["node"]["segments"] for edge in saved["customers"]["edges"]] == [[{"name": "buyers"}]] * 2
    by_id = "query ($id: ID!) { segment(id: $id) { name } node(id: $id) { id ... on Segment { count } } }"
    assert shop.ask(by_id, id=saved["id"]) == {"segment": {"name": "buyers"}, "node": {"id": saved["id"], "count": 2}}
    changed = save(shop, "of Hull", {"trait": {"name": "city", "is": "Hull"}}, id=saved["id"])["segment"]
    assert (changed["id"], changed["name"], changed["count"]) == (saved["id"], "of Hull", 1)
    assert shop.ask(DELETE, id=saved["id"])["deleteSegment"] == {"segment": None, "problem": None}
    assert shop.ask(by_id, id=saved["id"]) == {"segment": None, "node": None}
    assert shop.ask(DELETE, id=saved["id"])["deleteSegment"]["problem"] == {"code": "segment.not_found"}


def test_what_cannot_be_saved_or_deleted_is_a_problem(shop: Shop) -> None:
    shop.send(order("o1", 1, "user_id:ann"))
    first = save(shop, "first", BOUGHT)["segment"]["id"]
    assert save(shop, "first", BOUGHT)["problem"]["code"] == "segment.exists"
    assert save(shop, " ", BOUGHT)["problem"]["code"] == "segment.invalid"
    assert save(shop, "second", {"in": first})["segment"]["count"] == 1
    assert save(shop, "first", {"in": first}, id=first)["problem"]["code"] == "segment.cycle"
    assert shop.ask(DELETE, id=first)["deleteSegment"]["problem"] == {"code": "segment.in_use"}
    assert save(shop, "third", BOUGHT, id="seg_0000000000009")["problem"]["code"] == "segment.not_found"
    later: Json = {"did": {"touchpoint": {"campaigns": ["tomorrow"]}}}
    assert save(shop, "later", later)["problem"]["code"] == "segment.unknown_name"
    assert save(shop, "later", later, allowUnknown=True)["segment"]["count"] == 0


def test_amounts_of_several_currencies_are_not_added_up(shop: Shop) -> None:
    shop.send(order("o1", 1, "user_id:ann"), order("o2", 1, "user_id:ben", currency="USD"))
    rule: Json = {"did": {"touchpoint": {}, "sum": {"property": "revenue", "atLeast": 5}}}
    [error] = shop.post(PREVIEW, {"rule": rule}).json()["errors"]
    assert error["extensions"]["code"] == "segment.mixed_currencies"
    assert "EUR" in error["message"] + error["extensions"]["hint"]
    rule["did"]["sum"]["currency"] = "USD"
    assert who(preview(shop, rule)) == {"ben"}


def test_a_segment_saved_for_amounts_without_a_currency_goes_on_when_currencies_come(shop: Shop) -> None:
    shop.send(event("o1", 1, "user_id:ann", event="Order Completed", properties={"revenue": 10}))
    rule: Json = {"did": {"touchpoint": {}, "sum": {"property": "revenue", "atLeast": 5}}}
    segment = save(shop, "spenders", rule)["segment"]
    shop.send(order("o2", 1, "user_id:ben"))
    assert (why(shop, "ann", segment=segment["id"])["holds"], why(shop, "ben", segment=segment["id"])["holds"]) == (
        True,
        False,
    )
    assert shop.codes(WHY, who={"identifier": key("user_id:ann")}, rule=rule) == ["segment.mixed_currencies"]


def test_what_takes_too_long_to_ask_is_broken_off(tried: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    tried.send(order("o1", 1, "user_id:ann"))
    names = [{"did": {"touchpoint": {"names": ["Order Completed"]}, "within": {"lastDays": n}}} for n in range(1, 190)]
    rule: Json = {"any": names}
    preview(tried, rule)
    monkeypatch.setattr(in_time, "MOST_SECONDS", 0)
    assert tried.codes(PREVIEW, rule=rule) == ["segment.exhausted"]
    assert tried.codes(WHY, who={"identifier": key("user_id:ann")}, rule=rule) == ["segment.exhausted"]
    monkeypatch.undo()
    assert why(tried, "ann", rule=rule)["customer"]["id"]


def test_members_come_in_pages_that_stay_right(shop: Shop) -> None:
    shop.send(*(order(f"o{number}", 1, f"user_id:u{number}") for number in range(5)))
    save(shop, "buyers", BOUGHT)
    seen: list[str] = []
    after: str | None = None
    for page in range(3):
        [found] = shop.ask(LIST, after=after)["segments"]
        seen += [edge["node"]["id"] for edge in found["customers"]["edges"]]
        after = found["customers"]["pageInfo"]["endCursor"]
        shop.send(order(f"late{page}", 2, f"user_id:late{page}"))
        shop.onefold.keep_now()
    assert len(seen) == len(set(seen)) == 6
    assert shop.ask(LIST)["segments"][0]["count"] == 8
