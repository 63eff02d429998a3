"""Disks that a test can fill and clear while onefold works on them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.support.server import ONEFOLD, until
from tests.tables import ROOT

FAILING_DISK = ROOT / "tests/faults/failing_disk.py"
ROOMY = "500m"


class Disk(Protocol):
    """A folder to put a store in, and how to run onefold there."""

    folder: Path

    @property
    def command(self) -> Sequence[str]:
        """How `onefold` is called."""

    def fill(self) -> None:
        """From now on no file can grow."""

    def clear(self) -> None:
        """There is room again."""


class SimulatedDisk:
    """Full where SQLite asks the disk for more room; needs no rights."""

    def __init__(self, folder: Path) -> None:
        self._state = folder / "state of the disk"
        self.folder = folder
        self.command: Sequence[str] = (sys.executable, str(FAILING_DISK), str(self._state))
        self.clear()

    def fill(self) -> None:
        self._become("full")

    def break_down(self) -> None:
        """From now on nothing can be read or written."""
        self._become("broken")

    def clear(self) -> None:
        self._become("works")

    def _become(self, state: str) -> None:
        """At once: whoever reads meanwhile sees the one or the other."""
        new = self._state.with_name("new state")
        new.write_text(state)
        new.replace(self._state)


class MountedDisk:
    """A file system of its own, really full."""

    command: Sequence[str] = ONEFOLD

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        until(self._shrunk, "the disk is as small as what it holds")

    def _shrunk(self) -> bool:
        """It cannot be made smaller than what is written to it meanwhile."""
        held = os.statvfs(self.folder)
        return self._resized(str((held.f_blocks - held.f_bfree) * held.f_bsize))

    def clear(self) -> None:
        assert self._resized(ROOMY)

    def protect(self) -> None:
        """From now on nothing on it can be changed."""
        assert _done("mount", "-o", "remount,ro", self.folder)

    def _resized(self, size: str) -> bool:
        return _done("mount", "-o", f"remount,size={size}", self.folder)


@contextmanager
def mounted(folder: Path) -> Iterator[MountedDisk | None]:
    """A disk mounted at `folder` until the block ends; None when this process may not mount one."""
    folder.mkdir()
    if not _done("mount", "-t", "tmpfs", "-o", f"size={ROOMY}", "onefold", folder):
        yield None
        return
    try:
        yield MountedDisk(folder)
    finally:
        assert _done("umount", "--lazy", folder)


def _done(*command: object) -> bool:
    try:
        return subprocess.run(list(map(str, command)), capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
