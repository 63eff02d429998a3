"""Several processes that import into one store at once, each told its events batch by batch."""

import json
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, Final

from tests.support.crowd import Happening
from tests.support.server import ONEFOLD, SECONDS, until, variables

WRITERS: Final = 4
BATCH: Final = 10
"""Events a commit: so few that commits of all writers lie between each other."""

Stored = Callable[[], Sequence[str]]
"""Says which message ids are stored, in their order; none while the store is being made."""


class Importer:
    """`onefold import -`, which is told its events batch by batch."""

    def __init__(self, folder: Path, store: str, happenings: Sequence[Happening]) -> None:
        folder.mkdir(exist_ok=True)
        self.batches = [happenings[start : start + BATCH] for start in range(0, len(happenings), BATCH)]
        self.process = Popen(
            [*ONEFOLD, "--json", "--store", store, "import", "-", "--source", "local"],
            cwd=folder,
            env=variables({"batch_size": BATCH}),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )

    def tell(self, number: int) -> set[str]:
        """One batch, if there are so many; -> its message ids."""
        assert self.process.stdin is not None
        if number >= len(self.batches):
            return set()
        try:
            for happening in self.batches[number]:
                self.process.stdin.write(json.dumps(happening.wire()).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise AssertionError(f"the import ended: {self._said()}") from error
        if number == len(self.batches) - 1:
            self.process.stdin.close()
        return {happening.message_id for happening in self.batches[number]}

    def works(self) -> bool:
        return not self.process.poll()

    def finish(self) -> dict[str, Any]:
        """-> what it reports."""
        self.process.wait(SECONDS)
        out, err = self._said()
        assert (self.process.returncode, err) == (0, b"")
        report: dict[str, Any] = json.loads(out)
        return report

    def _said(self) -> tuple[bytes, bytes]:
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        return self.process.stdout.read(), self.process.stderr.read()


def shares(happenings: Sequence[Happening]) -> list[list[Happening]]:
    """For each writer its own events, a third of another's as well, in an order of its own."""
    dice = random.Random(7)
    found: list[list[Happening]] = [[] for _ in range(WRITERS)]
    for place, happening in enumerate(happenings):
        found[place % WRITERS].append(happening)
        if place % 3 == 0:
            found[(place + 1) % WRITERS].append(happening)
    for share in found:
        dice.shuffle(share)
    return found


def import_at_once(
    folder: Path, store: str, dealt: Sequence[Sequence[Happening]], stored: Stored
) -> list[dict[str, Any]]:
    """Have a process for each share import it, all at once, a batch of each at a time; -> what they report.

    Args:
        store: its URL. stored: says what is in it.
    """
    with ExitStack() as stack:
        importers = [Importer(folder / str(number), store, share) for number, share in enumerate(dealt)]
        for importer in importers:
            stack.enter_context(importer.process)
            stack.callback(importer.process.kill)
        for number in range(max(len(importer.batches) for importer in importers)):
            told = set[str]().union(*(importer.tell(number) for importer in importers))
            until(partial(all_stored, stored, told, importers), "what was told is stored")
        return [importer.finish() for importer in importers]


def all_stored(stored: Stored, names: set[str], importers: Sequence[Importer]) -> bool:
    """Whether these events are stored; or an importer has failed, so that they never will be."""
    return not all(importer.works() for importer in importers) or names <= set(stored())


def turns(stored: Sequence[str], dealt: Sequence[Sequence[Happening]]) -> int:
    """How often one writer's events follow another's in the store; those that several sent are left out."""
    senders: dict[str, list[int]] = {}
    for writer, share in enumerate(dealt):
        for happening in share:
            senders.setdefault(happening.message_id, []).append(writer)
    order = [senders[name][0] for name in stored if len(senders[name]) == 1]
    return sum(one != other for one, other in pairwise(order))
