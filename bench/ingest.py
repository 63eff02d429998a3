"""Events in through the service, against the floor: the same rows, written by a bare script with the same commits."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from bench.floor import Commit, Floor, checksums, head_of, recording
from bench.report import Asked, Row, Table
from bench.service import Service
from bench.stores import BUILT_UNTIL, Copy, base, world
from bench.timing import Took, in_turns, median_ratio, micros_an_event

SLICES: Final = 9
COMMITS: Final = {1: 200, 10: 100, 100: 20, 1000: 3}
"""Batch size -> commits of a slice."""
COLUMNS: Final = ("service", "floor", "service's CPU µs", "floor's CPU µs", "CPU ratio")
ASKED: Final = Asked(least=0.5)


class Sides(NamedTuple):
    """Who writes the same events, each to a store of its own: through the queue, without it, and with nothing else."""

    service: Service
    direct: Service
    floor: Floor


def run() -> list[Table]:
    """Ingest at batch sizes from 1 to 1000 on a store of a million touchpoints."""
    with Copy("recorded") as recorded, Copy("service") as served, Copy("direct") as direct, Copy("floor") as bare:
        rows = _measure(recorded, served, direct, bare)
        checked = _compare(served, direct, bare)
    title = "Events per second with stitching, on a store of 1,000,000 touchpoints"
    return [Table(title, COLUMNS, rows, (checked,))]


def _measure(recorded: Path, served: Path, direct: Path, bare: Path) -> tuple[Row, ...]:
    commits: list[Commit] = []
    with recording(commits):
        recorder = Service(recorded)
    sides, people = Sides(Service(served), Service(direct), Floor(bare)), world()
    rows: list[Row] = []
    since = BUILT_UNTIL
    for size, per_slice in COMMITS.items():
        until = since + 0.007
        lines = list(people.events(size * per_slice * (SLICES + 1), since, until, seed=size))
        since = until
        commits.clear()
        recorder.ingest(lines, size)
        assert len(commits) * size == len(lines), "a batch is a commit"
        rows += _rows(sides, lines, commits, size)
    for opened in (recorder, *sides):
        opened.close()
    return tuple(rows)


def _rows(sides: Sides, lines: list[bytes], commits: list[Commit], size: int) -> Iterator[Row]:
    per_slice = COMMITS[size]
    events = size * per_slice

    def slice_of(number: int) -> list[bytes]:
        return lines[number * events : (number + 1) * events]

    took = in_turns(
        {
            "service": lambda number: sides.service.ingest(slice_of(number), size),
            "direct": lambda number: sides.direct.commit(slice_of(number), size),
            "floor": lambda number: sides.floor.write(commits[number * per_slice : (number + 1) * per_slice]),
        },
        SLICES,
    )
    for way, name in (("service", f"{size:,} a commit"), ("direct", f"{size:,} a commit, without the queue")):
        yield _row(name, took[way], took["floor"], events, ASKED if way == "service" else None)


def _row(name: str, ours: Sequence[Took], floor: Sequence[Took], events: int, asked: Asked | None) -> Row:
    """One way in beside the floor; `events`: of a slice."""
    served, bare = (micros_an_event(took, events * SLICES) for took in (ours, floor))
    cells = (
        *(f"{1e6 / spent.clock:,.0f}" for spent in (served, bare)),
        *(f"{spent.processor:,.0f}" for spent in (served, bare)),
        f"{bare.processor / served.processor:.2f}",
    )
    return Row(name, cells, median_ratio([took.clock for took in floor], [took.clock for took in ours]), asked)


def _compare(served: Path, direct: Path, bare: Path) -> str:
    """All stores hold the same."""
    since = head_of(base())
    floor = checksums(bare, since)
    for name, path in (("service", served), ("direct", direct)):
        ours = checksums(path, since)
        differing = [table for table in floor if floor[table] != ours[table]]
        assert not differing, f"{name} and floor differ in {differing}"
    rows = sum(count for count, _ in floor.values())
    return f"Rows and checksums of all {len(floor)} tables are the same on all three sides ({rows:,} rows compared)."
