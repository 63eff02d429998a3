"""Where lines come from: files, which are there, and pipes, which may fill slowly."""

import os
import select
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import BinaryIO, Final, Protocol, TypeVar

from onefold.errors import OnefoldError
from onefold.ingest.decode import Decoded, Decoder, Rejected
from onefold.ingest.pipeline import now_ms
from onefold.model.sources import Source

_LINE_END_BYTES: Final = 2
_SKIPPED_BYTES: Final = 65_536
_MARK: Final = b"\xef\xbb\xbf"
_OTHERS: Final = {
    b"\xff\xfe": ("in UTF-16", "Save it in UTF-8."),
    b"\xfe\xff": ("in UTF-16", "Save it in UTF-8."),
    b"\x1f\x8b": ("compressed by gzip", "Pipe it in: zcat FILE | onefold import - …"),
    b"PK\x03\x04": ("a ZIP or Excel file", "Save what is in it as CSV, in UTF-8."),
    b"PAR1": ("Parquet", "Give it a name that ends in .parquet; it cannot be piped in."),
}
"""What is no text at all: how it begins, what it is, and what to do about it."""

Content = TypeVar("Content")
Content_co = TypeVar("Content_co", covariant=True)


class Reader(Protocol[Content_co]):
    """What is imported, piece by piece. It is read once, from its beginning."""

    def __iter__(self) -> Iterator[tuple[int, Content_co | None]]:
        """Each line or row with its number, the first being 1; None stands for a blank one.

        Raises: OnefoldError `body.invalid_json`, `file.invalid` for what is no such file at all.
        """

    def ready(self) -> bool:
        """Whether the next piece, or the end, can be had without waiting for whoever writes it."""

    def fingerprint(self) -> str:
        """A hash of all that was read so far: while it is the same, so is what stands before this place."""

    def share(self) -> float | None:
        """How much of all there is has been read, 0 to 1; None when nobody knows."""


class Importable(Protocol[Content]):
    """What is imported, and what makes events of it.

    Attributes:
        unmapped: columns of a table that are not looked at; known once it was begun.
    """

    unmapped: Sequence[str]

    def begin(self) -> Reader[Content]:
        """Its pieces, from the beginning each time."""

    def decode(self, content: Content, /) -> Decoded | Rejected:
        """The event that a piece is."""


class Incoming(Protocol):
    """Bytes that come in."""

    size: int | None
    """How many there are, if that is known."""

    def readline(self, most: int, /) -> bytes:
        """The next line with its end; of a long one about `most` bytes, then more. Nothing at the end."""

    def ready(self) -> bool:
        """Whether a line, or the end, can be read without waiting."""


class PlainFile:
    """A file, all of which is there."""

    def __init__(self, stream: BinaryIO) -> None:
        """Read on from where `stream` stands."""
        self._stream: Final = stream
        self.size: int | None = None
        if stream.seekable():
            at = stream.tell()
            self.size = stream.seek(0, os.SEEK_END) - at
            stream.seek(at)

    def readline(self, most: int, /) -> bytes:
        """The next line, `most` bytes of it."""
        return self._stream.readline(most)

    def ready(self) -> bool:
        """Always."""
        return True


class LivePipe:
    """A pipe or a terminal, whose writer may take his time. What stands in it is taken at once, so that a line need not
    wait for the next one."""

    size: int | None = None

    def __init__(self, descriptor: int) -> None:
        """Read from a file descriptor, from which nobody else reads."""
        self._descriptor: Final = descriptor
        self._lines: Final[deque[bytes]] = deque()
        self._rest = b""
        self._ended = False

    def readline(self, most: int, /) -> bytes:
        """The next line; waits for its end."""
        while not self._lines and not self._ended and len(self._rest) < most:
            self._fill()
        if self._lines:
            return self._lines.popleft()
        line, self._rest = self._rest[:most], self._rest[most:]
        return line

    def ready(self) -> bool:
        """Whether a whole line came in, or the end."""
        while not self._lines and not self._ended and len(self._rest) < _SKIPPED_BYTES:
            if not select.select([self._descriptor], [], [], 0)[0]:
                return False
            self._fill()
        return True

    def _fill(self) -> None:
        chunk = os.read(self._descriptor, _SKIPPED_BYTES)
        self._ended = not chunk
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        self._lines.extend(line + b"\n" for line in lines)


class Lines:
    """Lines as bytes, each with its end: of one that is longer than `most` bytes, so much that its reader sees it is.

    Attributes:
        number: of the last line, the first being 1.
    """

    def __init__(self, incoming: Incoming, most: int, code: str) -> None:
        """`code`: of the error when it is text of another kind."""
        self.number = 0
        self._incoming: Final = incoming
        self._most: Final = most
        self._code: Final = code
        self._read_bytes = 0
        self._hash: Final = blake2b(digest_size=16)

    def __iter__(self) -> Iterator[bytes]:
        """The lines themselves."""
        return self

    def __next__(self) -> bytes:
        """The next line."""
        line = rest = self._read(self._most + _LINE_END_BYTES)
        if not line:
            raise StopIteration
        while not rest.endswith(b"\n") and (rest := self._read(_SKIPPED_BYTES)):
            pass
        self.number += 1
        return self._unmarked(line) if self.number == 1 else line

    def ready(self) -> bool:
        """As `Reader.ready`."""
        return self._incoming.ready()

    def fingerprint(self) -> str:
        """As `Reader.fingerprint`."""
        return self._hash.hexdigest()

    def share(self) -> float | None:
        """As `Reader.share`."""
        size = self._incoming.size
        return self._read_bytes / size if size else None

    def _read(self, most: int) -> bytes:
        piece = self._incoming.readline(most)
        self._read_bytes += len(piece)
        self._hash.update(piece)
        return piece

    def _unmarked(self, first: bytes) -> bytes:
        for start, (what, hint) in _OTHERS.items():
            if first.startswith(start):
                raise OnefoldError(self._code, f"the file is {what}", hint)
        return first.removeprefix(_MARK)


class EventLines:
    """A file of events, one JSON object a line."""

    def __init__(self, incoming: Incoming, most: int) -> None:
        """`most`: bytes of a line; of a longer one no more is read than shows that it is."""
        self._lines: Final = Lines(incoming, most, "body.invalid_json")
        self.ready: Final = self._lines.ready
        self.fingerprint: Final = self._lines.fingerprint
        self.share: Final = self._lines.share

    def __iter__(self) -> Iterator[tuple[int, bytes | None]]:
        """As `Reader`."""
        for line in self._lines:
            said = line.strip()
            if self._lines.number == 1 and said.startswith(b"["):
                raise OnefoldError(
                    "body.invalid_json",
                    "the file is a JSON list, not an event a line",
                    "Write each event on a line of its own, without commas between them (jq -c '.[]' does so).",
                )
            yield self._lines.number, said or None


class EventFile:
    """Events, one JSON object a line, for `import_file`."""

    unmapped: Sequence[str] = ()

    def __init__(self, opened: Callable[[], Incoming], most: int, decoder: Decoder, source: Source) -> None:
        """`opened`: their bytes from the beginning, each time it is called. `most`: as `EventLines` has it."""
        self._opened: Final = opened
        self._most: Final = most
        self._decoder: Final = decoder
        self._source: Final = source

    def begin(self) -> Reader[bytes]:
        """Their lines."""
        return EventLines(self._opened(), self._most)

    def decode(self, line: bytes) -> Decoded | Rejected:
        """The event in a line."""
        return self._decoder.decode_line(line, self._source, now_ms())
