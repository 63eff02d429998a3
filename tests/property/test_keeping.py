"""After any history those who are members of saved segments are those who meet their rules, whoever kept them and when,
and whatever was cut short; and the log tells how each came in and went."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.model.saved import Cause
from onefold.service.keeping import keeper, passes, turns
from onefold.store.base import Store
from onefold.store.neo4j.address import address_of
from onefold.store.neo4j.open import open_neo4j
from onefold.store.sqlite.open import open_sqlite
from tests.property.keeping import World
from tests.property.playing import namespaces_of
from tests.property.shapes import Dice
from tests.property.shown import TRAIT_RULES
from tests.property.strategies import History, histories
from tests.property.test_store_machine import SLOWER
from tests.support.neo4j_server import wiped

MOST_EXAMPLES: Final = 500
SLOW: Final = 6
"""How many times fewer examples there are than elsewhere: each begins with two services."""
SEGMENTS: Final = 3
NEVER_TOLD: Final = {"saved left", "deleted entered"}
TOLD_OF_FEW: Final = {"saved entered", "event entered"}
"""What even a few histories tell."""

Open = Callable[[History, Path], Store]


@contextmanager
def world(history: History, opened: Open, told: Counter[str]) -> Iterator[World]:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(opened(history, Path(folder))) as one,
        closing(opened(history, Path(folder))) as other,
        closing(World(history, (one, other), told)) as world,
    ):
        yield world


def keep_segments(opened: Open, examples: int) -> Counter[str]:
    """Play histories, and check after every action; -> how often each cause was told."""
    told: Counter[str] = Counter()

    @settings(max_examples=examples, suppress_health_check=[*HealthCheck])
    @given(history=histories(), how=st.binary(min_size=400, max_size=400))
    def play(history: History, how: bytes) -> None:
        dice = Dice(how)
        with sized(dice), world(history, opened, told) as played:
            for number in range(SEGMENTS):
                played.save(dice, number % 2)
            for step in replace(history, batch_size=dice.pick((1, 1, 3))).batches():
                played.play(step)
                played.act(dice)
            for number, ticks in enumerate((0, 200, 1_500)):  # at last nothing happens, and windows move on
                played.pass_time(ticks)
                played.keep(number % 2)

    play()
    return told


@contextmanager
def sized(dice: Dice) -> Iterator[None]:
    """As things are; or so small that a few customers are many and every pass is written in parts."""
    with pytest.MonkeyPatch.context() as patched:
        if dice.chance(50):
            patched.setattr(keeper, "PART", 1)
            patched.setattr(passes, "MANY", dice.pick((0, 2)))
            patched.setattr(turns, "PAGE", 2)
        yield


def in_file(history: History, folder: Path) -> Store:
    return open_sqlite(folder / "store.db", namespaces_of(history.rules), TRAIT_RULES)


@pytest.mark.slow
def test_members_of_segments_in_a_file_are_those_who_meet_the_rules_whatever_happens() -> None:
    told = keep_segments(in_file, min(max(settings().max_examples // SLOW, 20), MOST_EXAMPLES))
    turns_there_are = {f"{cause} {how}" for cause in Cause for how in ("entered", "left")}
    assert turns_there_are - told.keys() <= NEVER_TOLD, told


@pytest.mark.slow
@pytest.mark.xdist_group("neo4j")
def test_members_of_segments_in_neo4j_are_those_who_meet_the_rules_whatever_happens(neo4j_database: str) -> None:
    new: list[History] = []

    def in_neo4j(history: History, folder: Path) -> Store:
        if not new or new[-1] is not history:
            wiped(neo4j_database, namespaces_of(history.rules))
            new.append(history)
        return open_neo4j(address_of(neo4j_database), namespaces_of(history.rules), TRAIT_RULES)

    told = keep_segments(in_neo4j, min(max(settings().max_examples // SLOW // SLOWER, 8), MOST_EXAMPLES // SLOWER))
    assert told.keys() >= TOLD_OF_FEW, told
    assert not told.keys() & NEVER_TOLD
