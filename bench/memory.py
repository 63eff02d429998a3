"""The memory of `onefold serve` while events come in over HTTP, on a store of a million touchpoints.

The control is the same process at a fifth of the way, when its caches are full: what grows with events grows on.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import orjson

from bench.report import Asked, Row, Table
from bench.stores import BUILT_UNTIL, Copy, chunks, world
from tests.support.server import Client, serving

EVENTS: Final = 200_000
"""For everyday use; `--events 1000000` is the long way."""
A_REQUEST: Final = 500
SAMPLES: Final = 20
FULL: Final = SAMPLES // 5
"""The sample that the later ones stand beside."""
FLAT: Final = Asked(most=1.05)
COLUMNS: Final = ("events/s", "memory MB", "of it its own MB")


def run(events: int = EVENTS) -> list[Table]:
    """Send so many events, and look at the server's memory from time to time."""
    lines = world().events(events, BUILT_UNTIL, 1.0, seed=3)
    with (
        Copy("memory") as path,
        TemporaryDirectory() as folder,
        serving(Path(folder), f"sqlite:///{path}") as server,
        server.client() as client,
    ):
        samples = list(_samples(client, server.process.pid, lines, events // SAMPLES))
        rows = tuple(_rows(samples, events // SAMPLES))
        server.stop()
    title = f"Memory of the server process while {events:,} events come in, {A_REQUEST} a request"
    return [Table(title, COLUMNS, rows)]


Sample = tuple[float, float, float]
"""Events a second since the sample before; resident megabytes; those of them that are no file's."""


def _samples(client: Client, process: int, lines: Iterator[bytes], between: int) -> Iterator[Sample]:
    yield 0.0, *_megabytes(process)
    for _ in range(SAMPLES):
        started = perf_counter()
        for batch in chunks(islice(lines, between), A_REQUEST):
            _send(client, batch)
        yield between / (perf_counter() - started), *_megabytes(process)


def _send(client: Client, batch: list[bytes]) -> None:
    body = b'{"batch":[' + b",".join(batch) + b"]}"
    client.connection.request("POST", "/v1/batch", body, {"content-type": "application/json"})
    said = orjson.loads(client.connection.getresponse().read())
    assert said.get("accepted") == len(batch), said


def _rows(samples: list[Sample], between: int) -> Iterator[Row]:
    _, full, _ = samples[FULL]
    for number, (a_second, resident, own) in enumerate(samples):
        if number in {0, 1, 2} or number % 2 == 0:
            ratio = resident / full if number >= FULL else None
            asked = FLAT if number == SAMPLES else None
            yield Row(
                f"after {number * between:,}", (f"{a_second:,.0f}", f"{resident:.1f}", f"{own:.1f}"), ratio, asked
            )


def _megabytes(process: int) -> tuple[float, float]:
    """All of a process's memory, and what of it is no file's; Linux only."""
    text = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    said = dict(line.split(":", 1) for line in text.splitlines())
    return int(said["VmRSS"].split()[0]) / 1024, int(said["RssAnon"].split()[0]) / 1024
