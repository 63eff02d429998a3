"""Many who follow the log of memberships: each has every line once, at its own pace, by one reader for all of them."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.api.graphql import following
from onefold.api.graphql.following import Memberships
from onefold.errors import OnefoldError
from onefold.model.saved import SavedSegment, SegmentDraft
from onefold.service import segments
from tests.api.graphql_shop import Shop, event, opened
from tests.contract.stores import Place

FOLLOWERS = 200
RULE = {"did": {"touchpoint": {"names": ["Visit"]}, "times": {"is": 1}}}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(Place("sqlite", tmp_path), read_model="memory") as shop:
        yield shop


@pytest.fixture
def segment(shop: Shop) -> SavedSegment:
    saved = shop.onefold.save_segment(SegmentDraft("once", json.dumps(RULE)), allow_unknown=True)
    assert isinstance(saved, SavedSegment)
    return saved


def visits(shop: Shop, turn: int, people: int = 8) -> None:
    """Some come, and those of the turn before come again: these leave."""
    shop.send(*(event(f"{turn}-{n}", n, f"user_id:u{turn * people // 2 + n}") for n in range(people)))
    assert shop.onefold.keep_now()


def numbers(shop: Shop, segment: SavedSegment) -> list[int]:
    lines = shop.onefold.in_one_state(lambda reading: segments.log(reading, segment.number, 0, 500))
    return [line.number for line in lines.items]


@pytest.mark.parametrize("small", [False, True])
def test_each_has_every_line_once_whatever_its_pace(
    shop: Shop, segment: SavedSegment, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.01)
    if small:  # most have to read from the store
        monkeypatch.setattr(following, "PAGE", 3)
        monkeypatch.setattr(following, "KEPT", 4)
    visits(shop, 0)
    threads = threading.active_count()
    most_threads = 0

    async def follow(log: Memberships, number: int) -> list[int]:
        nonlocal most_threads
        had: list[int] = []
        async for line in log.follow(segment.public_id, 0 if number % 2 else None):
            had.append(line.number)
            most_threads = max(most_threads, threading.active_count())
            await asyncio.sleep(number % 5 / 500)
        return had

    async def all_follow() -> list[list[int]]:
        log = Memberships(shop.onefold)
        tasks = [asyncio.create_task(follow(log, number)) for number in range(FOLLOWERS)]
        while log._followed.get(segment.number, 0) < FOLLOWERS:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for turn in range(1, 5):
            await asyncio.to_thread(visits, shop, turn)
        await asyncio.to_thread(shop.onefold.delete_segment, segment.public_id)
        found = await asyncio.gather(*tasks)
        assert log._looking is None, "nobody looks when nobody follows"
        return found

    before = numbers(shop, segment)
    found = asyncio.run(all_follow())
    everything = numbers(shop, segment)
    assert len(everything) > len(before) + 20
    for number, had in enumerate(found):
        assert had == (everything if number % 2 else everything[len(before) :])
    assert most_threads <= threads + 8, "there is no thread for each"


def test_who_begins_while_others_follow_misses_nothing(shop: Shop, segment: SavedSegment) -> None:
    async def first(log: Memberships, after: int) -> int:
        async for line in log.follow(segment.public_id, after):
            return line.number
        raise AssertionError("it was deleted")

    async def one_after_the_other() -> list[int]:
        log = Memberships(shop.onefold)
        had = [0]
        for turn in range(3):
            waiting = asyncio.create_task(first(log, had[-1]))
            await asyncio.to_thread(visits, shop, turn, 1)
            had.append(await waiting)
        return had[1:]

    assert asyncio.run(one_after_the_other()) == numbers(shop, segment)[:3]


def test_a_segment_that_is_not_there_cannot_be_followed(shop: Shop, segment: SavedSegment) -> None:
    async def follow() -> None:
        async for _ in Memberships(shop.onefold).follow(segment.public_id, None):
            pass

    shop.onefold.delete_segment(segment.public_id)
    with pytest.raises(OnefoldError) as caught:
        asyncio.run(follow())
    assert caught.value.code == "segment.not_found"
