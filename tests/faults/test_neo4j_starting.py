"""onefold and Neo4j start in the wrong order, or without what the other needs. Whatever will not pass by itself is
said in one line; what will is waited for."""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from onefold.errors import CODES
from tests.support.crowd import crowd
from tests.support.neo4j_server import Neo4jServer, ask, neo4j_server, prepared
from tests.support.server import ONEFOLD, SECONDS, Answer, Server, run, serving, until
from tests.support.whole import check_neo4j

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.xdist_group("neo4j faults")]

PASSWORD = "S3cret/&@:%pass"
IN_A_URL = "S3cret%2F%26%40%3A%25pass"
EVENTS = list(islice(crowd(seed=21, people=5), 20))
BATCH = [happening.wire() for happening in EVENTS]


@pytest.fixture(scope="module")
def neo4j(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """A server that asks for a password."""
    with neo4j_server(tmp_path_factory.mktemp("neo4j") / "home", "--password", PASSWORD) as server:
        yield server


@pytest.fixture
def empty(neo4j: Neo4jServer) -> str:
    """The URL of its database, in which there is nothing."""
    assert IN_A_URL in neo4j.url
    ask(neo4j.url, "MATCH (n) DETACH DELETE n")
    return neo4j.url


def made(url: str, folder: Path) -> str:
    assert run(folder, "init", "--store", url).returncode == 0
    return url


def newer(url: str, folder: Path) -> str:
    ask(made(url, folder), "MATCH (m:Meta {name: 'store'}) SET m.version = 99")
    return url


def other_rules(url: str, folder: Path) -> str:
    ask(made(url, folder), "MATCH (m:Meta {name: 'store'}) SET m.rules = 'others'")
    return url


def other_program(url: str, folder: Path) -> str:
    ask(url, "CREATE (:Person {name: 'Ann'})-[:KNOWS]->(:Person {name: 'Bob'})")
    return url


STORES: dict[str, tuple[str, Callable[[str, Path], str]]] = {
    "with a wrong password": ("store.forbidden", lambda url, _: url.replace(IN_A_URL, f"{IN_A_URL}x")),
    "without a password": ("store.forbidden", lambda url, _: url.replace(f"neo4j:{IN_A_URL}@", "")),
    "with a password that is not in percent": ("settings.invalid", lambda url, _: url.replace(IN_A_URL, PASSWORD)),
    "in a database that is not there": ("store.unavailable", lambda url, _: f"{url}missing"),
    "in Neo4j's own database": ("settings.invalid", lambda url, _: url.replace("/neo4j", "/system")),
    "of another program": ("store.not_ours", other_program),
    "of a newer onefold": ("store.newer_schema", newer),
    "stitched by other rules": ("store.rules_changed", other_rules),
}


@pytest.mark.parametrize("store", STORES)
def test_a_store_that_cannot_be_served(empty: str, tmp_path: Path, store: str) -> None:
    code, prepare = STORES[store]
    url = prepare(empty, tmp_path)
    before = contents(empty)
    ended = run(tmp_path, "serve", "--port", "0", "--store", url)
    check_refused(ended.returncode, ended.stdout, ended.stderr, code)
    assert contents(empty) == before


def check_refused(exit_code: int | None, out: str, err: str, code: str) -> None:
    """It ended for this reason, which it says in a line without anybody's password."""
    assert exit_code == CODES[code].exit, err
    assert out == ""
    [line] = err.splitlines()
    assert line.startswith(f"{code}: ")
    assert line.endswith(")"), "it says what to do"
    assert PASSWORD not in line
    assert IN_A_URL not in line


def contents(url: str) -> list[list[object]]:
    return ask(url, "MATCH (n) RETURN labels(n), properties(n) ORDER BY elementId(n)")


def test_no_command_shows_the_password(empty: str, tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in BATCH))
    ref = "{}:{}".format(*EVENTS[0].identifiers[0])
    commands = [("status",), ("init",), ("import", "events.jsonl"), ("resolve", ref), ("search", "person")]
    for command in [*commands, ("status", "--json"), ("init", "--json"), ("resolve", "email:no@x.de"), ("rejects",)]:
        ended = run(tmp_path, *command, store=empty)
        said = ended.stdout + ended.stderr
        assert said, command
        assert PASSWORD not in said
        assert IN_A_URL not in said


def begun(folder: Path, url: str) -> Server:
    """`onefold serve`, which answers, but is not ready."""
    server = Server(folder, url, ONEFOLD, {})
    server.port = int(until(server._announced, "it says where it answers").rpartition(":")[2])
    return server


def asked(server: Server, path: str) -> Answer:
    with server.client() as client:
        return client.get(path)


def test_a_server_that_is_started_first_waits_for_neo4j(neo4j: Neo4jServer, empty: str, tmp_path: Path) -> None:
    neo4j.kill()
    server = begun(tmp_path, empty)
    try:
        assert asked(server, "/healthz").status == 200
        for path in ("/readyz", "/", "/graphql"):
            check_unavailable(asked(server, path))
        with server.client() as client:
            check_unavailable(client.ingest(BATCH))
        neo4j.start()
        until(lambda: asked(server, "/readyz").status == 200, "it is ready")
        with server.client() as client:
            assert client.ingest(BATCH).said["accepted"] == len(BATCH)
        assert server.stop() == 0
        waiting, there = server.complaints().splitlines()
        assert waiting.startswith("store.unavailable: ")
        assert PASSWORD not in waiting
        assert there == "the store answers"
        assert IN_A_URL not in server._out.read_text(), "nor does it say the password where it says where it serves"
    finally:
        server.kill()
    check_neo4j(empty, {happening.message_id: happening for happening in EVENTS})


def check_unavailable(answer: Answer) -> None:
    assert answer.status == 503
    assert answer.said["code"] == "store.unavailable"
    assert int(answer.headers["retry-after"]) >= 1
    assert PASSWORD not in json.dumps(answer.said)


def test_a_server_that_waits_ends_when_what_it_waited_for_cannot_be_used(
    neo4j: Neo4jServer, empty: str, tmp_path: Path
) -> None:
    newer(empty, tmp_path)
    neo4j.kill()
    server = begun(tmp_path, empty)
    try:
        check_unavailable(asked(server, "/readyz"))
        neo4j.start()
        server.process.wait(SECONDS)
        _, complaint = server.complaints().splitlines()
        assert server.process.returncode == CODES["store.newer_schema"].exit
        said = json.loads(complaint)
        assert said["code"] == "store.newer_schema"
        assert said["hint"], "it says what to do"
        assert PASSWORD not in complaint
        assert IN_A_URL not in complaint
    finally:
        server.kill()


def test_a_server_that_waits_can_be_stopped(neo4j: Neo4jServer, empty: str, tmp_path: Path) -> None:
    neo4j.kill()
    server = begun(tmp_path, empty)
    try:
        check_unavailable(asked(server, "/readyz"))
        assert server.stop() == 0
    finally:
        server.kill()
        neo4j.start()


def test_a_database_that_can_only_be_read_is_read(tmp_path: Path) -> None:
    """After a crash Neo4j has to write before it can be read, so it is stopped as it should be."""
    with neo4j_server(tmp_path / "neo4j") as neo4j:
        with serving(tmp_path, prepared(neo4j.url)) as server, server.client() as client:
            assert client.ingest(BATCH).said["accepted"] == len(BATCH)
        neo4j.stop()
        neo4j.start("--set", "server.databases.read_only=neo4j")
        ended = run(tmp_path, "serve", "--port", "0", "--store", neo4j.url)
        check_refused(ended.returncode, ended.stdout, ended.stderr, "store.read_only")
        (tmp_path / "events.jsonl").write_text(json.dumps(next(crowd(seed=22, people=1)).wire()) + "\n")
        ended = run(tmp_path, "import", "events.jsonl", "--store", neo4j.url)
        check_refused(ended.returncode, ended.stdout, ended.stderr, "store.read_only")
        shown = run(tmp_path, "--json", "status", "--store", neo4j.url)
        assert (shown.stderr, json.loads(shown.stdout)["touchpoints"]) == ("", len(BATCH))


def test_a_batch_that_neo4j_has_no_memory_for_is_refused_and_smaller_ones_are_not(tmp_path: Path) -> None:
    coming = crowd(seed=23, people=1_000)
    few, some, many = (list(islice(coming, number)) for number in (20, 50, 3_000))
    limits = ("--set", "dbms.memory.transaction.total.max=50m")
    with (
        neo4j_server(tmp_path / "neo4j", *limits) as neo4j,
        serving(tmp_path, prepared(neo4j.url), batch_size=5_000) as server,
        server.client() as client,
    ):
        assert client.ingest([happening.wire() for happening in few]).said["accepted"] == len(few)
        refused = client.ingest([happening.wire() for happening in many])
        assert (refused.status, refused.said["code"]) == (507, "store.full")
        assert int(refused.headers["retry-after"]) >= 1
        assert "dbms.memory.transaction.total.max" in refused.said["hint"]
        assert client.graphql("{ status { touchpoints } }")["data"]["status"]["touchpoints"] == len(few)
        assert client.get("/readyz").status == 200
        assert client.ingest([happening.wire() for happening in some]).said["accepted"] == len(some)
        assert server.stop() == 0
        assert server.complaints() == ""
        check_neo4j(neo4j.url, {happening.message_id: happening for happening in [*few, *some]})
