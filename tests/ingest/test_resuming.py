"""An import that was stopped goes on where it was; and begins anew wherever that could lose something."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from onefold.errors import OnefoldError
from onefold.ingest.commit import Outcome
from onefold.ingest.files import EventLines, ImportReport, NoteFile, PlainFile, import_file
from onefold.ingest.pipeline import Batcher
from onefold.model.sources import Source, Trust
from onefold.model.traits import TraitRules
from onefold.stitch.rules import Rules
from onefold.store.sqlite.open import open_sqlite
from onefold.store.sqlite.store import SqliteStore
from tests.ingest.events import RECEIVED_MS, decoder, namespaces
from tests.ingest.stored import message_ids
from tests.ingest.test_files import line

FILE = Source("import", Trust.SERVER)
NAMES = "abcdefghijklmnop"
LINES = [line(name) for name in NAMES]
BROKEN = b"{broken"


class StoppedError(Exception):
    """The process ends here."""


class Importer:
    """Imports lines, three a batch, and can be stopped."""

    def __init__(self, batcher: Batcher, folder: Path) -> None:
        self.rejects, self.note = folder / "rejects.jsonl", folder / "progress.json"
        self.of = b"this store"
        self.decoded = 0
        self.submitted: list[int] = []
        self._batcher = batcher

    def __call__(self, lines: Sequence[bytes], stop_at: int | None = None, batch_size: int = 3) -> ImportReport:
        """`stop_at`: how many lines are decoded before the process ends."""
        self.decoded, self.submitted = 0, []

        def decode(text: bytes) -> object:
            if self.decoded == stop_at:
                raise StoppedError
            self.decoded += 1
            return decoder().decode_line(text, FILE, RECEIVED_MS)

        def submit(items: Sequence[object]) -> "Future[list[Outcome]]":
            self.submitted.append(len(items))
            return self._batcher.submit(items, wait=True)  # type: ignore[arg-type]

        return import_file(
            lambda: EventLines(PlainFile(io.BytesIO(b"\n".join(lines))), 10_000),
            decode,  # type: ignore[arg-type]
            submit,
            rejects=self.rejects,
            batch_size=batch_size,
            note=NoteFile(self.note, self.of),
        )

    def stopped(self, lines: Sequence[bytes], at: int) -> None:
        with pytest.raises(StoppedError):
            self(lines, at)
        assert self.note.exists()

    def rejected(self) -> list[int]:
        return [json.loads(text)["line"] for text in self.rejects.read_bytes().splitlines()]


@pytest.fixture
def importing(tmp_path: Path, rules: Rules) -> Iterator[Callable[[SqliteStore], Importer]]:
    batchers: list[Batcher] = []

    def of(store: SqliteStore) -> Importer:
        batchers.append(Batcher(store, rules, batch_size=3, queue_size=6))
        return Importer(batchers[-1], tmp_path)

    yield of
    for batcher in batchers:
        batcher.stop()


@pytest.fixture
def importer(importing: Callable[[SqliteStore], Importer], store: SqliteStore) -> Importer:
    return importing(store)


@pytest.mark.parametrize("at", range(10, 16))
def test_what_was_done_is_read_over_but_for_the_last_batch(importer: Importer, store: SqliteStore, at: int) -> None:
    importer.stopped(LINES, at)
    report = importer(LINES)
    assert report.resumed_after is not None
    assert at - 12 <= report.resumed_after <= at - 6
    assert importer.decoded == len(LINES) - report.resumed_after
    assert (report.lines, report.accepted + report.duplicates) == (len(LINES), len(LINES))
    assert report.duplicates <= 9, "the batch that is looked at again, and two whose notes were never written"
    assert message_ids(store) == list(NAMES)
    assert not importer.note.exists()


def test_an_import_that_ended_is_begun_anew(importer: Importer) -> None:
    importer(LINES)
    report = importer(LINES)
    assert (report.resumed_after, report.duplicates) == (None, len(LINES))


def test_each_rejected_line_is_written_down_once(importer: Importer) -> None:
    lines = [*LINES[:2], BROKEN, *LINES[2:5], BROKEN, *LINES[5:11], BROKEN, *LINES[11:]]
    importer.stopped(lines, 13)
    report = importer(lines)
    assert report.resumed_after
    assert importer.rejected() == [3, 7, 14]
    assert (report.rejected, report.rejects) == (3, importer.rejects)


def test_what_was_counted_and_warned_of_before_counts(importer: Importer) -> None:
    lines = [line(name, anonymousId="null") for name in NAMES]
    importer.stopped([b"", *lines], 12)
    report = importer([b"", *lines])
    assert report.resumed_after
    assert (report.lines, report.blank) == (17, 1)
    assert report.warnings == {"identifier.blocked": 16}
    assert report.warning_lines == {"identifier.blocked": [2, 3, 4, 5, 6]}


def test_a_note_of_events_that_the_store_does_not_hold_is_not_believed(
    importing: Callable[[SqliteStore], Importer], store: SqliteStore, tmp_path: Path
) -> None:
    importing(store).stopped(LINES, 12)
    other = open_sqlite(tmp_path / "restored.db", namespaces(), TraitRules({}))
    try:
        report = importing(other)(LINES)
        assert report.resumed_after is None
        assert report.lines == len(LINES)
        assert sorted(message_ids(other)) == list(NAMES)
    finally:
        other.close()


def test_rejected_lines_alone_are_no_proof_that_the_store_is_the_one_of_the_note(
    importing: Callable[[SqliteStore], Importer], store: SqliteStore, tmp_path: Path
) -> None:
    lines = [*LINES[:3], *[BROKEN] * 9, *LINES[3:]]
    importing(store).stopped(lines, 14)
    other = open_sqlite(tmp_path / "restored.db", namespaces(), TraitRules({}))
    try:
        importing(other)(lines)
        assert sorted(message_ids(other)) == list(NAMES)
    finally:
        other.close()


def test_a_file_that_changed_before_that_place_is_begun_anew_and_one_that_grew_is_not(
    importer: Importer, store: SqliteStore
) -> None:
    importer.stopped(LINES, 12)
    changed = [line("other"), *LINES[1:]]
    assert importer(changed).resumed_after is None
    assert "other" in message_ids(store)
    importer.stopped(LINES, 12)
    assert importer([*LINES, line("q")]).resumed_after
    assert "q" in message_ids(store)


def test_a_file_that_has_become_shorter_is_begun_anew(importer: Importer) -> None:
    importer.stopped(LINES, 15)
    assert importer(LINES[:2]).resumed_after is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"of": 1}', b"\xff"])
def test_a_note_that_is_none_is_overlooked(importer: Importer, content: bytes) -> None:
    importer.note.write_bytes(content)
    assert importer(LINES).resumed_after is None


def test_a_note_of_another_source_or_store_is_overlooked(importer: Importer) -> None:
    importer.stopped(LINES, 12)
    importer.of = b"another"
    assert importer(LINES).resumed_after is None


def test_without_the_rejects_that_were_written_so_far_it_begins_anew(importer: Importer) -> None:
    lines = [BROKEN, *LINES]
    importer.stopped(lines, 13)
    importer.rejects.unlink()
    report = importer(lines)
    assert report.resumed_after is None
    assert importer.rejected() == [1]


def test_batches_may_be_of_another_size_when_it_goes_on(importer: Importer, store: SqliteStore) -> None:
    importer.stopped(LINES, 12)
    assert importer(LINES, batch_size=6).resumed_after
    assert message_ids(store) == list(NAMES)


def test_a_note_that_cannot_be_written_ends_the_import(importer: Importer, tmp_path: Path) -> None:
    importer.note = tmp_path / "nowhere" / "progress.json"
    with pytest.raises(OnefoldError) as caught:
        importer(LINES)
    assert caught.value.code == "settings.invalid"
