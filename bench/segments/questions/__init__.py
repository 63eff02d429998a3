"""The questions: each as a rule of a segment, in SQL for the store's tables, and in Cypher for its graph.

The SQL and the Cypher are written as somebody would who knows the stores well: fewest rows first, indexes by name where
that is needed, one pass over what has to be looked at. Their plans stand beside them, written whenever they are asked.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from bench.world import NOW_MS
from onefold.analytics.segments import parse
from onefold.model.events import DAY_MS
from onefold.model.segments import SegmentRule

FOLDER: Final = Path(__file__).parent


class Question(NamedTuple):
    """`title`: for people. most_ms: what a preview may take on a million touchpoints. values: what the SQL and the
    Cypher are given. of_many: whether there is no index by which a store finds the few that matter."""

    name: str
    title: str
    most_ms: float
    values: Mapping[str, Any]
    of_many: bool = True

    @property
    def rule(self) -> SegmentRule:
        """As `onefold segment preview` reads it."""
        return _rule(self.name)

    @property
    def sql(self) -> str:
        """Counts them in a store in a file."""
        return _text(self.name, "sql")

    @property
    def cypher(self) -> str:
        """Counts them in a graph in Neo4j."""
        return _text(self.name, "cypher")

    def keep_plan(self, kind: str, plan: str) -> None:
        """Write it beside the question; `kind`: sql or cypher."""
        (FOLDER / f"{self.name}.{kind}.plan").write_text(plan + "\n", encoding="utf-8")


@cache
def _rule(name: str) -> SegmentRule:
    """Read once: a preview is not to be charged with YAML."""
    return parse.rule(yaml.safe_load(_text(name, "yaml")))


def _text(name: str, kind: str) -> str:
    return (FOLDER / f"{name}.{kind}").read_text(encoding="utf-8")


QUESTIONS: Final = (
    Question("three", "three conditions", 100, {"since_ms": NOW_MS - 180 * DAY_MS, "lately_ms": NOW_MS - 90 * DAY_MS}),
    Question("told", "the same of few, by a trait", 100, {"since_ms": NOW_MS - 180 * DAY_MS}, of_many=False),
    Question("sequence", "a sequence of three steps", 300, {"within_ms": 30 * DAY_MS}),
    Question("spent", "a sum and an average", 100, {"since_ms": NOW_MS - 365 * DAY_MS}),
)
