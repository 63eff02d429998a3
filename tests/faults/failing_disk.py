"""onefold on a disk that goes wrong: `python failing_disk.py STATE …` runs `onefold …` on it.

The file STATE says how the disk is, and may be written at any time: `works`, `full` (no file may grow), or `broken`
(nothing can be read or written).
"""

import sys
from pathlib import Path

import apsw

from onefold.wiring import main


class FailingFile(apsw.VFSFile):
    """A file on the disk."""

    def __init__(self, base: str, state: Path, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__(base, name, flags)
        self._state = state

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 (apsw names it)
        self._check()
        if self._is("full") and offset + len(data) > self.xFileSize():
            raise apsw.FullError("no space left on device")
        super().xWrite(data, offset)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 (apsw names it)
        self._check()
        return super().xRead(amount, offset)

    def _check(self) -> None:
        if self._is("broken"):
            raise apsw.IOError("input/output error")

    def _is(self, state: str) -> bool:
        return self._state.read_text() == state


class FailingDisk(apsw.VFS):
    """SQLite's own way to the disk, but for what STATE says."""

    def __init__(self, state: Path) -> None:
        self._base = apsw.vfs_names()[0]
        self._state = state
        super().__init__("failing", self._base, makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 (apsw names it)
        return FailingFile(self._base, self._state, name, flags)


if __name__ == "__main__":
    disk = FailingDisk(Path(sys.argv.pop(1)))
    main()
