"""A whole rule as one condition on a customer."""

from collections.abc import Callable
from typing import Final

from onefold.analytics.segments.sql import behaviour, leaves, sequences
from onefold.analytics.segments.sql.asked import Asked, Leaf
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

BRANCHES: Final = (All, Any, Not)
FEW: Final = 16
"""So many tests are joined one by one, which is quicker where they are few."""
BITS: Final = 60


def where(rule: SegmentRule, asked: Asked) -> str:
    """Whether the customer `c` meets the settled rule; never null."""
    if len({repr(test) for _, test in walk(rule) if not isinstance(test, BRANCHES)}) <= FEW:
        return _condition(rule, lambda test: _among(test, asked))
    return f"(c.customer IN (SELECT customer FROM {_together(rule, asked)}))"


def _condition(rule: SegmentRule, test: Callable[[SegmentRule], str]) -> str:
    match rule:
        case All(rules):
            return "(" + " AND ".join(_condition(inner, test) for inner in rules) + ")"
        case Any(rules):
            return "(" + " OR ".join(_condition(inner, test) for inner in rules) + ")"
        case Not(inner):
            return f"(NOT {_condition(inner, test)})"
    return test(rule)


def _among(test: SegmentRule, asked: Asked) -> str:
    leaf = _named(test, asked)
    return f"(c.customer {'NOT IN' if leaf.negated else 'IN'} (SELECT customer FROM {leaf.sql}))"


def _together(rule: SegmentRule, asked: Asked) -> str:
    """A relation of the customers who meet a rule of many tests. DuckDB plans for a time that grows with the square of
    the relations that are joined, so these are put one below the other: each gives a bit to the customers in it."""
    places: dict[str, int] = {}
    parts = [f"SELECT customer, 0 AS word, CAST(0 AS BIGINT) AS bit FROM {asked.people}"]

    def holds(test: SegmentRule) -> str:
        leaf = _named(test, asked)
        if leaf.sql not in places:
            places[leaf.sql] = len(places)
            word, bit = divmod(places[leaf.sql], BITS)
            parts.append(f"SELECT customer, {word}, CAST({1 << bit} AS BIGINT) FROM {leaf.sql}")
        word, bit = divmod(places[leaf.sql], BITS)
        return f"(coalesce(bit_or(bit) FILTER (word = {word}), 0) & {1 << bit} {'=' if leaf.negated else '<>'} 0)"

    met = _condition(rule, holds)
    found = asked.named(" UNION ALL ".join(parts))
    return asked.named(f"SELECT customer FROM {found} GROUP BY customer HAVING {met}")


def _named(test: SegmentRule, asked: Asked) -> Leaf:
    """A test as a relation by its name."""
    return asked.leaf(repr(test), lambda: _leaf(test, asked))


def _leaf(rule: SegmentRule, asked: Asked) -> Leaf:
    match rule:
        case TraitTest():
            return leaves.trait(rule, asked)
        case ComputedTest():
            return leaves.computed(rule, asked)
        case BehaviourTest():
            return behaviour.query(rule, asked)
        case SequenceTest():
            return sequences.query(rule, asked)
        case IdentifierTest():
            return leaves.identifier(rule, asked)
        case ConsentTest():
            return leaves.consent(rule, asked)
        case InSegment(id_):
            return Leaf(
                f"SELECT c.customer FROM {asked.people} c WHERE {where(asked.surroundings.segments[id_], asked)}"
            )
    raise AssertionError(f"{type(rule).__name__} is not a test")
