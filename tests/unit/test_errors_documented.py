"""docs/errors.md lists the registry exactly, and the code raises nothing that is not in it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.errors import CODES, Exit
from tests.tables import ROOT, plain, rows


def test_the_documented_codes_are_the_registered_ones() -> None:
    documented = [(plain(code), *rest) for code, *rest in rows("errors.md", "| code | exit | HTTP | meaning |")]
    registered = [(code, str(it.exit.value), str(it.http_status), it.meaning) for code, it in CODES.items()]
    assert documented == sorted(registered)


def test_the_documented_exit_codes_are_the_ones_there_are() -> None:
    assert [int(number) for number, _ in rows("errors.md", "| exit | meaning |")] == [it.value for it in Exit]


def codes_named(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and literal code of every `Problem(…)`, `OnefoldError(…)` and `PassingError(…)` that is written out."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in {"Problem", "OnefoldError", "PassingError"}:
            continue
        given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "code")]
        for value in given:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield node.lineno, value.value


@pytest.mark.parametrize("path", sorted((ROOT / "src").rglob("*.py")), ids=lambda path: path.stem)
def test_every_code_the_source_names_is_registered(path: Path) -> None:
    unknown = [(line, code) for line, code in codes_named(ast.parse(path.read_text())) if code not in CODES]
    assert unknown == []
