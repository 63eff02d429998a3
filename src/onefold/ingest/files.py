"""Imports files of events, one JSON object a line, of any length; doing it again changes nothing.

Lines that are rejected are also written to a file of their own, with what is wrong with each.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import BinaryIO, Final, Self

import msgspec
import orjson

from onefold.errors import OnefoldError, Problem
from onefold.ingest.commit import Outcome, Status
from onefold.ingest.decode import Decoded, Rejected
from onefold.store.passing import PassingError

_LINE_END_BYTES: Final = 2
_SKIPPED_BYTES: Final = 65_536
_LINES_NAMED: Final = 5
_PATIENCE_SECONDS: Final = 120.0
"""For so long an import waits for a store that cannot be used for the moment, such as one that is being started."""
_AGAIN_SECONDS: Final = 1.0
_MARK: Final = b"\xef\xbb\xbf"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")

Line = tuple[int, bytes]
"""A line's number, the first being 1, and what stands in it."""

Item = Decoded | Rejected


class ImportReport(msgspec.Struct, frozen=True, rename="camel"):
    """How an import went, or goes.

    Attributes:
        lines: how many were read. accepted, duplicates, rejected, blank: how many of them were that; each is one of it.
        conflicts: how many of the duplicates say something else than the event that was first.
        warnings: how many there were of each code. warning_lines: the numbers of the first five lines with each code.
        rejects: the file that holds what was rejected and what conflicts; None when nothing was or did.
    """

    lines: int
    accepted: int
    duplicates: int
    rejected: int
    blank: int
    conflicts: int
    warnings: dict[str, int]
    warning_lines: dict[str, list[int]]
    rejects: Path | None


def rejects_beside(file: Path) -> Path:
    """Where what is rejected of `file` goes: `shop.jsonl` has its `shop.rejects.jsonl`."""
    return file.with_name(f"{file.name.removesuffix('.jsonl')}.rejects.jsonl")


def import_file(
    stream: BinaryIO,
    decode: Callable[[bytes], Item],
    submit: Callable[[Sequence[Item]], "Future[list[Outcome]]"],
    *,
    rejects: Path,
    max_line_bytes: int,
    batch_size: int,
    progress: Callable[[ImportReport], None] = lambda _: None,
) -> ImportReport:
    """Import the events of `stream`, one a line.

    Args:
        decode, submit: as `Decoder.decode_line` and `Batcher.submit` have them.
        rejects: the file that rejected lines are written to; what an earlier import left there is replaced.
        max_line_bytes: of a longer line nothing more is read. batch_size: lines a batch.
        progress: called after each batch.

    Raises:
        OnefoldError: `store.…`, `ingest.stopping`; `body.invalid_json` for a file that is no such list of lines;
            `settings.invalid` when `rejects` cannot be written. What was imported before that stays.
    """
    with _Rejects(rejects) as rejected:
        run = _Import(rejected)
        written: tuple[list[Line], _Delivery] | None = None
        for lines in _batches(_lines(stream, max_line_bytes), batch_size):
            # While one batch is written, the next is decoded; never more than one waits in the queue.
            items = [decode(line) for _, line in lines if line]
            if written:
                progress(run.take(*written))
            written = lines, _Delivery(submit, items)
        if written:
            progress(run.take(*written))
        return run.report()


class _Delivery:
    """A batch that was handed in."""

    def __init__(self, submit: "Callable[[Sequence[Item]], Future[list[Outcome]]]", items: Sequence[Item]) -> None:
        self._submit: Final = submit
        self._items: Final = items
        self._future: Final = submit(items)

    def outcomes(self) -> list[Outcome]:
        """What became of its events, in order. While the store fails in a way that may pass, it is handed in again;
        what had been stored nevertheless counts as duplicates."""
        future, until = self._future, monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return future.result()
            except PassingError:
                if monotonic() > until:
                    raise
            sleep(_AGAIN_SECONDS)
            future = self._submit(self._items)


class _Import:
    """Counts what became of the lines."""

    def __init__(self, rejects: "_Rejects") -> None:
        self._rejects: Final = rejects
        self._lines = self._blank = self._conflicts = 0
        self._statuses: Final[Counter[Status]] = Counter()
        self._warnings: Final[Counter[str]] = Counter()
        self._warning_lines: Final[dict[str, list[int]]] = {}

    def take(self, lines: Sequence[Line], delivery: "_Delivery") -> ImportReport:
        """Wait for a batch, and count it in."""
        said = [(number, line) for number, line in lines if line]
        for (number, line), outcome in zip(said, delivery.outcomes(), strict=True):
            self._statuses[outcome.status] += 1
            self._warn(number, outcome.warnings)
            if outcome.problem is not None:
                self._conflicts += outcome.status is Status.DUPLICATE
                self._rejects.add(number, line, outcome.problem, outcome.warnings)
        self._blank += len(lines) - len(said)
        self._lines += len(lines)
        return self.report()

    def _warn(self, number: int, warnings: Sequence[Problem]) -> None:
        for warning in warnings:
            self._warnings[warning.code] += 1
            named = self._warning_lines.setdefault(warning.code, [])
            if len(named) < _LINES_NAMED and number not in named:
                named.append(number)

    def report(self) -> ImportReport:
        return ImportReport(
            lines=self._lines,
            accepted=self._statuses[Status.ACCEPTED],
            duplicates=self._statuses[Status.DUPLICATE],
            rejected=self._statuses[Status.REJECTED],
            blank=self._blank,
            conflicts=self._conflicts,
            warnings=dict(self._warnings),
            warning_lines={code: list(lines) for code, lines in self._warning_lines.items()},
            rejects=self._rejects.path if self._rejects.any else None,
        )


class _Rejects:
    """The file of rejected lines. It is opened at once, so that it is known to be writable, and not left empty."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self.any = False
        try:
            self._file: Final = path.open("wb")
        except OSError as error:
            raise _unwritable(path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._file.close()
        except OSError as failure:
            # What ended the import before this says more.
            if error is None:
                raise _unwritable(self.path, failure) from failure
        if not self.any:
            self.path.unlink(missing_ok=True)  # an import beside this one may have been faster

    def add(self, number: int, line: bytes, problem: Problem, warnings: Sequence[Problem]) -> None:
        """Write a line down. `warnings`: what was dropped from it, which may be why it cannot be used."""
        said = {
            "line": number,
            **msgspec.structs.asdict(problem),
            "warnings": [msgspec.structs.asdict(warning) for warning in warnings],
            "event": line.decode("utf-8", "backslashreplace"),
        }
        try:
            self._file.write(orjson.dumps(said) + b"\n")
        except OSError as error:
            raise _unwritable(self.path, error) from error
        self.any = True


def _unwritable(path: Path, error: OSError) -> OnefoldError:
    return OnefoldError(
        "settings.invalid",
        f"rejected lines cannot be written to {path}: {error.strerror}",
        "Name a file that can be written.",
        "rejects",
    )


def _batches(lines: Iterator[Line], size: int) -> Iterator[list[Line]]:
    while batch := list(islice(lines, size)):
        yield batch


def _lines(stream: BinaryIO, most: int) -> Iterator[Line]:
    """The lines, blank ones as nothing; of one that is longer than `most` bytes, so much that its reader sees it is."""
    number = 0
    while line := stream.readline(most + _LINE_END_BYTES):
        number += 1
        rest = line
        while not rest.endswith(b"\n") and (rest := stream.readline(_SKIPPED_BYTES)):
            pass
        if number == 1:
            line = _checked(line)
        yield number, line.strip()


def _checked(first: bytes) -> bytes:
    """The first line without a byte order mark. Raises for what was meant well but is not a list of lines."""
    if first.startswith(_UTF_16):
        raise OnefoldError("body.invalid_json", "the file is in UTF-16", "Save it in UTF-8.")
    first = first.removeprefix(_MARK)
    if first.lstrip().startswith(b"["):
        raise OnefoldError(
            "body.invalid_json",
            "the file is a JSON list, not an event a line",
            "Write each event on a line of its own, without commas between them (jq -c '.[]' does so).",
        )
    return first
