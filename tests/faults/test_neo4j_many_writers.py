"""Several processes that write to one Neo4j at once end where one that had it for itself would have."""

import json
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

from tests.support.crowd import crowd
from tests.support.importers import BATCH, import_at_once, shares, turns
from tests.support.load import loading
from tests.support.neo4j_server import ask
from tests.support.server import run, serving
from tests.support.whole import check_neo4j, stored_in_neo4j

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("neo4j")]


def test_four_processes_that_import_at_once_end_where_the_oracle_does(neo4j_url: str, tmp_path: Path) -> None:
    """They make the store at once, too."""
    ask(neo4j_url, "MATCH (n) DETACH DELETE n")
    happenings = list(islice(crowd(seed=6, people=60), 800))
    by_name = {happening.message_id: happening for happening in happenings}
    dealt = shares(happenings)
    reports = import_at_once(tmp_path, neo4j_url, dealt, partial(stored_in_neo4j, neo4j_url))
    assert sum(report["accepted"] for report in reports) == len(happenings)
    assert sum(report["duplicates"] for report in reports) == sum(map(len, dealt)) - len(happenings)
    stored = stored_in_neo4j(neo4j_url)
    assert sorted(stored) == sorted(by_name)
    assert turns(stored, dealt) > 2 * max(map(len, dealt)) // BATCH, "they took turns"
    stitched = check_neo4j(neo4j_url, by_name)
    reasons = {reason.partition(":")[0] for reason in stitched.refusals.values()}
    assert reasons >= {"generic", "limit", "weak_bridge"}, "and there was something to decide"


def test_two_servers_and_an_import_write_to_one_database_at_once(neo4j_url: str, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    everything = list(islice(crowd(seed=8, people=60), 2_200))
    imported = [*everything[:100], *everything[2_000:]]
    file.write_text("".join(json.dumps(happening.wire()) + "\n" for happening in imported))
    loads = []
    with (
        serving(tmp_path, neo4j_url) as one,
        serving(tmp_path, neo4j_url) as other,
        loading(crowd(seed=8, people=60), tmp_path / "one's", senders=3) as first,
        loading(crowd(seed=8, people=60), tmp_path / "other's", senders=3) as second,
    ):
        for load, server in ((first, one), (second, other)):
            load.send_to(server.port)
            load.more_acknowledged(20)
            loads.append(load)
        before = first.acknowledged, second.acknowledged
        words = ("--json", "--store", neo4j_url, "import", file, "--source", "local")
        done = run(tmp_path, *words, batch_size=BATCH)
        assert (done.returncode, done.stderr) == (0, "")
        assert first.acknowledged > before[0], "the one server wrote meanwhile"
        assert second.acknowledged > before[1], "and so did the other"
        for load, server in ((first, one), (second, other)):
            load.end()
            assert server.stop() == 0
            assert server.complaints() == ""
    report = json.loads(done.stdout)
    stored = stored_in_neo4j(neo4j_url)
    accepted = report["accepted"] + sum(load.became["accepted"] for load in loads)
    assert accepted == len(stored), "each event was accepted by one of them"
    assert first.log() | second.log() | {happening.message_id for happening in imported} <= set(stored)
    by_name = first.sent | second.sent | {happening.message_id: happening for happening in imported}
    check_neo4j(neo4j_url, by_name)
