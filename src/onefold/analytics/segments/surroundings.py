"""What the rules of segments depend on besides data."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from onefold.model.computed import ComputedTraits
from onefold.model.namespaces import Namespaces
from onefold.model.rates import Rates
from onefold.model.segments import SegmentRule

MINUTE_MS: Final = 60_000
NOTHING: Final[Mapping[str, SegmentRule]] = MappingProxyType({})


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules of segments depend on besides data.

    Attributes:
        now_ms: the moment that rolling windows end at.
        session_ms: after how long without a touchpoint a session has ended.
        namespaces: those that are declared. computed: the computed traits that are. rates: between currencies.
        segments: the rules of saved segments by public id, settled (`onefold.analytics.segments.settle`), each with the
            consent it requires as a condition.
    """

    now_ms: int
    session_ms: int = 30 * MINUTE_MS
    namespaces: Namespaces
    computed: ComputedTraits
    rates: Rates = Rates()
    segments: Mapping[str, SegmentRule] = NOTHING
