"""Segments as customers come in and go: what `Customer.segments`, the log and subscriptions show, and the causes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from starlette.testclient import WebSocketTestSession

from onefold.api.graphql.following import Memberships
from onefold.model.saved import MembershipChange, SavedSegment, SegmentDraft
from onefold.service import segments
from tests.api.graphql_shop import Shop, event, opened
from tests.api.test_sockets import begun, closed, subscribe
from tests.contract.stores import Place

READ_AND_KNOWN = {"all": [{"did": {"touchpoint": {"names": ["Pricing"]}, "times": {"atLeast": 2}}},
                          {"holds": {"namespace": "user_id"}}]}  # fmt: skip
FOLLOW = """subscription ($id: ID!, $after: Seq) { segmentMembership(segment: $id, after: $after) {
    seq entered cause customerId asOfSeq at segment { name count } customer { id requestedId }
    decision { kind } touchpoint { name }
} }"""

SECONDS = 30.0


@pytest.fixture
def shop(place: Place) -> Iterator[Shop]:
    """Whose sockets share one event loop, as they do when it is served."""
    with opened(place, read_model="memory") as shop, shop.http:
        yield shop


def save(shop: Shop, name: str, rule: Any, of: str | None = None, **more: Any) -> SavedSegment:
    draft = SegmentDraft(name, json.dumps(rule), **more)
    saved = shop.onefold.save_segment(draft, of, allow_unknown=True)
    assert isinstance(saved, SavedSegment), saved
    return saved


def keep(shop: Shop) -> None:
    assert shop.onefold.keep_now()


def log(shop: Shop, segment: SavedSegment | None = None) -> list[MembershipChange]:
    number = segment.number if segment else None
    return list(shop.onefold.in_one_state(lambda reading: segments.log(reading, number, 0, 500)).items)


def told(shop: Shop, segment: SavedSegment | None = None) -> list[tuple[bool, str]]:
    return [(line.entered, line.cause.value) for line in log(shop, segment)]


def pricing(message: str, minute: int, *identifiers: str) -> Any:
    return event(message, minute, *identifiers, event="Pricing")


def names(shop: Shop, identifier: str) -> list[str]:
    """Of the segments that a customer is in."""
    return [segment["name"] for segment in shop.customer(identifier, "segments { name }")["segments"]]


# -- retroactive: what happened before it was known whose it was


def test_an_anonymous_phase_that_a_login_links_lets_its_customer_enter(shop: Shop) -> None:
    segment = save(shop, "read the prices", READ_AND_KNOWN)
    shop.send(pricing("m1", 1, "anonymous_id:x"), pricing("m2", 2, "anonymous_id:x"))
    shop.send(event("m3", 3, "user_id:ann"))
    keep(shop)
    assert (log(shop), names(shop, "user_id:ann")) == ([], [])
    shop.send(event("m4", 4, "anonymous_id:x", "user_id:ann"))
    keep(shop)
    (line,) = log(shop, segment)
    assert (line.entered, line.cause) == (True, "join")
    decision = shop.ask("query ($id: ID!) { node(id: $id) { ... on Decision { kind customerIds } } }", id=dec(line))
    assert decision["node"]["kind"] == "JOINED"
    assert decision["node"]["customerIds"][0] == shop.customer_id("user_id:ann")
    assert names(shop, "anonymous_id:x") == ["read the prices"]


def dec(line: MembershipChange) -> str:
    from onefold.model.ids import encode_number

    assert line.cause_ref is not None
    return encode_number("dec", line.cause_ref)


def test_a_link_that_is_refused_takes_the_pages_away_and_its_customer_leaves(shop: Shop) -> None:
    """The cookie went by to another: what came through it is nobody's, then the other's."""
    segment = save(shop, "read the prices", READ_AND_KNOWN)
    shop.send(pricing("m1", 10, "anonymous_id:x"), pricing("m2", 11, "anonymous_id:x"))
    shop.send(event("m3", 12, "anonymous_id:x", "user_id:ann"))
    keep(shop)
    assert told(shop, segment) == [(True, "join")]
    shop.send(event("m4", 1, "anonymous_id:x", "user_id:bob"))  # it was bob's before: the older link holds
    keep(shop)
    ann, bob = (shop.customer_id(f"user_id:{who}") for who in ("ann", "bob"))
    assert ann != bob
    assert told(shop, segment)[1:] == [(False, "split"), (True, "join")]
    assert (names(shop, "user_id:ann"), names(shop, "user_id:bob")) == ([], ["read the prices"])


def test_a_shared_tablet_that_turns_generic_takes_its_pages_away_and_everybody_leaves(shop: Shop) -> None:
    segment = save(shop, "read the prices", READ_AND_KNOWN)
    shop.send(pricing("m1", 1, "device_id:tablet"), pricing("m2", 2, "device_id:tablet"))
    shop.send(event("m3", 3, "device_id:tablet", "user_id:ann"))
    keep(shop)
    assert told(shop, segment) == [(True, "join")]
    shop.send(event("m4", 4, "device_id:tablet", "user_id:bob"))  # two people: it is nobody's
    keep(shop)
    assert told(shop, segment) == [(True, "join"), (False, "split")]
    assert names(shop, "user_id:ann") == []


def test_a_judgement_and_its_retraction_are_told_as_such(shop: Shop) -> None:
    segment = save(shop, "read the prices", READ_AND_KNOWN)
    shop.send(pricing("m1", 1, "user_id:ann", "email:ann@example.com"), pricing("m2", 2, "email:a@example.com"))
    keep(shop)
    judgement = shop.judge("SAME", "email:ann@example.com", "email:a@example.com")["judgement"]["id"]
    keep(shop)
    shop.retract(judgement)
    keep(shop)
    assert told(shop, segment) == [(True, "judgement"), (False, "judgement")]


# -- other causes


def test_events_and_consents_are_told_with_their_touchpoints(shop: Shop) -> None:
    active = save(shop, "read them twice", {"did": {"touchpoint": {"names": ["Pricing"]}, "times": {"is": 2}}})
    asked = save(shop, "may be written to", {"holds": {"namespace": "email"}}, require_consent="marketing")
    shop.send(pricing("m1", 1, "email:ann@example.com"), pricing("m2", 2, "email:ann@example.com"))
    keep(shop)
    shop.send(
        pricing(
            "m3",
            3,
            "email:ann@example.com",
        )
    )
    keep(shop)
    agreed = {"consent": {"marketing": True}}
    shop.send(event("m4", 4, "email:ann@example.com", type="IDENTIFY", event=None, context=agreed))
    keep(shop)
    assert told(shop, active) == [(True, "event"), (False, "event")]
    assert told(shop, asked) == [(True, "consent")]
    numbers = [line.cause_ref or 0 for line in (*log(shop, active), *log(shop, asked))]
    found = shop.onefold.in_one_state(lambda reading: reading.view.touchpoints_by_number(numbers))
    assert [found[number].message_id for number in numbers] == ["m2", "m3", "m4"]


def test_a_new_segment_has_its_members_when_it_is_saved_and_others_when_its_rule_is_changed(shop: Shop) -> None:
    shop.send(pricing("m1", 1, "user_id:ann"), event("m2", 2, "user_id:bob"))
    segment = save(shop, "read", {"did": {"touchpoint": {"names": ["Pricing"]}}})
    assert segment.count == 1
    assert segment.as_of_seq is not None
    changed = save(shop, "read not", {"not": {"did": {"touchpoint": {"names": ["Pricing"]}}}}, segment.public_id)
    assert (changed.number, changed.revision, changed.count) == (segment.number, 2, 1)
    assert told(shop) == [(True, "saved"), (False, "changed"), (True, "changed")]
    renamed = save(shop, "did not read", json.loads(changed.rule), segment.public_id, description="who has not")
    assert (renamed.revision, renamed.as_of_seq) == (2, changed.as_of_seq)
    assert names(shop, "user_id:bob") == ["did not read"]


def test_members_of_a_segment_come_in_pages_that_change_under_nobody(shop: Shop) -> None:
    shop.send(*(pricing(f"m{n}", n, f"user_id:u{n}") for n in range(5)))
    segment = save(shop, "read", {"did": {"touchpoint": {"names": ["Pricing"]}}})
    query = """query ($id: ID!, $after: String) { node(id: $id) { ... on Segment { count asOfSeq
        customers(first: 2, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } } } } }"""
    found, after = [], None
    for _ in range(3):
        node = shop.ask(query, id=segment.public_id, after=after)["node"]
        assert (node["count"], node["asOfSeq"]) == (5, str(segment.as_of_seq))
        found += [edge["node"]["id"] for edge in node["customers"]["edges"]]
        after = node["customers"]["pageInfo"]["endCursor"]
    assert found == [shop.customer_id(f"user_id:u{n}") for n in range(5)]


# -- following


def following(session: WebSocketTestSession, shop: Shop, segment: SavedSegment, after: str | None = None) -> None:
    subscribe(session, FOLLOW, id=segment.public_id, after=after)


def line(session: WebSocketTestSession) -> Any:
    message = session.receive_json()
    assert message["type"] == "next", message
    assert "errors" not in message["payload"], message
    return message["payload"]["data"]["segmentMembership"]


def test_a_subscriber_is_told_who_enters_and_leaves_from_where_it_was(shop: Shop) -> None:
    segment = save(shop, "read the prices", READ_AND_KNOWN)
    other = save(shop, "anybody", {"any": [{"holds": {"namespace": "user_id"}}]})
    shop.send(pricing("m1", 1, "user_id:ann"), pricing("m2", 2, "user_id:ann"))
    keep(shop)
    ann = shop.customer_id("user_id:ann")
    with begun(shop) as session:
        following(session, shop, segment, after="0")
        first = line(session)
        assert (first["entered"], first["cause"], first["customerId"]) == (True, "EVENT", ann)
        assert first["customer"] == {"id": ann, "requestedId": None}
        assert (first["touchpoint"], first["decision"]) == ({"name": "Pricing"}, None)
        assert first["segment"] == {"name": "read the prices", "count": 1}
        shop.send(*(pricing(f"n{n}", n, f"user_id:u{n % 3}") for n in range(6)))
        keep(shop)
        later = [line(session) for _ in range(3)]
        assert [int(it["seq"]) for it in [first, *later]] == sorted(it.number for it in log(shop, segment))
        assert len(log(shop, other)) == 4
        with begun(shop) as latecomer:
            following(latecomer, shop, segment, after=later[0]["seq"])
            assert [line(latecomer) for _ in range(2)] == later[1:]
        shop.onefold.delete_segment(segment.public_id)
        assert [line(session)["cause"] for _ in range(4)] == ["DELETED"] * 4
        assert session.receive_json() == {"type": "complete", "id": "1"}


def test_without_a_place_to_begin_at_only_what_comes_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    begins, has_begun = Memberships._following, Event()

    @contextmanager
    def noticed(memberships: Memberships, segment: int, last: int) -> Iterator[None]:
        with begins(memberships, segment, last):
            has_begun.set()
            yield

    monkeypatch.setattr(Memberships, "_following", noticed)
    shop.send(event("m1", 1, "user_id:ann"))
    segment = save(shop, "anybody", {"holds": {"namespace": "user_id"}})
    with begun(shop) as session:
        following(session, shop, segment)
        session.send_json({"type": "ping"})
        assert session.receive_json() == {"type": "pong"}
        assert has_begun.wait(SECONDS), "it knows from where on it tells"
        shop.send(event("m2", 2, "user_id:bob"))
        keep(shop)
        assert line(session)["customerId"] == shop.customer_id("user_id:bob")


def test_a_join_shows_in_the_line_of_the_id_that_is_gone(shop: Shop) -> None:
    segment = save(shop, "anybody", {"any": [{"holds": {"namespace": "anonymous_id"}}]})
    shop.send(event("m1", 1, "anonymous_id:x"), event("m2", 2, "user_id:ann"))
    keep(shop)
    old = shop.customer_id("anonymous_id:x")
    shop.send(event("m3", 3, "anonymous_id:x", "user_id:ann"))
    keep(shop)
    ann = shop.customer_id("user_id:ann")
    with begun(shop) as session:
        following(session, shop, segment, after="0")
        lines = [line(session) for _ in range(3)]
    assert [(it["entered"], it["cause"], it["customerId"]) for it in lines] == [
        (True, "EVENT", old),
        (False, "JOIN", old),
        (True, "JOIN", ann),
    ]
    assert lines[1]["customer"] == {"id": ann, "requestedId": old}
    assert lines[1]["decision"] == lines[2]["decision"] == {"kind": "JOINED"}


def test_who_is_told_enough_completes_and_is_told_no_more(shop: Shop) -> None:
    segment = save(shop, "anybody", {"holds": {"namespace": "user_id"}})
    with begun(shop) as session:
        following(session, shop, segment, after="0")
        shop.send(event("m1", 1, "user_id:ann"))
        keep(shop)
        line(session)
        session.send_json({"type": "complete", "id": "1"})
        shop.send(event("m2", 2, "user_id:bob"))
        keep(shop)
        subscribe(session, "{ status { touchpoints } }", "2")
        assert session.receive_json()["payload"] == {"data": {"status": {"touchpoints": 2}}}


def test_a_connection_follows_no_more_than_it_may(place: Place) -> None:
    with opened(place, max_subscriptions=2, read_model="memory") as shop, shop.http:
        segment = save(shop, "anybody", {"holds": {"namespace": "user_id"}})
        with begun(shop) as session:
            for name in ("1", "2", "3"):
                subscribe(session, FOLLOW, name, id=segment.public_id)
            refused = session.receive_json()
            assert (refused["type"], refused["id"]) == ("error", "3")
            assert refused["payload"][0]["extensions"]["code"] == "subscription.too_many"
            session.send_json({"type": "complete", "id": "1"})
            subscribe(session, "{ status { seq } }", "3")
            assert session.receive_json()["id"] == "3"
            session.receive_json()
            subscribe(session, FOLLOW, "2", id=segment.public_id)
            assert closed(session) == (4409, "Subscriber for 2 already exists")


def test_every_line_is_there_once_for_many_who_follow_at_their_own_pace(shop: Shop) -> None:
    segment = save(shop, "even", {"did": {"touchpoint": {"names": ["Pricing"]}, "times": {"is": 1}}})
    with begun(shop) as one, begun(shop) as other:
        following(one, shop, segment, after="0")
        following(other, shop, segment, after="0")
        for turn in range(3):
            shop.send(*(pricing(f"m{turn}-{n}", n, f"user_id:u{n}") for n in range(4)))
            keep(shop)
        expected = [str(it.number) for it in log(shop, segment)]
        assert len(expected) == 8
        assert [line(one)["seq"] for _ in expected] == expected
        assert [line(other)["seq"] for _ in expected] == expected
