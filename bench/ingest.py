"""Events in through the service, against the floor: the same rows, written by a bare script with the same commits."""

from pathlib import Path
from typing import Final

from bench.floor import Commit, Floor, checksums, head_of, recording
from bench.report import Asked, Row, Table
from bench.service import Service
from bench.stores import BUILT_UNTIL, Copy, base, world
from bench.timing import in_turns, median_ratio, micros_an_event

SLICES: Final = 9
COMMITS: Final = {1: 200, 10: 100, 100: 20, 1000: 3}
"""Batch size -> commits of a slice."""
COLUMNS: Final = ("service", "floor", "service's CPU µs", "floor's CPU µs", "CPU ratio")
ASKED: Final = Asked(least=0.5)


def run() -> list[Table]:
    """Ingest at batch sizes from 1 to 1000 on a store of a million touchpoints."""
    with Copy("recorded") as recorded, Copy("service") as served, Copy("floor") as bare:
        rows = _measure(recorded, served, bare)
        checked = _compare(served, bare)
    title = "Events per second with stitching, on a store of 1,000,000 touchpoints"
    return [Table(title, COLUMNS, rows, (checked,))]


def _measure(recorded: Path, served: Path, bare: Path) -> tuple[Row, ...]:
    commits: list[Commit] = []
    with recording(commits):
        recorder = Service(recorded)
    service, floor, people = Service(served), Floor(bare), world()
    rows, since = [], BUILT_UNTIL
    for size, per_slice in COMMITS.items():
        until = since + 0.007
        lines = list(people.events(size * per_slice * (SLICES + 1), since, until, seed=size))
        since = until
        commits.clear()
        recorder.ingest(lines, size)
        assert len(commits) * size == len(lines), "a batch is a commit"
        rows.append(_row(service, floor, lines, commits, size))
    for opened in (recorder, service, floor):
        opened.close()
    return tuple(rows)


def _row(service: Service, floor: Floor, lines: list[bytes], commits: list[Commit], size: int) -> Row:
    per_slice = COMMITS[size]
    events = size * per_slice
    took = in_turns(
        {
            "service": lambda number: service.ingest(lines[number * events : (number + 1) * events], size),
            "floor": lambda number: floor.write(commits[number * per_slice : (number + 1) * per_slice]),
        },
        SLICES,
    )
    micros = {way: micros_an_event(took[way], events * SLICES) for way in took}
    served, bare = micros["service"], micros["floor"]
    cells = (
        *(f"{1e6 / spent.clock:,.0f}" for spent in (served, bare)),
        *(f"{spent.processor:,.0f}" for spent in (served, bare)),
        f"{bare.processor / served.processor:.2f}",
    )
    ratio = median_ratio([slice_.clock for slice_ in took["floor"]], [slice_.clock for slice_ in took["service"]])
    return Row(f"{size:,} a commit", cells, ratio, ASKED)


def _compare(served: Path, bare: Path) -> str:
    """Both stores hold the same."""
    since = head_of(base())
    one, other = checksums(served, since), checksums(bare, since)
    differing = [table for table in one if one[table] != other[table]]
    assert not differing, f"service and floor differ in {differing}"
    rows = sum(count for count, _ in one.values())
    return f"Rows and checksums of all {len(one)} tables are the same on both sides ({rows:,} rows compared)."
