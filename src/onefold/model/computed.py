"""Computed traits: what sums a customer's journey up, as `graph_schema/computed.yaml` declares it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from onefold.model.reading import TouchpointFilter

PREFIX: Final = "computed."
"""What stands before the names of computed traits where other traits stand beside them."""


class Kind(StrEnum):
    """How touchpoints are summed up."""

    COUNT = "count"
    """How many there are."""
    SESSIONS = "sessions"
    """How many sessions they make."""
    SUM = "sum"
    """What their numbers come to."""
    AVERAGE = "average"
    """The mean of their numbers."""
    DISTINCT = "distinct"
    """How many different values they have."""
    FIRST = "first"
    """The value of the first that has one."""
    LAST = "last"
    """The value of the last that has one."""
    DAYS_SINCE_FIRST = "days_since_first"
    """How many whole days have passed since the first."""
    DAYS_SINCE_LAST = "days_since_last"
    """How many whole days have passed since the last."""


class Column(StrEnum):
    """What every touchpoint may have."""

    REVENUE = "revenue"
    CHANNEL = "channel"
    CAMPAIGN = "campaign"
    NAME = "name"


class Property(msgspec.Struct, frozen=True):
    """A top-level property of touchpoints."""

    name: str


MONEY: Final = (Column.REVENUE, Property("total"))
"""What is in the currency of its touchpoint."""


class ComputedTrait(msgspec.Struct, frozen=True, kw_only=True):
    """One computed trait.

    Attributes:
        name: without the prefix.
        of: what of the touchpoints is summed up; None where the kind needs nothing.
        currency: of what is money (`is_money`): only what was earned in it counts.
    """

    name: str
    kind: Kind
    of: Column | Property | None = None
    currency: str | None = None
    touchpoints: TouchpointFilter = TouchpointFilter()
    description: str = ""

    @property
    def is_money(self) -> bool:
        """Whether it adds up revenue, or the property that this is read from where there is none."""
        return self.kind in {Kind.SUM, Kind.AVERAGE} and self.of in MONEY

    @property
    def by_currency(self) -> bool:
        """Whether it has a value in each currency, which are never mixed."""
        return self.is_money and self.currency is None

    @property
    def rolling(self) -> bool:
        """Whether time alone changes it."""
        return self.kind in {Kind.DAYS_SINCE_FIRST, Kind.DAYS_SINCE_LAST}

    @property
    def nothing(self) -> int | None:
        """Its value for those without such touchpoints; None: they have no value."""
        return 0 if self.kind in {Kind.COUNT, Kind.SESSIONS, Kind.SUM, Kind.DISTINCT} else None

    @property
    def is_json(self) -> bool:
        """Whether its values are JSON text; otherwise they are numbers, or texts of a column."""
        return self.kind in {Kind.FIRST, Kind.LAST} and isinstance(self.of, Property)


ComputedTraits = Mapping[str, ComputedTrait]
"""All that are declared, by name, in the order of the file."""
