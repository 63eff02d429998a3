"""All measures of one stitched world, and what is asked of them."""

from collections.abc import Sequence
from typing import Final

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


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """How well stitching found the truth.

    Attributes:
        people, touchpoints: how many there are in the truth. anonymous: the share of touchpoints that carry nothing
            but devices' identifiers.
        onefold, unstitched, connected, ceiling: what stitching found, two baselines, and what could be found.
        traps, glued_by: by the name of the trap. glued: in all.
    """

    people: int
    touchpoints: int
    anonymous: float
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

    def misses(self) -> list[str]:
        """What is not as asked."""
        asked = {
            f"pairwise precision is under {PRECISION}": self.onefold.precision >= PRECISION,
            f"more than {SHOWN_WRONG:.0%} is shown to the wrong person": self.onefold.shown_wrong <= SHOWN_WRONG,
            f"recall is under {OF_CEILING} of the ceiling": self.of_ceiling >= OF_CEILING,
        }
        strangers = {trap: glued.strangers for trap, glued in self.glued_by.items() if trap in NEVER_GLUE}
        asked |= {f"strangers were glued: {trap}": not count for trap, count in strangers.items()}
        return [miss for miss, holds in asked.items() if not holds]


def measured(seen: Sequence[Seen], stitched: Stitched) -> Report:
    """Measure a world: each touchpoint once, in any order."""
    onefold = Grouping(seen, [one.customer for one in seen])
    glued, glued_by = glue(seen, stitched)
    return Report(
        people=len({one.person for one in seen} - {NOBODY}),
        touchpoints=len(seen),
        anonymous=sum(stitched.telling.isdisjoint(one.identifiers) for one in seen) / max(len(seen), 1),
        onefold=onefold.score(),
        unstitched=Grouping(seen, unstitched(seen)).score(),
        connected=Grouping(seen, connected(seen)).score(),
        ceiling=Grouping(seen, attainable(seen)).score(),
        traps=onefold.by_trap(),
        glued=glued,
        glued_by=glued_by,
    )
