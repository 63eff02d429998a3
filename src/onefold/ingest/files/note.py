"""How far an import has come, noted beside its file, so that the same command goes on after a kill.

A note saves time and is never believed blindly: events are told apart by their message ids, whatever it says. It tells
how far the import was before its last durable batch; whoever goes on does that batch again, and if one of its events is
new to the store, then this is not the store, or not the state of it, that the note is about.
"""

import contextlib
import os
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from onefold.ingest.files.rejects import unwritable
from onefold.ingest.files.report import Tally


def note_beside(file: Path) -> Path:
    """Where it is noted how far `file` was imported: `shop.jsonl` has its `shop.progress.json`."""
    return file.with_name(f"{file.name.removesuffix('.jsonl')}.progress.json")


class Stand(msgspec.Struct, frozen=True):
    """Where an import stands between two batches.

    Attributes:
        pieces: how many lines or rows were read. fingerprint: the reader's, of all of them.
        tally: what became of them. rejects_bytes: how long the file of those that were rejected is.
    """

    pieces: int
    fingerprint: str
    tally: Tally
    rejects_bytes: int


class Note(msgspec.Struct, frozen=True):
    """What is noted: `stand` is durable, and so are the pieces after it, up to the number `until`."""

    of: str
    stand: Stand
    until: int


_DECODER: Final = msgspec.json.Decoder(Note)


class NoteFile:
    """The file that a note is in."""

    def __init__(self, path: Path, *of: bytes) -> None:
        """`of`: what else must be the same for an import to go on, such as the store and the source."""
        self._path: Final = path
        self._of: Final = blake2b(b"\0".join(of), digest_size=16).hexdigest()

    def read(self) -> Note | None:
        """The note, if there is one of this import."""
        try:
            note = _DECODER.decode(self._path.read_bytes())
        except (OSError, msgspec.DecodeError):
            return None
        return note if note.of == self._of else None

    def write(self, stand: Stand, until: int) -> None:
        """Note how far it is. Raises OnefoldError `settings.invalid` when it cannot be written."""
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            beside.write_bytes(msgspec.json.encode(Note(self._of, stand, until)))
            beside.replace(self._path)
        except OSError as error:
            raise unwritable("how far the import is", self._path, error) from error

    def remove(self) -> None:
        """There is nothing to go on with any more."""
        with contextlib.suppress(OSError):
            self._path.unlink()
