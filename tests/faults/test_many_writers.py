"""Several processes that write to one file at once end where one that had it for itself would have."""

import json
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path

import apsw
import pytest

from tests.support.crowd import crowd
from tests.support.importers import BATCH, Importer, all_stored, import_at_once, shares, turns
from tests.support.load import loading
from tests.support.server import run, serving, until
from tests.support.whole import check_store, stored_ids


@pytest.mark.slow
def test_four_processes_that_import_at_once_end_where_the_oracle_does(tmp_path: Path) -> None:
    """They make the store at once, too."""
    store = tmp_path / "store.db"
    happenings = list(islice(crowd(seed=6, people=60), 800))
    by_name = {happening.message_id: happening for happening in happenings}
    dealt = shares(happenings)
    reports = import_at_once(tmp_path, f"sqlite:///{store}", dealt, partial(stored_so_far, store))
    assert sum(report["accepted"] for report in reports) == len(happenings)
    assert sum(report["duplicates"] for report in reports) == sum(map(len, dealt)) - len(happenings)
    assert sorted(stored_ids(store)) == sorted(by_name)
    assert turns(stored_ids(store), dealt) > 2 * max(map(len, dealt)) // BATCH, "they took turns"
    stitched = check_store(store, by_name)
    reasons = {reason.partition(":")[0] for reason in stitched.refusals.values()}
    assert reasons >= {"generic", "limit", "weak_bridge"}, "and there was something to decide"


def test_two_imports_in_one_folder_do_not_stumble_over_each_other(tmp_path: Path) -> None:
    """Each has a file for what is rejected, of the same name, and removes it when nothing was."""
    store = tmp_path / "store.db"
    happenings = list(islice(crowd(seed=11, people=5), 3 * BATCH))
    with ExitStack() as stack:
        importers = [
            Importer(tmp_path, f"sqlite:///{store}", share) for share in (happenings[:BATCH], happenings[BATCH:])
        ]
        for importer in importers:
            stack.enter_context(importer.process)
            stack.callback(importer.process.kill)
        told = set[str]().union(*(importer.tell(0) for importer in importers))
        until(partial(all_stored, partial(stored_so_far, store), told, importers), "both are at work")
        assert importers[0].finish()["rejects"] is None
        importers[1].tell(1)
        assert importers[1].finish()["rejects"] is None
    assert len(stored_ids(store)) == len(happenings)


def stored_so_far(store: Path) -> list[str]:
    try:
        return stored_ids(store) if store.exists() else []
    except apsw.Error:  # it is being made
        return []


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
