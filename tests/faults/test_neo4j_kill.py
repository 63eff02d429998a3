"""kill -9 of Neo4j under load: nothing that was acknowledged is lost, senders are told to come back, and when Neo4j is
there again onefold goes on by itself."""

from pathlib import Path

import pytest

from tests.support.crowd import crowd
from tests.support.load import Load, loading, resend
from tests.support.neo4j_server import Neo4jServer, neo4j_server, prepared
from tests.support.server import Server, serving, until
from tests.support.whole import check_neo4j, stored_in_neo4j

# One more server at a time is enough.
pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.xdist_group("neo4j faults")]

KILLS = 5


def ready(server: Server) -> int:
    """The status with which it says whether it can be used."""
    with server.client() as client:
        return client.get("/readyz").status


def kill_at_work(neo4j: Neo4jServer, load: Load) -> None:
    """Kill Neo4j while requests wait for what it does for them."""
    load.more_acknowledged(100)
    until(load.unanswered, "requests wait for their answers")
    neo4j.kill()


def test_five_kills_of_neo4j_under_load_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with (
        neo4j_server(tmp_path / "neo4j") as neo4j,
        serving(tmp_path, prepared(neo4j.url)) as server,
    ):
        with loading(crowd(seed=1, people=100), tmp_path / "acknowledged") as load:
            load.send_to(server.port)
            for _ in range(KILLS):
                kill_at_work(neo4j, load)
                load.more_refused(3)
                assert ready(server) == 503
                neo4j.start()
            load.more_acknowledged(100)
        assert ready(server) == 200
        assert load.refused.keys() == {"store.unavailable"}
        assert load.cut == 0, "every request was answered"
        stored = stored_in_neo4j(neo4j.url)
        assert len(stored) == len(set(stored))
        assert load.log() <= set(stored), "what was acknowledged is stored"
        check_neo4j(neo4j.url, load.sent)
        became = resend(server, load)
        assert {name for name, status in became.items() if status == "duplicate"} == set(stored)
        assert server.stop() == 0
        assert server.complaints() == ""
        assert set(stored_in_neo4j(neo4j.url)) == load.sent.keys()
        stitched = check_neo4j(neo4j.url, load.sent)
        assert {reason.partition(":")[0] for reason in stitched.refusals.values()} >= {"generic", "limit"}
