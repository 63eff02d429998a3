"""What guides show in `console` blocks is what readers see when they type it, with the demo story in the store."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from onefold import demo
from tests.cli.conftest import called
from tests.docs.guides import blocks, files, without_ids
from tests.tables import ROOT

GUIDES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))
SHOWN = [(guide, block.text) for guide in GUIDES for block in blocks(guide) if block.language == "console"]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the demo was run."""
    folder = tmp_path_factory.mktemp("told")
    assert called(folder, "demo", "--story", "--no-serve").code == 0
    return folder


@pytest.fixture(scope="module")
def folders(told: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each guide a folder like that of its own, with the files it shows."""
    made = {guide: tmp_path_factory.mktemp("guides") / "folder" for guide in GUIDES}
    for guide, folder in made.items():
        shutil.copytree(told, folder)
        for name, text in files(guide).items():
            (folder / name).write_text(text)
    return made


@pytest.mark.parametrize(("guide", "text"), SHOWN)
def test_a_guide_shows_what_readers_see(folders: dict[str, Path], guide: str, text: str) -> None:
    for part in text.split("$ onefold ")[1:]:
        command, _, shown = part.partition("\n")
        ended = called(folders[guide], *shlex.split(command), variables={"ONEFOLD_STORE": demo.STORE})
        assert (ended.code, ended.err) == (0, "")
        assert squeezed(without_ids(ended.out)) == squeezed(shown)


def squeezed(text: str) -> list[str]:
    """Lines with one blank between words: ids are shorter in guides, so columns stand elsewhere."""
    return [re.sub(" +", " ", line).strip() for line in text.strip().splitlines()]


def test_what_guides_tell_readers_to_type_first_is_what_was_done_here() -> None:
    guides = dict.fromkeys(guide for guide, _ in SHOWN)
    in_shell = [block.text for guide in guides for block in blocks(guide) if block.language == "sh"]
    assert in_shell == [f". .venv/bin/activate\nonefold demo --story --no-serve\nexport ONEFOLD_STORE={demo.STORE}\n"]
    assert SHOWN
