"""Sequences in dense journeys, where almost every step has several ways to be met and times lie on the edges."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.analytics.segments.explain import explain
from onefold.analytics.segments.sql.asked import Asked
from onefold.model.rates import Rates
from onefold.model.reading import TouchpointFilter
from onefold.model.segments import All, SegmentRule, SequenceTest
from tests.oracle.segments import DAY_MS, Person, Touchpoint, meets
from tests.property.segments.filled import FilledModel
from tests.property.segments.rules import NOW_MS
from tests.property.segments.test_rules import met_in_one_statement, surrounded

pytestmark = pytest.mark.slow

NAMES = ("view", "add", "order")
moments = st.integers(0, 6).flatmap(
    lambda halves: st.sampled_from((0, 0, 1)).map(lambda off: halves * DAY_MS // 2 + off)
)
journeys = st.lists(st.tuples(moments, st.sampled_from(NAMES)), min_size=4, max_size=9)
filters = st.one_of(
    st.sampled_from(NAMES).map(lambda name: TouchpointFilter(names=(name,))),
    st.just(TouchpointFilter(names=("view", "add"))),
)
sequences = st.builds(
    SequenceTest,
    steps=st.lists(filters, min_size=2, max_size=3).map(tuple),
    within_days=st.sampled_from((None, 1, 1, 2)),
    not_followed_by=st.sampled_from((None, *(TouchpointFilter(names=(name,)) for name in NAMES))),
)


def test_dense_journeys_hold_the_sequences_that_plain_python_finds() -> None:
    model, held, asked = FilledModel(), 0, 0

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.lists(journeys, min_size=6, max_size=8), st.lists(sequences, min_size=12, max_size=16))
    def hold(told: list[list[tuple[int, str]]], rules: list[SegmentRule]) -> None:
        nonlocal held, asked
        people = [
            Person(
                [("user_id", str(index))],
                [Touchpoint(NOW_MS + at, 100 * index + n, name=name) for n, (at, name) in enumerate(journey, 1)],
            )
            for index, journey in enumerate(told)
        ]
        model.fill(people)
        surroundings, world = surrounded(Rates(), rules[0])
        expected = [{n for n, person in enumerate(people, 1) if meets(person, rule, world)} for rule in rules]
        assert met_in_one_statement(model, Asked(surroundings), rules) == expected
        for customer in (1, len(people)):
            explained = explain(model, All(tuple(rules)), surroundings, customer).conditions
            assert [it.holds for it in explained] == [customer in it for it in expected]
        held, asked = held + sum(map(len, expected)), asked + len(rules) * len(people)

    hold()
    assert 0.2 < held / asked < 0.8
