"""The code stays readable: no function is over 75 lines, no file over 500."""

import ast
from pathlib import Path

import pytest

from tests.tables import ROOT

LONGEST_FUNCTION_LINES, LONGEST_FILE_LINES = 75, 500
FILES = sorted(path for folder in ("src", "tests", "bench") for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_and_its_functions_can_be_read_at_a_sitting(path: Path) -> None:
    text = path.read_text()
    lengths = {
        node.name: (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION_LINES} == {}
    assert text.count("\n") <= LONGEST_FILE_LINES
