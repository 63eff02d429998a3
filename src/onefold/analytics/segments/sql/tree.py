"""A whole rule as one condition on a customer."""

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
)


def where(rule: SegmentRule, asked: Asked) -> str:
    """Whether the customer `c` meets the settled rule; never null."""
    match rule:
        case All(rules):
            return "(" + " AND ".join(where(inner, asked) for inner in rules) + ")"
        case Any(rules):
            return "(" + " OR ".join(where(inner, asked) for inner in rules) + ")"
        case Not(inner):
            return f"(NOT {where(inner, asked)})"
    leaf = asked.leaf(repr(rule), lambda: _leaf(rule, asked))
    return f"(c.customer {'NOT IN' if leaf.negated else 'IN'} (SELECT customer FROM {leaf.sql}))"


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
