"""What Neo4j's transactions know from glances, however small batches are."""

from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch

from onefold.store.base import Ahead
from onefold.store.neo4j.writing import glance
from onefold.store.neo4j.writing.ahead import InHand

SECONDS: Final = 30.0


class Glanced:
    """Counts.

    Attributes:
        used: how often a transaction had something from a glance. spared: what it did not ask of what it needed.
        pauses: how often it was given up for a while.
    """

    def __init__(self) -> None:
        self.used = self.spared = self.pauses = 0


@contextmanager
def glancing(*, earliest: bool) -> Iterator[Glanced]:
    """Whenever it is known what comes next, it is read early, also after others have written. `earliest`: before any of
    what is being written is committed."""
    counted = Glanced()
    begin = glance.Glances.begin
    take_over, pause = InHand.take_over, glance.Glances.pause

    def counting(mine: InHand, other: InHand) -> None:
        counted.used += 1
        counted.spared += sum(map(len, other.kinds()))
        take_over(mine, other)

    def noting(glances: glance.Glances) -> None:
        counted.pauses += 1
        pause(glances)

    def beginning(glances: glance.Glances, ahead: Ahead, touched: glance.Touched) -> glance.Glance | None:
        begun = begin(glances, ahead, touched)
        if begun is not None and earliest:
            wait([begun.read], SECONDS)
        return begun

    with (
        patch.object(glance, "FEWEST", 1),
        patch.object(glance, "PAUSE_SECONDS", 0.0),
        patch.object(glance.Glances, "pause", noting),
        patch.object(glance.Glances, "begin", beginning),
        patch.object(InHand, "take_over", counting),
    ):
        yield counted
