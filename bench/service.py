"""The service without its doors: events are decoded, stitched and stored as `onefold serve` does it."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from bench.world import NOW_MS
from onefold.ingest.commit import Outcome, Status, commit_batch
from onefold.ingest.decode import Decoded, Decoder, Rejected
from onefold.ingest.pipeline import AHEAD, Batcher
from onefold.model import namespaces_file, traits
from onefold.model.namespaces import Namespaces
from onefold.model.normalise import Normaliser
from onefold.model.sources import Source, Trust
from onefold.model.traits import TraitRules
from onefold.schema_files import schema_file
from onefold.stitch.rules import Rules
from onefold.store.base import Store
from onefold.store.neo4j.address import address_of
from onefold.store.neo4j.open import open_neo4j
from onefold.store.sqlite.open import open_sqlite

SOURCE: Final = Source("shop", Trust.SERVER)


class Service:
    """Decoder, queue and store. The clock stands still, so that two runs write the same."""

    def __init__(self, place: Path | str) -> None:
        """Open the store in the file, or at the URL of Neo4j; it is made if there is none."""
        namespaces = namespaces_file.load(schema_file("namespaces.yaml"))
        self.store: Final = _opened(place, namespaces, traits.load(schema_file("traits.yaml")))
        self.rules: Final = Rules(namespaces)
        self._decoder: Final = Decoder(namespaces, Normaliser(namespaces, "US"), self.store.secret)

    def ingest(self, lines: Sequence[bytes], batch_size: int) -> None:
        """Bring these events in, `batch_size` of them a commit; each batch is durable before the next is decoded."""
        with self.batcher(batch_size) as batcher:
            for batch in self._batches(lines, batch_size):
                _check(batcher.ingest(batch))

    def bring(self, lines: Sequence[bytes], batch_size: int) -> None:
        """The same as an import does it: while the store writes a batch, the next waits, and one more is decoded."""
        with self.batcher(batch_size) as batcher:
            handed_in: deque[Future[list[Outcome]]] = deque()
            for batch in self._batches(lines, batch_size):
                handed_in.append(batcher.submit(batch, wait=True))
                if len(handed_in) > AHEAD:
                    _check(handed_in.popleft().result())
            for writing in handed_in:
                _check(writing.result())

    def batcher(self, batch_size: int) -> Batcher:
        """A queue of as many events as a commit takes."""
        return Batcher(self.store, self.rules, batch_size=batch_size, queue_size=batch_size, clock_ms=lambda: NOW_MS)

    def commit(self, lines: Sequence[bytes], batch_size: int) -> None:
        """The same without the queue: this thread decodes, stitches and commits."""
        for batch in self._batches(lines, batch_size):
            _check(commit_batch(self.store, self.rules, batch, NOW_MS))

    def decoded(self, lines: Sequence[bytes]) -> list[Decoded | Rejected]:
        """These events as the store takes them."""
        decode = self._decoder.decode_line
        return [decode(line, SOURCE, NOW_MS) for line in lines]

    def _batches(self, lines: Sequence[bytes], size: int) -> Iterator[list[Decoded | Rejected]]:
        for start in range(0, len(lines), size):
            yield self.decoded(lines[start : start + size])

    def close(self) -> None:
        """Let go of the file."""
        self.store.close()


def _opened(place: Path | str, namespaces: Namespaces, rules: TraitRules) -> Store:
    if isinstance(place, Path):
        return open_sqlite(place, namespaces, rules)
    return open_neo4j(address_of(place), namespaces, rules)


def _check(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        assert outcome.status is Status.ACCEPTED, outcome
