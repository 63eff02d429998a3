"""What keeping twenty saved segments current costs, and what it costs to ask which of them a customer is in.

The same events come into two copies of one store, in turns: one keeps its segments, as `onefold serve` does, and the
other has none. When all are in, the members that were kept are compared with those that are found from nothing.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import apsw
import orjson

from bench.report import Asked, Row, Table
from bench.segments import NAMESPACES, PRAGMAS, TRAITS
from bench.service import Service
from bench.stores import BUILT_UNTIL, FOLDER, Copy, base, world
from bench.timing import Took, in_turns, no_old_garbage
from bench.world import NOW_MS
from onefold.errors import Problem
from onefold.model.events import DAY_MS
from onefold.model.saved import SavedSegment, SegmentDraft
from onefold.service import Onefold, segments
from onefold.settings import Settings

SEGMENTS: Final = 20
SLICES: Final = 5
EVENTS: Final = {100: 20_000, 1000: 40_000}
"""Batch size -> events of a slice."""
READS: Final = 2_000
WARM: Final = 200
COLUMNS: Final = ("with segments", "without", "CPU µs with", "CPU µs without")
DIRECTLY: Final = """
SELECT 1 WHERE (
    SELECT count(*) FROM identifiers i JOIN touchpoints t ON t.subject = i.number
    WHERE i.customer = :customer AND t.name = :name AND t.at_ms > :since_ms
) >= :times AND EXISTS (
    SELECT 1 FROM identifiers i JOIN touchpoints t ON t.subject = i.number
    WHERE i.customer = :customer AND t.channel = :channel
)
"""
"""Whether one customer meets one of the rules."""
CHANNELS: Final = ("email", "paid_search", "organic", "social", "direct")
NAMES: Final = ("purchase", "add_to_cart", "product_view", "page_view")


def rules() -> Iterator[tuple[str, int, int, str]]:
    """Name, times, days and channel of each of the segments."""
    for number in range(SEGMENTS):
        yield NAMES[number % 4], 1 + number % 3, 30 * (1 + number % 12), CHANNELS[number % 5]


def run() -> list[Table]:
    """Ingest with segments and without; and whose segments they are."""
    with ExitStack() as until_then:
        sides = {name: until_then.enter_context(_opened(name)) for name in ("with", "without")}
        saved = [_saved(sides["with"], *rule) for rule in rules()]
        sides["with"].start_keeping()
        events = world(telling=True).events(10_000_000, BUILT_UNTIL, 1.0, seed=1)
        rows = tuple(_ingesting(sides, events, size) for size in EVENTS)
        checked = _compare(sides["with"], saved)
        asking = _asking(sides["with"], _path("with"))
    title = (
        f"What it costs to keep {SEGMENTS} segments current while events come in, on a store of 1,000,000 touchpoints"
    )
    return [Table(title, COLUMNS, rows, (checked,)), asking]


def _path(name: str) -> Path:
    return FOLDER / f"copy-keeping-{name}.db"


@contextmanager
def _opened(name: str) -> Iterator[Onefold]:
    settings = Settings(read_model="memory")
    with (
        Copy(f"keeping-{name}", of=base(telling=True)) as path,
        closing(Service(path)) as service,
        Onefold(service.store, NAMESPACES, TRAITS, settings, clock_ms=lambda: NOW_MS) as onefold,
    ):
        yield onefold


def _saved(onefold: Onefold, name: str, times: int, days: int, channel: str) -> SavedSegment:
    """A segment of those who did something so often so lately, and once came by a channel."""
    rule = {
        "all": [
            {"did": {"touchpoint": {"names": [name]}, "times": {"atLeast": times}, "within": {"lastDays": days}}},
            {"did": {"touchpoint": {"channels": [channel]}}},
        ]
    }
    draft = SegmentDraft(f"{name} {times} {days} {channel}", orjson.dumps(rule).decode())
    saved = onefold.save_segment(draft)
    assert not isinstance(saved, Problem), saved
    return saved


def _ingesting(sides: dict[str, Onefold], events: Iterator[bytes], size: int) -> Row:
    count = EVENTS[size]
    slices = [list(islice(events, count)) for _ in range(SLICES + 1)]

    def bring(onefold: Onefold, number: int) -> None:
        for start in range(0, count, size):
            onefold.ingest(slices[number][start : start + size])

    took = in_turns({side: partial(bring, onefold) for side, onefold in sides.items()}, SLICES)
    rate = {side: count / median(one.clock for one in took[side]) for side in sides}
    cells = (*(f"{rate[side]:,.0f}/s" for side in sides), *(_micros(took[side], count) for side in sides))
    ratio = median(a.clock / b.clock for a, b in zip(took["without"], took["with"], strict=True))
    return Row(f"{size:,} a commit", cells, ratio, Asked(least=0.9))


def _micros(took: Sequence[Took], events: int) -> str:
    return f"{median(one.processor for one in took) * 1e6 / events:,.0f}"


def _compare(onefold: Onefold, saved: Sequence[SavedSegment]) -> str:
    """Who is in each segment, as it was kept, and by its rule asked of everybody."""
    assert onefold.keep_now()
    with onefold.read() as reading:
        kept = {row.number: row.count for row in segments.listed(reading)}
    for one in saved:
        assert not isinstance(onefold.delete_segment(one.public_id), Problem)
    anew = [_saved(onefold, *rule) for rule in rules()]
    assert [kept[one.number] for one in saved] == [one.count for one in anew]
    return f"Kept and found from nothing, the segments have as many members: {sum(kept.values()):,} in all."


def _asking(onefold: Onefold, path: Path) -> Table:
    """Which segments a customer is in: read, and worked out by asking the store's tables for each rule."""
    with apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY) as bare:
        for pragma in PRAGMAS:
            bare.execute(f"PRAGMA {pragma}").fetchall()
        drawn = random.Random("segments").sample([row[0] for row in bare.execute("SELECT key FROM customers")], READS)
        ours: list[float] = []
        there: list[float] = []
        with no_old_garbage():
            for customer in drawn:
                started = perf_counter()
                found = _read(onefold, customer)
                ours.append((perf_counter() - started) * 1e3)
                started = perf_counter()
                count = sum(_directly(bare, customer, *rule) for rule in rules())
                there.append((perf_counter() - started) * 1e3)
                assert found == count, customer
    del ours[:WARM], there[:WARM]
    row = Row(
        f"which of {SEGMENTS} segments a customer is in", (f"{median(ours):.3f}", f"{median(there):.3f}"),
        median(there) / median(ours), Asked(most=2, unit="ms"), median(ours),
    )  # fmt: skip
    return Table(
        "Customer.segments", ("read, ms", "worked out in SQL, ms"), (row,), ("Both say the same of each customer.",)
    )


def _read(onefold: Onefold, customer: int) -> int:
    with onefold.read() as reading:
        [found] = segments.of_customers(reading, list(reading.customers([customer]).values()))
    return len(found)


def _directly(bare: apsw.Connection, customer: int, name: str, times: int, days: int, channel: str) -> bool:
    values = {
        "customer": customer, "name": name, "times": times, "since_ms": NOW_MS - days * DAY_MS, "channel": channel,
    }  # fmt: skip
    return bool(bare.execute(DIRECTLY, values).fetchall())
