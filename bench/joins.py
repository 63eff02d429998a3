"""A join, where the visitor who signs in has a hundred touchpoints, and where he has a million: pointers move, never
touchpoints, so both write as many rows and take as long.

Each round has a copy of its own. On it both visitors sign in for the first time; then both joins are taken apart by a
judgement and made again by retracting it, many times, in turns.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Final

import apsw
import orjson

from bench.report import Asked, Row, Table
from bench.service import Service
from bench.stores import FOLDER, Copy
from bench.timing import Took
from bench.world import START_MS, iso
from onefold.model.identifiers import IdentifierKey
from onefold.service import judging

FEW: Final = 100
MANY: Final = 1_000_000
VISITORS: Final = {"few": FEW, "many": MANY}
"""Cookie -> its touchpoints."""
ROUNDS: Final = 7
AGAIN: Final = 15
"""How often each round takes both joins apart and makes them again."""
FIRST: Final = "first sign-in"
SPLIT: Final = "split by a judgement"
JOINED: Final = "joined again"
STEPS: Final = (FIRST, SPLIT, JOINED)
COLUMNS: Final = ("100 touchpoints", "1,000,000 touchpoints")
IN_TIME: Final = Asked(most=1.5)
AS_MANY: Final = Asked(least=1, most=1)

Taken = dict[str, list[tuple[Took, int]]]
"""By visitor: what each time took, and how many rows it changed."""

GROW: Final = """
WITH RECURSIVE further (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM further WHERE k < :more)
INSERT INTO touchpoints SELECT c.seq + k, randomblob(16), t.content, 'more-' || k, t.source, t.at_ms + k, t.received_ms,
    t.type, t.name, t.channel, t.campaign, t.revenue, t.currency, t.subject, t.device, t.identifiers, t.body
FROM further, (SELECT max(seq) AS seq FROM commits) c,
    (SELECT * FROM touchpoints WHERE subject = (SELECT number FROM identifiers WHERE value = :cookie)) t
"""
"""More touchpoints of a cookie that has one, a millisecond apart."""
STAND: Final = """
INSERT INTO commits SELECT seq + :more, at_ms, identifier, customer, judgement, customers, links, touchpoints + :more,
    decisions FROM commits ORDER BY seq DESC LIMIT 1
"""
TOUCHED: Final = (
    "UPDATE identifiers SET last_ms = last_ms + :more, touched_last_ms = touched_last_ms + :more WHERE value = :cookie"
)
HELD: Final = """
SELECT count(*) FROM identifiers c JOIN identifiers i ON i.customer = c.customer
JOIN touchpoints t ON t.subject = i.number WHERE c.value = :cookie
"""


def run() -> list[Table]:
    """First sign-ins, and the same joins taken apart and made again."""
    base = FOLDER / "visitors.db"
    _build(base)
    rounds = [_round(base, number) for number in range(ROUNDS)]
    base.unlink()
    rows = [row for step in STEPS for row in _rows(step, [taken[step] for taken in rounds])]
    title = "A join of a visitor who signs in, by how many touchpoints he has"
    checked = f"After each first sign-in all {MANY + 1:,} touchpoints, and all {FEW + 1:,}, were the customer's."
    return [Table(title, COLUMNS, tuple(rows), (checked,))]


def _build(path: Path) -> None:
    """A store of these two visitors. What only grows is inserted by SQLite itself: nothing there is to be decided."""
    FOLDER.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    service = Service(path)
    service.commit([event(cookie, f"first {cookie}") for cookie in (*VISITORS, "warm")], 1)
    service.close()
    connection = apsw.Connection(str(path))
    connection.execute("BEGIN")
    for cookie, touchpoints in VISITORS.items():
        for statement in (GROW, STAND, TOUCHED):
            connection.execute(statement, {"more": touchpoints - 1, "cookie": cookie})
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()


def _round(base: Path, number: int) -> dict[str, Taken]:
    """Everything on one copy, for both visitors in turns, after it was done for another to warm up."""
    order = sorted(VISITORS, reverse=bool(number % 2))
    with Copy("joins", of=base) as path:
        visit = _Visit(path)
        for cookie in ("warm", *order):
            visit.sign_in(cookie)
        for cookie, touchpoints in VISITORS.items():
            assert _held(path, cookie) == touchpoints + 1, cookie
        for _ in range(AGAIN):
            for cookie in ("warm", *order):
                visit.again(cookie)
        visit.service.close()
    return visit.taken


class _Visit:
    """Does what is timed on one store, and counts the rows that its connections change."""

    def __init__(self, path: Path) -> None:
        self.taken: Final[dict[str, Taken]] = {step: {cookie: [] for cookie in (*VISITORS, "warm")} for step in STEPS}
        self._connections: Final[list[apsw.Connection]] = []
        take_down = self._connections.append
        apsw.connection_hooks.append(take_down)
        self.service: Final = Service(path)
        apsw.connection_hooks.remove(take_down)

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
        before, started = self._changed(), Took(perf_counter(), process_time())
        yield
        took = Took(perf_counter() - started.clock, process_time() - started.processor)
        self.taken[step][cookie].append((took, self._changed() - before))

    def _changed(self) -> int:
        return sum(connection.total_changes() for connection in self._connections)


def _rows(step: str, rounds: Sequence[Taken]) -> Iterator[Row]:
    """What a step took, the median over all rounds, and the rows it changed, which are the same each time."""
    few, many = ([time for taken in rounds for time in taken[cookie]] for cookie in VISITORS)
    for name, part in (("ms", itemgetter(0)), ("CPU ms", itemgetter(1))):
        one, other = (median(part(took) for took, _ in times) * 1e3 for times in (few, many))
        yield Row(f"{step}, {name}", (f"{one:.2f}", f"{other:.2f}"), other / one, IN_TIME)
    changed = [{rows for _, rows in times} for times in (few, many)]
    cells = tuple(" or ".join(map(str, sorted(rows))) for rows in changed)
    yield Row(f"{step}, rows changed", cells, max(changed[1]) / min(changed[0]), AS_MANY)


def _held(path: Path, cookie: str) -> int:
    """How many touchpoints the customer of a cookie has."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    [[count]] = connection.execute(HELD, {"cookie": cookie})
    connection.close()
    return int(count)


def event(cookie: str, message: str, user: str | None = None) -> bytes:
    """A page view of a cookie; with `user`, of one who signs in, after all others."""
    said = {
        "type": "track",
        "event": "page_view",
        "messageId": message,
        "timestamp": iso(START_MS if user is None else START_MS + 2 * MANY),
        "anonymousId": cookie,
        "properties": {},
    }
    return orjson.dumps(said if user is None else {**said, "userId": user})
