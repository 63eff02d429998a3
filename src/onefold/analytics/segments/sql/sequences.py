"""One touchpoint after another: the latest start of every match, found by going along each journey once a step.

A touchpoint that the first step lets through begins a match. One that step j lets through goes on with what the last
before it came to that step j - 1 let through: along a journey beginnings only grow later, so no other match that could
end there began later. Whether any match keeps the time is known without looking at pairs.
"""

from typing import Final

from onefold.analytics.segments.sql.asked import Asked, Leaf
from onefold.model.events import DAY_MS
from onefold.model.segments import SequenceTest
from onefold.readmodel.touchpoints import PLACE, condition

NEXT_TO: Final = "ASOF {how}JOIN {other} o ON o.customer = t.customer AND o.place {sign} t.place"
"""The touchpoint of the same customer that is next to `t` on one side."""


def query(test: SequenceTest, asked: Asked) -> Leaf:
    """The customers who did it."""
    told = asked.named(steps(test, asked))
    every = " AND ".join(f"bool_or(s{step})" for step in range(1, len(test.steps) + 1))
    able = f"SELECT customer FROM {told} GROUP BY customer HAVING {every}"
    whole = asked.named(f"SELECT *, {PLACE} AS place FROM {told} t WHERE customer IN ({able})")
    match = f"SELECT customer, place, at_ms, at_ms AS begun_ms FROM {whole} WHERE s1"
    for step in range(2, len(test.steps) + 1):
        before = NEXT_TO.format(how="", other=f"({match})", sign="<")
        after = f"(SELECT customer, place, at_ms FROM {whole} WHERE s{step}) t"
        match = f"SELECT t.customer, t.place, t.at_ms, o.begun_ms FROM {after} {before}"
    return Leaf(_kept(test, asked, match, whole))


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


def _kept(test: SequenceTest, asked: Asked, match: str, whole: str) -> str:
    """A query for those who have a match in time that was not followed by what must not follow."""
    in_time = later = ""
    if test.within_days is not None:
        in_time = f" WHERE at_ms - begun_ms <= {asked.bind(test.within_days * DAY_MS)}"
    kept = f"(SELECT customer, place, at_ms FROM ({match}){in_time}) t"
    if test.not_followed_by is None:
        return f"SELECT DISTINCT t.customer FROM {kept}"
    if test.within_days is not None:
        later = f" OR o.at_ms > t.at_ms + {asked.bind(test.within_days * DAY_MS)}"
    breaches = f"(SELECT customer, place, at_ms FROM {whole} WHERE breach)"
    followed = NEXT_TO.format(how="LEFT ", other=breaches, sign=">")
    return f"SELECT DISTINCT t.customer FROM {kept} {followed} WHERE o.at_ms IS NULL{later}"
