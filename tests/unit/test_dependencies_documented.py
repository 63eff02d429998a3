"""Every dependency has its line in docs/decisions/0001-dependencies.md and its pin, and no line is left over."""

import re
import tomllib

from tests.tables import ROOT

HEADER = "| dependency | what it replaces | how well kept |"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def names(requirements: list[str]) -> set[str]:
    """The names of the requirements, as package indexes compare them."""
    return {re.split(r"[^A-Za-z0-9._-]", requirement.strip())[0].lower() for requirement in requirements}


def documented() -> set[str]:
    """The names in both tables of the decision."""
    text = (ROOT / "docs" / "decisions" / "0001-dependencies.md").read_text()
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| ") and line != HEADER]
    return names([name for cell in cells for name in cell.split(",")])


def test_each_dependency_has_its_line_and_each_line_a_dependency() -> None:
    assert documented() == names(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])


def test_each_dependency_is_pinned_exactly() -> None:
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin) for pin in pins)
    assert documented() <= names(pins)
