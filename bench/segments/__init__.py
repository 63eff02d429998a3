"""Segments asked of the read model, beside the same questions asked of the stores themselves.

On a store of a million touchpoints in a file, and on a graph of 300,000 in Neo4j. The answers are compared.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import apsw
import neo4j

from bench.neo4j import servers
from bench.report import Asked, Row, Table
from bench.segments.questions import QUESTIONS, Question
from bench.service import Service
from bench.stores import FOLDER, Copy, base
from bench.timing import in_turns
from bench.world import NOW_MS
from onefold.analytics.segments import evaluate
from onefold.analytics.segments.surroundings import Surroundings
from onefold.model import computed_file, namespaces_file, traits
from onefold.readmodel.model import ReadModel
from onefold.readmodel.place import Place
from onefold.schema_files import schema_file

AGAIN: Final = 30
"""How often the read model is asked in a slice, in which a store is asked once: it is to be warm, and after the store
was asked that takes it several questions."""
SLICES: Final = 5
TIMES: Final = Asked(least=10)
COLUMNS: Final = ("customers", "preview ms", "its CPU ms", "asked there, ms")
NAMESPACES: Final = namespaces_file.load(schema_file("namespaces.yaml"))
TRAITS: Final = traits.load(schema_file("traits.yaml"))
COMPUTED: Final = computed_file.load(schema_file("computed.yaml"))
PRAGMAS: Final = ("query_only = ON", "cache_size = -262144", "mmap_size = 1073741824", "temp_store = MEMORY")

Directly = Callable[[Question], int]
"""Asks a store itself; -> how many customers it finds."""


def run() -> list[Table]:
    """The questions, of both stores."""
    with ExitStack() as until_then:
        path = until_then.enter_context(Copy("segments", of=base(telling=True)))
        there = until_then.enter_context(closing(apsw.Connection(str(path))))
        for pragma in PRAGMAS:
            there.execute(f"PRAGMA {pragma}").fetchall()
        for question in QUESTIONS:
            question.keep_plan("sql", _sql_plan(there, question))
        model = until_then.enter_context(read_model(Service(path)))
        in_a_file = _table("a store of 1,000,000 touchpoints, in SQL", model, lambda q: _only(there, q), limits=True)
    with ExitStack() as until_then:
        url = until_then.enter_context(servers.copied("segments", telling=True))
        session = until_then.enter_context(servers.bare(url))
        for question in QUESTIONS:
            question.keep_plan("cypher", _cypher_plan(session, question))
        model = until_then.enter_context(read_model(Service(url)))
        in_neo4j = _table(
            "a graph of 300,000 touchpoints, in Cypher",
            model,
            lambda q: int(session.run(q.cypher, **q.values).single(strict=True)[0]),
        )
    return [in_a_file, in_neo4j]


@contextmanager
def read_model(service: Service, folder: Path | None = None) -> Iterator[ReadModel]:
    """A read model of the service's store, closed with the service when the block ends. Its file is in `folder`; where
    none is named, it is made anew, and gone when the block ends."""
    own = FOLDER / "readmodel"
    shutil.rmtree(own, ignore_errors=True)
    place = Place(folder=folder or own)
    with closing(service), closing(ReadModel(service.store, place, NAMESPACES, TRAITS)) as model:
        yield model
    shutil.rmtree(own, ignore_errors=True)


def surroundings() -> Surroundings:
    """At the end of the world's year."""
    return Surroundings(now_ms=NOW_MS, namespaces=NAMESPACES, computed=COMPUTED)


def preview(model: ReadModel, question: Question, at: Surroundings) -> int:
    """How many there are; a page of them is read, too."""
    with model.ask() as asking:
        return evaluate.preview(asking, question.rule, at).count


def _table(where: str, model: ReadModel, directly: Directly, *, limits: bool = False) -> Table:
    rows = [row for question in QUESTIONS for row in _rows(question, model, directly, limits=limits)]
    checked = "Both find as many customers for each question."
    return Table(f"Segments asked of the read model, and of {where}", COLUMNS, tuple(rows), (checked,))


def _rows(question: Question, model: ReadModel, directly: Directly, *, limits: bool) -> Iterator[Row]:
    at, counts = surroundings(), set[int]()
    took = in_turns(
        {
            "ours": lambda _: counts.update(preview(model, question, at) for _ in range(AGAIN)),
            "there": lambda _: counts.add(directly(question)),
        },
        SLICES,
    )
    assert len(counts) == 1, f"{question.name}: {counts}"
    ours, there = (median(one.clock for one in took[way]) * 1e3 for way in ("ours", "there"))
    ours /= AGAIN
    cells = (
        f"{counts.pop():,}",
        f"{ours:.1f}",
        f"{median(one.processor for one in took['ours']) * 1e3 / AGAIN:.1f}",
        f"{there:.0f}",
    )
    yield Row(question.title, cells, there / ours, TIMES if question.of_many else None)
    if limits:
        yield Row(
            f"{question.title}: how long",
            ("", f"{ours:.1f}", "", ""),
            None,
            Asked(most=question.most_ms, unit="ms"),
            ours,
        )


def _only(there: apsw.Connection, question: Question) -> int:
    [[count]] = there.execute(question.sql, dict[str, Any](question.values))
    return int(count)


def _sql_plan(there: apsw.Connection, question: Question) -> str:
    """Its steps, those of a part indented below it."""
    depth = {0: -1}
    lines = []
    for step, part, _, text in there.execute(f"EXPLAIN QUERY PLAN {question.sql}", dict[str, Any](question.values)):
        depth[step] = depth[part] + 1
        lines.append(f"{'    ' * depth[step]}{text}")
    return "\n".join(lines)


def _cypher_plan(session: neo4j.Session, question: Question) -> str:
    """Its operators, the last first, each with where its rows are from below it."""
    plan = session.run(f"EXPLAIN {question.cypher}", **question.values).consume().plan
    assert plan is not None
    return "\n".join(_operators(plan, 0))


def _operators(plan: Mapping[str, Any], depth: int) -> Iterator[str]:
    yield f"{'    ' * depth}{plan['operatorType'].partition('@')[0]}  {plan['args'].get('Details', '')}".rstrip()
    for child in plan.get("children", ()):
        yield from _operators(child, depth + 1)
