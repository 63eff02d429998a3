"""The baselines and the ceiling, on cases worked by hand and beside networkx."""

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from onefold.demo.measuring.baselines import attainable, connected, unstitched
from onefold.demo.measuring.pairs import Group
from onefold.demo.measuring.seen import NOBODY, Seen

ANN, BEN = 1, 2


def seen(person: int, *identifiers: int) -> Seen:
    return Seen(0, person, person, None, None, identifiers)


def together(groups: list[Group]) -> set[frozenset[int]]:
    """Which touchpoints, by their place, are in one group; those in none are left out."""
    found: dict[Group, set[int]] = {}
    for place, group in enumerate(groups):
        if group is not None:
            found.setdefault(group, set()).add(place)
    return {frozenset(places) for places in found.values()}


# Ann browses with cookie 9, and logs in (1) with it; at the kiosk (7) she and Ben (2) do; a bot tries Ann's account.
WORLD = [seen(ANN, 9), seen(ANN, 1, 9), seen(ANN, 1, 7), seen(BEN, 2, 7), seen(BEN, 2), seen(NOBODY, 1, 8)]


def test_without_stitching_only_the_strongest_identifier_counts() -> None:
    assert together(unstitched(WORLD)) == {frozenset({0}), frozenset({1, 2, 5}), frozenset({3, 4})}


def test_connected_components_make_one_of_all_who_stood_at_the_kiosk() -> None:
    assert together(connected(WORLD)) == {frozenset(range(6))}


def test_the_ceiling_connects_each_persons_own_events_and_nothing_else() -> None:
    assert together(attainable(WORLD)) == {frozenset({0, 1, 2}), frozenset({3, 4})}


def test_the_ceiling_does_not_guess() -> None:
    assert together(attainable([seen(ANN, 9), seen(ANN, 10)])) == {frozenset({0}), frozenset({1})}


@given(st.lists(st.tuples(st.integers(1, 3), st.lists(st.integers(1, 8), min_size=1, max_size=3)), max_size=12))
def test_components_are_those_of_networkx(events: list[tuple[int, list[int]]]) -> None:
    world = [seen(person, *identifiers) for person, identifiers in events]
    for groups, key in ((connected(world), lambda _, i: i), (attainable(world), lambda person, i: (person, i))):
        graph: nx.Graph[object] = nx.Graph()
        for place, (person, identifiers) in enumerate(events):
            graph.add_edges_from((("touchpoint", place), key(person, identifier)) for identifier in identifiers)
        expected = {
            frozenset(node[1] for node in component if isinstance(node, tuple) and node[0] == "touchpoint")
            for component in nx.connected_components(graph)
        }
        assert together(groups) == expected
