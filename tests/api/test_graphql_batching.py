"""One operation is one state of the store, and as many statements however many things it asks about."""

import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import apsw
import pytest

from onefold.model.saved import SavedSegment, SegmentDraft
from onefold.service import Onefold
from tests.api.graphql_shop import Shop, at, event, key, opened
from tests.contract.stores import Place

pytestmark = pytest.mark.xdist_group("graphql batching")  # the shop is built once, on one worker

MOST_STATEMENTS = 12
TOUCHPOINTS = 50

SHOPPING = """query ($identifiers: [IdentifierInput!]!) { resolve(identifiers: $identifiers) { customer { id
    identifiers { edges { node { namespace value links { edges { node { a { value } b { value } count } } } } } }
    journey(first: 50) { edges { node { messageId at identifiers { namespace value } } } } } } }"""
EVERYTHING = """query ($identifiers: [IdentifierInput!]!) { resolve(identifiers: $identifiers) { contested customer { id
    identifiers(first: 9) { pageInfo { hasNextPage } edges { node { id linkedAt customer { id }
        links(first: 9) { edges { node { sources { source count } refused { reason } } } } } } }
    devices(first: 3) { edges { node { model identifier { value } } } }
    profile { traits { name value others { value } } }
    consents { purpose given source identifier { value } others { given identifier { value } } }
    journey(first: 20) { pageInfo { hasPreviousPage } edges { node { id retroactive linkedAt properties
        subject { value links(first: 3) { edges { node { count } } } } device { model identifier { id } }
        customer { id lastSeen } } } }
    segments { name count customers(first: 2) { edges { node { id } } } }
    refusedLinks { edges { node { refused { reason } } } }
    history { edges { node { kind customerIds customers { id } identifiers { value } link { count }
        judgement { id } touchpoints { id } } } } } } }"""


@pytest.fixture(scope="module")
def statements() -> Iterator[list[str]]:
    """Every SQL statement that any connection runs from now on."""
    run: list[str] = []

    def trace(connection: apsw.Connection) -> None:
        connection.trace_v2(apsw.SQLITE_TRACE_STMT, lambda told: run.append(told["sql"]))

    apsw.connection_hooks.append(trace)
    yield run
    apsw.connection_hooks.remove(trace)


@pytest.fixture(scope="module")
def shop(statements: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """101 customers who each came 50 times, with two cookies, a phone and an address that the next one uses too."""
    with opened(Place("sqlite", tmp_path_factory.mktemp("batching"))) as shop:
        for number in range(101):
            shop.send(*(visit(number, visited) for visited in range(TOUCHPOINTS)))
        for name in ("user_id", "email", "phone"):
            rule = f'{{"holds": {{"namespace": "{name}"}}}}'
            assert isinstance(shop.onefold.save_segment(SegmentDraft(name, rule), allow_unknown=True), SavedSegment)
        yield shop


def visit(customer: int, number: int) -> Any:
    more = [f"email:{customer}@example.com"] if number == 1 else []
    shared = [f"email:{customer - 1}@example.com"] if number == 2 and customer else []
    return event(
        f"m{customer}-{number}",
        number,
        f"user_id:u{customer}",
        f"anonymous_id:x{customer}-{number % 2}",
        f"device_id:d{customer}",
        *more,
        *shared,
        type="IDENTIFY" if number == 0 else "TRACK",
        traits={"name": f"customer {customer}"},
        context={"consent": {"marketing": number == 1}} if number < 2 else None,
    )


def users(count: int) -> list[Any]:
    return [key(f"user_id:u{number}") for number in range(count)]


@pytest.fixture(autouse=True)
def read_once(shop: Shop) -> None:
    """So that what is read once a process is not counted."""
    shop.ask(EVERYTHING, identifiers=users(1))


def test_a_hundred_journeys_with_their_identifiers_and_links_take_as_few_statements_as_ten(
    shop: Shop, statements: list[str]
) -> None:
    counts = []
    for customers in (10, 100):
        statements.clear()
        answer = shop.ask(SHOPPING, identifiers=users(customers))["resolve"]
        counts.append(len(statements))
        assert len({row["customer"]["id"] for row in answer}) == customers
        for row in answer:
            assert len(row["customer"]["journey"]["edges"]) == TOUCHPOINTS
            assert all(edge["node"]["links"]["edges"] for edge in row["customer"]["identifiers"]["edges"])
    assert counts[0] == counts[1] <= MOST_STATEMENTS, statements


def test_whatever_is_asked_of_many_customers_takes_as_many_statements_as_of_two(
    shop: Shop, statements: list[str]
) -> None:
    counts = []
    for customers in (2, 40):
        statements.clear()
        shop.ask(EVERYTHING, identifiers=users(customers))
        counts.append(len(statements))
    assert counts[0] == counts[1], statements


def test_changes_and_decisions_take_as_many_statements_however_many_there_are(
    shop: Shop, statements: list[str]
) -> None:
    query = """query ($first: Int!) {
        changes(first: $first) { edges { node { kind identifier { value customer { id } } customer { id }
            touchpoint { id customer { id } } decision { kind customers { id } } } } }
        decisions(first: $first) { edges { node { kind touchpoints { id subject { value } } link { count } } } } }"""
    counts = []
    for first in (150, 450):
        statements.clear()
        shop.ask(query, first=first)
        counts.append(len(statements))
    assert counts[0] == counts[1], statements


def test_a_preview_and_members_take_as_many_statements_however_many_they_show(
    shop: Shop, statements: list[str]
) -> None:
    query = """query ($first: Int!) {
        previewSegment(rule: {holds: {namespace: "user_id"}}) { count customers(first: $first) { edges { node {
            id identifiers { edges { node { value } } } profile { traits { value } } segments { name } } } } }
        segments { name customers(first: $first) { edges { node { id journey(first: 2) { edges { node { id } } } } } } }
    }"""
    save = """mutation { saveSegment(input: {name: "everybody", rule: {holds: {namespace: "user_id"}}}) {
        segment { count } } }"""
    assert shop.ask(save)["saveSegment"]["segment"]["count"] == 101
    counts = []
    shop.ask(query, first=1)
    for first in (2, 100):
        statements.clear()
        found = shop.ask(query, first=first)
        counts.append(len(statements))
        assert len(found["previewSegment"]["customers"]["edges"]) == first
        assert len(found["segments"][0]["customers"]["edges"]) == first
    assert counts[0] == counts[1], statements


def test_events_that_are_sent_answer_with_their_customers_in_as_many_statements(
    shop: Shop, statements: list[str]
) -> None:
    query = "mutation ($events: [EventInput!]!) { ingest(events: $events) { results { customer { id lastSeen } } } }"
    counts = []
    for customers in (2, 40):
        again = [visit(number, 0) for number in range(customers)]
        statements.clear()
        shop.ask(query, events=again)
        counts.append(len(statements))
    assert counts[0] == counts[1], statements


def test_all_of_a_query_sees_one_state_of_the_store(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Onefold.status
    late = count()

    def write_then_tell(onefold: Onefold, reading: Any) -> Any:
        told = original(onefold, reading)
        thread = threading.Thread(target=shop.send, args=[event(f"late {next(late)}", 900, "user_id:u1")])
        thread.start()
        thread.join()
        return told

    monkeypatch.setattr(Onefold, "status", write_then_tell)
    told = shop.ask(
        """{ before: status { seq touchpoints }
             customer(by: {identifier: {namespace: "user_id", value: "u1"}}) {
                 lastSeen journey(first: 1) { edges { node { messageId } } } }
             between: status { seq touchpoints }
             changes(after: "5050", first: 500) { edges { node { touchpoint { messageId } } } }
             after: status { seq touchpoints } }"""
    )
    assert told["before"] == told["between"] == told["after"]
    assert told["customer"]["lastSeen"] == at(TOUCHPOINTS - 1)
    assert "late" not in str(told)
    monkeypatch.undo()
    assert shop.ask("{ status { touchpoints } }")["status"]["touchpoints"] == told["before"]["touchpoints"] + 3


def test_every_reading_is_closed_whatever_comes_of_it(shop: Shop) -> None:
    failing = [
        '{ customer(by: {id: "x"}) { id } }',
        '{ status { seq } customer(by: {id: "cus_00000000000000000000000000"}) { id } }',
        "{ status { nothing } }",
        'mutation { retract(judgement: "x", reason: "") { joined { id } } }',
    ]
    for query in failing:
        assert shop.codes(query)
    open_before = len(apsw.connections())
    for query in failing * 10:
        shop.codes(query)
    assert len(apsw.connections()) == open_before
    assert not any(connection.in_transaction for connection in apsw.connections())


def test_operations_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    with opened(Place("sqlite", tmp_path)) as shop:
        shop.send(*(event(f"m{n}", n, f"user_id:u{n}") for n in range(8)))
        wrong: list[Any] = []

        def ask(number: int) -> None:
            for turn in range(15):
                shop.send(event(f"t{number}-{turn}", 60 + turn, f"user_id:u{number}"))
                found = shop.customer(f"user_id:u{number}", "journey(first: 500) { edges { node { messageId } } }")
                if len(found["journey"]["edges"]) != turn + 2:
                    wrong.append((number, turn, found))

        threads = [threading.Thread(target=ask, args=[number]) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
