"""A join in Neo4j, where the visitor who signs in has a hundred touchpoints, and where he has a hundred thousand: as
many relationships change.

Both visitors sign in for the first time; then both joins are taken apart by a judgement and made again by retracting
it, several times, in turns.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Any, Final
from unittest.mock import patch

import neo4j

from bench.joins import AS_MANY, FIRST, IN_TIME, JOINED, SPLIT, STEPS, event
from bench.neo4j.servers import bare, copied
from bench.report import Row, Table
from bench.service import Service
from onefold.model.identifiers import IdentifierKey
from onefold.service import judging
from onefold.store.neo4j.writing import transaction

FEW: Final = 100
MANY: Final = 100_000
VISITORS: Final = {"few": FEW, "many": MANY}
"""Cookie -> its touchpoints."""
AGAIN: Final = 25
"""How often both joins are taken apart and made again."""
AT_ONCE: Final = 10_000
COLUMNS: Final = ("100 touchpoints", "100,000 touchpoints")

Taken = dict[str, list[tuple[float, int]]]
"""By visitor: the milliseconds of each time, and how many relationships it changed."""

GROW: Final = (
    "MATCH (m:Meta {name: 'head'}) MATCH (i:Identifier {value: $p.cookie})<-[:BY]-(t:Touchpoint) WITH m, i, t LIMIT 1 "
    "CALL (m, i, t) { UNWIND range(1, $p.more) AS k CREATE (u:Touchpoint)-[:BY]->(i) "
    "SET u = t {.*, number: m.seq + k, id: 'tp_' + $p.cookie + (m.seq + k), at_ms: t.at_ms + k} } "
    "SET m.seq = m.seq + $p.more, m.touchpoints = m.touchpoints + $p.more, i.last_ms = i.last_ms + $p.more, "
    "i.touched_last_ms = i.touched_last_ms + $p.more "
    "WITH m CREATE (c:Commit) SET c = properties(m) REMOVE c.name, c.lock, c.claim, c.reject SET c.at_ms = 0"
)
"""More touchpoints of a cookie that has one, a millisecond apart."""
HELD: Final = (
    "MATCH (:Identifier {value: $p.cookie})<-[:HAS]-(c) MATCH (c)-[:HAS]->(i) "
    "RETURN sum(COUNT { (i)<-[:BY]-(:Touchpoint) }) AS held"
)


def run() -> list[Table]:
    """First sign-ins, and the same joins taken apart and made again."""
    with copied("joins") as url, bare(url) as session:
        visit = _Visit(Service(url))
        for cookie, touchpoints in VISITORS.items():
            for more in _portions(touchpoints - 1):
                session.run(GROW, p={"cookie": cookie, "more": more}).consume()
        order = list(VISITORS)
        for cookie in ("warm", *order):
            visit.sign_in(cookie)
        for cookie, touchpoints in VISITORS.items():
            assert session.run(HELD, p={"cookie": cookie}).single(strict=True)["held"] == touchpoints + 1, cookie
        for number in range(AGAIN):
            for cookie in ("warm", *(reversed(order) if number % 2 else order)):
                visit.again(cookie)
        visit.service.close()
    rows = [row for step in STEPS for row in _rows(step, visit.taken[step])]
    title = "A join in Neo4j of a visitor who signs in, by how many touchpoints he has"
    checked = f"After the first sign-ins all {MANY + 1:,} touchpoints, and all {FEW + 1:,}, were the customer's."
    return [Table(title, COLUMNS, tuple(rows), (checked,))]


def _portions(whole: int) -> Iterator[int]:
    for start in range(0, whole, AT_ONCE):
        yield min(AT_ONCE, whole - start)


class _Visit:
    """Does what is timed, and counts the relationships that are made and deleted."""

    def __init__(self, service: Service) -> None:
        """All visitors have come once."""
        self.taken: Final[dict[str, Taken]] = {step: {cookie: [] for cookie in (*VISITORS, "warm")} for step in STEPS}
        self.service: Final = service
        service.commit([event(cookie, f"first {cookie}") for cookie in (*VISITORS, "warm")], 1)

    def sign_in(self, cookie: str) -> None:
        line = event(cookie, f"sign-in {cookie}", user=f"user-{cookie}")
        with self._timed(FIRST, cookie):
            self.service.commit([line], 1)

    def again(self, cookie: str) -> None:
        """Judge both to be different customers; take that back."""
        store, rules = self.service.store, self.service.rules
        ends = IdentifierKey("user_id", f"user-{cookie}"), IdentifierKey("anonymous_id", cookie)
        with self._timed(SPLIT, cookie):
            split = judging.judge(store, rules, judging.Verdict(same=False, ends=ends, author="bench", reason="apart"))
        assert split.number, split.problem
        with self._timed(JOINED, cookie):
            joined = judging.retract(store, rules, split.number, "bench", "not so")
        assert len(split.split) == 2
        assert len(joined.joined) == 1

    @contextmanager
    def _timed(self, step: str, cookie: str) -> Iterator[None]:
        changed = 0

        def counted(runner: neo4j.Transaction, statement: str, **p: Any) -> list[Any]:
            nonlocal changed
            result = runner.run(statement, p=p)
            [record] = result
            counters = result.consume().counters
            changed += counters.relationships_created + counters.relationships_deleted
            return record.values()

        with patch.object(transaction, "ask", counted):
            started = perf_counter()
            yield
            took = (perf_counter() - started) * 1e3
        self.taken[step][cookie].append((took, changed))


def _rows(step: str, taken: Taken) -> Iterator[Row]:
    """What a step took, the median, and the relationships it changed, which are the same each time."""
    few, many = (taken[cookie] for cookie in VISITORS)
    one, other = (median(took for took, _ in times) for times in (few, many))
    yield Row(f"{step}, ms", (f"{one:.1f}", f"{other:.1f}"), other / one, IN_TIME if len(few) > 1 else None)
    yield Row(f"{step}, relationships changed", _told((few, many)), *_compared(few, many))


def _told(sides: Sequence[Sequence[tuple[float, int]]]) -> tuple[str, ...]:
    return tuple(" or ".join(map(str, sorted({changed for _, changed in times}))) for times in sides)


def _compared(few: Sequence[tuple[float, int]], many: Sequence[tuple[float, int]]) -> tuple[float, Any]:
    return max(changed for _, changed in many) / min(changed for _, changed in few), AS_MANY
