"""`onefold import`: events from a file or a pipe, rows of a table."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from onefold.cli.call import Access, Call

if TYPE_CHECKING:
    from onefold.errors import OnefoldError
    from onefold.ingest.files import Importable, LivePipe, PlainFile
    from onefold.ingest.tables import CsvRows, ParquetRows
    from onefold.ingest.tables.mapping import Mapping
    from onefold.model.namespaces import Namespaces
    from onefold.model.sources import Source
    from onefold.service import Onefold

STDIN = "-"
UNNAMED = "import"


def import_(
    call: Call,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Events, one JSON object a line, or a table; - for standard input.")
    ],
    source: Annotated[
        str | None, typer.Option("--source", help="Who says it; message ids count within their source.")
    ] = None,
    map_: Annotated[
        Path | None,
        typer.Option("--map", metavar="MAPPING", help="What each column of a table, CSV or Parquet, means."),
    ] = None,
    suggest_map: Annotated[
        bool, typer.Option("--suggest-map", help="Import nothing, but write a first mapping for a table.")
    ] = False,
) -> None:
    """Import events, or the rows of a table. Doing it again changes nothing; if it was stopped, it goes on."""
    if suggest_map:
        _suggest(call, file, source, map_)
        return
    from onefold.cli.answers.imports import show_report, watching
    from onefold.ingest.files import NoteFile, import_file, note_beside, rejects_beside

    mapping = _mapping(call, file, map_)
    said_by = _source(source, mapping)
    with _opened(file) as stream, call.open(Access.MAKE) as onefold, watching(quiet=call.as_json) as progress:
        of = (onefold.settings.store, said_by.name, mapping.text if mapping else "")
        given = _given(file, stream, onefold, said_by, mapping)
        kept = stream.seekable() and file != STDIN
        beside = Path(file if kept else "stdin.jsonl")
        report = import_file(
            given.begin,
            given.decode,
            partial(onefold.batcher.submit, wait=True),
            rejects=rejects_beside(beside),
            batch_size=onefold.settings.batch_size,
            note=NoteFile(note_beside(beside), *(part.encode() for part in of)) if kept else None,
            progress=progress,
        )
    show_report(report, given.unmapped, as_json=call.as_json)
    if report.rejected and not report.accepted and not report.duplicates:
        from onefold.errors import Exit

        raise typer.Exit(Exit.INPUT)


def _given(
    file: str, stream: BinaryIO, onefold: "Onefold", source: "Source", mapping: "Mapping | None"
) -> "Importable[Any]":
    """What is imported, and what makes events of it."""
    from onefold.ingest.files import EventFile
    from onefold.ingest.tables import Table

    if mapping:
        return Table(partial(_rows, file, stream, mapping), mapping, onefold.decoder, source)
    return EventFile(partial(_incoming, stream), onefold.settings.max_event_bytes, onefold.decoder, source)


def _rows(file: str, stream: BinaryIO, mapping: "Mapping | None") -> "CsvRows | ParquetRows":
    """The rows of a table, from their beginning. Without a mapping it is guessed what parts its columns."""
    from onefold.ingest.tables import CsvRows, Form, ParquetRows, form_of
    from onefold.ingest.tables.csv_form import CsvForm

    form = form_of(file)
    if form is Form.PARQUET:
        return ParquetRows(stream)
    usual = "\t" if form is Form.TSV else "," if mapping else None
    return CsvRows(_incoming(stream), mapping.csv if mapping else CsvForm(), usual)


def _incoming(stream: BinaryIO) -> "PlainFile | LivePipe":
    """What is read, from its beginning if it has one. Windows does not tell whether a pipe holds more."""
    from onefold.ingest.files import LivePipe, PlainFile

    if stream.seekable() and stream is not sys.stdin.buffer:
        stream.seek(0)
    if stream.seekable() or sys.platform == "win32":
        return PlainFile(stream)
    return LivePipe(stream.fileno())


def _mapping(call: Call, file: str, path: Path | None) -> "Mapping | None":
    """The mapping of a table; None for events, which need none."""
    from onefold.ingest.tables import Form, form_of
    from onefold.ingest.tables.mapping import load

    form = form_of(file)
    if path is None:
        if form in {None, Form.EVENTS}:
            return None
        raise _wrong(
            f"{file} is a table, and nothing says what its columns mean",
            f"Name a mapping with --map; onefold import {file} --suggest-map writes a first one.",
            "map",
        )
    if form is Form.EVENTS:
        raise _wrong(f"{file} holds events, which need no mapping", "Leave --map out.", "map")
    return load(path, _namespaces(call))


def _namespaces(call: Call) -> "Namespaces":
    from onefold.model import namespaces_file

    return namespaces_file.load(call.settings().namespaces)


def _source(named: str | None, mapping: "Mapping | None") -> "Source":
    """Who says it: whom the call names, else the mapping."""
    from onefold.cli import references
    from onefold.model.sources import Source, Trust

    name = named if named is not None else (mapping.source if mapping else None) or UNNAMED
    return Source(references.text(name, "source", "Name whoever says it, as in --source crm."), Trust.SERVER)


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    """What is to be imported. A file that cannot be read is a wrong call."""
    if file == STDIN:
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 (it is closed below; what is raised in between is not about it)
    except OSError as error:
        hint = "Name a file of events or a table, or - for standard input."
        raise _wrong(f"{file} cannot be read: {error.strerror}", hint, "file") from error
    with stream:
        yield stream


def _wrong(message: str, hint: str, field: str) -> "OnefoldError":
    from onefold.errors import OnefoldError

    return OnefoldError("call.invalid", message, hint, field)


def _suggest(call: Call, file: str, source: str | None, path: Path | None) -> None:
    """Write a first mapping to a file, or to standard output."""
    from onefold.cli.answers.output import Screen, show_json
    from onefold.ingest.tables import Form, form_of

    if form_of(file) is Form.EVENTS:
        raise _wrong(f"{file} holds events, which need no mapping", "Import it as it is.", "suggest_map")
    with _opened(file) as stream:
        text = _suggestion(call, file, stream, source)
    if path:
        _write_new(path, text)
    if call.as_json:
        show_json({"mapping": text, "file": path and str(path)})
    elif path:
        Screen().line(f"a first mapping is in {path}: look it through")
    else:
        sys.stdout.write(text)


def _suggestion(call: Call, file: str, stream: BinaryIO, source: str | None) -> str:
    from datetime import UTC, datetime

    from onefold.ingest.tables import CsvRows
    from onefold.ingest.tables.suggest import LOOKED_AT, suggest

    rows = _rows(file, stream, None)
    held = (row.cells for _, row in rows if row and not row.problem)
    return suggest(
        rows.columns,
        islice(held, LOOKED_AT),
        _namespaces(call),
        source=source or ("crm" if file == STDIN else Path(file).stem),
        delimiter=rows.delimiter if isinstance(rows, CsvRows) else None,
        today=datetime.now(UTC).date(),
    )


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet."""
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        hint = "Name a file that is not there yet, or leave --map out to see the mapping."
        raise _wrong(f"{path} cannot be written: {error.strerror}", hint, "map") from error
