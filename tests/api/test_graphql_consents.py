"""What customers agreed to, over GraphQL: recorded, read, and as it follows customers who come together and apart."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from onefold.keys import KeyTrust, Scope
from tests.api.graphql_shop import Json, Shop, at, event, key
from tests.contract.stores import Place
from tests.support.keyed import Asking, keyed
from tests.support.keyed import key as declared

CONSENT: Final = "purpose given at source trusted identifier { namespace value }"
CONSENTS: Final = f"consents {{ {CONSENT} others {{ given at source trusted identifier {{ value }} }} }}"
RECORD: Final = f"""mutation ($input: ConsentInput!) {{ recordConsent(input: $input) {{
    consent {{ {CONSENT} }} problem {{ code field }} }} }}"""
TRACKED: Final = "mutation ($input: ConsentInput!) { recordConsent(input: $input) { problem { code field } } }"


def said(who: str, purpose: str, given: bool, **more: Any) -> Json:
    return {"identifier": key(who), "purpose": purpose, "given": given, **more}


def record(shop: Shop, who: str, purpose: str, given: bool, **more: Any) -> Json:
    result: Json = shop.ask(RECORD, input=said(who, purpose, given, **more))["recordConsent"]
    return result


def consented(shop: Shop, who: str) -> dict[str, bool]:
    return {row["purpose"]: row["given"] for row in shop.customer(who, "consents { purpose given }")["consents"]}


def touchpoints(shop: Shop, who: str) -> list[Json]:
    fields = "journey { edges { node { messageId type at source properties } } }"
    return [edge["node"] for edge in shop.customer(who, fields)["journey"]["edges"]]


def test_what_is_recorded_counts_at_once_and_says_who_said_it_of_what(shop: Shop) -> None:
    result = record(shop, "email:ANN@example.com", " marketing ", True, at=at(10))
    expected = {
        "purpose": "marketing", "given": True, "at": at(10), "source": "local", "trusted": True,
        "identifier": {"namespace": "email", "value": "ann@example.com"},
    }  # fmt: skip
    assert result == {"consent": expected, "problem": None}
    assert shop.customer("email:ann@example.com", CONSENTS)["consents"] == [{**expected, "others": []}]


def test_the_newest_word_counts_in_whatever_order_it_comes(shop: Shop) -> None:
    for minute, given in ((20, True), (30, False), (10, True)):
        result = record(shop, "user_id:ann", "marketing", given, at=at(minute))
    assert (result["consent"]["given"], result["consent"]["at"]) == (False, at(30))
    assert record(shop, "user_id:ann", "marketing", True, at=at(30))["consent"]["given"] is False
    assert record(shop, "user_id:ann", "marketing", True, at=at(31))["consent"]["given"] is True


def test_without_a_time_it_is_of_now(shop: Shop) -> None:
    record(shop, "user_id:ann", "marketing", True, at=at(10))
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    found = record(shop, "user_id:ann", "marketing", False)["consent"]
    assert before <= datetime.fromisoformat(found["at"]) <= datetime.now(UTC)
    assert found["given"] is False


def test_it_is_a_touchpoint_with_its_reason_and_the_same_again_changes_nothing(shop: Shop) -> None:
    for _ in range(2):
        record(shop, "user_id:ann", "marketing", True, at=at(10), reason="  ticked the box ")
    [happened] = touchpoints(shop, "user_id:ann")
    assert happened["messageId"].startswith("content-")
    assert (happened["type"], happened["at"], happened["source"]) == ("identify", at(10), "local")
    assert happened["properties"] == {"reason": "ticked the box"}
    record(shop, "user_id:ann", "marketing", False, at=at(10), reason="ticked the box")
    assert len(touchpoints(shop, "user_id:ann")) == 2


def test_events_of_any_kind_carry_it(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "user_id:ann", context={"consent": {"marketing": True, "profiling": True}}),
        event("m2", 2, "user_id:ann", type="PAGE", context={"consent": {"categoryPreferences": {"profiling": False}}}),
    )
    assert consented(shop, "user_id:ann") == {"marketing": True, "profiling": False}


def test_what_a_visitor_said_is_the_customer_s_once_it_is_known_who_that_is(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "user_id:ann", context={"consent": {"marketing": True, "news": True}}),
        event("m2", 5, "anonymous_id:x", context={"consent": {"marketing": False}}),
    )
    assert consented(shop, "user_id:ann") == {"marketing": True, "news": True}
    assert consented(shop, "anonymous_id:x") == {"marketing": False}
    shop.send(event("m3", 9, "user_id:ann", "anonymous_id:x"))
    [marketing, news] = shop.customer("user_id:ann", CONSENTS)["consents"]
    assert (marketing["given"], marketing["identifier"]["value"], marketing["at"]) == (False, "x", at(5))
    assert [(row["given"], row["identifier"]["value"]) for row in marketing["others"]] == [(True, "ann")]
    assert (news["given"], news["others"]) == (True, [])


def test_judged_apart_each_keeps_what_was_said_of_it_and_taken_back_it_is_as_before(shop: Shop) -> None:
    shop.send(
        event("m1", 1, "user_id:ann", "email:both@example.com"),
        event("m2", 2, "user_id:ann", context={"consent": {"marketing": True}}),
        event("m3", 3, "email:both@example.com", context={"consent": {"marketing": False}}),
    )
    assert consented(shop, "user_id:ann") == {"marketing": False}
    judged = shop.judge("DIFFERENT", "user_id:ann", "email:both@example.com")["judgement"]["id"]
    assert consented(shop, "user_id:ann") == {"marketing": True}
    assert consented(shop, "email:both@example.com") == {"marketing": False}
    shop.retract(judged)
    assert consented(shop, "user_id:ann") == {"marketing": False}


def test_it_hangs_on_the_strongest_identifier_of_its_event(shop: Shop) -> None:
    shop.send(event("m1", 1, "anonymous_id:x", "email:ann@example.com", context={"consent": {"news": True}}))
    [news] = shop.customer("anonymous_id:x", CONSENTS)["consents"]
    assert news["identifier"] == {"namespace": "email", "value": "ann@example.com"}


def test_a_change_of_consent_stands_in_the_feed_and_what_changes_nothing_does_not(shop: Shop) -> None:
    record(shop, "user_id:ann", "marketing", True, at=at(10))
    record(shop, "user_id:ann", "marketing", True, at=at(5))
    record(shop, "user_id:ann", "marketing", False, at=at(11))
    query = "{ changes { edges { node { kind identifier { value } customer { id } touchpoint { id } } } } }"
    lines = [edge["node"] for edge in shop.ask(query)["changes"]["edges"]]
    told = [line for line in lines if line["kind"] == "CONSENTS"]
    assert [line["identifier"]["value"] for line in told] == ["ann", "ann"]
    assert {line["customer"]["id"] for line in told} == {shop.customer_id("user_id:ann")}


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"identifier": key("email:none")}, "identifier.blocked", "identifier"),
        ({"identifier": key("email:nobody")}, "identifier.malformed", "identifier"),
        ({"identifier": key("nick:ann")}, "identifier.unknown_namespace", "identifier"),
        ({"identifier": key("staff_id:s-1")}, "event.no_identifier", "identifier"),
        ({"purpose": "  "}, "query.invalid", "purpose"),
        ({"purpose": "p" * 101}, "query.invalid", "purpose"),
        ({"purpose": "a\nb"}, "query.invalid", "purpose"),
        ({"reason": "r" * 2_001}, "query.invalid", "reason"),
        ({"at": "1969-12-31T00:00:00Z"}, "event.time_out_of_range", "at"),
        ({"at": "2999-01-01T00:00:00Z"}, "event.time_out_of_range", "at"),
    ],
)
def test_what_cannot_be_recorded_is_a_problem_that_names_the_field(
    shop: Shop, more: Json, code: str, field: str
) -> None:
    result = shop.ask(RECORD, input={**said("user_id:ann", "marketing", True), **more})["recordConsent"]
    assert result == {"consent": None, "problem": {"code": code, "field": field}}
    assert shop.ask("{ status { touchpoints } }")["status"]["touchpoints"] == 0


def test_a_key_that_may_only_track_records_it_and_is_told_nothing_of_anybody(place: Place) -> None:
    page = declared("page", Scope.TRACK, trust=KeyTrust.PUBLIC)
    with keyed(place, [page, declared("office", Scope.READ, Scope.STEWARD)]) as shop:
        web, office = Asking(shop, "page"), Asking(shop, "office")
        assert web.ask(TRACKED, input=said("user_id:ann", "news", True))["recordConsent"] == {"problem": None}
        query = f"query ($by: CustomerRef!) {{ customer(by: $by) {{ {CONSENTS} }} }}"
        [news] = office.ask(query, by={"identifier": key("user_id:ann")})["customer"]["consents"]
        assert (news["given"], news["source"], news["trusted"]) == (True, "page", False)
        assert web.codes(RECORD, input=said("user_id:ann", "news", True)) == ["key.forbidden"]
        assert office.codes(TRACKED, input=said("user_id:ann", "news", False)) == ["key.forbidden"]
