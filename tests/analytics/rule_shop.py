"""A few people, and rules asked of them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from onefold.analytics.segments import parse
from onefold.analytics.segments.settle import settle
from onefold.analytics.segments.surroundings import Surroundings
from onefold.model import computed_file, namespaces_file
from onefold.model.normalise import Normaliser
from onefold.model.rates import Rates
from onefold.model.segments import SegmentRule
from onefold.schema_files import schema_file
from tests.oracle.segments import DAY_MS, Person, Touchpoint
from tests.property.segments.filled import FilledModel

NOW_MS = 1_790_000_000_000
NAMESPACES = namespaces_file.load(schema_file("namespaces.yaml"))
NORMALISER = Normaliser(NAMESPACES, "US")
COMPUTED = computed_file.load(schema_file("computed.yaml"))


def order(number: int, revenue: str, currency: str | None, days_ago: int = 1, **properties: Any) -> Touchpoint:
    """An order completed so many days ago."""
    return Touchpoint(
        NOW_MS - days_ago * DAY_MS, number, name="Order Completed", revenue=Decimal(revenue), currency=currency,
        campaign="Spring Sale", properties=properties,
    )  # fmt: skip


def filled(*people: Person) -> FilledModel:
    """A read model of these people."""
    model = FilledModel()
    model.fill(people)
    return model


def surroundings(rates: Rates = Rates(), segments: Mapping[str, SegmentRule] | None = None) -> Surroundings:  # noqa: B008
    """With the namespaces and computed traits that come with onefold."""
    return Surroundings(
        now_ms=NOW_MS, namespaces=NAMESPACES, computed=COMPUTED, rates=rates, segments=dict(segments or {})
    )


def settled(
    model: FilledModel, value: Any, around: Surroundings | None = None, saved_as: str | None = None
) -> SegmentRule:
    """A rule as JSON, settled."""
    return settle(model, parse.rule(value), around or surroundings(), NORMALISER, saved_as=saved_as)
