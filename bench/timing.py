"""Timing what is compared in turns, so that a noisy machine is noisy to both."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from time import perf_counter, process_time
from typing import NamedTuple

Way = Callable[[int], None]
"""Does the slice of that number."""


class Took(NamedTuple):
    """Seconds for one slice: by the clock, and of the processor. The latter leaves out waiting for the disk, and what
    other work takes away."""

    clock: float
    processor: float


def in_turns(ways: Mapping[str, Way], slices: int, *, untimed: int = 1) -> dict[str, list[Took]]:
    """What each way took for each of `slices` slices, one way after the other, slice by slice. The first
    slices, `untimed` of them, come before that to warm up."""
    took: dict[str, list[Took]] = {name: [] for name in ways}
    with no_old_garbage():
        for number in range(untimed + slices):
            for name, way in ways.items():
                started = Took(perf_counter(), process_time())
                way(number)
                if number >= untimed:
                    took[name].append(Took(perf_counter() - started.clock, process_time() - started.processor))
    return took


def micros_an_event(took: Sequence[Took], events: int) -> Took:
    """Microseconds on average; `events`: of all the slices together."""
    return Took(*(sum(seconds) / events * 1e6 for seconds in zip(*took, strict=True)))


def median_ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """The median over the slices of one / other."""
    return median(a / b for a, b in zip(one, other, strict=True))


@contextmanager
def no_old_garbage() -> Iterator[None]:
    """What is prepared before is not looked through again and again while the clock runs."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
