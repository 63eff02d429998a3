"""The command line as people call it, in a folder of its own."""

import io
import json
import os
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from onefold.cli.app import run
from onefold.wiring import Wired

ONEFOLD = Path(sys.executable).with_name("onefold")


@dataclass(frozen=True)
class Ended:
    """How a call ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err)

    @property
    def ids(self) -> list[str]:
        """The public ids printed, each once."""
        return list(dict.fromkeys(re.findall(r"\b(?:cus|idn|tp|jdg|dec)_[0-9a-z]+", self.out)))


Run = Callable[..., Ended]


def called(folder: Path, *arguments: str, stdin: str = "", variables: dict[str, str] | None = None) -> Ended:
    """Call onefold in `folder`, with no setting but those given; in this process, which is quicker by far."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        for name in [name for name in os.environ if name.startswith("ONEFOLD_")]:
            patch.delenv(name)
        for name, value in (variables or {}).items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = run(Wired(), arguments)
    return Ended(code, out.getvalue(), err.getvalue())


@pytest.fixture
def onefold(tmp_path: Path) -> Run:
    """Calls onefold in an empty folder."""

    def run(*arguments: str, stdin: str = "", variables: dict[str, str] | None = None) -> Ended:
        return called(tmp_path, *arguments, stdin=stdin, variables=variables)

    return run


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Calls onefold in a folder whose store holds the demo story."""
    folder = tmp_path_factory.mktemp("told")
    assert called(folder, "demo", "--story", "--no-serve", "--store", "sqlite:///onefold.db").code == 0

    def run(*arguments: str, stdin: str = "") -> Ended:
        return called(folder, *arguments, stdin=stdin)

    return run
