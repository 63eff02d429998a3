"""For random people and random rules, SQL and plain Python agree on who is in, and so does each explanation."""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.analytics.segments import parse, plain
from onefold.analytics.segments.evaluate import among, preview
from onefold.analytics.segments.explain import explain
from onefold.analytics.segments.surroundings import Surroundings
from onefold.model import namespaces_file
from onefold.model.rates import Rates
from onefold.model.segments import (
    All,
    Any,
    BehaviourTest,
    ComputedTest,
    ConsentTest,
    IdentifierTest,
    InSegment,
    Not,
    SegmentRule,
    SequenceTest,
    TraitTest,
    walk,
)
from onefold.schema_files import schema_file
from tests.oracle.segments import Person, World, meets
from tests.property.segments import rules as random
from tests.property.segments.filled import FilledModel

NAMESPACES = namespaces_file.load(schema_file("namespaces.yaml"))
RATES = Rates("EUR", {"EUR": Decimal(1), "USD": Decimal("0.92"), "SEK": Decimal("0.08765432")})

LEAVES = (TraitTest, ComputedTest, BehaviourTest, SequenceTest, IdentifierTest, ConsentTest, InSegment)


def surrounded(rates: Rates, saved: SegmentRule) -> tuple[Surroundings, World]:
    segments = {random.SEGMENT: saved}
    return (
        Surroundings(
            now_ms=random.NOW_MS, namespaces=NAMESPACES, computed=random.COMPUTED, rates=rates, segments=segments
        ),
        World(random.NOW_MS, computed=random.COMPUTED, rates=rates.declared, segments=segments),
    )


@pytest.mark.slow
def test_sql_and_explanations_agree_with_plain_python() -> None:
    model, seen = FilledModel(), Counter[str]()

    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(
        random.crowds(),
        st.lists(random.rules(), min_size=3, max_size=6),
        random.rules(within_others=False),
        st.sampled_from((Rates(), RATES)),
    )
    def hold(people: list[Person], rules: list[SegmentRule], saved: SegmentRule, rates: Rates) -> None:
        model.fill(people)
        surroundings, world = surrounded(rates, saved)
        for rule in rules:
            expected = {n for n, person in enumerate(people, 1) if meets(person, rule, world)}
            found = preview(model, rule, surroundings, limit=10)
            assert [it.customer for it in found.people] == sorted(expected)
            assert (found.count, found.of, found.without_consent, found.more) == (len(expected), len(people), 0, False)
            candidates = [n for n in range(1, len(people) + 1) if n % 2]
            assert {it.customer for it in among(model, rule, surroundings, candidates)} == expected & set(candidates)
            explained = explain(model, rule, surroundings, 1)
            assert explained.holds == (1 in expected)
            if not any(isinstance(it, InSegment) for _, it in walk(rule)):
                assert parse.rule(plain.plain(rule)) == rule
            for _, it in walk(rule):
                seen[type(it).__name__] += 1
                seen.update(f"{type(it).__name__} {meets(person, it, world)}" for person in people)

    hold()
    bites(seen)


def bites(seen: Counter[str]) -> None:
    """Every kind of condition occurs often, and often holds, and often does not."""
    for kind in (All, Any, Not, *LEAVES):
        name = kind.__name__
        assert seen[name] >= 50, seen
        held, failed = seen[f"{name} True"], seen[f"{name} False"]
        assert min(held, failed) >= 0.1 * (held + failed), (name, held, failed)
