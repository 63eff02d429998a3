"""All measures of one stitched world, and what is asked of them."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec

from onefold.demo.measuring.baselines import attainable, connected, unstitched
from onefold.demo.measuring.glue import Glued, glue
from onefold.demo.measuring.pairs import Grouping, Score, TrapScore
from onefold.demo.measuring.seen import NOBODY, Seen, Stitched

PRECISION: Final = 0.95
SHOWN_WRONG: Final = 0.02
OF_CEILING: Final = 0.85
NEVER_GLUE: Final = ("bot", "family tablet", "kiosk", "shared inbox")
"""Traps that must not make strangers one customer."""


class Report(msgspec.Struct, frozen=True):
    """How well stitching found the truth.

    Attributes:
        people, touchpoints: how many there are in the truth. anonymous: how many touchpoints carry nothing but
            devices' identifiers.
        onefold, unstitched, connected, ceiling: what stitching found, two baselines, and what could be found.
        traps, glued_by: by the name of the trap. glued: in all.
    """

    people: int
    touchpoints: int
    anonymous: int
    onefold: Score
    unstitched: Score
    connected: Score
    ceiling: Score
    traps: dict[str, TrapScore]
    glued: Glued
    glued_by: dict[str, Glued]

    @property
    def of_ceiling(self) -> float:
        """Recall as a share of what could be found."""
        return self.onefold.recall / self.ceiling.recall if self.ceiling.recall else 1.0

    @property
    def share_anonymous(self) -> float:
        """Of all touchpoints."""
        return self.anonymous / self.touchpoints if self.touchpoints else 0.0

    def glued_of(self, trap: str) -> Glued:
        """How many people were glued by the touchpoints of this trap."""
        return self.glued_by.get(trap, Glued())

    def misses(self) -> list[str]:
        """What is not as asked."""
        asked = {
            f"pairwise precision is under {PRECISION}": self.onefold.precision >= PRECISION,
            f"more than {SHOWN_WRONG:.0%} is shown to the wrong person": self.onefold.shown_wrong <= SHOWN_WRONG,
            f"recall is under {OF_CEILING} of the ceiling": self.of_ceiling >= OF_CEILING,
        }
        asked |= {f"strangers were glued: {trap}": not self.glued_of(trap).strangers for trap in NEVER_GLUE}
        return [miss for miss, holds in asked.items() if not holds]


def measured(seen: Iterable[Seen], stitched: Stitched) -> Report:
    """Measure a world: each touchpoint once, part by part; only one part is held at a time."""
    reports = [_measured(list(part), stitched) for _, part in groupby(seen, lambda one: one.part)]
    whole: Report = _added(reports or [_measured([], stitched)])
    return whole


def _measured(seen: Sequence[Seen], stitched: Stitched) -> Report:
    onefold = Grouping(seen, [one.customer for one in seen])
    glued, glued_by = glue(seen, stitched)
    return Report(
        people=len({one.person for one in seen} - {NOBODY}),
        touchpoints=len(seen),
        anonymous=sum(not any(number in stitched.telling for number in one.identifiers) for one in seen),
        onefold=onefold.score(),
        unstitched=Grouping(seen, unstitched(seen)).score(),
        connected=Grouping(seen, connected(seen)).score(),
        ceiling=Grouping(seen, attainable(seen)).score(),
        traps=onefold.by_trap(),
        glued=glued,
        glued_by=glued_by,
    )


def _added(parts: Sequence[Any]) -> Any:
    """Values of one type as one: numbers are added, names are kept together."""
    first = parts[0]
    if isinstance(first, msgspec.Struct):
        return type(first)(*(_added(values) for values in zip(*map(msgspec.structs.astuple, parts), strict=True)))
    if isinstance(first, dict):
        names = sorted({name for part in parts for name in part})
        return {name: _added([part[name] for part in parts if name in part]) for name in names}
    return sum(parts)
