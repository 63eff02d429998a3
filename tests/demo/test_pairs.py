"""Pairwise precision and recall, and what is shown to the wrong person, on cases worked by hand."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from onefold.demo.measuring.pairs import Group, Grouping, Score
from onefold.demo.measuring.seen import NOBODY, Seen

ANN, BEN, CHLOE = 1, 2, 3


def of(*people: int, trap: str | None = None) -> list[Seen]:
    return [Seen(0, person, person, trap, None, (1,)) for person in people]


def test_two_people_in_one_group_are_wrong_pairs_and_the_lesser_is_shown_to_the_other() -> None:
    # Group 1: Ann three times and Ben once: 3 right pairs of 6. Group 2: Ben, twice: 1 of 1. Ben has 3 pairs, Ann 3.
    seen = of(ANN, ANN, ANN, BEN, BEN, BEN)
    score = Grouping(seen, [1, 1, 1, 1, 2, 2]).score()
    assert score == Score(right=4, together=7, belonging=6, wrong=1, somebodys=6)
    assert (score.precision, score.recall, score.shown_wrong) == (4 / 7, 4 / 6, 1 / 6)


def test_what_is_in_no_group_is_with_nothing_and_shown_to_nobody() -> None:
    score = Grouping(of(ANN, ANN, BEN), [None, None, None]).score()
    assert score == Score(right=0, together=0, belonging=1, wrong=0, somebodys=3)
    assert (score.precision, score.recall) == (1.0, 0.0)


def test_a_script_is_wrong_with_people_and_neither_right_nor_wrong_with_itself() -> None:
    # Together: Ann with each of the script's two; the script's own pair counts neither way, and is nobody's touchpoint.
    score = Grouping(of(ANN, NOBODY, NOBODY), [1, 1, 1]).score()
    assert score == Score(right=0, together=2, belonging=0, wrong=0, somebodys=1)


def test_of_equals_the_one_with_the_smaller_number_owns_a_group() -> None:
    assert Grouping(of(BEN, ANN), [1, 1]).score().wrong == 1
    assert Grouping(of(BEN, ANN), [1, 1]).by_trap() == {}


def test_no_touchpoints_at_all_are_no_fault() -> None:
    score = Grouping([], []).score()
    assert (score.precision, score.recall, score.shown_wrong) == (1.0, 1.0, 0.0)


def test_a_trap_counts_its_own_touchpoints_with_all_others_of_their_people() -> None:
    # Ben's touchpoint at the tablet is with Ann's two, and should be with his two others. Ann's is with one of hers.
    seen = [*of(ANN), *of(ANN, BEN, trap="tablet"), *of(BEN, BEN)]
    found = Grouping(seen, [1, 1, 1, 2, 2]).by_trap()["tablet"]
    assert (found.touchpoints, found.wrong, found.found, found.belonging) == (2, 1, 1, 3)
    assert (found.recall, found.shown_wrong) == (1 / 3, 1 / 2)


def test_a_script_in_a_persons_journey_is_shown_to_somebody() -> None:
    found = Grouping([*of(ANN), *of(NOBODY, NOBODY, trap="bot")], [1, 1, 2]).by_trap()["bot"]
    assert (found.touchpoints, found.wrong, found.belonging) == (2, 1, 0)


PLACED = st.lists(
    st.tuples(st.sampled_from([ANN, BEN, CHLOE, NOBODY]), st.one_of(st.none(), st.integers(1, 4))), max_size=12
)


@given(PLACED)
def test_it_is_what_looking_at_every_pair_gives(placed: list[tuple[int, Group]]) -> None:
    people, groups = [person for person, _ in placed], [group for _, group in placed]
    score = Grouping(of(*people), groups).score()
    pairs = [pair for pair in combinations(placed, 2) if (pair[0][0], pair[1][0]) != (NOBODY, NOBODY)]
    same = [a[0] == b[0] for a, b in pairs]
    together = [a[1] is not None and a[1] == b[1] for a, b in pairs]
    assert score.belonging == sum(same)
    assert score.together == sum(together)
    assert score.right == sum(one and other for one, other in zip(same, together, strict=True))
