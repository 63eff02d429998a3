"""One import from its beginning, or from where an earlier one was stopped, to its end.

What is read is handed in batch by batch; while one batch is written, the next waits, and the one after it is read and
decoded.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from time import monotonic, sleep
from typing import Final, Generic, TypeVar

from onefold.ingest.commit import Outcome, Status
from onefold.ingest.decode import Decoded, Rejected
from onefold.ingest.files.lines import Reader
from onefold.ingest.files.note import Note, NoteFile, Stand
from onefold.ingest.files.rejects import Rejects
from onefold.ingest.files.report import ImportReport, Progress, Tally
from onefold.ingest.pipeline import AHEAD
from onefold.store.passing import PassingError

_PATIENCE_SECONDS: Final = 120.0
"""For so long an import waits for a store that cannot be used for the moment, such as one that is being started."""
_AGAIN_SECONDS: Final = 1.0

Content = TypeVar("Content")
Item = Decoded | Rejected
Submit = Callable[[Sequence[Item]], "Future[list[Outcome]]"]


def import_file(
    begin: Callable[[], Reader[Content]],
    decode: Callable[[Content], Item],
    submit: Submit,
    *,
    rejects: Path,
    batch_size: int,
    note: NoteFile | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> ImportReport:
    """Import what a reader reads.

    Args:
        begin: reads it from its beginning, each time it is called.
        decode: makes an event of a line or a row. submit: as `Batcher.submit` with `wait`.
        rejects: the file that rejected lines are written to; what an earlier import left there is replaced.
        batch_size: lines a batch; what comes in slowly is handed in before so many came together.
        note: where it is noted how far it is; without it, it begins anew whenever it is stopped.
        progress: called after each batch.

    Raises:
        OnefoldError: `store.…`, `ingest.stopping`; `body.invalid_json`, `file.invalid` for a file that is none of its
            kind; `settings.invalid` when `rejects` or the note cannot be written. What was imported before that stays.
    """
    noted = note.read() if note else None
    if noted and _is_long(rejects, noted.stand.rejects_bytes):
        try:
            return _Import(begin(), decode, submit, note, progress, batch_size).run(rejects, noted)
        except _Untrue:
            pass
    return _Import(begin(), decode, submit, note, progress, batch_size).run(rejects, None)


class _Untrue(Exception):  # noqa: N818 (it never leaves this module)
    """A note is not about this file, or not about what is in the store."""


class _Delivery:
    """A batch that was handed in."""

    def __init__(self, submit: Submit, items: Sequence[Item]) -> None:
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


class _Batch(Generic[Content]):
    """Pieces that were read together. `end`: how many were read up to here; `fingerprint`: of all of these; `share`: of
    what there is to read, None where that is not known."""

    def __init__(self, pieces: Sequence[tuple[int, Content | None]], end: int, reader: Reader[Content]) -> None:
        self.end: Final = end
        self.fingerprint: Final = reader.fingerprint()
        self.share: Final = reader.share()
        self.blank: Final = sum(content is None for _, content in pieces)
        self.said: Final = [(number, content) for number, content in pieces if content is not None]


class _Import(Generic[Content]):
    def __init__(
        self,
        reader: Reader[Content],
        decode: Callable[[Content], Item],
        submit: Submit,
        note: NoteFile | None,
        progress: Callable[[Progress], None],
        batch_size: int,
    ) -> None:
        self._reader: Final = reader
        self._decode: Final = decode
        self._submit: Final = submit
        self._note: Final = note
        self._progress: Final = progress
        self._batch_size: Final = batch_size

    def run(self, rejects: Path, noted: Note | None) -> ImportReport:
        self._began = monotonic()
        self._pieces = iter(self._reader)
        self._stand = noted.stand if noted else Stand(0, self._reader.fingerprint(), Tally(), 0)
        self._resumed_after = noted.stand.pieces if noted else None
        self._until = noted.until if noted else 0
        self._tally = self._stand.tally.copy()
        if noted:
            self._skip(noted.stand)
        with Rejects(rejects, self._stand.rejects_bytes) as self._rejects:
            self._deliver()
            report = self._report()
        if self._note:
            self._note.remove()
        return report

    def _skip(self, stand: Stand) -> None:
        """Read over what was done."""
        for _ in range(stand.pieces):
            if next(self._pieces, None) is None:
                raise _Untrue
        if self._reader.fingerprint() != stand.fingerprint:
            raise _Untrue

    def _deliver(self) -> None:
        """Hand everything in: while a batch is written, the next one waits in the queue, and one more is decoded. But
        of those that a note is about, none waits for another: if it is not true, no more are handed in."""
        handed_in: deque[tuple[_Batch[Content], list[Item], _Delivery]] = deque()
        for batch in self._batches():
            items = [self._decode(content) for _, content in batch.said]
            if handed_in and handed_in[-1][0].end <= self._until:
                self._take_all(handed_in)
            handed_in.append((batch, items, _Delivery(self._submit, items)))
            # When nobody knows when the next one comes, what was handed in is told of now.
            self._take_all(handed_in, but=AHEAD if self._reader.ready() else 0)
        self._take_all(handed_in)

    def _take_all(self, handed_in: "deque[tuple[_Batch[Content], list[Item], _Delivery]]", *, but: int = 0) -> None:
        """Take the eldest, until no more than so many are left."""
        while len(handed_in) > but:
            self._take(*handed_in.popleft())

    def _batches(self) -> Iterator[_Batch[Content]]:
        """Batches of the size there may be, smaller ones where nothing more has come in so far. The batch of a note is
        cut where it was cut then."""
        end = self._stand.pieces
        pieces: list[tuple[int, Content | None]] = []
        for piece in self._pieces:
            pieces.append(piece)
            end += 1
            if len(pieces) == self._batch_size or end == self._until or not self._reader.ready():
                yield _Batch(pieces, end, self._reader)
                pieces = []
        if pieces:
            yield _Batch(pieces, end, self._reader)

    def _take(self, batch: _Batch[Content], items: Sequence[Item], delivery: _Delivery) -> None:
        """Wait for a batch, count it in, and note that it is done."""
        outcomes = delivery.outcomes()
        statuses = {outcome.status for outcome in outcomes}
        if batch.end <= self._until and Status.ACCEPTED in statuses:
            raise _Untrue
        for (number, _), item, outcome in zip(batch.said, items, outcomes, strict=True):
            self._tally.count(number, outcome)
            if outcome.problem is not None:
                self._rejects.add(number, item.raw, outcome.problem, outcome.warnings)
        self._tally.blank += batch.blank
        self._tally.lines += batch.blank + len(batch.said)
        self._rejects.flush()
        if self._note and statuses - {Status.REJECTED}:
            # What was rejected leaves nothing in the store that whoever goes on could look for.
            self._note.write(self._stand, batch.end)
        self._stand = Stand(batch.end, batch.fingerprint, self._tally.copy(), self._rejects.bytes)
        self._progress(Progress(self._report(), batch.share))

    def _report(self) -> ImportReport:
        return self._tally.report(self._rejects.path, self._resumed_after, monotonic() - self._began)


def _is_long(path: Path, least: int) -> bool:
    """Whether a file has `least` bytes."""
    try:
        return least == 0 or path.stat().st_size >= least
    except OSError:
        return False
