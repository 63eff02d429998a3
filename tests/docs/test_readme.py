"""What README.md tells readers to do works, and its answers are those that come."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from onefold import demo
from onefold.settings import Settings
from onefold.wiring import build
from tests.docs.guides import BASE_URL, blocks, prepare
from tests.sdk.serving import in_process, served
from tests.tables import ROOT

README = blocks("README.md")


def test_its_make_targets_are_there() -> None:
    first = README[0]
    assert first.language == "sh"
    makefile = (ROOT / "Makefile").read_text()
    for line in first.text.splitlines():
        command, target = line.split()
        assert command == "make"
        assert f"\n{target}: " in makefile


def test_its_queries_have_the_answers_it_prints(tmp_path: Path) -> None:
    queries = [block.text for block in README if block.language == "graphql"]
    answers = [json.loads(block.text) for block in README if block.language == "json"]
    with build(Settings(store=f"sqlite:///{tmp_path}/demo.db")) as onefold:
        demo.tell(onefold)
        with in_process(onefold) as door:
            assert [{"data": door.ask(query)} for query in queries] == answers
    assert len(queries) == 2


def shell(folder: Path, script: str) -> str:
    """What a reader sees who types this in `folder`."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ONEFOLD_")}
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=folder,
        env={**variables, "PATH": f"{folder / 'bin'}:{Path(sys.executable).parent}:{variables['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.slow
def test_your_own_data_comes_in_by_file_by_sdk_and_by_curl(tmp_path: Path) -> None:
    prepare(tmp_path)
    importing, serving, sending = [block.text for block in README if block.language == "sh"][1:]
    shown = shell(tmp_path, importing)
    assert "3 accepted, 0 duplicates, 0 rejected" in shown
    assert "are one customer" in shown
    assert {path.name for path in tmp_path.iterdir() if path.name.partition(".db")[1] == ""} == {".venv", "bin"}
    assert serving == "onefold serve\n"
    with served(tmp_path) as onefold:
        [script] = [block.text for block in README if block.language == "python"]
        (tmp_path / "send.py").write_text(script.replace(BASE_URL, onefold.url))
        shell(tmp_path, "python send.py")
        assert json.loads(shell(tmp_path, sending.replace(BASE_URL, onefold.url)))["accepted"] == 1
    journey = json.loads(shell(tmp_path, "onefold customer email:kim@example.com --json"))["journey"]["items"]
    assert {(item["name"], item["channel"]) for item in journey} == {
        ("Home", "web"),
        (None, "unknown"),
        ("Order Completed", "store"),
        (None, "server"),
        ("Order Completed", "server"),
        ("Call Answered", "call_center"),
    }


def test_what_it_links_to_is_there() -> None:
    for guide in [ROOT / "README.md", ROOT / "graph_schema" / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", guide.read_text()):
            assert "://" in target or (guide.parent / target).exists(), f"{guide.name} links to {target}"


@pytest.mark.slow
def test_neo4j_is_a_command_away(tmp_path: Path) -> None:
    """Typed as it stands there, but for a server of its own: the reader's may be where the guide has it."""
    console = next(block.text for block in README if block.language == "console")
    start, told, demonstrate, stop = console.replace("7687", str(free_port())).splitlines()

    def typed(line: str) -> str:
        word, *arguments = line.removeprefix("$ ").split()
        if word == "onefold":
            command = [str(Path(sys.executable).parent / word), *arguments]
        else:
            command = [word, *arguments, "--home", str(tmp_path)]
        return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=300, check=True).stdout

    assert typed(start) == f"{told}\n"
    try:
        assert "Her journey" in typed(demonstrate)
    finally:
        typed(stop)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
