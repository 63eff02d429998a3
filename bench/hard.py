"""Where many identifiers are shared: what an event costs there, beside the clean traffic of the same run.

Beside that, `apart` is the same traffic with nothing shared: as many identifiers in as many events, none contested.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import apsw

from bench import shapes
from bench.floor import head_of
from bench.loads import Loads
from bench.report import Asked, Row, Table
from bench.service import Service
from bench.stores import BUILT_UNTIL, Copy, base, world
from bench.timing import in_turns, micros_an_event
from bench.world import World
from onefold.stitch.rules import GENERIC

SLICES: Final = 5
EVENTS: Final = {1: 200, 100: 1_000, 1_000: 3_000}
"""Batch size -> events of a slice."""
GROWING: Final = 10
"""Slices in which a shape comes to its size."""
CLEAN: Final = 2_000
"""Events of the controls beside each of them."""
COUNTED: Final = 1_500
TWICE: Final = Asked(most=2)
TIMES: Final = ("events", "a commit", "clean µs", "apart µs", "this µs", "CPU ratio")
LINKS_SINCE: Final = (
    "SELECT l.a, l.b, l.mark, a.customer = b.customer FROM commits c CROSS JOIN links l CROSS JOIN identifiers a "
    "CROSS JOIN identifiers b WHERE c.seq = ? AND l.pair > c.identifier << 32 AND l.b > c.identifier "
    "AND a.number = l.a AND b.number = l.b AND a.value LIKE 'giant-%' AND a.value NOT LIKE 'giant-apart%'"
)
"""Links that are newer than a commit, of the giant component."""
LOADS: Final = ("mean", "p99", "max")


@dataclass(frozen=True, slots=True)
class Case:
    """One shape: how many events make it, or 0 when the case before it did; and what was asked."""

    name: str
    shape: Iterator[bytes]
    apart: Iterator[bytes]
    grows: int
    asked: Asked = TWICE


def run() -> list[Table]:
    """Every hard case on one store of a million touchpoints."""
    with Copy("hard") as path:
        bench = _Hard(path, world())
        for case in _cases(bench.people):
            bench.measure(case)
        bench.service.close()
        component = _component(path, head_of(base()))
    title = "Microseconds an event at shared identifiers, on a store of 1,000,000 touchpoints"
    loads = "Identifiers and links read for an event, one event a commit"
    return [Table(title, TIMES, tuple(bench.times), (component,)), Table(loads, LOADS, tuple(bench.loads))]


def _cases(people: World) -> Iterator[Case]:
    yield Case(
        "20 % of events at tablets shared by three",
        shapes.contested(people, shared=True),
        shapes.contested(people, shared=False),
        20_000,
    )
    yield Case("a kiosk with 100,000 users", shapes.kiosk(shared=True), shapes.kiosk(shared=False), 100_000)
    yield Case("a bot with 100,000 cookies", shapes.bot(shared=True), shapes.bot(shared=False), 100_000)
    many = 130_000
    yield Case("a giant component", shapes.giant(shared=True), shapes.giant(shared=False), many)
    yield Case(
        "late events in it",
        shapes.giant(shared=True, since=many * 2, late=many),
        shapes.giant(shared=False, since=many * 2, late=many),
        0,
        Asked(most=4),
    )


class _Hard:
    """Runs cases one after the other on one store; nothing is shared between them."""

    def __init__(self, path: Path, people: World) -> None:
        self.service, self.people = Service(path), people
        self.clean = people.events(2_000_000, BUILT_UNTIL, 1.0, seed=1)
        self.times: list[Row] = []
        self.loads = [self._loads("clean", self.clean)]

    def measure(self, case: Case) -> None:
        """Bring the shape to its size, go on with it at each batch size, count what is read."""
        if case.grows:
            self._time(case, f"{case.name}, growing", 1_000, case.grows // GROWING, GROWING)
        for size, events in EVENTS.items():
            self._time(case, case.name, size, events, SLICES)
        self.loads.append(self._loads(case.name, case.shape))

    def _time(self, case: Case, name: str, size: int, events: int, slices: int) -> None:
        traffic = {"clean": self.clean, "apart": case.apart, "this": case.shape}
        counts = {"clean": min(events, CLEAN), "apart": min(events, CLEAN), "this": events}
        lines = {way: _slices(traffic[way], counts[way], slices) for way in traffic}
        ingest = self.service.ingest
        took = in_turns(
            {
                "clean": lambda number: ingest(lines["clean"][number], size),
                "apart": lambda number: ingest(lines["apart"][number], size),
                "this": lambda number: ingest(lines["this"][number], size),
            },
            slices,
            untimed=0,
        )
        micros = {way: micros_an_event(took[way], counts[way] * slices) for way in took}
        clean, this = micros["clean"], micros["this"]
        cells = (
            f"{events * slices:,}",
            f"{size:,}",
            *(f"{micros[way].clock:,.0f}" for way in ("clean", "apart", "this")),
            f"{this.processor / clean.processor:.2f}",
        )
        self.times.append(Row(name, cells, this.clock / clean.clock, case.asked))

    def _loads(self, name: str, shape: Iterator[bytes]) -> Row:
        loads = Loads()
        with loads.counted():
            self.service.ingest(list(islice(shape, COUNTED)), 1)
        return Row(name, loads.texts())


def _slices(lines: Iterator[bytes], events: int, slices: int) -> Sequence[list[bytes]]:
    return [list(islice(lines, events)) for _ in range(slices)]


def _component(path: Path, since: int) -> str:
    """What holds the largest set of identifiers that links connect, of those that are newer than the base store."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    links: list[Any] = connection.execute(LINKS_SINCE, (since,)).fetchall()
    connection.close()
    largest = _largest([(a, b) for a, b, *_ in links])
    inside = [link for link in links if link[0] in largest]
    refused = [mark for *_, mark, together in inside if not together]
    by_rule = sum(mark > GENERIC for mark in refused)
    return (
        f"The giant component: {len(largest):,} identifiers and {len(inside):,} links; {len(refused):,} are refused, "
        f"{by_rule:,} of them by a rule between two customers, the others because an identifier is generic."
    )


def _largest(pairs: Sequence[tuple[int, int]]) -> set[int]:
    parent: dict[int, int] = {}

    def find(node: int) -> int:
        while parent.setdefault(node, node) != node:
            parent[node] = node = parent[parent[node]]
        return node

    for a, b in pairs:
        parent[find(a)] = find(b)
    groups: dict[int, set[int]] = {}
    for node in parent:
        groups.setdefault(find(node), set()).add(node)
    return max(groups.values(), key=len)
