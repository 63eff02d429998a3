"""One touchpoint after another: the latest start of every match, found in one walk along each journey.

`l1` of a touchpoint that the first step lets through is its own time; `lj` of one that step j lets through is the
latest `l(j-1)` before it. So a match of all steps that ends there and takes the least time began at its last `l`, and
whether any match keeps the time is known without looking at pairs.
"""

from typing import Final

from onefold.analytics.segments.sql.asked import Asked, Leaf
from onefold.model.events import DAY_MS
from onefold.model.segments import SequenceTest
from onefold.readmodel.touchpoints import condition

JOURNEY: Final = "OVER (PARTITION BY customer ORDER BY at_ms, number ROWS BETWEEN"
BEFORE: Final = f"{JOURNEY} UNBOUNDED PRECEDING AND 1 PRECEDING)"
AFTER: Final = f"{JOURNEY} 1 FOLLOWING AND UNBOUNDED FOLLOWING)"


def query(test: SequenceTest, asked: Asked) -> Leaf:
    """The customers who did it."""
    told = asked.named(steps(test, asked))
    every = " AND ".join(f"bool_or(s{step})" for step in range(1, len(test.steps) + 1))
    sql = (
        f"SELECT *, CASE WHEN s1 THEN at_ms END AS l1{_next_breach(test)} FROM {told} "
        f"WHERE customer IN (SELECT customer FROM {told} GROUP BY customer HAVING {every})"
    )
    for step in range(2, len(test.steps) + 1):
        sql = f"SELECT *, CASE WHEN s{step} THEN max(l{step - 1}) {BEFORE} END AS l{step} FROM ({sql})"
    return Leaf(f"SELECT DISTINCT customer FROM ({sql}) WHERE {_kept(test, asked)}")


def steps(test: SequenceTest, asked: Asked) -> str:
    """A query for the touchpoints that any step, or what must not follow, lets through: customer, at_ms, number,
    message, and for each step whether it does (`s1`, `s2`, …), and whether it must not follow (`breach`)."""
    flags = [f"({condition(step, asked.bind)}) AS s{number}" for number, step in enumerate(test.steps, 1)]
    names = [f"s{number}" for number in range(1, len(test.steps) + 1)]
    if test.not_followed_by is not None:
        flags.append(f"({condition(test.not_followed_by, asked.bind)}) AS breach")
        names.append("breach")
    told = f"SELECT t.subject, t.at_ms, t.number, t.message, {', '.join(flags)} FROM {asked.touchpoints} t"
    return (
        f"SELECT i.customer, t.* EXCLUDE (subject) FROM ({told}) t "
        f"JOIN {asked.holders} i ON i.number = t.subject WHERE {' OR '.join(names)}"
    )


def _next_breach(test: SequenceTest) -> str:
    if test.not_followed_by is None:
        return ""
    return f", min(CASE WHEN breach THEN at_ms END) {AFTER} AS next_breach"


def _kept(test: SequenceTest, asked: Asked) -> str:
    last = f"l{len(test.steps)}"
    told = [f"{last} IS NOT NULL"]
    if test.within_days is not None:
        told.append(f"at_ms - {last} <= {asked.bind(test.within_days * DAY_MS)}")
    if test.not_followed_by is not None:
        in_time = f" OR next_breach > at_ms + {asked.bind(test.within_days * DAY_MS)}" if test.within_days else ""
        told.append(f"(next_breach IS NULL{in_time})")
    return " AND ".join(told)
