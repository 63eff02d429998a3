"""Whatever is sent, decoding answers; and what is JSON is understood alike by the strict way and the lenient one."""

import json
from typing import Any

import msgspec
from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.errors import OnefoldError
from onefold.ingest import split
from onefold.ingest.decode import Decoded, Rejected
from onefold.ingest.stamps import Arrival
from onefold.model.events import EVENT_TYPES
from tests.ingest.events import LOCAL, RECEIVED_MS, decode_batch, decoder

WHOLE = st.integers(-(2**63), 2**64 - 1)
LEAVES = st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
IDS: st.SearchStrategy[Any] = st.sampled_from(
    ["ann", "bea", 7, 8.0, "null", "", None, [], "ann@example.com", "+44 20 7946 0123"]
)
OBJECTS = st.none() | st.dictionaries(st.sampled_from(["email", "revenue", "currency", "total", "x"]), VALUES)
CONTEXTS = st.none() | st.dictionaries(
    st.sampled_from(["device", "ip", "page", "campaign", "traits", "externalIds", "channel", "library", "x"]), VALUES
)
NAMESPACES = st.sampled_from(["email", "phone", "user_id", "staff_id"])
NAMED = st.lists(st.fixed_dictionaries({"namespace": NAMESPACES, "value": IDS}), max_size=3)
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(EVENT_TYPES), "userId": st.sampled_from(["ann", 7]), "previousId": IDS},
    optional={
        "messageId": st.sampled_from(["m", 7, "", None]),
        "timestamp": st.sampled_from(["2026-03-01T12:00:00Z", "2026-03-01", 0, None]),
        "anonymousId": IDS,
        "groupId": LEAVES,
        "event": st.text(max_size=5),
        "channel": st.text(max_size=5),
        "identifiers": NAMED,
        "traits": OBJECTS,
        "properties": OBJECTS,
        "context": CONTEXTS,
    },
)
FIELDS = st.sampled_from(["type", "userId", "messageId", "timestamp", "event", "channel", "identifiers", "traits"])
WRONG = st.builds(lambda said, field, value: said | {field: value}, EVENTS, FIELDS, VALUES)


def made_at_receipt(found: Decoded | Rejected) -> bool:
    return isinstance(found, Decoded) and found.event.message_id.startswith("receipt-")


@given(EVENTS | WRONG | VALUES)
def test_what_is_json_is_understood_alike_by_both_ways(said: Any) -> None:
    raw = json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass")
    strict = decoder().decode_event(raw, LOCAL, RECEIVED_MS)
    note("taken" if isinstance(strict, Decoded) else strict.problem.code)
    lenient = decoder()._decode_leniently(raw, Arrival(LOCAL, RECEIVED_MS, live=True))
    if not made_at_receipt(strict):
        assert strict == lenient
    else:
        assert made_at_receipt(lenient)


def test_most_of_the_events_drawn_are_taken() -> None:
    """Or the tests here would show little."""
    drawn: list[bool] = []

    @given(EVENTS)
    @settings(max_examples=200, derandomize=True)
    def draw(said: dict[str, Any]) -> None:
        found = decoder().decode_event(json.dumps(said).encode(), LOCAL, RECEIVED_MS)
        drawn.append(isinstance(found, Decoded))

    draw()
    assert sum(drawn) > 0.6 * len(drawn)


@given(EVENTS)
def test_what_is_taken_can_be_stored_and_read(said: dict[str, Any]) -> None:
    found = decoder().decode_event(json.dumps(said).encode(), LOCAL, RECEIVED_MS)
    if isinstance(found, Rejected):
        return
    event = found.event
    body = msgspec.json.decode(event.body)
    assert set(body) == {"properties", "context", "traits"}
    assert event.identifiers == tuple(dict.fromkeys(event.identifiers))
    assert event.identifiers
    assert 0 <= event.at_ms <= RECEIVED_MS + 86_400_000
    assert (len(event.message), len(event.content)) == (16, 8)
    if event.alias:
        assert event.alias[0] in event.identifiers
        assert event.alias[1] not in event.identifiers
    again = decoder().decode_event(json.dumps(dict(reversed(said.items()))).encode(), LOCAL, RECEIVED_MS)
    assert isinstance(again, Decoded)
    assert again.event.content == event.content


@given(
    st.lists(
        st.sampled_from(['{"batch":', "[", "]", "{", "}", ",", '"', "\\", ":", "NaN", "1e999", "null", "\ud800", "x"])
    )
)
def test_whatever_a_body_is_it_is_answered(parts: list[str]) -> None:
    body = "".join(parts).encode("utf-8", "surrogatepass")
    refused = None
    try:
        found = decode_batch(body)
    except OnefoldError as error:
        refused = error.code
        found = []
    assert refused in {None, "body.invalid_json", "event.invalid"}
    assert all(isinstance(item, Rejected) for item in found)


@given(st.lists(VALUES), st.sampled_from([",", " ,\n"]))
def test_a_list_taken_apart_is_the_list(values: list[Any], comma: str) -> None:
    text = "[" + comma.join(json.dumps(value) for value in values) + "]"
    assert [json.loads(item) for item in split.items(text.encode())] == values


@given(st.dictionaries(st.text(), VALUES))
def test_an_object_taken_apart_is_the_object(values: dict[str, Any]) -> None:
    taken = split.members(json.dumps(values).encode())
    assert {key: json.loads(value) for key, value in taken.items()} == values


@given(VALUES)
def test_how_deep_a_text_nests_is_counted_right(value: Any) -> None:
    def depth(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return 1 + max(map(depth, inner), default=0) if isinstance(value, dict | list) else 0

    text = json.dumps([value] * 2)
    levels = split.MOST_LEVELS - 1 - depth(value)
    deep = "[" * levels + text + "]" * levels + "," + "[]" * 40
    assert not split.too_deep(deep.encode())
    assert split.too_deep(("[" + deep + "]").encode())
