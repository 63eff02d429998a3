"""What docs/analysis.md computes with pandas and polars is what comes out, of the story in the store."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from onefold import demo
from onefold.analytics.sql import VIEWS
from tests.cli.conftest import called
from tests.docs.guides import blocks, prepare
from tests.tables import rows

GUIDE = blocks("docs/analysis.md")
SCRIPTS = [
    (script.text, shown.text)
    for script, shown in pairwise(GUIDE)
    if (script.language, shown.language) == ("python", "text")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the story was told, and the file written that the scripts read."""
    folder = tmp_path_factory.mktemp("analysis")
    prepare(folder)
    assert called(folder, "demo", "--story", "--no-serve").code == 0
    [asked] = [b.text for b in GUIDE if b.language == "console" and "--parquet" in b.text]
    question, _, rest = asked.removeprefix('$ onefold sql "').partition('" ')
    ended = called(folder, "sql", question, *rest.splitlines()[0].split(), variables={"ONEFOLD_STORE": demo.STORE})
    assert (ended.code, ended.err) == (0, "")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("script", "shown"), SCRIPTS)
def test_a_script_prints_what_stands_below_it(folder: Path, script: str, shown: str) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, "ONEFOLD_STORE": demo.STORE, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.rstrip() for line in done.stdout.splitlines()] == shown.splitlines()


@pytest.mark.parametrize("view", VIEWS)
def test_the_columns_of_each_view_are_told(folder: Path, view: str) -> None:
    asked = called(folder, "sql", f"DESCRIBE {view}", "--json", variables={"ONEFOLD_STORE": demo.STORE}).json
    told = dict(zip(*list(zip(*rows("analysis.md", "| view | a row is | columns |"), strict=True))[::2], strict=True))
    columns = [row["column_name"] for row in asked]
    if view == "touchpoints":
        [shown] = [block.text for block in GUIDE if "DESCRIBE" in block.text]
        assert [line.partition(",")[0] for line in shown.splitlines()[2:]] == columns
    else:
        assert re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", told[f"`{view}`"])) == columns


def test_pandas_and_polars_are_both_shown() -> None:
    assert len(SCRIPTS) == 3
    assert {name for name in ("pandas", "polars") for script, _ in SCRIPTS if f"import {name}" in script} == {
        "pandas",
        "polars",
    }
