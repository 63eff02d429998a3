"""Programs that tests run and that this project does not bring along."""

import os
import shutil
from typing import NoReturn

import pytest

ALLOW_SKIP = "ONEFOLD_ALLOW_SKIP"


def needed(tool: str, how: str) -> str:
    """The path of a program. The test fails without it, saying `how` to get it; it is skipped only if the variable
    ONEFOLD_ALLOW_SKIP, a list with commas, names the program."""
    path = shutil.which(tool)
    if path is None:
        give_up(tool, f"{tool} is not installed: {how}")
    return path


def give_up(tool: str, why: str) -> NoReturn:
    """Fail, or skip if that is allowed for this tool."""
    allowed = [name.strip() for name in os.environ.get(ALLOW_SKIP, "").split(",")]
    if tool in allowed:
        pytest.skip(f"{why} ({ALLOW_SKIP} allows it)")
    pytest.fail(f"{why}, or set {ALLOW_SKIP}={tool}")
