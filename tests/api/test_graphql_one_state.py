"""Each operation is answered from one state of the store, whatever is committed while it runs.

A store that keeps no old states cannot go on with one: there the operation is run again, and at last so that commits
wait. What it has written by then is written once.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final

import pytest

from onefold.service import Onefold, Reading
from tests.api.graphql_shop import Shop, at, event, key

Runs = list[bool]
"""Whether each reading that was opened holds."""

COUNTED: Final = """query ($identifiers: [IdentifierInput!]!) { before: status { seq touchpoints }
    resolve(identifiers: $identifiers) { customer { lastSeen journey(first: 50) { edges { node { messageId } } } } }
    after: status { seq touchpoints } }"""
TWICE: Final = """mutation ($one: [EventInput!]!, $other: [EventInput!]!) {
    one: ingest(events: $one) { accepted results { status customer { id lastSeen } } }
    other: ingest(events: $other) { accepted results { status customer { id lastSeen } } } }"""


@pytest.fixture
def meddle(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Runs]:
    """Has something committed in the middle of the readings to come, so many times, unless they hold."""
    runs: Runs = []
    late = count()
    read, customers = Onefold.read, Reading.customers

    @contextmanager
    def counted(onefold: Onefold, *, hold: bool = False, **more: bool) -> Iterator[Reading]:
        runs.append(hold)
        with read(onefold, hold=hold, **more) as reading:
            yield reading

    def begin(times: int) -> Runs:
        left = iter(range(times))

        def meddled(reading: Reading, keys: Any) -> Any:
            if not runs[-1] and next(left, None) is not None:
                sent = {"type": "track", "event": "Visit", "userId": "ann", "messageId": f"late {next(late)}"}
                shop.onefold.submit([json.dumps(sent | {"timestamp": at(900)}).encode()]).result(30)
            return customers(reading, keys)

        monkeypatch.setattr(Onefold, "read", counted)
        monkeypatch.setattr(Reading, "customers", meddled)
        return runs

    return begin


@pytest.mark.parametrize(("times", "repeated"), [(1, [False] * 2), (99, [False] * 3 + [True])])
def test_all_of_a_query_is_of_one_state(shop: Shop, meddle: Callable[[int], Runs], times: int, repeated: Runs) -> None:
    shop.send(event("m", 1, "user_id:ann"))
    runs = meddle(times)
    told = shop.ask(COUNTED, identifiers=[key("user_id:ann")])
    assert told["before"] == told["after"]
    [ann] = told["resolve"]
    assert len(ann["customer"]["journey"]["edges"]) == told["before"]["touchpoints"]
    assert (ann["customer"]["lastSeen"] == at(900)) == (told["before"]["touchpoints"] > 1)
    assert runs == (repeated if shop.onefold.remote else [False])


@pytest.mark.parametrize("times", [1, 2, 99])
def test_a_mutation_that_is_run_again_writes_once(shop: Shop, meddle: Callable[[int], Runs], times: int) -> None:
    runs = meddle(times)
    one, other = [event("one", 1, "user_id:ann")], [event("other", 2, "user_id:ann", "email:ann@example.com")]
    told = shop.ask(TWICE, one=one, other=other)
    held = runs[-1:]
    assert [told[name]["accepted"] for name in ("one", "other")] == [1, 1]
    [[first], [second]] = [told[name]["results"] for name in ("one", "other")]
    assert first["status"] == second["status"] == "ACCEPTED"
    assert first["customer"]["id"] == second["customer"]["id"]
    met = [touched["messageId"] for touched in journey(shop)]
    assert sorted(name for name in met if not name.startswith("late")) == ["one", "other"]
    assert held == [times == 99 and shop.onefold.remote]


def journey(shop: Shop) -> list[Any]:
    found = shop.customer("user_id:ann", "journey(first: 50) { edges { node { messageId } } }")
    return [edge["node"] for edge in found["journey"]["edges"]]


def test_a_mutation_that_fails_fails_alike_when_it_is_run_again(shop: Shop, meddle: Callable[[int], Runs]) -> None:
    shop.send(event("m", 1, "user_id:ann"))
    meddle(1)
    query = """mutation ($events: [EventInput!]!) {
        ingest(events: $events) { results { customer { id } } }
        retract(judgement: "cus_00000000000000000000000000", reason: "a slip") { joined { id } } }"""
    assert shop.codes(query, events=[event("n", 2, "user_id:ann")]) == ["query.bad_reference"]
    assert {touched["messageId"] for touched in journey(shop)} >= {"m", "n"}
