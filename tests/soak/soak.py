"""One soak: mixed load on one store; half of the time the server is killed again and again, then it runs on."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import Final

from tests.soak.mixed import PEOPLE, STORE, Imports, Questions, paced
from tests.support.crowd import crowd
from tests.support.load import Load, loading
from tests.support.server import Server, serving
from tests.support.whole import check_file, stored_ids

KILLS: Final = 10
FILLED: Final = 100_000
"""Events that are there before it begins: a store that is larger than the caches, which else would grow with it."""
EVENTS_A_SECOND: Final = 300.0
QUESTIONS_A_SECOND: Final = 20.0
FLAT: Final = 1.10
"""How much more memory the long life may take in its last quarter than in its second."""


@dataclass(frozen=True, slots=True)
class Life:
    """From a server's start to its end. `memory_mb`: a second apart."""

    seconds: float
    ready_seconds: float
    acknowledged: int
    memory_mb: tuple[float, ...]

    def quarter(self, number: int) -> float:
        """What memory is typical of one of the four quarters, counted from 0."""
        size = len(self.memory_mb)
        return median(self.memory_mb[size * number // 4 : max(size * (number + 1) // 4, size * number // 4 + 1)])


@dataclass(slots=True)
class Report:
    """What happened. `wrong`: what must not have."""

    lives: list[Life] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    grown: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """For people."""
        for number, life in enumerate(self.lives, 1):
            yield (
                f"life {number:2}: {life.seconds:6.1f} s, ready after {life.ready_seconds:4.1f} s, "
                f"{life.acknowledged:7,} events acknowledged, {life.quarter(0):6.1f} to {life.quarter(3):6.1f} MB"
            )
        for name, count in self.counts.items():
            yield f"{name}: {count:,}"
        yield f"memory of the last life, its last quarter beside its second: {self.grown:.2f} (asked: at most {FLAT})"
        yield from (f"WRONG: {what}" for what in self.wrong)
        yield "nothing acknowledged was lost" if not self.wrong else "not as asked"


def soak(
    folder: Path, seconds: float, *, kills: int = KILLS, a_second: float = EVENTS_A_SECOND, filled: int = FILLED
) -> Report:
    """Run for so long in an empty folder, which is filled before; what is stored is checked afterwards."""
    report, dice = Report(), random.Random(19)
    happenings = paced(crowd(seed=31, people=PEOPLE), a_second)
    imports = Imports(folder, pause_seconds=min(5.0, seconds / 20))
    questions = Questions(imports, QUESTIONS_A_SECOND)
    imports.fill(filled)
    with loading(happenings, folder / "acknowledged") as load, ExitStack() as beside:
        beside.enter_context(imports.going_on())
        beside.enter_context(questions.going_on())
        for number in range(kills + 1):
            lasts = seconds / 2 if number == kills else seconds / 2 / kills * dice.uniform(0.5, 1.5)
            with serving_from(folder) as (server, ready_seconds):
                questions.port = server.port
                report.lives.append(_live(server, load, lasts, ready_seconds))
                _end(server, report, last=number == kills)
                load.send_to(None)
                questions.port = None
        load.end()
    report.counts = {
        "events sent by HTTP": len(load.sent),
        "acknowledged": load.acknowledged,
        "there before": filled,
        "requests refused for a while": load.refused.total(),
        "requests cut off": load.cut,
        "questions answered": questions.answered,
        "files imported": imports.files,
        "imports killed": imports.killed,
    }
    _check(folder / "store.db", load, imports, report)
    return report


class serving_from:  # noqa: N801  # it reads as `serving`
    """`serving`, and how long it took until it was ready."""

    def __init__(self, folder: Path) -> None:
        self._serving: Final = serving(folder, STORE)

    def __enter__(self) -> tuple[Server, float]:
        started = monotonic()
        return self._serving.__enter__(), monotonic() - started

    def __exit__(self, *raised: object) -> None:
        self._serving.__exit__(*raised)  # type: ignore[arg-type]  # it is what `with` gives


def _live(server: Server, load: Load, seconds: float, ready_seconds: float) -> Life:
    before, end, memory = load.acknowledged, monotonic() + seconds, [server.memory_mb()]
    load.send_to(server.port)
    load.more_acknowledged(1)
    while (left := end - monotonic()) > 0:
        sleep(min(left, 1.0))
        memory.append(server.memory_mb())
    return Life(seconds, ready_seconds, load.acknowledged - before, tuple(memory))


def _end(server: Server, report: Report, *, last: bool) -> None:
    """Kill it at work; the last one is told to stop."""
    if last:
        ended = server.stop()
        report.wrong += [f"the server ended with {ended}"] if ended else []
    else:
        server.kill()
    if said := server.complaints():
        report.wrong.append(f"the server complained: {said[:1_000]}")


def _check(store: Path, load: Load, imports: Imports, report: Report) -> None:
    last = report.lives[-1]
    report.grown = last.quarter(3) / last.quarter(1)
    if report.grown > FLAT:
        report.wrong.append("memory grew")
    stored = stored_ids(store)
    report.counts["touchpoints stored"] = len(stored)
    acknowledged = load.log() | imports.log
    if lost := acknowledged - set(stored):
        report.wrong.append(f"{len(lost)} acknowledged events are lost, as {sorted(lost)[:3]}")
    if len(stored) != len(set(stored)):
        report.wrong.append("events are stored twice")
    if strange := set(stored) - load.sent.keys() - imports.sent:
        report.wrong.append(f"{len(strange)} events are stored that nobody sent")
    check_file(store)
