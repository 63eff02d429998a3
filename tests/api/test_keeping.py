"""Keeping segments when something is not as it should be: a rule that cannot be asked, other declarations next door, an
idle store, somebody who changes a rule meanwhile, or who died before all was done."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Final

import pytest

from onefold.model.saved import MembershipChange, SavedSegment, SegmentDraft
from onefold.service import Onefold, segment_rules, segments
from onefold.service.keeping import keeper, pacing, saving, turns
from onefold.service.keeping.keeper import LEASE_MS, Keeper
from onefold.service.reading import Reading
from onefold.settings import Settings
from onefold.store.base import Store
from tests.api.graphql_shop import Shop, event
from tests.contract.stores import NAMESPACES, TRAITS, Place
from tests.support.server import until

DECLARED: Final = """computed:
  orders: {kind: count, touchpoints: {names: [Order Completed]}, description: How many orders were completed.}
  sessions: {kind: sessions, description: How many sessions there were.}
"""
MINE: Final = "  mine: {kind: count, touchpoints: {names: [Visit]}, description: How many visits there are.}\n"
VISITED: Final = {"did": {"touchpoint": {"names": ["Visit"]}}}
LATELY: Final = {"did": {"touchpoint": {"names": ["Visit"]}, "within": {"lastDays": 30}}}

Json = dict[str, Any]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place("sqlite", tmp_path)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    store = place.open()
    yield store
    store.close()


class Clock:
    """The time as services are told it: a millisecond passes whenever one asks."""

    def __init__(self) -> None:
        self.now_ms = time.time_ns() // 1_000_000

    def __call__(self) -> int:
        self.now_ms += 1
        return self.now_ms


@contextmanager
def service(store: Store, clock: Clock | None = None, **settings: Any) -> Iterator[Shop]:
    chosen = Settings(read_model="memory", read_model_threads=1, **settings)
    with Onefold(store, NAMESPACES, TRAITS, chosen, clock_ms=clock or Clock()) as onefold:
        yield Shop(onefold)


def save(shop: Shop, name: str, rule: Json, of: str | None = None) -> SavedSegment:
    saved = shop.onefold.save_segment(SegmentDraft(name, json.dumps(rule)), of, allow_unknown=True)
    assert isinstance(saved, SavedSegment), saved
    return saved


def kept(shop: Shop) -> dict[str, SavedSegment]:
    return {segment.name: segment for segment in shop.onefold.in_one_state(segments.listed)}


def counts(shop: Shop) -> dict[str, int]:
    return {name: segment.count for name, segment in kept(shop).items()}


def log(shop: Shop) -> list[MembershipChange]:
    return list(shop.onefold.in_one_state(lambda reading: segments.log(reading, None, 0, 500)).items)


def head(shop: Shop) -> int:
    return shop.onefold.in_one_state(lambda reading: reading.view.head().seq)


class Writes:
    """How often a service wrote, besides events."""

    def __init__(self, shop: Shop, patched: pytest.MonkeyPatch) -> None:
        self.number = 0
        write = shop.onefold.in_transaction

        def counted(work: Any) -> Any:
            self.number += 1
            return write(work)

        patched.setattr(shop.onefold, "in_transaction", counted)


# -- one rule that cannot be asked


def test_a_segment_whose_computed_trait_was_taken_away_keeps_no_other_from_being_kept(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = tmp_path / "computed.yaml"
    declared.write_text(DECLARED + MINE)
    with service(store, computed=declared) as shop:
        save(shop, "mine", {"computed": {"name": "mine", "atLeast": 1}})
        save(shop, "visited", VISITED)
        save(shop, "mine too", {"in": kept(shop)["mine"].public_id})
    declared.write_text(DECLARED)
    with service(store, computed=declared) as shop, caplog.at_level(logging.WARNING):
        shop.send(event("m1", 1, "user_id:ann"))
        assert not shop.onefold.keep_now()
        assert counts(shop) == {"mine": 0, "visited": 1, "mine too": 0}
        behind = {name for name, segment in kept(shop).items() if (segment.as_of_seq or 0) < head(shop)}
        assert behind == {"mine", "mine too"}
        assert [it.getMessage().partition(" is not kept: ")[2] for it in caplog.records] == [
            "segment.unknown_name: no computed trait is called 'mine'"
        ] * 2
        writes = Writes(shop, monkeypatch)
        assert not shop.onefold.keep_now()
        assert writes.number == 1, "it is not tried over and over: what is deleted is cleared, and that is all"
        assert len(caplog.records) == 2
    declared.write_text(DECLARED + MINE)
    with service(store, computed=declared) as shop:
        assert shop.onefold.keep_now()
        assert counts(shop) == {"mine": 1, "visited": 1, "mine too": 1}


def test_what_duckdb_has_against_one_rule_is_not_held_against_the_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    with service(store, clock) as shop:
        bad_rule = segment_rules.whole_rule(save(shop, "bad", VISITED))
        save(shop, "good", {"all": [VISITED]})
        among = turns.among

        def mistaken(asking: Any, rule: Any, *more: Any) -> Any:
            if rule == bad_rule:
                asking.rows("SELECT CAST('x' AS INTEGER)")  # after this its transaction is worth nothing
            return among(asking, rule, *more)

        monkeypatch.setattr(turns, "among", mistaken)
        shop.send(event("m1", 1, "user_id:ann"))
        assert not shop.onefold.keep_now()
        assert counts(shop) == {"bad": 0, "good": 1}
        monkeypatch.undo()
        clock.now_ms += keeper.TRIED_AGAIN_MS
        assert shop.onefold.keep_now()
        assert counts(shop) == {"bad": 1, "good": 1}


# -- idle


def test_nothing_is_written_while_nothing_happens_whatever_segments_there_are(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "LOOK_SECONDS", 0.02)
    clock = Clock()
    with service(store, clock) as shop:
        shop.send(event("m1", 1, "user_id:ann"))
        for name in ("one", "other"):
            save(shop, name, LATELY)
            clock.now_ms += pacing.ROLLING_MS // 2
        writes = Writes(shop, monkeypatch)
        shop.onefold.start_keeping()
        until(lambda: writes.number >= 1, "it begins")
        looks = looking(monkeypatch, shop)
        until(lambda: looks[0] > 5, "it looks")
        before = writes.number
        until(lambda: looks[0] > 30, "it looks")
        assert writes.number == before
        clock.now_ms += pacing.ROLLING_MS
        now_ms = clock.now_ms
        until(lambda: all((segment.as_of_ms or 0) >= now_ms for segment in kept(shop).values()), "time is looked at")


def test_while_there_are_no_segments_commits_have_nobody_look_for_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "LOOK_SECONDS", 3_600.0)
    monkeypatch.setattr(pacing, "LEAST_PAUSE_SECONDS", 0.0)
    looks: list[int] = []
    listed = segments.listed

    def counted(reading: Reading) -> list[SavedSegment]:
        looks.append(1)
        return listed(reading)

    monkeypatch.setattr(segments, "listed", counted)
    with service(store) as shop:
        shop.onefold.start_keeping()
        until(lambda: looks, "it looks once")
        for number in range(50):
            shop.send(event(f"m{number}", number, "user_id:ann"))
        assert len(looks) == 1
        save(shop, "visited", VISITED)
        shop.send(event("m50", 50, "user_id:bob"))
        until(lambda: counts(shop) == {"visited": 2}, "it is kept at once, however seldom it looks")


def test_a_segment_that_another_saved_is_kept_at_the_next_look_for_all_that_came_since_the_last(
    place: Place, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "LOOK_SECONDS", 0.5)
    asked: list[int | None] = []
    behind = Keeper.behind

    def noted(self: Keeper, longer_than_ms: int = 0, upto: int | None = None, **named: Any) -> set[int]:
        asked.append(upto)
        return behind(self, longer_than_ms, upto, **named)

    with service(store) as shop, closing(place.open()) as elsewhere, service(elsewhere) as other:
        shop.onefold.start_keeping()
        until(lambda: shop.onefold._pacing._there is not None, "it looks once")  # type: ignore[union-attr]
        save(other, "visited", VISITED)
        shop.send(event("m1", 1, "user_id:ann"))
        monkeypatch.setattr(Keeper, "behind", noted)
        until(lambda: counts(shop) == {"visited": 1}, "it is kept")
        assert asked[0] is None, "it was looked at for what was committed here while nobody looked"


def test_the_rest_of_what_a_dead_server_deleted_leaves_by_one_that_never_saw_it(
    place: Place, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(pacing, "CLEARING_SECONDS", 0.0)
    with service(store) as shop, closing(place.open()) as elsewhere, service(elsewhere) as dying:
        shop.send(event("m1", 1, "user_id:ann"))
        shop.onefold.start_keeping()
        until(lambda: shop.onefold._pacing._there is not None, "it looks once")  # type: ignore[union-attr]
        with monkeypatch.context() as unseen:
            unseen.setattr(pacing.Pacing, "_look", lambda self, *, woken: None)
            gone = save(dying, "goes", VISITED)
            dying.onefold.in_transaction(lambda store: store.drop_segment(gone.number, 0))
        until(lambda: any(line.cause == "deleted" for line in log(shop)), "the other clears up")
        turns = [(line.segment, line.cause, line.entered) for line in log(shop)]
        assert turns == [(gone.number, "saved", True), (gone.number, "deleted", False)]
        assert counts(shop) == {}


def test_a_pass_in_a_file_costs_what_was_worked_and_in_a_graph_what_was_waited() -> None:
    here, there = pacing.Cost(remote=False), pacing.Cost(remote=True)
    Event().wait(0.2)
    assert here.seconds() < 0.1
    assert there.seconds() >= 0.2


def looking(patched: pytest.MonkeyPatch, shop: Shop) -> list[int]:
    """How often it has been looked, from now on."""
    looks, behind = [0], Keeper.behind

    def counted(self: Keeper, *args: Any, **named: Any) -> set[int]:
        looks[0] += 1
        return behind(self, *args, **named)

    patched.setattr(Keeper, "behind", counted)
    return looks


def test_the_rest_of_what_a_dead_server_deleted_leaves_by_the_keeper_next_door(
    place: Place, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "LOOK_SECONDS", 0.02)
    with service(store) as shop, closing(place.open()) as elsewhere, service(elsewhere) as dying:
        shop.send(event("m1", 1, "user_id:ann"))
        save(shop, "stays", VISITED)
        gone = save(shop, "goes", VISITED)
        shop.onefold.start_keeping()
        looks = looking(monkeypatch, shop)
        until(lambda: looks[0] > 2, "it looks")
        dying.onefold.in_transaction(lambda store: store.drop_segment(gone.number, 0))
        until(lambda: any(line.cause == "deleted" for line in log(shop)), "the other clears up")
        last = log(shop)[-1]
        assert (last.segment, last.cause, last.entered) == (gone.number, "deleted", False)
        assert counts(shop) == {"stays": 1}


def test_what_is_kept_wakes_nobody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with service(store) as shop:
        woken: list[int] = []
        monkeypatch.setattr(shop.onefold.batcher, "_told_written", lambda: woken.append(1))
        save(shop, "visited", VISITED)
        assert shop.onefold.keep_now()
        assert woken == []
        shop.send(event("m1", 1, "user_id:ann"), event("m2", 1, "user_id:bob"))
        sent = len(woken)
        assert sent > 0
        assert shop.judge("SAME", "user_id:ann", "user_id:bob")["problem"] is None
        assert len(woken) > sent


# -- meanwhile


def test_who_saves_a_segment_that_another_changes_meanwhile_gets_members_of_the_rule_there_is(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service(store) as shop:
        shop.send(event("m1", 1, "user_id:ann"), event("m2", 1, "user_id:bob", event="Pricing"))
        segment = save(shop, "first", {"holds": {"namespace": "email"}})
        draft = SegmentDraft("last", json.dumps(VISITED))
        during(
            monkeypatch,
            "whole",
            lambda: saving.save(shop.onefold, draft, segment.public_id, allow_unknown=True),
        )
        saved = save(shop, "second", {"holds": {"namespace": "user_id"}}, segment.public_id)
        assert (saved.name, saved.count, saved.as_of_seq) == ("last", 1, head(shop))


def during(patched: pytest.MonkeyPatch, evaluation: str, happens: Callable[[], object], times: int = 1) -> None:
    """The first times that somebody is looked for, something happens before."""
    evaluate, left = getattr(turns, evaluation), [times]

    def evaluated(*args: Any) -> Any:
        if left[0] > 0:
            left[0] -= 1
            happens()
        return evaluate(*args)

    patched.setattr(turns, evaluation, evaluated)


def test_the_lease_is_renewed_from_segment_to_segment(
    place: Place, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, taken = Clock(), []
    with service(store, clock) as shop, closing(place.open()) as elsewhere, service(elsewhere, clock) as other:
        for number in range(5):
            save(shop, f"segment {number}", {"all": [VISITED, {"not": {"holds": {"namespace": "email"}}}]})
        shop.send(event("m1", 1, "user_id:ann"))

        def slow() -> None:
            clock.now_ms += LEASE_MS * 2 // 5
            now_ms = clock.now_ms
            taken.append(
                other.onefold.in_transaction(lambda store: store.take_lease("segments", "other", now_ms, LEASE_MS))
            )

        during(monkeypatch, "among", slow, 5)
        assert shop.onefold.keep_now()
        assert taken == [None] * 5
        assert set(counts(shop).values()) == {1}


def test_what_was_decided_after_the_state_that_was_asked_is_no_cause(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service(store) as shop:
        save(shop, "visited", VISITED)
        shop.send(event("m1", 1, "anonymous_id:x", event="Pricing"))
        assert shop.onefold.keep_now()
        shop.send(event("m2", 2, "user_id:ann"))
        asked = head(shop)
        during(monkeypatch, "among", lambda: shop.send(event("m3", 3, "anonymous_id:x", "user_id:ann")))
        assert shop.onefold.keep_now()
        [line] = log(shop)
        assert (line.cause, line.as_of_seq) == ("event", asked)


def test_consent_names_the_touchpoint_that_said_it(store: Store) -> None:
    with service(store) as shop:
        save(shop, "letters", {"consents": "letters"})
        agreed = {"messageId": "m1", "type": "identify", "userId": "ann", "context": {"consent": {"letters": True}}}
        visited = {"messageId": "m2", "type": "track", "userId": "ann", "event": "Visit"}
        shop.onefold.ingest(
            [json.dumps(it | {"timestamp": "2026-03-01T00:00:00Z"}).encode() for it in (agreed, visited)]
        )
        assert shop.onefold.keep_now()
        [line] = log(shop)
        assert (line.cause, line.cause_ref) == ("consent", 1)


# -- next door, where other things are declared


def test_two_who_declare_different_things_leave_each_other_what_uses_none_of_it(
    place: Place, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = tmp_path / "computed.yaml"
    declared.write_text(DECLARED + MINE)
    with (
        service(store, session_minutes=30) as shop,
        closing(place.open()) as elsewhere,
        service(elsewhere, session_minutes=5, computed=declared) as other,
    ):
        shop.send(event("m1", 1, "user_id:ann"), event("m2", 11, "user_id:ann"))
        save(shop, "visited", VISITED)
        save(shop, "named", {"trait": {"name": "name", "exists": False}})
        save(shop, "orders", {"computed": {"name": "orders", "atMost": 0}})
        writes = Writes(other, monkeypatch)
        assert other.onefold.keep_now()
        assert writes.number == 1, "what is deleted is cleared, and that is all"
        save(shop, "one session", {"computed": {"name": "sessions", "atMost": 1}})
        assert other.onefold.keep_now(anew=False)
        assert counts(shop)["one session"] == 1, "as it was found"
        assert other.onefold.keep_now()
        assert counts(shop)["one session"] == 0
