"""Which file of a folder a process may use: DuckDB lets one process open a file, so each takes one of its own."""

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

MOST_FILES: Final = 8


class Slot:
    """A file that nobody else uses while this is held; another process may have filled it before.

    Attributes:
        file: the database, which may not be there yet. spill: the folder for what does not fit into memory.
    """

    def __init__(self, file: Path, lock: IO[bytes]) -> None:
        """`lock` is open, and locked."""
        self.file: Final = file
        self.spill: Final = file.with_suffix(".tmp")
        self._lock: Final = lock
        shutil.rmtree(self.spill, ignore_errors=True)  # of a process that was killed

    def clear(self) -> None:
        """Delete what is in it. Raises OSError."""
        self.file.unlink(missing_ok=True)
        self.file.with_name(f"{self.file.name}.wal").unlink(missing_ok=True)

    def release(self) -> None:
        """Others may use it. What does not fit into memory is of no use to them."""
        shutil.rmtree(self.spill, ignore_errors=True)
        self._lock.close()


def take_slot(folder: Path) -> Slot | None:
    """The first file of the folder, which is made if need be, that nobody uses; None when all are used. A lock ends
    with the process that took it, however it ends. Raises OSError where no file can be made."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return next(_free(folder), None)


def _free(folder: Path) -> Iterator[Slot]:
    for number in range(1, MOST_FILES + 1):
        lock = (folder / f"{number}.lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            yield Slot(folder / f"{number}.duckdb", lock)
