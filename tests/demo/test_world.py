"""The made-up shop: the same for a seed, hard, told as real systems send it, and silent about the truth."""

import json
import os
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from itertools import islice
from typing import Any

import pytest

from onefold.demo.shop.telling import APP, CRM, DAY_MS, SOURCES, TILL, Told, Trap
from onefold.demo.shop.town import Town
from onefold.demo.shop.world import TOWN, World
from onefold.ingest.decode import Decoded, Decoder
from onefold.model import namespaces_file
from onefold.model.normalise import Normaliser
from onefold.schema_files import schema_file

PEOPLE = 600


@pytest.fixture(scope="module")
def told() -> list[Told]:
    return list(World(PEOPLE).told())


@pytest.fixture(scope="module")
def events(told: list[Told]) -> list[Any]:
    return [json.loads(one.sent.line) for one in told if not one.truth.again]


def decoder() -> Decoder:
    namespaces = namespaces_file.load(schema_file("namespaces.yaml"))
    return Decoder(namespaces, Normaliser(namespaces, "US"), bytes(32))


def decoded(told: list[Told]) -> list[Decoded]:
    """By the real decoder, at the time of arrival; nothing is rejected, and nothing dropped."""
    decode = decoder().decode_line
    made = [decode(one.sent.line, one.sent.source, one.sent.received_ms) for one in told]
    assert [one for one in made if not isinstance(one, Decoded) or one.warnings] == []
    return [one for one in made if isinstance(one, Decoded)]


DIGEST = """\
from hashlib import sha256
from onefold.demo.shop.world import World
print(sha256(b"".join(told.sent.line for told in World({people}, {seed}).told())).hexdigest())
"""


def digest(people: int, seed: int, hash_seed: str = "0") -> str:
    """Of all that is sent, made in a process of its own."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", DIGEST.format(people=people, seed=seed)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.slow
def test_the_same_people_and_seed_are_the_same_shop_byte_by_byte_in_any_process() -> None:
    assert digest(100, 7, hash_seed="1") == digest(100, 7, hash_seed="2")
    assert digest(100, 7) != digest(100, 8)


def test_who_does_something_is_in_no_event(told: list[Told]) -> None:
    """Numbered otherwise, the same people send the same, byte by byte: so no event can tell their numbers."""
    moved = Town(7, 0, first=1_000_000, people=PEOPLE).told()
    assert [one.sent for one in moved] == [one.sent for one in told]
    assert all(one.truth.person == -1 or one.truth.person >= 1_000_000 for one in moved)


def test_no_event_names_its_trap(told: list[Told]) -> None:
    everyday = {"tablet", "card", "address"}  # what people have at home, and cards and addresses are mentioned anyhow
    words = [word.encode() for trap in Trap for word in (trap.value, trap.name.lower()) if word not in everyday]
    for one in told:
        said = one.sent.line.lower()
        assert not any(word in said for word in words), said


def test_events_have_the_fields_that_senders_fill_and_no_other(events: list[Any]) -> None:
    fields = set().union(*events)
    assert fields == {
        *("type", "event", "name", "messageId", "timestamp", "userId", "anonymousId", "channel"),
        *("properties", "traits", "context"),
    }
    assert set().union(*(event.get("context", {}) for event in events)) == {
        *("userAgent", "campaign", "traits", "device", "externalIds"),
    }


def test_the_wire_decoder_takes_every_event_as_it_is(told: list[Told]) -> None:
    assert len(decoded(told)) == len(told)


def test_every_system_sends_and_every_channel_is_there(told: list[Told], events: list[Any]) -> None:
    assert {one.sent.source for one in told} == set(SOURCES)
    channels = {event.get("channel") for event in events}
    assert channels >= {"web", "app", "store", "call centre", "email", "social", "survey", "crm"}


def test_orders_complaints_and_surveys_say_what_analysts_ask_for(events: list[Any]) -> None:
    orders = [event["properties"] for event in events if event.get("event") == "Order Completed"]
    assert {order["currency"] for order in orders} == {"GBP", "EUR"}
    for order in orders:
        total = sum(line["price"] * line["quantity"] for line in order["products"])
        assert order["revenue"] == pytest.approx(total)
    assert all(e["properties"]["text"] for e in events if e.get("event") == "Complaint Received")
    assert {e["properties"]["score"] for e in events if e.get("event") == "Survey Answered"} <= set(range(11))
    assert (
        len({event["context"]["campaign"]["name"] for event in events if "campaign" in event.get("context", {})}) == 7
    )


def test_every_trap_is_set(told: list[Told]) -> None:
    assert {one.truth.trap for one in told} == {None, *Trap}


def test_senders_repeat_themselves_apps_are_late_and_tills_and_crm_send_in_turns(told: list[Told]) -> None:
    again = [one for one in told if one.truth.again]
    assert 0.005 < len(again) / len(told) < 0.03
    first: dict[str, Told] = {}
    for one in told:
        if one.truth.again:
            assert first[one.truth.message_id].sent.line == one.sent.line
        else:
            first[one.truth.message_id] = one
    late = Counter(
        made.source for made in (one.event for one in decoded(told)) if made.received_ms - made.at_ms > DAY_MS // 2
    )
    assert late[APP] > 0
    assert late[TILL] > 0
    assert late[CRM] > 0
    assert [one.sent.received_ms for one in told] == sorted(one.sent.received_ms for one in told)


def test_people_are_anonymous_for_long_and_known_by_several_devices(told: list[Told]) -> None:
    cookies: dict[int, set[str]] = {}
    first: dict[int, str] = {}
    known: dict[int, str] = {}
    for one in told:
        event, person = json.loads(one.sent.line), one.truth.person
        if person >= 0 and one.sent.source.name == "shop-web":
            cookies.setdefault(person, set()).add(event["anonymousId"])
            at = event["timestamp"]
            first[person] = min(first.get(person, at), at)
            if "userId" in event:
                known[person] = min(known.get(person, at), at)
    assert sum(len(names) > 1 for names in cookies.values()) > len(cookies) / 2
    assert sum(first[person][:7] < at[:7] for person, at in known.items()) > len(known) / 4


def test_towns_share_no_identifier_and_nobody() -> None:
    towns = [Town(7, number, number * TOWN, 150).told() for number in (0, 1)]
    held = [{key for one in decoded(town) for key in (*one.event.identifiers, *one.event.operators)} for town in towns]
    assert held[0].isdisjoint(held[1])
    people = [{one.truth.person for one in town} - {-1} for town in towns]
    assert people[0].isdisjoint(people[1])
    messages = [{one.truth.message_id for one in town} for town in towns]
    assert messages[0].isdisjoint(messages[1])


PEAK = """\
from resource import RUSAGE_SELF, getrusage
from onefold.demo.shop.world import World
told = sum(1 for _ in World({people}).told())
print(told, getrusage(RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_no_more_than_a_town_is_held_however_many_there_are() -> None:
    def run(people: int) -> tuple[int, int]:
        command = [sys.executable, "-c", PEAK.format(people=people)]
        said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
        told, peak = map(int, said.split())
        return told, peak

    (one, one_peak), (four, four_peak) = run(TOWN), run(4 * TOWN)
    assert four > 3.5 * one
    assert four_peak < 1.3 * one_peak


@pytest.mark.slow
def test_of_millions_the_first_are_there_at_once() -> None:
    assert World(3_000_000).towns() == 600
    begun = list(islice(World(3_000_000).told(), 1_000))
    assert {one.truth.town for one in begun} == {0}


@pytest.mark.slow
def test_a_larger_world_begins_as_a_smaller_one_of_whole_towns() -> None:
    small = sha256(b"".join(one.sent.line for one in islice(World(TOWN).told(), 500))).digest()
    large = sha256(b"".join(one.sent.line for one in islice(World(3 * TOWN).told(), 500))).digest()
    assert small == large


def test_events_lie_within_the_year(events: list[Any]) -> None:
    assert {event["timestamp"][:4] for event in events} == {"2025"}
