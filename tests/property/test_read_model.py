"""After any history the read model says what the store's own point reads say, whenever it was asked in between, and it
holds what one holds that is made from scratch."""

import tempfile
from contextlib import closing
from math import ceil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.readmodel.model import ReadModel
from onefold.readmodel.place import Place
from onefold.stitch.rules import Rules
from onefold.store.base import Store
from onefold.store.neo4j.address import address_of
from onefold.store.neo4j.open import open_neo4j
from onefold.store.sqlite.open import open_sqlite
from tests.property.playing import namespaces_of
from tests.property.shown import TRAIT_RULES
from tests.property.strategies import History, Judge, histories
from tests.property.test_copying import Played
from tests.support.neo4j_server import wiped
from tests.support.read_models import check_level, contents

MOST_EXAMPLES = 1_000
SLOW = 6
"""How many times fewer examples than a store of dictionaries a read model gets."""
SLOWER = 10
"""How many times fewer examples a store gets that is asked over a network."""


class Asked:
    """A store to which a history happens, and its read model, which is asked now and then."""

    def __init__(self, store: Store, rules: Rules, folder: Path | None) -> None:
        self.store, self.rules = store, rules
        self.place = Place(folder=folder, threads=1)
        self.model = self.opened(self.place)

    def opened(self, place: Place) -> ReadModel:
        return ReadModel(self.store, place, self.rules.namespaces, TRAIT_RULES)

    def open_again(self) -> None:
        self.model.close()
        self.model = self.opened(self.place)

    def check(self) -> None:
        with self.model.ask() as asking, self.store.read(hold=True) as view:
            check_level(asking, view, self.rules.namespaces, TRAIT_RULES)

    def check_from_scratch(self) -> None:
        with closing(self.opened(Place(threads=1))) as scratch, self.model.ask() as asking, scratch.ask() as anew:
            assert contents(asking) == contents(anew)


def happen(history: History, every: int, closed_every: int, store: Store, rules: Rules, folder: Path | None) -> int:
    """It is asked after so many turns, and its file is closed after so many questions; -> how often it was level."""
    asked, standing = Asked(store, rules, folder), dict[Judge, int]()
    played, questions = Played(store, rules, history), 0
    try:
        for number, turn in enumerate(history.batches()):
            played.play([turn], standing)
            if number % every == 0:
                asked.check()
                questions += 1
                if questions % closed_every == 0:
                    asked.open_again()
        asked.check()
        asked.check_from_scratch()
        return questions + 1
    finally:
        asked.model.close()


ASKED = given(history=histories(), every=st.sampled_from((1, 2, 5)), closed_every=st.sampled_from((1, 4, 1_000)))


@pytest.mark.slow
@settings(
    max_examples=min(max(settings().max_examples // SLOW, 40), MOST_EXAMPLES), suppress_health_check=[*HealthCheck]
)
@ASKED
def test_a_read_model_of_a_file_is_level_with_it_after_any_history(
    history: History, every: int, closed_every: int
) -> None:
    rules = Rules(namespaces_of(history.rules), history.size_limit)
    with (
        tempfile.TemporaryDirectory(prefix="onefold-") as folder,
        closing(open_sqlite(Path(folder) / "store.db", rules.namespaces, TRAIT_RULES)) as store,
    ):
        level = happen(history, every, closed_every, store, rules, Path(folder) / "readmodel")
    assert level == 1 + ceil(len(history.batches()) / every), "it was compared as often as it was asked"


@pytest.mark.slow
@pytest.mark.xdist_group("neo4j")
@settings(
    max_examples=min(max(settings().max_examples // SLOW // SLOWER, 15), MOST_EXAMPLES // SLOWER),
    suppress_health_check=[*HealthCheck],
)
@ASKED
def test_a_read_model_of_neo4j_is_level_with_it_after_any_history(
    neo4j_database: str, history: History, every: int, closed_every: int
) -> None:
    rules = Rules(namespaces_of(history.rules), history.size_limit)
    wiped(neo4j_database, rules.namespaces)
    with closing(open_neo4j(address_of(neo4j_database), rules.namespaces, TRAIT_RULES)) as store:
        level = happen(history, every, closed_every, store, rules, folder=None)
    assert level == 1 + ceil(len(history.batches()) / every), "it was compared as often as it was asked"
