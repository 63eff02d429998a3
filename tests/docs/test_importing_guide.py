"""What docs/importing.md tells readers to do works, and its files are those that come."""

import re
from pathlib import Path

from onefold.ingest.tables.mapping import KEYS, PICK_KEYS
from tests.cli.conftest import called
from tests.docs.guides import blocks
from tests.tables import ROOT

GUIDE = "docs/importing.md"


def test_the_mapping_it_shows_is_the_one_suggested_and_works(tmp_path: Path) -> None:
    texts = {block.language: block.text for block in blocks(GUIDE)}
    commands = [line for block in blocks(GUIDE) if block.language == "sh" for line in block.text.splitlines()]
    (tmp_path / "crm.csv").write_text(texts["csv"])
    answers = []
    for command in commands:
        word, *arguments = command.split()
        assert word == "onefold"
        answers.append(called(tmp_path, *arguments))
    assert [(answer.code, answer.err) for answer in answers] == [(0, "")] * 3
    assert (tmp_path / "crm.yaml").read_text() == texts["yaml"]
    assert "2 accepted, 0 duplicates, 0 rejected" in answers[1].out
    assert "1250.5" in answers[2].out


def test_every_key_of_a_mapping_is_described() -> None:
    tables = re.findall(r"^\| key \| meaning \|\n\|---\|---\|\n((?:\|.*\n)+)", (ROOT / GUIDE).read_text(), re.MULTILINE)
    of_mapping, of_column = (
        {key for row in re.findall(r"^\| (.+?) \|", table, re.MULTILINE) for key in named(row)} for table in tables
    )
    assert of_mapping == set(KEYS)
    assert of_column == set(PICK_KEYS) - {"column", "value"}


def named(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)
