"""A server that cannot start says why in one line, ends with the code's exit, and leaves what it found alone."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from onefold.errors import CODES
from tests.faults.disks import mounted
from tests.support.server import run

pytestmark = pytest.mark.slow


def made(folder: Path) -> Path:
    """A store."""
    assert run(folder, "init", "--store", "sqlite:///store.db").returncode == 0
    return folder / "store.db"


def changed(path: Path, statement: str) -> str:
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute(statement).fetchall()
    return f"sqlite:///{path}"


def newer(folder: Path) -> str:
    return changed(made(folder), "PRAGMA user_version = 99")


def other_rules(folder: Path) -> str:
    return changed(made(folder), "UPDATE meta SET value = 'others' WHERE name = 'rules'")


def other_program(folder: Path) -> str:
    return changed(folder / "store.db", "CREATE TABLE contacts (name)")


def text(folder: Path) -> str:
    (folder / "store.db").write_text("Dear diary, " * 1_000)
    return "sqlite:///store.db"


def damaged(folder: Path) -> str:
    path = made(folder)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    return f"sqlite:///{path}"


STORES: dict[str, tuple[str, Callable[[Path], str]]] = {
    "in a folder that takes no files": ("store.unwritable", lambda _: "sqlite:////proc/onefold.db"),
    "in a folder that is not there": ("store.unwritable", lambda _: "sqlite:///missing/store.db"),
    "that is a folder": ("store.unwritable", lambda folder: f"sqlite:///{folder}"),
    "that is a text": ("store.not_ours", text),
    "of another program": ("store.not_ours", other_program),
    "of a newer onefold": ("store.newer_schema", newer),
    "stitched by other rules": ("store.rules_changed", other_rules),
    "that is damaged": ("store.unavailable", damaged),
    "of an unknown kind": ("store.unknown_scheme", lambda _: "mysql://localhost/shop"),
}


@pytest.mark.parametrize("store", STORES)
def test_a_store_that_cannot_be_served(tmp_path: Path, store: str) -> None:
    code, prepare = STORES[store]
    url = prepare(tmp_path)
    check_refused(tmp_path, url, code)


def test_a_store_in_a_folder_that_cannot_be_written(unwritable: Path) -> None:
    check_refused(unwritable.parent, f"sqlite:///{unwritable}/store.db", "store.unwritable")


def check_refused(folder: Path, url: str, code: str) -> None:
    """It is not served, for this reason; nothing is changed, nothing is left behind."""
    before = contents(folder)
    ended = run(folder, "serve", "--port", "0", "--store", url)
    assert ended.returncode == CODES[code].exit
    assert ended.stdout == ""
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"{code}: ")
    assert line.endswith(")"), "it says what to do"
    assert contents(folder) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): hashlib.sha256(path.read_bytes()).digest() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[Path]:
    """A folder with a store in it that nobody may write to, and no other file may be put into."""
    if os.geteuid():
        folder = made(tmp_path).parent
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)
        return
    with mounted(tmp_path / "disk") as disk:
        if disk is None:
            pytest.skip("nothing keeps root from writing, and no file system can be mounted here")
        made(disk.folder)
        disk.protect()
        yield disk.folder
