"""Imports files, and pipes, of events or of rows; doing it again changes nothing, and goes on where it was stopped."""

from onefold.ingest.files.lines import EventFile, EventLines, Importable, LivePipe, PlainFile
from onefold.ingest.files.note import NoteFile, note_beside
from onefold.ingest.files.rejects import rejects_beside
from onefold.ingest.files.report import ImportReport, Progress
from onefold.ingest.files.run import import_file

__all__ = [
    "EventFile",
    "EventLines",
    "ImportReport",
    "Importable",
    "LivePipe",
    "NoteFile",
    "PlainFile",
    "Progress",
    "import_file",
    "note_beside",
    "rejects_beside",
]
