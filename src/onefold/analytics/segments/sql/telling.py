"""What is found of one customer where a condition is looked at: for each kind of test a query for one JSON text.

They stand on an `Asked` that is restricted to the customer. The text is null where there is nothing at all.
"""

from onefold.analytics.segments.sql import behaviour, leaves, sequences
from onefold.analytics.segments.sql.asked import Asked
from onefold.analytics.segments.sql.comparing import condition
from onefold.model.segments import (
    BehaviourTest,
    ComputedTest,
    ConsentTest,
    IdentifierTest,
    SegmentRule,
    SequenceTest,
    TraitTest,
)

MOST_SHOWN = 10


def telling(test: SegmentRule, asked: Asked) -> str:
    """The query for a test."""
    match test:
        case TraitTest():
            return _trait(test, asked)
        case ComputedTest():
            return _computed(test, asked)
        case BehaviourTest():
            return _behaviour(test, asked)
        case SequenceTest():
            return _sequence(test, asked)
        case IdentifierTest():
            return _identifiers(test, asked)
        case ConsentTest():
            return _consent(test, asked)
    raise AssertionError(f"{type(test).__name__} is not a test")


def _json(relation: str, **columns: str) -> str:
    told = ", ".join(f"'{name}': {column}" for name, column in columns.items())
    return f"SELECT CAST(to_json({{{told}}}) AS VARCHAR) FROM {relation}"


def _trait(test: TraitTest, asked: Asked) -> str:
    met = condition(test.comparison, leaves.TRAIT, asked.bind)
    relation = (
        f"internal.profiles p JOIN {asked.holders} i ON i.number = p.identifier WHERE p.trait = {asked.bind(test.name)}"
    )
    return _json(
        relation,
        met=met,
        value="p.value",
        source="p.source",
        at_ms="p.last_ms",
        namespace="i.namespace",
        identifier="i.value",
    )


def _computed(test: ComputedTest, asked: Asked) -> str:
    kind = leaves.kind_of(leaves.declared(test, asked.surroundings))
    met = condition(leaves.compared(test, asked.surroundings), kind, asked.bind)
    return _json(f"({leaves.values(test, asked)}) v", met=met, value="CAST(v.value AS VARCHAR)")


def _behaviour(test: BehaviourTest, asked: Asked) -> str:
    columns = {
        "met": " AND ".join(behaviour.tests(test, asked, None)),
        "times": "count(*)",
        "first_ms": "min(t.at_ms)",
        "last_ms": "max(t.at_ms)",
    }
    if test.sum is not None:
        columns["sum"] = f"CAST(coalesce(sum({behaviour.amount(test.sum, asked)}), 0) AS VARCHAR)"
    if test.average is not None:
        amount = behaviour.amount(test.average, asked)
        columns["total"], columns["count"] = f"CAST(sum({amount}) AS VARCHAR)", f"count({amount})"
    if test.distinct is not None:
        columns["distinct"] = f"count(DISTINCT {behaviour.value(test.distinct, asked)})"
    return _json(asked.journeys(behaviour.matching(test, asked)), **columns)


def _sequence(test: SequenceTest, asked: Asked) -> str:
    """The touchpoints in their order, each as [time, id, breach, step 1, step 2, …]."""
    flags = [f"s{number}" for number in range(1, len(test.steps) + 1)]
    breach = "breach" if test.not_followed_by is not None else "false"
    row = f"json_array(at_ms, lower(hex(message)), {breach}, {', '.join(flags)})"
    return f"SELECT CAST(to_json(list({row} ORDER BY at_ms, number)) AS VARCHAR) FROM ({sequences.steps(test, asked)})"


def _identifiers(test: IdentifierTest, asked: Asked) -> str:
    met = "true" if test.value is None else f"bool_or(value = {asked.bind(test.value)})"
    shown = f"list(value ORDER BY value)[:{MOST_SHOWN}]"
    relation = f"{asked.holders} WHERE namespace = {asked.bind(test.namespace)} HAVING count(*) > 0"
    return _json(relation, met=met, count="count(*)", values=shown)


def _consent(test: ConsentTest, asked: Asked) -> str:
    relation = (
        f"internal.consents s JOIN {asked.holders} i ON i.number = s.identifier "
        f"WHERE s.purpose = {asked.bind(test.purpose)} "
        "ORDER BY s.at_ms DESC, s.given, s.trust, i.namespace, i.value, s.source LIMIT 1"
    )
    return _json(
        relation, met="s.given", at_ms="s.at_ms", source="s.source", namespace="i.namespace", identifier="i.value"
    )
