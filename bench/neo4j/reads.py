"""What the service takes to answer from a graph of 300,000 touchpoints, without HTTP or GraphQL; and pages of its
feed.

The control asks the server for the very same nodes by their keys, in one statement with one answer, and makes nothing
of them. The two take turns, read by read.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any, Final

import neo4j

from bench.neo4j.servers import TOUCHPOINTS, bare, copied
from bench.report import Asked, Row, Table
from bench.timing import no_old_garbage
from onefold.cli.call import Access
from onefold.model.identifiers import IdentifierKey
from onefold.service import Onefold, journeys
from onefold.service.pages import JOURNEY
from onefold.settings import Settings
from onefold.wiring import build

READS: Final = 600
WARM: Final = 200
PAGE: Final = 50
FEED_PAGE: Final = 10_000
COLUMNS: Final = ("median ms", "p99 ms", "control's median ms", "control's p99 ms")
FEED_COLUMNS: Final = ("rows/s", "control's rows/s")
AS_FAST: Final = Asked(most=3, unit="ms")

IDENTIFIERS: Final = (
    "MATCH (i:Identifier) WHERE i.customer > 0 AND i.number % 97 = 0 RETURN collect([i.namespace, i.value, i.id])"
)
BUSY: Final = (
    "MATCH (c:Customer)-[:HAS]->(i)<-[:BY]-(t) WITH c, count(t) AS touched WHERE touched >= $p.least "
    "RETURN collect(c.key)"
)
RESOLVED: Final = (
    "MATCH (i:Identifier {id: $p.id}) MATCH (c:Customer {key: i.customer}) MATCH (m:Identifier {customer: c.key}) "
    "RETURN properties(i), properties(c), collect([m.first_ms, m.last_ms])"
)
TOUCHPOINTS_BY_NUMBER: Final = (
    "UNWIND $p.numbers AS n MATCH (t:Touchpoint {number: n}) RETURN collect([t.number, t.id, t.message_id, t.source, "
    "t.at_ms, t.received_ms, t.type, t.name, t.channel, t.campaign, t.revenue, t.currency, t.subject, t.device, "
    "t.identifiers, t.body])"
)
SEQS: Final = (
    "CALL () { MATCH (t:Touchpoint) WHERE t.number > $p.after "
    "RETURN t.number AS seq, t.subject AS of, null AS was ORDER BY seq LIMIT $p.limit "
    "UNION ALL MATCH (d:Decision) WHERE d.seq > $p.after "
    "RETURN d.seq AS seq, d.kind AS of, null AS was ORDER BY seq LIMIT $p.limit "
    "UNION ALL MATCH (h:Change) WHERE h.seq > $p.after "
    "RETURN h.seq AS seq, h.identifier AS of, h.was AS was ORDER BY seq LIMIT $p.limit } "
    "WITH seq, of, was ORDER BY seq LIMIT $p.limit RETURN collect(seq), collect(of), collect(was)"
)


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of read. `ours` and `control` answer number `n` of `READS`."""

    name: str
    ours: Callable[[int], object]
    control: Callable[[int], object]


def run() -> list[Table]:
    """Point reads and pages of customers drawn at random; the whole feed in pages."""
    with (
        copied("reads") as url,
        bare(url) as session,
        build(Settings(store=url), Access.READ) as onefold,
        no_old_garbage(),
    ):
        rows = tuple(_row(case) for case in (_resolving(onefold, session), *_paging(onefold, session)))
        fed = _feed(onefold, session)
    title = f"Reads inside the service, on a graph of {TOUCHPOINTS:,} touchpoints in Neo4j"
    feed = f"Pages of {FEED_PAGE:,} lines of the change feed, all there are"
    return [Table(title, COLUMNS, rows), Table(feed, FEED_COLUMNS, (fed,))]


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
    cells = tuple(f"{of(took):.2f}" for took in (ours, control) for of in (median, _p99))
    return Row(case.name, cells, median(ours) / median(control), AS_FAST, median(ours))


def _p99(took: Sequence[float]) -> float:
    return sorted(took)[len(took) * 99 // 100]


def _answer(session: neo4j.Session, statement: str, **p: Any) -> Any:
    """The one row of a statement."""
    return session.run(statement, p=p).single(strict=True).values()


def _resolving(onefold: Onefold, session: neo4j.Session) -> Case:
    drawn = random.Random("resolve").choices(_answer(session, IDENTIFIERS)[0], k=READS)
    keys = [IdentifierKey(namespace, value) for namespace, value, _ in drawn]

    def resolve(number: int) -> None:
        with onefold.read() as reading:
            [found] = reading.resolve([keys[number]])
        assert found.customer is not None

    return Case("resolve an identifier", resolve, lambda number: _answer(session, RESOLVED, id=drawn[number][2]))


def _paging(onefold: Onefold, session: neo4j.Session) -> list[Case]:
    """The first page, and the one after it, of customers who have that many touchpoints."""
    [busy] = _answer(session, BUSY, least=PAGE * 2)
    customers = random.Random("pages").choices(busy, k=READS)
    first = journeys.Ask(first=PAGE)
    second = {customer: _after(onefold, customer) for customer in set(customers)}
    return [
        _page_case(onefold, session, f"a journey's first {PAGE}", customers, dict.fromkeys(second, first)),
        _page_case(onefold, session, f"the {PAGE} after them", customers, second),
    ]


def _after(onefold: Onefold, customer: int) -> journeys.Ask:
    with onefold.read() as reading:
        [page] = journeys.pages(reading, [customer], journeys.Ask(first=PAGE))
    return journeys.Ask(first=PAGE, after=JOURNEY.write(page.positions[-1]))


def _page_case(
    onefold: Onefold, session: neo4j.Session, name: str, customers: Sequence[int], asks: dict[int, journeys.Ask]
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

    return Case(name, read, lambda number: _answer(session, TOUCHPOINTS_BY_NUMBER, numbers=numbers[customers[number]]))


def _feed(onefold: Onefold, session: neo4j.Session) -> Row:
    """All of it, page by page, and the same from the server without making lines of it."""
    rates: dict[str, list[float]] = {"ours": [], "control": []}
    after, reached = 0, 0
    while True:
        started = perf_counter()
        with onefold.read() as reading:
            lines = reading.view.feed(after, FEED_PAGE)
        rates["ours"].append(len(lines) / (perf_counter() - started))
        if len(lines) < FEED_PAGE:
            break
        after = lines[-1].seq
        started = perf_counter()
        seqs, *_ = _answer(session, SEQS, after=reached, limit=FEED_PAGE)
        rates["control"].append(len(seqs) / (perf_counter() - started))
        reached = seqs[-1]
        assert reached == after
    ours, control = (median(rates[way]) for way in ("ours", "control"))
    asked = Asked(least=100_000, unit="rows/s")
    return Row("the feed", (f"{ours:,.0f}", f"{control:,.0f}"), ours / control, asked, ours)
