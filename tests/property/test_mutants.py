"""Every seeded mistake in stitching is found, within a bounded number of histories that are the same each time."""

from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.property.holding import hold
from tests.property.mutants import MUTANTS, Mutant, planted
from tests.property.playing import Expected, expect
from tests.property.shapes import SHAPES, Shape
from tests.property.strategies import History, histories

OF_EACH_SHAPE = 80
MOST_TURNS = 40


@cache
def drawn() -> tuple[History, ...]:
    """As many of each shape, in turns, for a mistake is mostly found by one shape."""
    return tuple(history for row in zip(*map(drawn_of, SHAPES), strict=True) for history in row)


def drawn_of(shape: Shape) -> list[History]:
    found: list[History] = []

    @settings(
        max_examples=2 * OF_EACH_SHAPE,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    @given(histories(shapes=[shape]))
    def draw(history: History) -> None:
        if len(history.batches()) <= MOST_TURNS:
            found.append(history)

    draw()
    return found[:OF_EACH_SHAPE]


@cache
def foretold(number: int) -> tuple[Expected, ...]:
    """What the oracle says of one of them, worked out once for all mutants."""
    history = drawn()[number]
    return tuple(expect(history, history.batches()))


def failures() -> Iterator[int]:
    """Numbers of the histories in which something does not hold. A mistake may well end in an error of any kind."""
    for number, history in enumerate(drawn()):
        try:
            hold(history, foretold(number))
        except Exception:  # noqa: BLE001
            yield number


@pytest.mark.slow
def test_without_a_mistake_everything_holds() -> None:
    assert list(failures()) == []


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_is_found(mutant: Mutant) -> None:
    with planted(mutant):
        assert next(failures(), None) is not None, f"nobody noticed that {mutant.name}"


def test_a_mistake_that_cannot_be_made_is_an_error() -> None:
    with pytest.raises(LookupError, match="stands 0 times"), planted(Mutant("gone", "rules", "no such text", "")):
        pass
    with (
        pytest.raises(LookupError, match="no function is another"),
        planted(Mutant("idle", "rules", "The rules of stitching", "")),
    ):
        pass


def test_a_mistake_is_taken_back() -> None:
    before = {mutant: survives_planting(mutant) for mutant in MUTANTS}
    assert all(before.values())


def survives_planting(mutant: Mutant) -> bool:
    with planted(mutant):
        pass
    with planted(mutant):
        return True
