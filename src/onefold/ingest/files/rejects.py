"""The file beside an import that holds what was rejected, and why."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec
import orjson

from onefold.errors import OnefoldError, Problem


def rejects_beside(file: Path) -> Path:
    """Where what is rejected of `file` goes: `shop.jsonl` has its `shop.rejects.jsonl`."""
    return file.with_name(f"{file.name.removesuffix('.jsonl')}.rejects.jsonl")


class Rejects:
    """Lines that were rejected. The file goes when none were."""

    def __init__(self, path: Path, kept_bytes: int = 0) -> None:
        """Begin the file, or go on after the `kept_bytes` that an import wrote before it was stopped.

        Raises: OnefoldError `settings.invalid` when it cannot be written.
        """
        self._path: Final = path
        self.bytes = kept_bytes
        try:
            self._file: Final = path.open("r+b" if kept_bytes else "wb")
            if kept_bytes:
                self._file.truncate(kept_bytes)
                self._file.seek(kept_bytes)
        except OSError as error:
            raise unwritable("rejected lines", path, error) from error

    def __enter__(self) -> Self:
        """The file itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        try:
            self._file.close()
        except OSError as failure:
            # What ended the import before this says more.
            if error is None:
                raise unwritable("rejected lines", self._path, failure) from failure
        if not self.bytes:
            self._path.unlink(missing_ok=True)  # an import beside this one may have been faster

    @property
    def path(self) -> Path | None:
        """Where they are; None when there are none."""
        return self._path if self.bytes else None

    def add(self, number: int, event: bytes, problem: Problem, warnings: Sequence[Problem]) -> None:
        """Write a line down. `warnings`: what was dropped from it, which may be why it cannot be used."""
        said = {
            "line": number,
            **msgspec.structs.asdict(problem),
            "warnings": [msgspec.structs.asdict(warning) for warning in warnings],
            "event": event.decode("utf-8", "backslashreplace"),
        }
        line = orjson.dumps(said) + b"\n"
        try:
            self._file.write(line)
        except OSError as error:
            raise unwritable("rejected lines", self._path, error) from error
        self.bytes += len(line)

    def flush(self) -> None:
        """Have all of them in the file."""
        try:
            self._file.flush()
        except OSError as error:
            raise unwritable("rejected lines", self._path, error) from error


def unwritable(what: str, path: Path, error: OSError) -> OnefoldError:
    """The failure to write a file beside an import."""
    return OnefoldError(
        "settings.invalid",
        f"{what} cannot be written to {path}: {error.strerror}",
        "Import from a folder that can be written to.",
        "rejects",
    )
