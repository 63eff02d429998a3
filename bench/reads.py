"""What the service takes to answer from its store of a million touchpoints: its own work, without HTTP or GraphQL.

The control reads the very same rows one by one by their keys, on a bare connection with the same pragmas, and makes
nothing of them. The two take turns, read by read.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

import apsw

from bench.report import Asked, Row, Table
from bench.stores import Copy
from bench.timing import no_old_garbage
from onefold.cli.call import Access
from onefold.model.identifiers import IdentifierKey
from onefold.service import Onefold, journeys
from onefold.service.pages import JOURNEY
from onefold.settings import Settings
from onefold.wiring import build

READS: Final = 3_000
WARM: Final = 300
PAGE: Final = 50
COLUMNS: Final = ("median ms", "p99 ms", "control's median ms", "control's p99 ms")
PRAGMAS: Final = ("query_only = ON", "cache_size = -16384", "mmap_size = 1073741824", "temp_store = MEMORY")

IDENTIFIERS: Final = "SELECT namespace, value, public FROM identifiers WHERE customer > 0 AND number % 97 = 0"
BUSY: Final = (
    "SELECT i.customer FROM touchpoints t JOIN identifiers i ON i.number = t.subject "
    "GROUP BY i.customer HAVING count(*) >= ?"
)
IDENTIFIER: Final = "SELECT * FROM identifiers WHERE public = ?"
MEMBERS: Final = "SELECT * FROM identifiers WHERE customer = ?"
CUSTOMER: Final = "SELECT * FROM customers WHERE key = ?"
TOUCHPOINT: Final = "SELECT * FROM touchpoints WHERE number = ?"


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of read. `ours` and `control` answer number `n` of `READS`."""

    name: str
    asked: Asked
    ours: Callable[[int], object]
    control: Callable[[int], object]


def run() -> list[Table]:
    """Point reads and pages of customers drawn at random."""
    with Copy("reads") as path, build(Settings(store=f"sqlite:///{path}"), Access.READ) as onefold:
        bare = _Bare(path)
        with no_old_garbage():
            rows = tuple(_row(case) for case in (_resolving(onefold, bare), *_paging(onefold, bare)))
        bare.connection.close()
    return [Table("Reads inside the service, on a store of 1,000,000 touchpoints", COLUMNS, rows)]


def _row(case: Case) -> Row:
    ours: list[float] = []
    control: list[float] = []
    ways = [(case.ours, ours), (case.control, control)]
    for number in range(READS):
        for read, took in ways if number % 2 else reversed(ways):
            started = perf_counter()
            read(number)
            took.append((perf_counter() - started) * 1e3)
    del ours[:WARM], control[:WARM]
    cells = tuple(f"{of(took):.3f}" for took in (ours, control) for of in (median, _p99))
    return Row(case.name, cells, median(ours) / median(control), case.asked, median(ours))


def _p99(took: Sequence[float]) -> float:
    return sorted(took)[len(took) * 99 // 100]


class _Bare:
    """A connection and what it reads for a control, each time in a transaction."""

    def __init__(self, path: Path) -> None:
        self.connection: Final = apsw.Connection(str(path))
        for pragma in PRAGMAS:
            self.connection.execute(f"PRAGMA {pragma}").fetchall()

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement, values).fetchall()

    def resolve(self, public: bytes) -> None:
        """The identifier, its customer, and the identifiers whose times are the customer's."""
        self.connection.execute("BEGIN")
        [identifier] = self.rows(IDENTIFIER, public)
        self.rows(CUSTOMER, identifier[4])
        self.rows(MEMBERS, identifier[4])
        self.connection.execute("ROLLBACK")

    def page(self, numbers: Sequence[int]) -> None:
        """So many touchpoints."""
        self.connection.execute("BEGIN")
        for number in numbers:
            self.rows(TOUCHPOINT, number)
        self.connection.execute("ROLLBACK")


def _resolving(onefold: Onefold, bare: _Bare) -> Case:
    drawn = random.Random("resolve").choices(bare.rows(IDENTIFIERS), k=READS)
    keys = [IdentifierKey(namespace, value) for namespace, value, _ in drawn]

    def resolve(number: int) -> None:
        with onefold.read() as reading:
            [found] = reading.resolve([keys[number]])
        assert found.customer is not None

    asked = Asked(most=0.1, unit="ms")
    return Case("resolve an identifier", asked, resolve, lambda number: bare.resolve(drawn[number][2]))


def _paging(onefold: Onefold, bare: _Bare) -> list[Case]:
    """The first page, and the one after it, of customers who have that many touchpoints."""
    busy = [customer for (customer,) in bare.rows(BUSY, PAGE * 2)]
    customers = random.Random("pages").choices(busy, k=READS)
    first = journeys.Ask(first=PAGE)
    second = {customer: _after(onefold, customer) for customer in set(customers)}
    return [
        _page_case(onefold, bare, f"a journey's first {PAGE}", customers, dict.fromkeys(second, first)),
        _page_case(onefold, bare, f"the {PAGE} after them", customers, second),
    ]


def _after(onefold: Onefold, customer: int) -> journeys.Ask:
    with onefold.read() as reading:
        [page] = journeys.pages(reading, [customer], journeys.Ask(first=PAGE))
    return journeys.Ask(first=PAGE, after=JOURNEY.write(page.positions[-1]))


def _page_case(
    onefold: Onefold, bare: _Bare, name: str, customers: Sequence[int], asks: dict[int, journeys.Ask]
) -> Case:
    numbers: dict[int, list[int]] = {}
    for customer, ask in asks.items():
        with onefold.read() as reading:
            [page] = journeys.pages(reading, [customer], ask)
        numbers[customer] = [touchpoint.number for touchpoint in page.items]
        assert len(page.items) == PAGE

    def read(number: int) -> None:
        with onefold.read() as reading:
            journeys.pages(reading, [customers[number]], asks[customers[number]])

    return Case(name, Asked(most=0.3, unit="ms"), read, lambda number: bare.page(numbers[customers[number]]))
