"""For random people and random rules, SQL and plain Python agree on who is in, and so does each explanation."""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.analytics.segments import parse, plain
from onefold.analytics.segments.evaluate import among, preview
from onefold.analytics.segments.explain import explain
from onefold.analytics.segments.sql import tree
from onefold.analytics.segments.sql.asked import Asked
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


def met_in_one_statement(model: FilledModel, asked: Asked, rules: list[SegmentRule]) -> list[set[int]]:
    """For each rule the customers who meet it."""
    met = ", ".join(tree.where(rule, asked) for rule in rules)
    rows = model.rows(asked.statement(f"SELECT c.customer, {met} FROM {asked.people} c"), asked.values)
    assert all(isinstance(it, bool) for _, *row in rows for it in row)
    return [{customer for customer, *row in rows if row[index]} for index in range(len(rules))]


@pytest.mark.slow
def test_sql_and_explanations_agree_with_plain_python() -> None:
    model, seen = FilledModel(), Counter[str]()

    @settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(
        random.crowds(),
        st.lists(random.rules(), min_size=8, max_size=14),
        random.rules(within_others=False),
        st.sampled_from((Rates(), RATES)),
    )
    def hold(people: list[Person], rules: list[SegmentRule], saved: SegmentRule, rates: Rates) -> None:
        model.fill(people)
        rules = [*rules, All((Any(tuple(rules[::2])), Not(All(tuple(rules[1::2])))))]
        surroundings, world = surrounded(rates, saved)
        expected = [{n for n, person in enumerate(people, 1) if meets(person, rule, world)} for rule in rules]
        assert met_in_one_statement(model, Asked(surroundings), rules) == expected
        some = [n for n in range(1, len(people) + 1) if n % 2]
        assert met_in_one_statement(model, Asked(surroundings, some), rules) == [it & set(some) for it in expected]
        explained = explain(model, All(tuple(rules)), surroundings, len(people)).conditions
        assert [it.holds for it in explained] == [len(people) in it for it in expected]
        check_doors(model, rules[0], surroundings, expected[0], some)
        for rule in rules:
            assert parse.rule(plain.plain(rule)) == rule
            for _, it in walk(rule):
                seen[type(it).__name__] += 1
                seen.update(f"{type(it).__name__} {meets(person, it, world)}" for person in people)

    hold()
    bites(seen)


def check_doors(
    model: FilledModel, rule: SegmentRule, surroundings: Surroundings, expected: set[int], some: list[int]
) -> None:
    found = preview(model, rule, surroundings, limit=10)
    assert [it.customer for it in found.people] == sorted(expected)
    assert (found.count, found.without_consent, found.more) == (len(expected), 0, False)
    assert {it.customer for it in among(model, rule, surroundings, some)} == expected & set(some)


def bites(seen: Counter[str]) -> None:
    """Every kind of condition occurs often, and often holds, and often does not."""
    for kind in (All, Any, Not, *LEAVES):
        name = kind.__name__
        assert seen[name] >= 50, seen
        held, failed = seen[f"{name} True"], seen[f"{name} False"]
        assert min(held, failed) >= 0.1 * (held + failed), (name, held, failed)
