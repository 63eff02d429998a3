"""resolve, customer, why, search, status: what is known, for people and for programs."""

import json

import pytest

from tests.cli.conftest import Run

ANN = {"namespace": "email", "value": "ann@example.com"}


def test_resolve_says_whose_each_identifier_is_in_the_order_asked(told: Run) -> None:
    found = told(
        "resolve", "user_id:u-1001", "email: ANN@Example.com", "user_id:nobody", "device_id:tablet-19", "--json"
    )
    assert found.code == 0
    by_account, by_email, nobody, tablet = found.json
    assert by_email["identifier"] == ANN
    assert by_email["customer"] == by_account["customer"]
    assert nobody["customer"] is None
    assert nobody["problem"] is None
    assert tablet["generic"]
    assert not by_email["generic"]
    assert tablet["contested"]


def test_resolve_says_what_is_wrong_with_an_identifier_and_resolves_the_others(told: Run) -> None:
    ended = told("resolve", "email:nonsense", "mail:x", "email:ann@example.com", "--json")
    wrong, unknown, right = ended.json
    assert ended.code == 3
    assert wrong["problem"]["code"] == "identifier.malformed"
    assert unknown["problem"]["code"] == "identifier.unknown_namespace"
    assert right["customer"]["id"].startswith("cus_")


def test_resolve_for_people_names_the_customer_and_says_what_to_know(told: Run) -> None:
    shown = told("resolve", "email:ann@example.com", "user_id:nobody", "staff_id:agent-7", "device_id:tablet-19").out
    header, ann, nobody, staff, tablet = shown.splitlines()
    assert header.split("  ")[0] == "identifier"
    assert "cus_" in ann
    assert "no event has named it" in nobody
    assert "names whoever served the customer" in staff
    assert "shared by too many" in tablet


def test_an_identifier_that_nobody_has_is_an_answer_and_no_error(told: Run) -> None:
    assert told("resolve", "user_id:nobody").code == 0


def test_a_value_may_hold_colons(onefold: Run) -> None:
    event = '{"messageId":"1","timestamp":"2025-01-01T00:00:00Z","type":"page","anonymousId":"a:b:c"}'
    assert onefold("import", "-", stdin=event).code == 0
    [found] = onefold("resolve", "anonymous_id:a:b:c", "--json").json
    assert found["customer"]["anonymous"]


def test_customer_shows_profile_identifiers_and_journey(told: Run) -> None:
    found = told("customer", "email:ann@example.com", "--json").json
    assert {trait["name"]: trait["value"] for trait in found["profile"]["traits"]} == {
        "city": "Hull",
        "email": "ann@example.com",
        "name": "Ann Keller",
    }
    held = [(item["namespace"], item["value"]) for item in found["identifiers"]["items"]]
    assert held == [
        ("user_id", "u-1001"),
        ("email", "ann@example.com"),
        ("anonymous_id", "web-7c41e0"),
        ("anonymous_id", "web-b2903f"),
    ]
    journey = found["journey"]["items"]
    assert len(journey) == 17
    assert [item["at"] for item in journey] == sorted((item["at"] for item in journey), reverse=True)


def test_customer_sums_the_journey_up(told: Run) -> None:
    found = told("customer", "user_id:u-1001", "--json").json
    assert found["summary"]["revenue"] == [{"amount": "140", "currency": "GBP"}]
    assert found["summary"]["touchpoints"] == len(found["journey"]["items"])
    computed = {row["name"]: row["value"] for row in found["computed"]}
    assert (computed["orders"], computed["average_order"], computed["first_campaign"]) == (2, 70, "spring-brew")
    sessions = found["sessions"]["items"]
    assert sum(session["touchpoints"] for session in sessions) == found["summary"]["touchpoints"]
    lines = [line.split() for line in told("customer", "user_id:u-1001").out.splitlines()]
    assert ["channel", "touchpoints", "orders", "revenue"] in lines
    assert next(line for line in lines if line[:1] == ["revenue"])[:3] == ["revenue", "140", "GBP"]
    assert ["Sessions,", "the", "newest", "first"] in lines


def test_customer_marks_what_was_nobodys_when_it_happened(told: Run) -> None:
    journey = told("customer", "user_id:u-1001", "--json").json["journey"]["items"]
    retroactive = [item for item in journey if item["retroactive"]]
    assert len(retroactive) == 13
    assert all(item["at"] < item["linkedAt"] for item in retroactive)
    assert all(item["at"] >= item["linkedAt"] for item in journey if not item["retroactive"])
    lines = told("customer", "user_id:u-1001").out.splitlines()
    marked = [line for line in lines if "linked 2025-" in line]
    assert len(marked) == 13
    assert sum("linked 2025-03-08 18:03" in line for line in marked) == 12


def test_customer_takes_every_kind_of_reference_and_names_the_id_asked_for(told: Run) -> None:
    [ann] = told("resolve", "user_id:u-1001", "--json").json
    by_id = told("customer", ann["customer"]["id"], "--json").json
    cookie = next(item["id"] for item in by_id["identifiers"]["items"] if item["namespace"] == "anonymous_id")
    by_identifier = told("customer", cookie, "--json").json
    as_visitor = told("customer", cookie.replace("idn_", "cus_"), "--json").json
    assert by_id["id"] == by_identifier["id"] == as_visitor["id"] == ann["customer"]["id"]
    assert as_visitor["requestedId"] == cookie.replace("idn_", "cus_")
    assert by_id["requestedId"] is None


@pytest.mark.parametrize("limit", [1, 5, 16, 17, 18, 2_000])
def test_customer_shows_at_most_as_many_touchpoints_as_asked(told: Run, limit: int) -> None:
    journey = told("customer", "user_id:u-1001", "--limit", str(limit), "--json").json["journey"]
    assert len(journey["items"]) == min(limit, 17)
    assert journey["more"] == (limit < 17)


def test_why_gives_the_strongest_chain_of_evidence(told: Run) -> None:
    found = told("why", "anonymous_id:web-b2903f", "user_id:u-1001", "--json").json
    assert found["__typename"] == "Together"
    assert [(step["a"]["value"], step["b"]["value"]) for step in found["chain"]] == [
        ("web-b2903f", "ann@example.com"),
        ("ann@example.com", "u-1001"),
    ]
    assert found["chain"][0]["link"]["sources"][0]["source"] == "demo"
    assert found["chain"][0]["link"]["sources"][0]["trusted"]


def test_why_not_gives_the_reason_and_what_would_change_it(told: Run) -> None:
    found = told("why", "user_id:u-1004", "email:hello@cafe-morrow.example", "--json").json
    assert found["__typename"] == "Apart"
    assert found["refusal"]["reason"] == "limit:user_id"
    assert found["refusal"]["hint"]
    shown = told("why", "user_id:u-1004", "email:hello@cafe-morrow.example").out
    assert "limit:user_id" in shown
    assert found["refusal"]["hint"] in shown


def test_why_says_when_nothing_connects_two(told: Run) -> None:
    found = told("why", "user_id:u-1001", "user_id:nobody", "--json").json
    assert found["__typename"] == "NeverSeen"
    assert found["unknown"] == [{"namespace": "user_id", "value": "nobody"}]
    assert "No event has named user_id:nobody" in told("why", "user_id:u-1001", "user_id:nobody").out


def test_search_finds_customers_by_part_of_an_identifier_or_a_name(told: Run) -> None:
    by_name = told("search", "keller", "--json").json
    by_email = told("search", "ANN@", "--json").json
    assert [hit["customer"]["id"] for hit in by_name["customers"]] == [
        hit["customer"]["id"] for hit in by_email["customers"]
    ]
    assert by_name["customers"][0]["matched"] == {"attribute": "trait:name", "value": "Ann Keller"}


def test_search_says_when_there_are_more(told: Run) -> None:
    assert told("search", "example", "--limit", "2", "--json").json["more"]
    assert "and more" in told("search", "example", "--limit", "2").out
    assert told("search", "xyzzy").out == "nobody\n"


def test_customer_says_since_when_each_identifier_is_theirs(told: Run) -> None:
    held = told("customer", "user_id:u-1001", "--json").json["identifiers"]["items"]
    linked = {item["value"]: item["linkedAt"] for item in held}
    assert linked["web-7c41e0"] == "2025-03-08T18:03:12.000Z"
    assert linked["web-b2903f"] == "2025-04-02T08:12:37.000Z"


def said_by_a_form(**fields: object) -> str:
    event = {"messageId": "1", "timestamp": "2025-01-01T00:00:00Z", "type": "identify", "userId": "u", **fields}
    return json.dumps(event)


def test_a_name_that_is_no_text_is_shown_as_it_was_sent(onefold: Run) -> None:
    name = {"first": "Kim", "last": None}
    assert onefold("import", "-", stdin=said_by_a_form(traits={"name": name})).code == 0
    assert onefold("customer", "user_id:u").out.splitlines()[0].endswith('  {"first":"Kim","last":null}')


def test_what_is_long_is_cut_for_people_and_never_for_programs(onefold: Run) -> None:
    long = "K" * 5_000
    event = said_by_a_form(traits={"name": long}, type="identify")
    page = said_by_a_form(messageId="2", type="page", name=long)
    assert onefold("import", "-", stdin=f"{event}\n{page}").code == 0
    shown = onefold("customer", "user_id:u").out
    assert max(map(len, shown.splitlines())) < 300
    assert shown.count("K" * 79 + "…") == 3
    found = onefold("customer", "user_id:u", "--json").json
    assert [trait["value"] for trait in found["profile"]["traits"]] == [long]
    assert long in [item["name"] for item in found["journey"]["items"]]


def test_rejects_say_what_was_wrong_with_what_was_sent_the_newest_first(onefold: Run) -> None:
    nobody = said_by_a_form(userId="null")
    assert onefold("import", "-", "--source", "crm", stdin=f"{nobody}\nnot json").code == 3
    newest, oldest = onefold("rejects", "--json").json
    assert (newest["code"], newest["event"], newest["source"]) == ("event.invalid", "not json", "crm")
    assert (oldest["code"], oldest["event"]) == ("event.no_identifier", nobody)
    assert oldest["hint"].startswith("Send at least one of userId")
    assert [row["event"] for row in onefold("rejects", "--limit", "1", "--json").json] == ["not json"]
    header, first, second = onefold("rejects").out.splitlines()
    assert header.startswith("rejected ")
    assert "event.invalid" in first
    assert "not json" in first
    assert "the event has no identifier that can be used" in second


def test_rejects_of_a_store_that_took_everything_are_none(told: Run) -> None:
    assert told("rejects").out == "nothing was rejected\n"
    assert told("rejects", "--json").json == []


def test_status_counts_what_the_store_holds(told: Run) -> None:
    found = told("status", "--json").json
    assert (found["touchpoints"], found["customers"], found["rejects"]) == (40, 5, 0)
    assert found["store"].endswith("onefold.db")
    assert int(found["seq"]) > 40
