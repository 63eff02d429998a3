"""Reading touchpoints and journeys."""

import random
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from onefold.model.reading import JourneyPage, PropertyMatch, Touchpoint, TouchpointFilter
from onefold.model.sources import Source, Trust
from onefold.store.base import Store
from tests.contract.building import Batch, at, customer_of, identifiers, key, message


def test_a_touchpoint_comes_back_as_it_was_told(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann", "anonymous_id:x", "device_id:d")
        event = batch.touchpoint(
            "user_id:ann", "anonymous_id:x", "device_id:d",
            minute=4, message_id="order-1", subject="anonymous_id:x", source=Source("till", Trust.PUBLIC), type="track",
            channel="store", campaign="summer", revenue="12.50", currency="EUR", device=key("device_id:d"),
            properties={"größe": ["L"], "n": 1},
        )  # fmt: skip
        batch.touchpoint("user_id:ann", message_id="bare")
        batch.apply()
    with store.read() as view:
        ann, x, d = identifiers(view, "user_id:ann", "anonymous_id:x", "device_id:d")
        expected = Touchpoint(
            1, message("order-1"), "order-1", "till", at(4), at(4) + 5, "track", None, "store", "summer", "12.50",
            "EUR", x.number, d.number, (ann.number, x.number, d.number), event.body,
        )  # fmt: skip
        assert view.touchpoints([message("order-1"), message("none")]) == {expected.message: expected}
        assert view.touchpoints_by_number([1, 77]) == {1: expected}
        bare = view.touchpoints_by_number([2])[2]
        assert (bare.campaign, bare.revenue, bare.currency, bare.device, bare.name) == (None,) * 5


def names(points: Iterable[Touchpoint]) -> list[str]:
    return [point.message_id for point in points]


def page(store: Store, text: str, **fields: Any) -> list[Touchpoint]:
    with store.read() as view:
        customer = customer_of(view, text)
        return view.journeys([customer], JourneyPage(fields.pop("limit", 100), **fields)).get(customer, [])


def all_pages(store: Store, text: str, limit: int, newest_first: bool, **fields: Any) -> Iterator[list[Touchpoint]]:
    beyond = None
    while found := page(store, text, limit=limit, newest_first=newest_first, beyond=beyond, **fields):
        assert len(found) <= limit
        yield found
        beyond = (found[-1].at_ms, found[-1].number)


def test_a_journey_is_what_its_customers_identifiers_are_the_subject_of(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann", "anonymous_id:x")
        other = batch.customer("user_id:bob")
        batch.customer("user_id:silent")
        batch.touchpoint("user_id:ann", minute=3, message_id="three")
        batch.touchpoint("anonymous_id:x", minute=1, message_id="one")
        batch.touchpoint("user_id:bob", "anonymous_id:x", minute=2, message_id="two")
        batch.apply()
    assert names(page(store, "user_id:ann")) == ["three", "one"]
    assert names(page(store, "user_id:ann", newest_first=False)) == ["one", "three"]
    assert names(page(store, "user_id:bob")) == ["two"]
    with store.read() as view:
        found = view.journeys([1, 2, 3, 99], JourneyPage(1))
        assert {customer: names(points) for customer, points in found.items()} == {1: ["three"], 2: ["two"]}

    with store.write() as transaction:
        batch = Batch(transaction)
        batch.move("anonymous_id:x", other)
        batch.apply()
    assert names(page(store, "user_id:bob")) == ["two", "one"]
    assert names(page(store, "user_id:ann")) == ["three"]


@pytest.fixture
def crowd(store: Store) -> tuple[Store, list[tuple[int, str]]]:
    """A customer of 100 identifiers with 400 touchpoints, many at the same time; -> (at_ms, name) by age."""
    dice = random.Random(11)
    texts = [f"anonymous_id:{number}" for number in range(100)]
    written = []
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann", *texts)
        for number in range(400):
            minute = dice.randrange(60)
            chosen = dice.choice(texts[: 1 + dice.randrange(100)])
            event = batch.touchpoint(
                chosen, minute=minute, message_id=f"m{number:03}", channel=dice.choice(("web", "app"))
            )
            written.append((event.at_ms, f"m{number:03}"))
        batch.apply()
    return store, sorted(written)


@pytest.mark.parametrize("limit", [1, 7, 50, 400, 1_000])
@pytest.mark.parametrize("newest_first", [True, False])
def test_pages_follow_one_another_without_gap_or_repeat(
    crowd: tuple[Store, list[tuple[int, str]]], limit: int, newest_first: bool
) -> None:
    store, written = crowd
    expected = [name for _, name in (reversed(written) if newest_first else written)]
    found = [name for points in all_pages(store, "user_id:ann", limit, newest_first) for name in names(points)]
    assert found == expected if limit > 1 else found[:60] == expected[:60]


def test_a_cursor_stays_right_when_touchpoints_arrive_between_pages(crowd: tuple[Store, list[tuple[int, str]]]) -> None:
    store, written = crowd
    first = page(store, "user_id:ann", limit=10)
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.touchpoint("anonymous_id:5", minute=70, message_id="newer")
        batch.touchpoint("anonymous_id:6", minute=0, message_id="older")
        batch.apply()
    beyond = (first[-1].at_ms, first[-1].number)
    rest = page(store, "user_id:ann", limit=1_000, beyond=beyond)
    assert set(names(rest)) == {name for _, name in written} - set(names(first)) | {"older"}


def test_filters_and_pages_go_together(crowd: tuple[Store, list[tuple[int, str]]]) -> None:
    store, written = crowd
    wanted = TouchpointFilter(channels=("app",), after_ms=at(10), before_ms=at(50))
    everything = {point.message_id: point for point in page(store, "user_id:ann", limit=1_000)}
    expected = [
        name for at_ms, name in reversed(written) if at(10) <= at_ms < at(50) and everything[name].channel == "app"
    ]
    found = [name for points in all_pages(store, "user_id:ann", 9, True, filter=wanted) for name in names(points)]
    assert found == expected
    assert 50 < len(expected) < 350


POINTS: dict[str, dict[str, Any]] = {
    "page": {"type": "page"},
    "order": {"type": "track", "name": "Order", "campaign": "summer", "channel": "web"},
    "call": {"type": "track", "name": "Call", "campaign": "winter", "channel": "phone"},
    "visit": {"type": "track", "name": "Visit", "campaign": "summer", "channel": "store"},
}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (TouchpointFilter(), ["page", "order", "call", "visit"]),
        (TouchpointFilter(types=("page",)), ["page"]),
        (TouchpointFilter(types=("page", "track")), ["page", "order", "call", "visit"]),
        (TouchpointFilter(types=()), []),
        (TouchpointFilter(names=("Order", "Call", "None")), ["order", "call"]),
        (TouchpointFilter(channels=("phone", "store")), ["call", "visit"]),
        (TouchpointFilter(campaigns=("summer",)), ["order", "visit"]),
        (TouchpointFilter(campaigns=("summer",), channels=("store", "phone")), ["visit"]),
        (TouchpointFilter(after_ms=at(1)), ["order", "call", "visit"]),
        (TouchpointFilter(before_ms=at(1)), ["page"]),
        (TouchpointFilter(after_ms=at(1), before_ms=at(3)), ["order", "call"]),
        (TouchpointFilter(after_ms=at(3), before_ms=at(3)), []),
    ],
)
def test_a_filter_lets_through_what_meets_it(store: Store, wanted: TouchpointFilter, expected: list[str]) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        for minute, (message_id, fields) in enumerate(POINTS.items()):
            batch.touchpoint("user_id:ann", minute=minute, message_id=message_id, **fields)
        batch.apply()
    for newest_first in (True, False):
        found = names(page(store, "user_id:ann", filter=wanted, newest_first=newest_first))
        assert found == (expected[::-1] if newest_first else expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1", ["text"]),
        (1, ["one", "one and nothing"]),
        (1.0, ["one", "one and nothing"]),
        (0, ["zero"]),
        (1.5, ["fraction"]),
        (True, ["true"]),
        (False, ["false"]),
        (None, ["null"]),
        ("", ["empty"]),
        (2**70, ["huge"]),
        ("[1]", []),
        (-1, []),
    ],
)
def test_properties_are_compared_as_json(store: Store, value: str | float | bool | None, expected: list[str]) -> None:
    kept = {
        "text": "1", "one": 1, "one and nothing": 1.0, "zero": 0, "fraction": 1.5, "true": True, "false": False,
        "null": None, "empty": "", "huge": 2**70, "list": [1],
    }  # fmt: skip
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        for minute, (message_id, held) in enumerate(kept.items()):
            batch.touchpoint("user_id:ann", minute=minute, message_id=message_id, properties={"p": held})
        batch.touchpoint("user_id:ann", minute=50, message_id="without")
        batch.apply()
    wanted = TouchpointFilter(properties=(PropertyMatch("p", value),))
    assert names(page(store, "user_id:ann", filter=wanted, newest_first=False)) == expected


@pytest.mark.parametrize(
    "name", ["plain", "", "a.b", "a[0]", '"', '"; --', "a\\b", "ü", "\n", "$", "#", "a b", "'", "😀", "/"]
)
def test_any_name_of_a_property_can_be_asked_for(store: Store, name: str) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        batch.touchpoint("user_id:ann", message_id="has it", properties={name: "yes", "a": {"b": "yes"}})
        batch.touchpoint("user_id:ann", message_id="has not", properties={name + "x": "yes", "a": ["yes"]})
        batch.apply()
    wanted = TouchpointFilter(properties=(PropertyMatch(name, "yes"),))
    assert names(page(store, "user_id:ann", filter=wanted)) == ["has it"]


def test_all_properties_must_match(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        batch.touchpoint("user_id:ann", message_id="both", properties={"a": 1, "b": "x"})
        batch.touchpoint("user_id:ann", message_id="one", properties={"a": 1, "b": "y"})
        batch.apply()
    wanted = TouchpointFilter(properties=(PropertyMatch("a", 1), PropertyMatch("b", "x")))
    assert names(page(store, "user_id:ann", filter=wanted)) == ["both"]
