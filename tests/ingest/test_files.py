"""Importing files, as they are in the wild."""

import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from onefold.errors import OnefoldError
from onefold.ingest.files import EventLines, ImportReport, PlainFile, Progress, import_file, rejects_beside
from onefold.ingest.pipeline import Batcher
from onefold.model.sources import Source, Trust
from onefold.stitch.rules import Rules
from onefold.store.base import Ahead
from onefold.store.sqlite.store import SqliteStore
from tests.ingest.events import RECEIVED_MS, decoder_of, namespaces, sent
from tests.ingest.stored import Poisoned, message_ids

FILE = Source("import", Trust.SERVER)
MOST = 300


class Importer:
    """Imports bytes into the store."""

    def __init__(self, batcher: Batcher, rejects: Path) -> None:
        self.rejects = rejects
        self.progress: list[Progress] = []
        self._batcher = batcher
        self._decoder = decoder_of(namespaces(), max_event_bytes=MOST)

    def __call__(self, *lines: bytes, ending: bytes = b"\n") -> ImportReport:
        return import_file(
            lambda: EventLines(PlainFile(io.BytesIO(ending.join(lines))), MOST),
            lambda line: self._decoder.decode_line(line, FILE, RECEIVED_MS),
            partial(self._batcher.submit, wait=True),
            rejects=self.rejects,
            batch_size=3,
            progress=self.progress.append,
        )

    def rejected(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.rejects.read_bytes().splitlines()]


@pytest.fixture
def importer(store: SqliteStore, rules: Rules, tmp_path: Path) -> Iterator[Importer]:
    with Batcher(store, rules, batch_size=3, queue_size=3) as batcher:
        yield Importer(batcher, tmp_path / "shop.rejects.jsonl")


def line(name: str, **fields: Any) -> bytes:
    return json.dumps(sent(messageId=name, **fields)).encode()


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    assert report.lines == report.accepted + report.duplicates + report.rejected + report.blank
    return report.lines, report.accepted, report.duplicates, report.rejected


def test_every_line_is_an_event_and_again_changes_nothing(importer: Importer, store: SqliteStore) -> None:
    lines = [line(name) for name in "abcdefgh"]
    assert counts(importer(*lines)) == (8, 8, 0, 0)
    assert [progress.report.lines for progress in importer.progress] == [3, 6, 8]
    shares = [progress.share for progress in importer.progress if progress.share is not None]
    assert shares == sorted(shares)
    assert shares[0] < 1.0
    assert shares[-1] == 1.0
    with store.read() as view:
        head = view.head()
    report = importer(*lines)
    assert counts(report) == (8, 0, 8, 0)
    assert (report.conflicts, report.rejects) == (0, None)
    with store.read() as view:
        assert view.head() == head
    assert message_ids(store) == list("abcdefgh")


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b" \n\n \t\r\n"])
def test_line_ends_blank_lines_and_a_byte_order_mark_are_overlooked(importer: Importer, ending: bytes) -> None:
    report = importer(b"\xef\xbb\xbf" + line("a"), line("b"), b"", line("c"), b"", ending=ending)
    lines, accepted, _, rejected = counts(report)
    assert (accepted, rejected) == (3, 0)
    assert report.blank == lines - 3 > 0


def test_whole_batches_of_blank_lines_are_counted_and_overlooked(importer: Importer) -> None:
    report = importer(line("a"), *[b""] * 10, line("b"), *[b" "] * 10, b"")
    assert (counts(report), report.blank) == ((22, 2, 0, 0), 20)


def test_an_empty_file_is_no_mistake(importer: Importer) -> None:
    assert counts(importer(b"")) == (0, 0, 0, 0)
    assert counts(importer(b"\n", b"\n")) == (3, 0, 0, 0)
    assert not importer.rejects.exists()


def test_what_is_rejected_is_written_beside_the_file_with_its_line_and_what_is_wrong(importer: Importer) -> None:
    wrong = [b"{broken", line("b", userId=None), line("c", timestamp=None), b"\xff\xfe nonsense"]
    report = importer(line("a"), *wrong, line("d"))
    assert counts(report) == (6, 2, 0, 4)
    assert report.conflicts == 0
    assert report.rejects == importer.rejects
    rejected = importer.rejected()
    assert [reject["line"] for reject in rejected] == [2, 3, 4, 5]
    assert [reject["code"] for reject in rejected] == [
        "event.invalid",
        "event.no_identifier",
        "event.invalid",
        "event.invalid",
    ]
    assert [reject["event"] for reject in rejected[:3]] == [text.decode() for text in wrong[:3]]
    assert rejected[3]["event"] == "\\xff\\xfe nonsense"
    assert rejected[2]["field"] == "timestamp"


def test_what_an_earlier_import_rejected_is_forgotten_by_the_next(importer: Importer) -> None:
    importer(b"{broken")
    assert importer.rejects.exists()
    assert importer(line("a")).rejects is None
    assert not importer.rejects.exists()


def test_a_duplicate_that_says_something_else_is_kept_for_whoever_wants_to_know(importer: Importer) -> None:
    report = importer(line("a"), line("a", event="Other"))
    assert (report.duplicates, report.conflicts, report.rejected) == (1, 1, 0)
    [kept] = importer.rejected()
    assert (kept["line"], kept["code"]) == (2, "event.message_id_reused")
    assert json.loads(kept["event"])["event"] == "Other"


def test_a_reject_says_what_was_dropped_before_nothing_was_left(importer: Importer) -> None:
    importer(line("a", userId=None, anonymousId="null"), b"{broken")
    unusable, broken = importer.rejected()
    assert unusable["code"] == "event.no_identifier"
    assert [(warning["code"], warning["field"]) for warning in unusable["warnings"]] == [
        ("identifier.blocked", "anonymousId")
    ]
    assert broken["warnings"] == []


def test_the_first_lines_with_each_warning_are_named(importer: Importer) -> None:
    wrong = [line(name, anonymousId="null", properties={"revenue": "much"}) for name in "abcdefg"]
    report = importer(line("x"), b"", *wrong, line("y", anonymousId=True))
    assert report.warnings["identifier.blocked"] == 7
    assert report.warning_lines["identifier.blocked"] == [3, 4, 5, 6, 7]
    assert report.warning_lines["identifier.malformed"] == [10]


def test_warnings_are_counted_by_code(importer: Importer) -> None:
    report = importer(line("a", anonymousId="null"), line("b", anonymousId=""), line("c", anonymousId=True))
    assert report.warnings == {"identifier.blocked": 2, "identifier.malformed": 1}


def test_a_line_is_taken_up_to_the_limit_and_one_beyond_it_is_rejected_alone(importer: Importer) -> None:
    def of_size(name: str, size: int) -> bytes:
        bare = len(line(name, event=""))
        return line(name, event="x" * (size - bare))

    for ending in (b"\n", b"\r\n"):
        report = importer(
            of_size("a", MOST), of_size("b", MOST + 1), line("c"), of_size("d", 200_000), line("e"), ending=ending
        )
        assert (report.accepted + report.duplicates, report.rejected) == (3, 2)
        rejected = importer.rejected()
        assert [(reject["line"], reject["code"]) for reject in rejected] == [
            (2, "event.too_large"),
            (4, "event.too_large"),
        ]
        assert all(len(reject["event"]) <= MOST + 2 for reject in rejected)


@pytest.mark.parametrize(
    ("start", "word"),
    [
        (b"\xff\xfe{\x00", "UTF-16"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"PK\x03\x04", "Excel"),
        (b"PAR1\x15", "Parquet"),
        (b"[", "list"),
        (b'\xef\xbb\xbf [{"type": "track"},', "list"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_to_do(importer: Importer, start: bytes, word: str) -> None:
    with pytest.raises(OnefoldError) as caught:
        importer(start, line("a"))
    assert caught.value.code == "body.invalid_json"
    assert word in caught.value.message
    assert not importer.rejects.exists()


def test_rejects_that_cannot_be_written_are_told_before_anything_is_imported(
    importer: Importer, store: SqliteStore, tmp_path: Path
) -> None:
    importer.rejects = tmp_path / "nowhere" / "rejects.jsonl"
    with pytest.raises(OnefoldError) as caught:
        importer(line("a"))
    assert (caught.value.code, caught.value.field) == ("settings.invalid", "rejects")
    assert message_ids(store) == []


def test_an_import_that_a_failing_store_ended_is_finished_by_running_it_again(
    store: SqliteStore, rules: Rules, tmp_path: Path
) -> None:
    class Full(Poisoned):
        room = 1

        def write(self, ahead: Ahead | None = None) -> Any:
            self.room -= 1
            if self.room < 0:
                raise OnefoldError("store.full", "there is no room")
            return super().write(ahead)

    full = Full(store)
    lines = [line(name) for name in "abcdefgh"]
    with Batcher(full, rules, batch_size=3, queue_size=3) as batcher:
        importer = Importer(batcher, tmp_path / "rejects.jsonl")
        with pytest.raises(OnefoldError, match=r"store\.full"):
            importer(*lines)
        # What was handed in after the batch that failed still has its turn, and fails too.
        batcher.call(lambda: None).result()
        assert message_ids(store) == list("abc")
        full.room = 100
        assert counts(importer(*lines)) == (8, 5, 3, 0)
    assert message_ids(store) == list("abcdefgh")


def test_rejects_are_named_after_the_file() -> None:
    assert rejects_beside(Path("data/shop.jsonl")) == Path("data/shop.rejects.jsonl")
    assert rejects_beside(Path("export")) == Path("export.rejects.jsonl")
