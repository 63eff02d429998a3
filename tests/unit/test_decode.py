"""What an event becomes: its time, its message id, what is kept of it."""

import json
from typing import Any

import pytest

from onefold.ingest.decode import Decoded, Rejected
from onefold.model.events import DAY_MS, Event
from onefold.model.sources import Source, Trust
from tests.ingest.events import (
    LOCAL,
    NOON_MS,
    RECEIVED_MS,
    decode,
    decode_batch,
    decoded,
    decoder,
    event_of,
    keys,
    rejected,
    sent,
    warnings_of,
)


def body_of(event: Event) -> Any:
    return json.loads(event.body)


# -- time


@pytest.mark.parametrize(
    "said",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00.000+00:00",
        "2026-03-01T14:30:00+02:30",
        "2026-03-01T12:00:00",
        "2026-03-01 12:00",
        " 2026-03-01t12:00:00z",
        NOON_MS,
        NOON_MS // 1000,
        NOON_MS / 1000,
    ],
)
def test_times_are_read_in_the_ways_people_write_them(said: object) -> None:
    assert event_of(timestamp=said).at_ms == NOON_MS


def test_a_date_is_its_midnight_and_fractions_are_kept_to_the_millisecond() -> None:
    assert event_of(timestamp="2026-03-01").at_ms == NOON_MS - DAY_MS // 2
    assert event_of(timestamp="2026-03-01T12:00:00.123456Z").at_ms == NOON_MS + 123
    assert event_of(timestamp="1970-01-01T00:00:01.001Z").at_ms == 1_001


@pytest.mark.parametrize("said", ["yesterday", "", "2026-13-01", "2026-02-30T00:00:00Z", 1e300])
def test_what_is_no_time_is_rejected_by_name(said: object) -> None:
    problem = rejected(sent(timestamp=said))
    assert (problem.code, problem.field) == ("event.invalid", "timestamp")


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z", -1])
def test_times_that_cannot_be_are_rejected(said: object) -> None:
    problem = rejected(sent(timestamp=said))
    assert (problem.code, problem.field) == ("event.time_out_of_range", "timestamp")


def test_a_day_ahead_is_believed_and_more_is_not() -> None:
    assert event_of(timestamp=RECEIVED_MS + DAY_MS).at_ms == RECEIVED_MS + DAY_MS
    assert rejected(sent(timestamp=RECEIVED_MS + DAY_MS + 1)).code == "event.time_out_of_range"
    assert event_of(timestamp="1970-01-01T00:00:00Z").at_ms == 0


def test_without_a_time_a_live_event_happened_when_it_was_received() -> None:
    assert event_of(timestamp=None).at_ms == RECEIVED_MS
    assert event_of(timestamp=None, originalTimestamp="2026-03-01T12:00:00Z").at_ms == NOON_MS


def test_the_live_door_corrects_the_clock_by_when_the_batch_was_sent() -> None:
    def at_ms(sent_at: object, timestamp: object) -> int:
        body = json.dumps({"batch": [sent(timestamp=timestamp)], "sentAt": sent_at}).encode()
        [found] = decode_batch(body)
        assert isinstance(found, Decoded)
        return found.event.at_ms

    assert at_ms("2026-03-01T12:00:00Z", "2026-03-01T11:59:00Z") == RECEIVED_MS - 60_000
    assert at_ms("2036-03-01T12:00:00Z", "2036-03-01T11:59:00Z") == RECEIVED_MS - 60_000, "a clock ten years fast"
    assert at_ms("1970-01-01T00:00:00Z", "2026-03-01T12:00:00Z") == NOON_MS, "sentAt itself is wrong"
    assert at_ms("2026-03-01T12:00:04.000Z", "2026-03-01T12:00:00Z") == NOON_MS + 1_000
    assert at_ms("2026-03-01T12:00:04.001Z", "2026-03-01T12:00:00Z") == NOON_MS, "that is the way, not the clock"
    assert at_ms("2026-03-01T12:00:05.999Z", "2026-03-01T12:00:00Z") == NOON_MS, "nor is that"
    assert at_ms("soon", "2026-03-01T12:00:00Z") == NOON_MS
    assert at_ms(None, "2026-03-01T12:00:00Z") == NOON_MS


def test_files_correct_no_clock_and_need_a_time() -> None:
    def line(**fields: Any) -> Decoded | Rejected:
        return decoder().decode_line(json.dumps(sent(**fields)).encode(), LOCAL, RECEIVED_MS)

    found = line(sentAt="2020-01-01T00:00:00Z")
    assert isinstance(found, Decoded)
    assert found.event.at_ms == NOON_MS
    missing = line(timestamp=None)
    assert isinstance(missing, Rejected)
    assert (missing.problem.code, missing.problem.field) == ("event.invalid", "timestamp")


# -- message ids


def message_of(source: Source = LOCAL, **fields: Any) -> bytes:
    return decoded(sent(**fields), source).event.message


def test_a_message_id_counts_within_its_source() -> None:
    assert len(message_of()) == 16
    assert message_of() == message_of(event="Refunded", timestamp=NOON_MS)
    assert message_of() != message_of(messageId="m-2")
    assert message_of() != message_of(Source("shop", Trust.SERVER))
    assert event_of(messageId=7).message_id == "7"


def test_content_is_what_was_said_whatever_the_order_of_keys_or_the_time_of_sending() -> None:
    event = sent(properties={"a": 1, "b": [1.5, None]}, context={"ip": "1.2.3.4"})
    turned = dict(reversed(event.items())) | {"properties": {"b": [1.5, None], "a": 1}}
    again = turned | {"sentAt": "2026-03-01T12:00:07Z", "groupId": None, "integrations": {}}
    assert decoded(again).event.content == decoded(event).event.content
    assert decoded(event | {"properties": {"a": 2}}).event.content != decoded(event).event.content
    assert decoded(event | {"userId": "bea"}).event.content != decoded(event).event.content


@pytest.mark.parametrize("written", ["2026-03-01T12:00:00.000Z", "2026-03-01T13:00:00+01:00", 1_772_366_400])
def test_a_moment_is_the_same_content_however_it_is_written(written: str | int) -> None:
    one, other = decoded(sent()), decoded(sent(timestamp=written))
    assert one.event.content == other.event.content
    one, other = decoded(sent(messageId=None)), decoded(sent(messageId=None, timestamp=written))
    assert one.event.message == other.event.message


def test_without_a_message_id_the_same_event_is_the_same_message() -> None:
    assert message_of(messageId=None) == message_of(messageId=None)
    assert message_of(messageId=None) != message_of(messageId=None, event="Refunded")


def test_without_a_message_id_and_a_time_each_receipt_is_a_message_of_its_own() -> None:
    assert message_of(messageId=None, timestamp=None) != message_of(messageId=None, timestamp=None)
    raw = json.dumps(sent(messageId=None, timestamp=None)).encode()
    found = decoder().decode_line(raw, LOCAL, RECEIVED_MS)
    assert isinstance(found, Rejected)
    assert found.problem.code == "event.message_id_missing"


def test_a_message_id_of_unreasonable_length_is_refused() -> None:
    assert event_of(messageId="x" * 512).message_id == "x" * 512
    assert rejected(sent(messageId="x" * 513)).field == "messageId"


# -- what is kept


def test_identify_traits_become_claims_and_null_claims_nothing() -> None:
    event = event_of(type="identify", traits={"plan": "gold", "age": None, "address": {"city": "Graz"}})
    assert event.traits == {"plan": "gold", "address": {"city": "Graz"}}
    assert event_of(traits={"plan": "gold"}).traits == {}


def test_an_identify_without_traits_of_its_own_has_those_of_its_context() -> None:
    around = {"traits": {"plan": "gold"}}
    assert event_of(type="identify", context=around).traits == {"plan": "gold"}
    assert event_of(type="identify", context=around, traits={"plan": "new"}).traits == {"plan": "new"}
    assert event_of(context=around).traits == {}
    assert event_of(type="identify", context={"traits": "gold"}).traits == {}


def test_the_context_is_kept_as_far_as_it_is_needed() -> None:
    event = event_of(
        context={
            "campaign": {"name": "spring", "source": "mail", "medium": "email", "term": "t", "content": "c", "x": 1},
            "page": {"url": "https://shop.example/", "referrer": ""},
            "device": {"id": "d-1", "type": "ios", "model": "iPhone", "token": "secret", "advertisingId": "idfa"},
            "app": {"name": "Shop", "version": "3"},
            "os": {"name": "iOS", "version": "17"},
            "locale": "de-AT",
            "ip": "203.0.113.7",
            "userAgent": "Mozilla/5.0",
            "traits": {"plan": "gold"},
            "library": {"name": "analytics.js"},
            "network": {"wifi": True},
        }
    )
    assert body_of(event)["context"] == {
        "campaign": {"name": "spring", "source": "mail", "medium": "email", "term": "t", "content": "c"},
        "page": {"url": "https://shop.example/", "referrer": ""},
        "device": {"type": "ios", "model": "iPhone"},
        "app": {"name": "Shop", "version": "3"},
        "os": {"name": "iOS", "version": "17"},
        "locale": "de-AT",
        "ip": "203.0.113.0",
        "userAgent": "Mozilla/5.0",
    }
    assert event.campaign == "spring"


def test_context_of_another_form_than_it_should_have_is_left_out_and_does_no_harm() -> None:
    event = event_of(context={"campaign": "spring", "page": [], "device": 3, "ip": ["1"], "locale": 7, "groupId": "g"})
    assert body_of(event)["context"] == {"groupId": "g"}
    assert event.campaign is None


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.7", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:203.0.113.7", "203.0.113.0"),
        ("::1", "::"),
        ("203.0.113.999", None),
        ("203.0.113.7:443", None),
        ("localhost", None),
        ("1" * 10_000, None),
    ],
)
def test_addresses_are_shortened_to_a_network_or_not_kept(address: str, kept: str | None) -> None:
    assert body_of(event_of(context={"ip": address}))["context"].get("ip") == kept


def test_the_context_of_a_batch_holds_for_events_that_do_not_say_otherwise() -> None:
    body = {
        "batch": [sent(), sent(context={"locale": "de"})],
        "context": {"locale": "en", "device": {"id": "d-1"}},
        "writeKey": "k",
    }
    found = decode_batch(json.dumps(body).encode())
    events = [item.event for item in found if isinstance(item, Decoded)]
    assert [body_of(event)["context"]["locale"] for event in events] == ["en", "de"]
    assert [event.device for event in events] == [keys("device_id:d-1")[0]] * 2


def test_names_are_of_what_was_done_and_of_what_was_seen() -> None:
    assert event_of().name == "Ordered"
    assert event_of(type="page", event=None, name="Home").name == "Home"
    assert event_of(type="screen", event=None, name="").name is None
    assert event_of(type="identify", name="x").name is None


def test_the_category_of_a_page_is_one_of_its_properties() -> None:
    page = {"type": "page", "name": "Home", "category": "Docs"}
    assert body_of(event_of(**page))["properties"] == {"category": "Docs"}
    assert body_of(event_of(**page, properties={"category": "Blog"}))["properties"] == {"category": "Blog"}


@pytest.mark.parametrize(
    ("properties", "revenue"),
    [
        ({"revenue": 12.5}, "12.5"),
        ({"revenue": 12}, "12"),
        ({"revenue": 0}, "0"),
        ({"revenue": -3.10}, "-3.1"),
        ({"revenue": 100.0}, "100"),
        ({"revenue": "12.50"}, "12.50"),
        ({"revenue": " +7 "}, "7"),
        ({"revenue": "1.5e3"}, "1500"),
        ({"revenue": 1e-7}, "0.0000001"),
        ({"total": "9.99"}, "9.99"),
        ({"revenue": 1, "total": 2}, "1"),
        ({"revenue": None, "total": 2}, "2"),
        ({}, None),
    ],
)
def test_revenue_is_a_plain_decimal_number(properties: dict[str, object], revenue: str | None) -> None:
    assert event_of(properties=properties).revenue == revenue
    assert warnings_of(properties=properties) == []


@pytest.mark.parametrize(
    "said",
    ["€12", "1,299.00", "NaN", "Infinity", "", "twelve", True, [12], 1e15, 10**20, "1e999", "1e-999", "0x1F", "٣"],
)
def test_revenue_that_is_no_amount_is_dropped_with_a_warning(said: object) -> None:
    assert event_of(properties={"revenue": said, "total": 3}).revenue is None
    assert ("event.value_dropped", "properties.revenue") in warnings_of(properties={"revenue": said, "total": 3})


def test_a_currency_is_three_letters_in_upper_case() -> None:
    assert event_of(properties={"revenue": 1, "currency": " eur "}).currency == "EUR"
    for said in ("euro", "€", 978, "EU1"):
        assert event_of(properties={"revenue": 1, "currency": said}).currency is None
        assert warnings_of(properties={"revenue": 1, "currency": said}) == [
            ("event.value_dropped", "properties.currency")
        ]


@pytest.mark.parametrize(
    ("fields", "channel"),
    [
        ({"channel": " till "}, "till"),
        ({"context": {"channel": "mobile"}}, "app"),
        ({"context": {"channel": "browser"}}, "web"),
        ({"context": {"channel": "kiosk"}}, "kiosk"),
        ({"type": "page", "context": {"library": {"name": "analytics-python"}}}, "web"),
        ({"type": "screen"}, "app"),
        ({"context": {"library": {"name": "analytics.js"}}}, "web"),
        ({"context": {"library": {"name": "analytics-ios"}}}, "app"),
        ({"context": {"library": {"name": "@segment/analytics-node"}}}, "server"),
        ({"context": {"library": {"name": "analytics-python"}, "page": {"url": "/"}}}, "server"),
        ({"context": {"page": {"url": "/"}}}, "web"),
        ({"context": {"device": {"id": "d"}}}, "app"),
        ({"channel": "  ", "context": {"channel": 7, "library": "x"}}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_the_channel_is_the_one_named_or_the_one_that_can_be_told(fields: dict[str, Any], channel: str) -> None:
    assert event_of(**fields).channel == channel


# -- form


def test_php_writes_an_empty_object_as_an_empty_list() -> None:
    assert body_of(event_of(properties=[], traits=[], context=[])) == {"properties": {}, "context": {}, "traits": {}}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": None}, "type"),
        ({"type": "buy"}, "type"),
        ({"type": 3}, "type"),
        ({"event": {"name": "x"}}, "event"),
        ({"messageId": True}, "messageId"),
        ({"timestamp": {}}, "timestamp"),
        ({"channel": 3}, "channel"),
        ({"traits": "x"}, "traits"),
        ({"traits": [1]}, "traits"),
        ({"properties": 7}, "properties"),
        ({"context": [["a"]]}, "context"),
        ({"identifiers": {"email": "ann@example.com"}}, "identifiers"),
        ({"identifiers": [{"namespace": "email", "value": "a@b.example"}, {"value": "x"}]}, "identifiers[1].namespace"),
        ({"identifiers": [{"namespace": "email"}, "x"]}, "identifiers[1]"),
    ],
)
def test_a_field_of_the_wrong_type_rejects_the_event_and_is_named(fields: dict[str, Any], field: str) -> None:
    found = decode(sent(**fields))
    assert isinstance(found, Rejected)
    assert (found.problem.code, found.problem.field) == ("event.invalid", field)
    assert found.problem.hint
    assert found.message_id == (None if field == "messageId" else "m-1")


def test_what_is_no_event_at_all_is_told_so() -> None:
    for raw in (b"7", b'"x"', b"[]", b"null"):
        assert rejected(raw).message == "the event is not an object"
