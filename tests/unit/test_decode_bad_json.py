"""What is not JSON, or not quite: it is understood as far as it can be, and never sinks its neighbours."""

import json
import time
from typing import Any

import pytest

from onefold.errors import OnefoldError
from onefold.ingest import split
from onefold.ingest.decode import Decoded, Rejected
from tests.ingest.events import RECEIVED_MS, decode_batch, decoded, decoder_of, keys, namespaces, sent

GOOD = json.dumps(sent(messageId="good")).encode()


def event(fields: str) -> bytes:
    """An event with more members, as they stand."""
    return b'{"type":"identify","messageId":"odd","timestamp":"2026-03-01T12:00:00Z","userId":"ann",' + (
        fields.encode("utf-8", "surrogateescape") + b"}"
    )


def batch(*events: bytes, rest: bytes = b"") -> list[Decoded | Rejected]:
    return decode_batch(b'{"batch": [' + b", ".join(events) + b"]" + rest + b"}")


def summary(found: list[Decoded | Rejected]) -> list[str]:
    return [item.problem.code if isinstance(item, Rejected) else item.event.message_id for item in found]


def refused(body: bytes) -> OnefoldError:
    with pytest.raises(OnefoldError) as caught:
        decode_batch(body)
    return caught.value


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_a_number_that_json_cannot_say_is_dropped_and_the_rest_of_the_event_and_the_batch_counts(number: str) -> None:
    odd = event(f'"traits":{{"score":{number},"plan":"gold","scores":[1,{number},3]}}')
    first, found, last = batch(GOOD, odd, GOOD, rest=b', "sentAt": null')
    assert isinstance(found, Decoded)
    assert found.event.traits == {"plan": "gold", "scores": [1, None, 3]}
    assert [(w.code, w.field) for w in found.warnings] == [
        ("event.value_dropped", "traits.score"),
        ("event.value_dropped", "traits.scores[1]"),
    ]
    assert number in found.warnings[0].message
    assert summary([first, last]) == ["good", "good"]


def test_half_a_character_is_dropped_with_a_warning() -> None:
    odd = event('"anonymousId":"\\ud800","traits":{"name":"x\\udfff","plan":"gold","\\ud800":1,"ok":"\\ud83d\\ude00"}')
    _, found = batch(GOOD, odd)
    assert isinstance(found, Decoded)
    assert found.event.identifiers == keys("user_id:ann")
    assert found.event.traits == {"plan": "gold", "ok": "😀"}
    assert [w.field for w in found.warnings] == ["anonymousId", "traits.name", "traits"]


def test_bytes_that_are_not_utf_8_are_dropped_with_a_warning() -> None:
    odd = event('"traits":{"name":"J\udcfcrg","plan":"gold"}')
    assert b"\xfc" in odd
    _, found = batch(GOOD, odd)
    assert isinstance(found, Decoded)
    assert found.event.traits == {"plan": "gold"}
    assert [(w.code, w.field) for w in found.warnings] == [("event.value_dropped", "traits.name")]


def test_a_whole_number_beyond_64_bits_becomes_a_text() -> None:
    for digits in ("18446744073709551616", "-9223372036854775809", "9" * 5_000):
        found = decoded(event(f'"traits":{{"account":{digits},"small":18446744073709551615}}'))
        assert found.event.traits == {"account": digits, "small": 18446744073709551615}
        assert [(w.code, w.field) for w in found.warnings] == [("event.value_dropped", "traits.account")]


def test_an_event_that_is_not_json_is_rejected_alone_and_told_where() -> None:
    found = batch(GOOD, b'{"type": track}', GOOD, b'{"type": "track", "userId": "ann",}', b"'x'", GOOD)
    assert summary(found) == ["good", "event.invalid", "good", "event.invalid", "event.invalid", "good"]
    assert isinstance(found[1], Rejected)
    assert "char 9" in found[1].problem.message
    assert found[1].raw == b'{"type": track}'


def test_an_event_that_nests_too_deep_is_rejected_alone() -> None:
    def nested(levels: int) -> bytes:
        return event('"traits":{"x":' + "[" * (levels - 2) + "]" * (levels - 2) + ',"y":[[]]}')

    for levels in (65, 1_000, 10_000):
        assert summary(batch(GOOD, nested(levels), GOOD)) == ["good", "event.invalid", "good"]
    assert summary(batch(GOOD, nested(64), GOOD)) == ["good", "odd", "good"]
    many = event('"traits":{"x":[' + ",".join(['{"y":[1]}'] * 200) + "]}")
    assert summary([decoded(many)]) == ["odd"], "many brackets are not deep ones"


def test_an_event_alone_may_be_too_large() -> None:
    small = decoder_of(namespaces(), max_event_bytes=200)
    huge = event('"traits":{"x":"' + "y" * 200 + '"}')
    found = decode_batch(b'{"batch":[' + b",".join([huge, GOOD, huge, GOOD]) + b"]}", small)
    assert summary(found) == ["event.too_large", "good", "event.too_large", "good"]


def test_what_a_batch_brings_beyond_its_bytes_is_rejected_and_the_rest_counts() -> None:
    huge = event('"traits":{"x":"' + "y" * 200 + '"}')
    small = decoder_of(namespaces(), max_event_bytes=200, max_batch_bytes=2 * len(GOOD))
    found = decode_batch(b'{"batch":[' + b",".join([huge, GOOD, GOOD, GOOD, huge]) + b"]}", small)
    assert summary(found) == ["event.too_large", "good", "good", "body.too_large", "body.too_large"]
    left = found[3]
    assert isinstance(left, Rejected)
    assert (left.problem.field, left.raw) == ("batch", GOOD)
    assert str(2 * len(GOOD)) in left.problem.message


def test_an_event_that_is_not_too_large_always_has_room_alone() -> None:
    generous = decoder_of(namespaces(), max_event_bytes=200, max_batch_bytes=1)
    assert summary(decode_batch(b'{"batch":[' + GOOD + b"]}", generous)) == ["good"]


def test_segments_own_limits_are_kept_to_the_byte() -> None:
    def filled(bytes_: int) -> bytes:
        empty = event('"traits":{"x":""}')
        return event('"traits":{"x":"' + "y" * (bytes_ - len(empty)) + '"}')

    largest, larger = filled(32 << 10), filled((32 << 10) + 1)
    assert summary(batch(larger, *[largest] * 15, GOOD)) == ["event.too_large", *["odd"] * 15, "good"]
    assert summary(batch(*[largest] * 15, filled(500 * 1024 - 15 * (32 << 10)), GOOD))[-2:] == ["odd", "body.too_large"]


def test_a_batch_may_have_too_many_events() -> None:
    few = decoder_of(namespaces(), max_events=2)
    with pytest.raises(OnefoldError) as caught:
        decode_batch(b'{"batch":[' + b",".join([GOOD] * 3) + b"]}", few)
    assert (caught.value.code, caught.value.field) == ("body.too_large", "batch")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"batch=1",
        b'{"batch": [',
        b'{"batch": [' + GOOD,
        b'{"batch": [' + GOOD + b"]",
        b'{"batch": [' + GOOD + b"]}}",
        b'{"batch": [' + GOOD + b"]} {}",
        b'{"batch": ["never ends]}',
        b"{batch: [" + GOOD + b"]}",
        b'{"batch": [' + GOOD + b'], "sentAt": }',
        b"[" + GOOD + b"]",
        b"7",
        b"\xff\xfe{\x00}\x00",
        b"[" * 100_000,
        b'{"batch":' + b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_json_object_is_refused_as_a_whole(body: bytes) -> None:
    assert refused(body).code == "body.invalid_json"


@pytest.mark.parametrize("body", [b"{}", b'{"batch": {}}', b'{"batch": null}', b'{"events": [NaN]}', GOOD])
def test_a_body_without_a_list_of_events_is_refused_and_told_so(body: bytes) -> None:
    error = refused(body)
    assert (error.code, error.field) == ("event.invalid", "batch")
    assert error.hint is not None
    assert '{"batch":' in error.hint


def test_an_empty_batch_is_a_batch() -> None:
    assert batch() == []
    assert batch(rest=b', "context": {"x": NaN}') == []


def test_a_byte_order_mark_is_overlooked() -> None:
    assert summary(decode_batch(b'\xef\xbb\xbf{"batch":[' + GOOD + b"]}")) == ["good"]


def test_what_a_batch_says_of_its_events_is_understood_the_second_way_too() -> None:
    """The same body is read alike, whether one of its events is JSON or not."""
    rest = b', "sentAt": "2026-03-01T12:00:04Z", "context": {"locale": "de", "x": "]}, {["}, "writeKey": "\\"k"'
    [strict] = batch(GOOD, rest=rest)
    _, lenient = batch(event('"traits":{"x":NaN}'), GOOD, rest=rest)
    assert strict == lenient
    assert isinstance(strict, Decoded)
    assert json.loads(strict.event.body)["context"] == {"locale": "de"}
    assert strict.event.at_ms == RECEIVED_MS - 4_000


def test_brackets_and_quotes_inside_texts_part_nothing() -> None:
    nasty: dict[str, Any] = {"a": '],[}{",\\', "b\\": ["\\\\", '"'], "": {}}
    raw = json.dumps(nasty).encode()
    assert [json.loads(item) for item in split.items(b"[" + raw + b", NaN ," + raw + b"]")][0::2] == [nasty, nasty]
    assert {key: json.loads(value) for key, value in split.members(raw).items()} == nasty


def test_at_most_twenty_warnings_come_of_mending() -> None:
    found = decoded(event('"traits":{"x":[' + ",".join(["NaN"] * 1_000) + "]}"))
    assert len(found.warnings) == 20


@pytest.mark.slow
@pytest.mark.parametrize(
    "filling", [b"[", b"{", b",", b'"', b"\\", b'"\\', b"[,", b'{"":', b'"",', b"1e999,", b"NaN,", b"]", b"\xff"]
)
def test_ten_megabytes_of_nonsense_are_refused_in_linear_time(filling: bytes) -> None:
    small, large = (b'{"batch":[' + filling * (size // len(filling)) for size in (100_000, 10_000_000))
    assert refused_within(small) < 0.5
    assert refused_within(large) < 20


def refused_within(body: bytes) -> float:
    begun = time.process_time()
    assert refused(body).code == "body.invalid_json"
    return time.process_time() - begun
