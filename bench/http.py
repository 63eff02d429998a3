"""Events in over HTTP, against the service alone: the same events handed to `Onefold.submit`, without HTTP.

Both have a process of their own on the same one core, and as many senders, each of which waits for its answer before it
sends again. Who sends over HTTP is on the other core.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Final, NamedTuple

import apsw

from bench.alone import Alone, Calls, alone
from bench.report import Asked, Row, Table
from bench.senders import connected, request
from bench.stores import BUILT_UNTIL, Copy, chunks, world
from bench.timing import median_ratio, no_old_garbage
from tests.support.server import Server, serving

SENDERS: Final = 32
SLICES: Final = 5
COLUMNS: Final = ("over HTTP", "alone", "p99 ms", "alone, p99 ms", "CPU µs", "alone, CPU µs", "sender's CPU")
COUNTED: Final = ("touchpoints", "identifiers", "customers", "links")


class Shape(NamedTuple):
    """What is sent. `calls`: of a slice; `events`: in each."""

    name: str
    path: str
    calls: int
    events: int
    asked: Asked | None

    def request(self, events: Sequence[bytes]) -> bytes:
        """As it goes over the wire."""
        body = b'{"batch":[' + b",".join(events) + b"]}" if self.path == "/v1/batch" else events[0]
        return request(self.path, body)


SHAPES: Final = (
    Shape("batches of 100", "/v1/batch", 320, 100, Asked(least=0.7)),
    Shape("single events", "/v1/track", 3_200, 1, None),
)


class Spent(NamedTuple):
    """One slice: seconds by the clock, of the server's processor, of the sender's, and of each call."""

    clock: float
    processor: float
    sender: float
    calls: list[float]


def run() -> list[Table]:
    """Ingest over HTTP on a store of a million touchpoints."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("the benchmark http needs a core for the server and another for who sends, and there is one")
    with Copy("http") as over_http, Copy("alone") as without, ExitStack() as stack:
        with on_core(cores[0]):
            folder = stack.enter_context(TemporaryDirectory())
            server = stack.enter_context(serving(Path(folder), f"sqlite:///{over_http}"))
            service = stack.enter_context(alone(without, SENDERS))
        stack.enter_context(on_core(cores[1]))
        rows = tuple(_row(shape, _Sides(server, service), number) for number, shape in enumerate(SHAPES))
        assert server.stop() == 0
        checked = _compare(over_http, without)
    title = f"Events per second from {SENDERS} senders on one core, on a store of 1,000,000 touchpoints"
    return [Table(title, COLUMNS, rows, (checked,))]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Whatever is started inside the block, and this process while it lasts, has this core alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class _Sides:
    """The two ways in."""

    def __init__(self, server: Server, service: Alone) -> None:
        """Both run."""
        self._server: Final = server
        self._service: Final = service

    def over_http(self, shape: Shape, calls: Calls) -> Spent:
        requests = [shape.request(events) for events in calls]
        expected = b'{"accepted":%d,' % shape.events
        process = self._server.process.pid
        with connected(self._server.port, SENDERS) as senders:
            processor, sender, started = _processor_seconds(process), process_time(), perf_counter()
            took = senders.run(requests, expected)
            clock = perf_counter() - started
            return Spent(clock, _processor_seconds(process) - processor, process_time() - sender, took)

    def alone(self, calls: Calls) -> Spent:
        self._service.prepare(calls)
        processor = _processor_seconds(self._service.process)
        clock, took = self._service.run()
        return Spent(clock, _processor_seconds(self._service.process) - processor, 0.0, took)


def _row(shape: Shape, sides: _Sides, number: int) -> Row:
    a_slice = shape.calls * shape.events
    total = a_slice * (SLICES + 1)
    width = (1.0 - BUILT_UNTIL) / len(SHAPES)
    since = BUILT_UNTIL + number * width
    lines = world().events(total, since, since + width, seed=number)
    ours: list[Spent] = []
    control: list[Spent] = []
    with no_old_garbage():
        while calls := list(islice(chunks(lines, shape.events), shape.calls)):
            ours.append(sides.over_http(shape, calls))
            control.append(sides.alone(calls))
    return _summed(shape, ours[1:], control[1:])  # the first warmed up


def _summed(shape: Shape, ours: Sequence[Spent], control: Sequence[Spent]) -> Row:
    events = shape.calls * shape.events * len(ours)
    clock = sum(spent.clock for spent in ours)
    cells = (
        *(f"{events / sum(spent.clock for spent in side):,.0f}" for side in (ours, control)),
        *(f"{_p99([seconds for spent in side for seconds in spent.calls]) * 1e3:,.1f}" for side in (ours, control)),
        *(f"{sum(spent.processor for spent in side) / events * 1e6:,.0f}" for side in (ours, control)),
        f"{sum(spent.sender for spent in ours) / clock:.0%}",
    )
    ratio = median_ratio([spent.clock for spent in control], [spent.clock for spent in ours])
    return Row(shape.name, cells, ratio, shape.asked)


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) * 99 // 100]


def _processor_seconds(process: int) -> float:
    """Of all of a process's threads; Linux only."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _compare(over_http: Path, without: Path) -> str:
    """Both stores hold as much: order never matters."""
    one, other = (_counts(path) for path in (over_http, without))
    assert one == other, f"over HTTP {one}, alone {other}"
    found = ", ".join(f"{count:,} {what}" for count, what in zip(one, COUNTED, strict=True))
    return f"At the end both stores hold as many: {found}."


def _counts(path: Path) -> tuple[int, ...]:
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:

        def count(table: str) -> int:
            [[rows]] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
            assert isinstance(rows, int)
            return rows

        return tuple(map(count, COUNTED))
