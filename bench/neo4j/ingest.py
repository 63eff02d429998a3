"""Events into Neo4j through the service, beside a bare script that writes the same rows, and beside the naive way."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from statistics import median
from typing import Final, NamedTuple

from bench.neo4j.bare import Bare, Commit, recording
from bench.neo4j.naive import Naive
from bench.neo4j.servers import BUILT_UNTIL, bare, copied, world
from bench.report import Asked, Row, Table
from bench.service import Service
from bench.timing import Took, in_turns, median_ratio
from onefold.ingest.pipeline import Batcher
from onefold.model.copying import RowKind, Tally, encode_row
from onefold.store.base import Store

SLICES: Final = 7
COMMITS: Final = {1: 60, 10: 40, 100: 12, 1000: 20}
"""Batch size -> commits of a slice."""
NAIVELY: Final = 100
"""Events of a slice of the naive way."""
SENDERS: Final = 32
EACH: Final = 20
"""Events that each sender sends in a slice, one after the other."""
COLUMNS: Final = ("service, events/s", "beside it, events/s", "service's ms a commit", "service's CPU µs an event")
PAGE: Final = 10_000
GROWING: Final = {RowKind.TOUCHPOINTS, RowKind.DECISIONS, RowKind.CHANGES, RowKind.COMMITS}
"""Kinds of rows that are only ever added."""


class Sides(NamedTuple):
    """Who writes the same events: the service and the bare script to a graph each; the naive way goes on in the
    second, once they were compared."""

    service: Service
    bare: Bare
    naive: Naive


def run() -> list[Table]:
    """Ingest at batch sizes from 1 to 1000 on a graph of 300,000 touchpoints."""
    with ExitStack() as open_until_then:
        urls = {name: open_until_then.enter_context(copied(name)) for name in ("service", "bare")}
        service = Service(urls["service"])
        open_until_then.callback(service.close)
        session = open_until_then.enter_context(bare(urls["bare"]))
        sides = Sides(service, Bare(session), Naive(session, service.store.secret))
        rows, checked = _measure(sides, urls["bare"])
    title = "Events per second into Neo4j with stitching, on a graph of 300,000 touchpoints"
    return [Table(title, COLUMNS, rows, (checked,))]


def _measure(sides: Sides, bare_url: str) -> tuple[tuple[Row, ...], str]:
    events = world().events(1_000_000, BUILT_UNTIL, 1.0, seed=1)
    since = _seq(sides.service.store)
    rows: list[Row] = []
    rates: dict[int, list[float]] = {}
    for size, commits in COMMITS.items():
        lines = list(islice(events, size * commits * (SLICES + 1)))
        took = _beside_bare(sides, lines, size)
        rows.append(_row(f"{size:,} a commit, beside the bare statements", took, size * commits, size))
        rates[size] = [size * commits / one.clock for one in took["service"]]
    checked = _compare(sides.service.store, bare_url, since)
    rows += _beside_naive(sides, events, rates)
    rows.append(_together(sides.service, list(islice(events, SENDERS * EACH * (SLICES + 1))), rates[100]))
    return tuple(rows), checked


def _beside_bare(sides: Sides, lines: Sequence[bytes], size: int) -> dict[str, list[Took]]:
    """The service's slice is recorded, and replayed by the bare script."""
    events = size * COMMITS[size]
    recorded: list[Commit] = []

    def serve(number: int) -> None:
        recorded.clear()
        with recording(recorded):
            sides.service.bring(lines[number * events : (number + 1) * events], size)
        assert len(recorded) == COMMITS[size], "a batch is a commit"

    return in_turns({"service": serve, "beside": lambda _: sides.bare.write(recorded)}, SLICES)


def _row(name: str, took: dict[str, list[Took]], events: int, size: int) -> Row:
    """`events`: of a slice."""
    ours, theirs = took["service"], took["beside"]
    cells = (
        *(f"{events / median(one.clock for one in side):,.0f}" for side in (ours, theirs)),
        f"{median(one.clock for one in ours) * 1e3 / (events / size):,.1f}",
        f"{median(one.processor for one in ours) * 1e6 / events:,.0f}",
    )
    ratio = median_ratio([one.clock for one in theirs], [one.clock for one in ours])
    return Row(name, cells, ratio, Asked(least=0.8))


def _beside_naive(sides: Sides, events: Iterator[bytes], rates: dict[int, list[float]]) -> Iterator[Row]:
    """The naive way takes no turns: it is slower by so much that noise does not matter."""
    decoded = [sides.service.decoded(list(islice(events, NAIVELY))) for _ in range(SLICES + 1)]
    took = in_turns({"naive": lambda number: sides.naive.write(decoded[number])}, SLICES)["naive"]
    naive = NAIVELY / median(one.clock for one in took)
    for size in (1, 1000):
        ours = median(rates[size])
        asked = Asked(least=10) if size == 1000 else None
        yield Row(
            f"{size:,} a commit, beside a transaction an event", (f"{ours:,.0f}", f"{naive:,.0f}", "", ""),
            ours / naive, asked,
        )  # fmt: skip


def _together(service: Service, lines: Sequence[bytes], rates: Sequence[float]) -> Row:
    """Many who send one event at a time, each waiting until it is stored."""
    items = service.decoded(lines)
    events = SENDERS * EACH

    def send(sender: int, number: int, batcher: Batcher) -> None:
        start = number * events + sender * EACH
        for item in items[start : start + EACH]:
            batcher.ingest([item])

    with service.batcher(1_000) as batcher, ThreadPoolExecutor(SENDERS) as senders:

        def all_send(number: int) -> None:
            list(senders.map(lambda sender: send(sender, number, batcher), range(SENDERS)))

        took = in_turns({"together": all_send}, SLICES)["together"]
    ours, hundred = events / median(one.clock for one in took), median(rates)
    cells = (f"{ours:,.0f}", f"{hundred:,.0f}", "", f"{median(one.processor for one in took) * 1e6 / events:,.0f}")
    return Row(f"{SENDERS} senders of one event, beside 100 a commit", cells, ours / hundred, Asked(least=0.5))


def _compare(store: Store, bare_url: str, since: int) -> str:
    """Both graphs hold the same rows."""
    other = Service(bare_url)
    ours, theirs = (_tallies(one, since) for one in (store, other.store))
    other.close()
    differing = [kind for kind in ours if ours[kind] != theirs[kind]]
    assert not differing, f"service and bare statements differ in {differing}"
    count = sum(tally.count for tally in ours.values())
    return f"Beside the bare statements, rows and checksums of all kinds are the same ({count:,} rows compared)."


def _tallies(store: Store, since: int) -> dict[RowKind, Tally]:
    """Of every kind; of what only grows, what came after the sequence number `since`. Nobody writes meanwhile."""
    tallies = {}
    with store.read() as view:
        for kind in RowKind:
            tally, after = Tally(), since if kind in GROWING else 0
            while rows := view.rows(kind, after, PAGE):
                tally, after = tally.plus(map(encode_row, rows)), rows[-1][0]
            tallies[kind] = tally
    return tallies


def _seq(store: Store) -> int:
    with store.read() as view:
        return view.head().seq
