"""Whose answer to a rule time alone may have changed: what left a rolling window, and days that were counted."""

from collections.abc import Iterator

from onefold.analytics.computed.values import changed
from onefold.analytics.segments.sql.asked import Asked
from onefold.analytics.segments.sql.leaves import declared, question_of
from onefold.analytics.segments.surroundings import Surroundings
from onefold.model.events import DAY_MS
from onefold.model.segments import BehaviourTest, ComputedTest, InSegment, LastDays, SegmentRule, walk
from onefold.readmodel.model import Asking
from onefold.readmodel.touchpoints import condition


def moved(asking: Asking, rule: SegmentRule, surroundings: Surroundings, from_ms: int) -> set[int]:
    """The customers (internal keys) whose answer may differ between `from_ms` and now though nothing happened; those of
    the segments that the rule names are among them."""
    asked = Asked(surroundings)
    queries = list(_queries(rule, asked, from_ms, set()))
    if not queries:
        return set()
    rows = asking.rows(asked.statement(" UNION ".join(f"({query})" for query in queries)), asked.values)
    return {customer for (customer,) in rows}


def is_rolling(rule: SegmentRule, surroundings: Surroundings) -> bool:
    """Whether time alone can change anybody's answer."""
    return any(_queries(rule, Asked(surroundings), surroundings.now_ms, set()))


def _queries(rule: SegmentRule, asked: Asked, from_ms: int, seen: set[str]) -> Iterator[str]:
    """`seen`: the segments that were looked into."""
    for _, found in walk(rule):
        match found:
            case BehaviourTest(within=LastDays(days)):
                yield _left(found, days, asked, from_ms)
            case ComputedTest():
                query = changed(declared(found, asked.surroundings), question_of(asked), from_ms)
                if query is not None:
                    yield query
            case InSegment(id_) if id_ not in seen:
                seen.add(id_)
                yield from _queries(asked.surroundings.segments[id_], asked, from_ms, seen)


def _left(test: BehaviourTest, days: int, asked: Asked, from_ms: int) -> str:
    """The touchpoints that were in the window then and are not now."""
    after, until = from_ms - days * DAY_MS, asked.surroundings.now_ms - days * DAY_MS
    bounds = f"t.at_ms > {asked.bind(after)} AND t.at_ms <= {asked.bind(until)}"
    return f"SELECT i.customer FROM {asked.journeys(f'{bounds} AND {condition(test.touchpoint, asked.bind)}')}"
