"""Several processes that write to one file at once end where one that had it for itself would have."""

import json
import random
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import apsw
import pytest

from tests.support.crowd import Happening, crowd
from tests.support.load import loading
from tests.support.server import ONEFOLD, SECONDS, run, serving, until, variables
from tests.support.whole import check_store, stored_ids

WRITERS = 4
BATCH = 10
"""Events a commit: so few that commits of all writers lie between each other."""


class Importer:
    """`onefold import -`, which is told its events batch by batch."""

    def __init__(self, folder: Path, store: Path, happenings: Sequence[Happening]) -> None:
        folder.mkdir(exist_ok=True)
        self.batches = [happenings[start : start + BATCH] for start in range(0, len(happenings), BATCH)]
        self.process = Popen(
            [*ONEFOLD, "--json", "--store", f"sqlite:///{store}", "import", "-", "--source", "local"],
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
        for happening in self.batches[number]:
            self.process.stdin.write(json.dumps(happening.wire()).encode() + b"\n")
        self.process.stdin.flush()
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


@pytest.mark.slow
def test_four_processes_that_import_at_once_end_where_the_oracle_does(tmp_path: Path) -> None:
    """They make the store at once, too."""
    store = tmp_path / "store.db"
    happenings = list(islice(crowd(seed=6, people=60), 800))
    by_name = {happening.message_id: happening for happening in happenings}
    dealt = shares(happenings)
    with ExitStack() as stack:
        importers = [Importer(tmp_path / str(number), store, share) for number, share in enumerate(dealt)]
        for importer in importers:
            stack.enter_context(importer.process)
            stack.callback(importer.process.kill)
        rounds = max(len(importer.batches) for importer in importers)
        for number in range(rounds):
            told = set[str]().union(*(importer.tell(number) for importer in importers))
            until(partial(all_stored, store, told, importers), "what was told is stored")
        reports = [importer.finish() for importer in importers]
    assert sum(report["accepted"] for report in reports) == len(happenings)
    assert sum(report["duplicates"] for report in reports) == sum(map(len, dealt)) - len(happenings)
    assert sorted(stored_ids(store)) == sorted(by_name)
    assert turns(stored_ids(store), dealt) > 2 * rounds, "they took turns"
    stitched = check_store(store, by_name)
    reasons = {reason.partition(":")[0] for reason in stitched.refusals.values()}
    assert reasons >= {"generic", "limit", "weak_bridge"}, "and there was something to decide"


def test_two_imports_in_one_folder_do_not_stumble_over_each_other(tmp_path: Path) -> None:
    """Each has a file for what is rejected, of the same name, and removes it when nothing was."""
    store = tmp_path / "store.db"
    happenings = list(islice(crowd(seed=11, people=5), 3 * BATCH))
    with ExitStack() as stack:
        importers = [Importer(tmp_path, store, share) for share in (happenings[:BATCH], happenings[BATCH:])]
        for importer in importers:
            stack.enter_context(importer.process)
            stack.callback(importer.process.kill)
        told = set[str]().union(*(importer.tell(0) for importer in importers))
        until(partial(all_stored, store, told, importers), "both are at work")
        assert importers[0].finish()["rejects"] is None
        importers[1].tell(1)
        assert importers[1].finish()["rejects"] is None
    assert len(stored_ids(store)) == len(happenings)


def all_stored(store: Path, names: set[str], importers: Sequence[Importer]) -> bool:
    """Whether these events are stored; or an importer has failed, so that they never will be."""
    if not all(importer.works() for importer in importers):
        return True
    try:
        return store.exists() and names <= set(stored_ids(store))
    except apsw.Error:  # it is being made
        return False


def turns(stored: Sequence[str], dealt: Sequence[Sequence[Happening]]) -> int:
    """How often one writer's events follow another's in the store; those that several sent are left out."""
    senders: dict[str, list[int]] = {}
    for writer, share in enumerate(dealt):
        for happening in share:
            senders.setdefault(happening.message_id, []).append(writer)
    order = [senders[name][0] for name in stored if len(senders[name]) == 1]
    return sum(one != other for one, other in pairwise(order))


@pytest.mark.slow
def test_a_server_and_an_import_write_to_one_file_at_once(tmp_path: Path) -> None:
    store, file = tmp_path / "store.db", tmp_path / "events.jsonl"
    everything = list(islice(crowd(seed=8, people=60), 3_200))
    imported = [*everything[:100], *everything[3_000:]]
    file.write_text("".join(json.dumps(happening.wire()) + "\n" for happening in imported))
    with (
        serving(tmp_path) as server,
        loading(crowd(seed=8, people=60), tmp_path / "acknowledged", senders=3) as load,
    ):
        load.send_to(server.port)
        load.more_acknowledged(20)
        before = load.acknowledged
        done = run(
            tmp_path,
            *("--json", "--store", "sqlite:///store.db", "import", file, "--source", "local"),
            batch_size=BATCH,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert load.acknowledged > before, "the server wrote meanwhile"
        load.end()
        assert server.stop() == 0
        assert server.complaints() == ""
    report = json.loads(done.stdout)
    assert report["rejected"] == report["conflicts"] == 0
    assert report["accepted"] > 0, "the server was not told of these"
    by_name = load.sent | {happening.message_id: happening for happening in imported}
    stored = stored_ids(store)
    assert report["accepted"] + load.became["accepted"] == len(stored), "each event was accepted by one of them"
    assert load.log() | {happening.message_id for happening in imported} <= set(stored)
    check_store(store, by_name)
