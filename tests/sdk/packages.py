"""The packages of npm that the tests use."""

from pathlib import Path

from tests.support.tools import give_up
from tests.tables import ROOT

NODE = ROOT / "tests" / "sdk" / "node"


def packages() -> Path:
    """Their folder."""
    folder = NODE / "node_modules"
    if not (folder / ".package-lock.json").exists():
        give_up("node", "the packages of tests/sdk/node are not installed: npm ci --prefix tests/sdk/node")
    return folder
