"""How long the read model takes to be made, to catch up, to answer of ten times as many.

Each figure stands beside one of the same run: the first build beside reading the same rows and dropping them, what
follows beside the first build, a join of a hundred thousand touchpoints beside one of a hundred.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final, NamedTuple

import apsw
import duckdb

from bench.joins import GROW, STAND, TOUCHED, event
from bench.report import Asked, Row, Table
from bench.segments import preview, read_model, surroundings
from bench.segments.questions import QUESTIONS, Question
from bench.service import Service
from bench.stores import BUILT_UNTIL, FOLDER, Copy, base, world
from bench.timing import no_old_garbage
from onefold.readmodel.model import ReadModel

BUILDS: Final = 3
NEW: Final = 30_000
CATCHES: Final = 5
FEW: Final = 100
MANY: Final = 100_000
PAIRS: Final = 3
"""So many visitors of either kind sign in, one after the other."""
TIMES: Final = 10
"""So many times larger is the large read model."""
AGAIN: Final = 9
COLUMNS: Final = ("ms", "control", "control's ms")
READ: Final = (
    (
        "SELECT number, message, message_id, source, at_ms, received_ms, type, name, channel, campaign, revenue, "
        "currency, subject, device, body FROM touchpoints"
    ),
    "SELECT number, public, namespace, value, customer, generic, first_ms, last_ms FROM identifiers",
    "SELECT key, anchor FROM customers",
    "SELECT identifier, trait, source, value, first_ms, last_ms, count FROM claims",
)
LARGER: Final = (
    (
        "INSERT INTO internal.touchpoints SELECT t.* REPLACE (t.number - k * $touchpoints AS number, "
        "t.subject + k * $identifiers AS subject, t.device + k * $identifiers AS device) "
        "FROM internal.touchpoints t, range(1, $times) AS copies (k)"
    ),
    (
        "INSERT INTO internal.identifiers SELECT t.* REPLACE (t.number + k * $identifiers AS number, "
        "t.customer + k * $customers AS customer) FROM internal.identifiers t, range(1, $times) AS copies (k)"
    ),
    (
        "INSERT INTO internal.profiles SELECT t.* REPLACE (t.customer + k * $customers AS customer, "
        "t.identifier + k * $identifiers AS identifier) FROM internal.profiles t, range(1, $times) AS copies (k)"
    ),
    (
        "INSERT INTO internal.customers SELECT t.* REPLACE (t.customer + k * $customers AS customer, "
        "t.anchor + k * $identifiers AS anchor) FROM internal.customers t, range(1, $times) AS copies (k)"
    ),
)
"""The same people over and over, by other numbers: those of touchpoints lie below, for what is beyond the progress of a
read model goes when it is opened."""
LAST: Final = (
    "SELECT (SELECT max(number) FROM internal.identifiers), (SELECT max(customer) FROM internal.customers), "
    "(SELECT max(number) FROM internal.touchpoints)"
)
TIMES_AS_MANY: Final = "SELECT count(*) / count(*) FILTER (number > 0) FROM internal.touchpoints"


class Measured(NamedTuple):
    """Milliseconds, each time."""

    ours: Sequence[float]
    control: Sequence[float]

    def row(self, name: str, control: str, asked: Asked) -> Row:
        """For the table. Asked is a time."""
        ours, other = median(self.ours), median(self.control)
        cells = (f"{ours:,.1f}", control, f"{other:,.1f}")
        return Row(name, cells, ours / other, asked, ours)


def run() -> list[Table]:
    """Building, catching up, and ten times as many touchpoints."""
    with ExitStack() as until_then:
        path = until_then.enter_context(Copy("readmodel", of=base(telling=True)))
        built = _building(path)
        _add_visitors(path)
        service = Service(path)
        model = until_then.enter_context(read_model(service))
        with no_old_garbage():
            first, caught, joined = built.ours, list(_catching_up(service, model)), _joining(service, model)
    limits = [Asked(most=most, unit="ms") for most in (4_000, 500, 50)]
    rows = (
        built.row("built of 1,000,000 touchpoints", "reading the rows, row by row", limits[0]),
        Measured(caught, first).row(f"caught up after {NEW:,} touchpoints", "building", limits[1]),
        joined.row(f"caught up after a join of {MANY:,} touchpoints", f"of {FEW}", limits[2]),
    )
    return [Table("The read model of a store of 1,000,000 touchpoints, in a file", COLUMNS, rows), _ten_times()]


def _ms(started: float) -> float:
    return (perf_counter() - started) * 1e3


def _level(model: ReadModel) -> float:
    """How long it takes until somebody may ask."""
    started = perf_counter()
    with model.ask():
        return _ms(started)


def _building(path: Path) -> Measured:
    ours, control = [], []
    for _ in range(BUILDS):
        with read_model(Service(path)) as model:
            ours.append(_level(model))
        with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as bare:
            started = perf_counter()
            for statement in READ:
                for _row in bare.execute(statement):
                    pass
            control.append(_ms(started))
    return Measured(ours, control)


def _catching_up(service: Service, model: ReadModel) -> Iterator[float]:
    events = world(telling=True).events(1_000_000, BUILT_UNTIL, 1.0, seed=1)
    _level(model)
    for _ in range(CATCHES):
        service.bring(list(islice(events, NEW)), 1_000)
        yield _level(model)


def _joining(service: Service, model: ReadModel) -> Measured:
    took: dict[int, list[float]] = {FEW: [], MANY: []}
    for number in range(PAIRS):
        for touchpoints, times in took.items():
            cookie = _cookie(touchpoints, number)
            service.commit([event(cookie, f"sign-in {cookie}", user=f"user-{cookie}")], 1)
            times.append(_level(model))
    return Measured(took[MANY], took[FEW])


def _cookie(touchpoints: int, number: int) -> str:
    return f"visitor-{touchpoints}-{number}"


def _add_visitors(path: Path) -> None:
    """Visitors who have been here often, and have not yet said who they are."""
    cookies = {_cookie(touchpoints, number): touchpoints for touchpoints in (FEW, MANY) for number in range(PAIRS)}
    with closing(Service(path)) as service:
        service.commit([event(cookie, f"first {cookie}") for cookie in cookies], 1)
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("BEGIN")
        for cookie, touchpoints in cookies.items():
            for statement in (GROW, STAND, TOUCHED):
                connection.execute(statement, {"more": touchpoints - 1, "cookie": cookie})
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _ten_times() -> Table:
    """The questions, of as many touchpoints and of ten times as many, which may take ten times what is allowed."""
    folder = FOLDER / "readmodel-large"
    shutil.rmtree(folder, ignore_errors=True)
    with Copy("readmodel", of=base(telling=True)) as path:
        with read_model(Service(path), folder) as model:
            once = [_asked(model, question) for question in QUESTIONS]
        _enlarge(folder / "1.duckdb")
        with read_model(Service(path), folder) as model:
            often = [_asked(model, question) for question in QUESTIONS]
            with model.ask() as asking:
                assert asking.rows(TIMES_AS_MANY) == [(TIMES,)]
    shutil.rmtree(folder)
    rows = tuple(
        Measured(large, small).row(question.title, "of 1,000,000", Asked(most=TIMES * question.most_ms, unit="ms"))
        for question, large, small in zip(QUESTIONS, often, once, strict=True)
    )
    return Table("Previews of 10,000,000 touchpoints", COLUMNS, rows)


def _asked(model: ReadModel, question: Question) -> list[float]:
    at, took = surroundings(), []
    for _ in range(1 + AGAIN):
        started = perf_counter()
        preview(model, question, at)
        took.append(_ms(started))
    return took[1:]


def _enlarge(file: Path) -> None:
    with closing(duckdb.connect(str(file))) as bare:
        [(identifiers, customers, touchpoints)] = bare.execute(LAST).fetchall()
        values = {"identifiers": identifiers, "customers": customers, "touchpoints": touchpoints, "times": TIMES}
        for statement in LARGER:
            bare.execute(statement, {name: value for name, value in values.items() if f"${name}" in statement})
