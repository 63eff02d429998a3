"""`scripts/neo4j-server` says in a line what keeps it from doing what it is told."""

import subprocess
import sys
from pathlib import Path

from tests.tables import ROOT

SCRIPT = ROOT / "scripts" / "neo4j-server"


def refused(folder: Path, *arguments: str) -> str:
    """What it says, on a machine without Maven and Java, with an empty cache."""
    done = subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        env={"PATH": str(folder), "ONEFOLD_NEO4J_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    return line


def test_without_maven_nothing_is_fetched(tmp_path: Path) -> None:
    assert refused(tmp_path, "fetch") == (
        "neo4j-server: Neo4j is fetched by Maven, and there is no mvn on the path: install Maven"
    )
    assert refused(tmp_path, "start") == refused(tmp_path, "fetch"), "and it is not taken for fetched from then on"


def test_without_a_java_that_is_new_enough_nothing_is_started(tmp_path: Path) -> None:
    (tmp_path / "cache" / "999.1" / "lib").mkdir(parents=True)
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o755)
    source = SCRIPT.read_text().replace('Path("/usr/lib/jvm")', f'Path("{tmp_path}/none")')
    (tmp_path / "neo4j-server").write_text(source)
    done = subprocess.run(
        [sys.executable, tmp_path / "neo4j-server", "--version", "999.1", "start"],
        env={"PATH": str(tmp_path), "ONEFOLD_NEO4J_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("neo4j-server: Neo4j 999.1 needs Java 21 or newer")


def test_where_no_server_runs_none_is_stopped(tmp_path: Path) -> None:
    assert refused(tmp_path, "stop", "--home", str(tmp_path)) == f"neo4j-server: no server of {tmp_path} runs"


def test_the_number_of_a_process_that_has_ended_may_be_anothers(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            (tmp_path / "run" / "server.pid").write_text(str(other.pid))
            assert refused(tmp_path, "stop", "--home", str(tmp_path)).endswith("runs")
            assert other.poll() is None, "it is left alone"
        finally:
            other.kill()
