"""A reading may hold up everybody who writes, so it is over before anything is printed: who looks may take time."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from onefold import demo
from onefold.cli.app import run
from onefold.service import Onefold
from onefold.wiring import Wired
from tests.cli.conftest import called

STORE = ("--store", "sqlite:///onefold.db")
COUPLE = ("user_id:u-1002", "user_id:u-1004")


class Watched(io.StringIO):
    """Standard output that notes whether anything is read while it is written to."""

    reading = False
    held_up = False

    def write(self, text: str) -> int:
        self.held_up |= self.reading
        return super().write(text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose store holds the demo story."""
    folder = tmp_path_factory.mktemp("holding")
    story = Path(demo.__file__).with_name("story.jsonl")
    assert called(folder, "import", str(story), "--source", "demo", *STORE).code == 0
    return folder


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize(
    "command",
    [
        ("customer", "user_id:u-1002"), ("why", *COUPLE), ("why", "user_id:u-1001", "email:ann@example.com"),
        ("resolve", *COUPLE), ("search", "ann"), ("status",), ("rejects",), ("init",),
        ("judge", "different", *COUPLE, "--reason", "r"), ("export", "part", "--format", "csv", "--around", COUPLE[0]),
    ],
)  # fmt: skip
def test_nothing_is_printed_while_the_store_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], form: tuple[str, ...]
) -> None:
    read, shown = Onefold.read, Watched()

    @contextmanager
    def watched(onefold: Onefold, **how: bool) -> Iterator[Any]:
        with read(onefold, **how) as reading:
            shown.reading = True
            yield reading
        shown.reading = False

    monkeypatch.setattr(Onefold, "read", watched)
    monkeypatch.chdir(folder)
    command = tuple(f"{word}{len(form)}" if word == "part" else word for word in command)
    with redirect_stdout(shown):
        run(Wired(), (*command, *form, *STORE))
    assert shown.getvalue()
    assert not shown.held_up
