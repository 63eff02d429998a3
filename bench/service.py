"""The service without its doors: events are decoded, stitched and stored as `onefold serve` does it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.world import NOW_MS
from onefold.ingest.commit import Outcome, Status, commit_batch
from onefold.ingest.decode import Decoded, Decoder, Rejected
from onefold.ingest.pipeline import Batcher
from onefold.model import namespaces_file, traits
from onefold.model.normalise import Normaliser
from onefold.model.sources import Source, Trust
from onefold.schema_files import schema_file
from onefold.stitch.rules import Rules
from onefold.store.sqlite.open import open_sqlite

SOURCE: Final = Source("shop", Trust.SERVER)


class Service:
    """Decoder, queue and store. The clock stands still, so that two runs write the same."""

    def __init__(self, path: Path) -> None:
        """Open the store at `path`; it is made if there is none."""
        namespaces = namespaces_file.load(schema_file("namespaces.yaml"))
        self.store: Final = open_sqlite(path, namespaces, traits.load(schema_file("traits.yaml")))
        self.rules: Final = Rules(namespaces)
        self._decoder: Final = Decoder(namespaces, Normaliser(namespaces, "US"), self.store.secret)

    def ingest(self, lines: Sequence[bytes], batch_size: int) -> None:
        """Bring these events in, `batch_size` of them a commit; each batch is durable before the next is decoded."""
        with Batcher(
            self.store, self.rules, batch_size=batch_size, queue_size=batch_size, clock_ms=lambda: NOW_MS
        ) as batcher:
            for batch in self._batches(lines, batch_size):
                _check(batcher.ingest(batch))

    def commit(self, lines: Sequence[bytes], batch_size: int) -> None:
        """The same without the queue: this thread decodes, stitches and commits."""
        for batch in self._batches(lines, batch_size):
            _check(commit_batch(self.store, self.rules, batch, NOW_MS))

    def _batches(self, lines: Sequence[bytes], size: int) -> Iterator[list[Decoded | Rejected]]:
        decode = self._decoder.decode_line
        for start in range(0, len(lines), size):
            yield [decode(line, SOURCE, NOW_MS) for line in lines[start : start + size]]

    def close(self) -> None:
        """Let go of the file."""
        self.store.close()


def _check(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        assert outcome.status is Status.ACCEPTED, outcome
