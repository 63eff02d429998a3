"""Stitching's seeded mistakes are found on real stores too, by histories in which they mislead whoever reads."""

import os
from collections.abc import Iterator
from itertools import islice

import pytest

from tests.property.agreement import check_answers
from tests.property.mutants import MUTANTS, Mutant, planted
from tests.property.playing import Player
from tests.property.strategies import History, Judge, Retract
from tests.property.test_mutants import drawn, foretold
from tests.property.test_store_machine import Neo4jMachine, SqliteMachine, StoreMachine

BEHIND_THE_ANSWERS = {
    "a link inside is never looked into",
    "witnesses are not kept",
    "what is left as it was is not told",
    "what happens to older links has no cause",
}
"""They spoil what stitching keeps for itself, or what the ledger says: no answer of the histories drawn is wrong."""
MISLEADING = [mutant for mutant in MUTANTS if mutant.name not in BEHIND_THE_ANSWERS]
TRIED = 5
"""How many misleading histories are played: one may mislead by a rank that only a store of dictionaries shows."""
EVERY = 1 if os.environ.get("ONEFOLD_HYPOTHESIS_PROFILE") == "nightly" else 12
"""On Neo4j all of the mistakes are planted at night, and every twelfth by day."""


def misleads(history: History, number: int) -> bool:
    """Whether readers of a store of dictionaries are told something else than by the oracle."""
    player = Player(history.rules, history.size_limit)
    try:
        for expected in foretold(number):
            assert player.play(expected.turn) == expected.admitted
            check_answers(player.store, expected)
    except Exception:  # noqa: BLE001  # a mistake may well end in an error of any kind
        return True
    return False


def plays(machine: type[StoreMachine], history: History) -> None:
    """Play a history with what the oracle says beside it. Raises at the first turn after which they differ."""
    playing = machine()
    try:
        playing.begin(history)
        for turn in history.batches():
            if isinstance(turn, Judge):
                playing.judge(turn)
            elif isinstance(turn, Retract):
                playing.take_back(turn)
            else:
                playing.ingest(turn)
            playing.check()
    finally:
        playing.teardown()


def given_away(machine: type[StoreMachine], mutant: Mutant) -> Iterator[int]:
    """Numbers of the histories in which a mistake shows."""
    with planted(mutant):
        misleading = (number for number, history in enumerate(drawn()) if misleads(history, number))
        for number in islice(misleading, TRIED):
            try:
                plays(machine, drawn()[number])
            except Exception:  # noqa: BLE001
                yield number


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MISLEADING, ids=lambda mutant: mutant.name)
def test_a_mistake_is_found_in_a_file(mutant: Mutant) -> None:
    found = next(given_away(SqliteMachine, mutant), None)
    assert found is not None, f"nobody noticed that {mutant.name}"
    plays(SqliteMachine, drawn()[found])


@pytest.mark.slow
@pytest.mark.xdist_group("neo4j")
@pytest.mark.parametrize("mutant", MISLEADING[::EVERY], ids=lambda mutant: mutant.name)
def test_a_mistake_is_found_in_neo4j(mutant: Mutant, neo4j_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Neo4jMachine, "url", neo4j_database, raising=False)
    found = next(given_away(Neo4jMachine, mutant), None)
    assert found is not None, f"nobody noticed that {mutant.name}"
    plays(Neo4jMachine, drawn()[found])
