"""After any history the read model says what the store's own point reads say, whenever it was asked in between, and it
holds what one holds that is made from scratch."""

from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from onefold.readmodel.model import ReadModel
from onefold.readmodel.place import Place
from tests.property.shown import TRAIT_RULES
from tests.property.test_store_machine import SLOWER, Neo4jMachine, SqliteMachine, StoreMachine, run
from tests.support.read_models import check_level, contents

MOST_EXAMPLES = 1_000


class ReadModelMachine(StoreMachine):
    """A store through anything that may happen to it, with a read model that is asked now and then."""

    model: ReadModel | None = None
    asked_of: object = None

    def model_folder(self) -> Path | None:
        return None

    @initialize(every=st.sampled_from((1, 1, 2, 5)))
    def begin_asking(self, every: int) -> None:
        """It is asked after so many steps, and when a rule says so."""
        self.every, self.steps = every, 0

    def check(self) -> None:
        """What the store shows is tested elsewhere, and takes long."""

    @invariant()
    def ask_now_and_then(self) -> None:
        if hasattr(self, "stores") and hasattr(self, "every"):
            self.steps += 1
            if self.steps % self.every == 0:
                self.ask(closing=False)

    @rule(closing=st.booleans())
    def ask(self, closing: bool) -> None:
        """It is level with the store, which another handle may have written to. Its file may have been closed."""
        if closing:
            self.close_model()
        store = self.stores[0]
        if self.asked_of is not store:  # stores were opened again
            self.close_model()
        if self.model is None:
            self.model, self.asked_of = self.new_model(Place(folder=self.model_folder(), threads=1)), store
        with self.model.ask() as asking, store.read() as view:
            check_level(asking, view, self.stitching.namespaces, TRAIT_RULES)

    def new_model(self, place: Place) -> ReadModel:
        return ReadModel(self.stores[0], place, self.stitching.namespaces, TRAIT_RULES)

    def close_model(self) -> None:
        if self.model is not None:
            self.model.close()
            self.model = None

    def teardown(self) -> None:
        """At the end it holds what one holds that is made from scratch."""
        try:
            if hasattr(self, "stores"):
                self.ask(closing=False)
                assert self.model is not None
                scratch = self.new_model(Place(threads=1))
                with self.model.ask() as asking, scratch.ask() as anew:
                    assert contents(asking) == contents(anew)
                scratch.close()
        finally:
            self.close_model()
            super().teardown()


class SqliteReadModel(ReadModelMachine, SqliteMachine):
    """Its read model is beside it."""

    def model_folder(self) -> Path:
        return self.folder / "readmodel"


class Neo4jReadModel(ReadModelMachine, Neo4jMachine):
    """Its read model is in memory."""


@pytest.mark.slow
def test_a_read_model_of_a_file_is_level_with_it_whatever_happens() -> None:
    run(SqliteReadModel, min(settings().max_examples, MOST_EXAMPLES))


@pytest.mark.slow
@pytest.mark.xdist_group("neo4j")
def test_a_read_model_of_neo4j_is_level_with_it_whatever_happens(
    neo4j_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Neo4jMachine, "url", neo4j_database, raising=False)
    run(Neo4jReadModel, min(max(settings().max_examples // SLOWER, 20), MOST_EXAMPLES // SLOWER))
