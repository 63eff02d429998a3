"""`onefold import`: events from a file or a pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from onefold.cli.call import Access, Call

if TYPE_CHECKING:
    from onefold.ingest.files import ImportReport, LivePipe, PlainFile, Progress

STDIN = "-"


def import_(
    call: Call,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A file of events, one JSON object a line; - for standard input.")
    ],
    source: Annotated[
        str, typer.Option("--source", help="Who says it; message ids count within their source.")
    ] = "import",
) -> None:
    """Import events. Doing it again changes nothing; if it is stopped, it goes on."""
    from onefold.cli import references
    from onefold.ingest.files import EventLines, NoteFile, import_file, note_beside, rejects_beside
    from onefold.ingest.pipeline import now_ms
    from onefold.model.sources import Source, Trust

    said_by = Source(references.text(source, "source", "Name whoever says it, as in --source crm."), Trust.SERVER)
    beside = Path("stdin.jsonl" if file == STDIN else file)
    with _opened(file) as opened, call.open(Access.MAKE) as onefold, _progress(call) as progress:
        of = (onefold.settings.store.encode(), said_by.name.encode())
        report = import_file(
            lambda: EventLines(opened(), onefold.settings.max_event_bytes),
            lambda line: onefold.decoder.decode_line(line, said_by, now_ms()),
            onefold.batcher.submit,
            rejects=rejects_beside(beside),
            batch_size=onefold.settings.batch_size,
            note=None if file == STDIN else NoteFile(note_beside(beside), *of),
            progress=progress,
        )
    _show(call, report)
    if report.rejected and not report.accepted and not report.duplicates:
        from onefold.errors import Exit

        raise typer.Exit(Exit.INPUT)


@contextmanager
def _opened(file: str) -> "Iterator[Callable[[], PlainFile | LivePipe]]":
    """Reads what is to be imported, from its beginning each time. A file that cannot be read is a wrong call."""
    from onefold.ingest.files import PlainFile

    if file == STDIN:
        piped = _standard_input()
        yield lambda: piped
        return
    with _file(file) as stream:

        def begin() -> PlainFile:
            stream.seek(0)
            return PlainFile(stream)

        yield begin


def _file(file: str) -> BinaryIO:
    try:
        return Path(file).open("rb")
    except OSError as error:
        from onefold.errors import OnefoldError

        raise OnefoldError(
            "call.invalid",
            f"{file} cannot be read: {error.strerror}",
            "Name a file of events, or - for standard input.",
            "file",
        ) from error


def _standard_input() -> "PlainFile | LivePipe":
    """What is piped in; a file that stands there is read as a file. Windows does not tell whether a pipe holds more."""
    from onefold.ingest.files import LivePipe, PlainFile

    stream = sys.stdin.buffer
    if sys.platform == "win32" or stream.seekable():
        return PlainFile(stream)
    return LivePipe(stream.fileno())


@contextmanager
def _progress(call: Call) -> "Iterator[Callable[[Progress], None]]":
    """Shows how far it is, where somebody looks."""
    from rich.console import Console

    console = Console(stderr=True)
    if call.as_json or not console.is_terminal:
        yield lambda _: None
        return
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("importing …", total=None)

        def show(progress: "Progress") -> None:
            total = None if progress.share is None else 1.0
            said = f"{_counts(progress.report)}, {_joins(progress.report)}"
            bar.update(task, total=total, completed=progress.share or 0.0, description=said)

        yield show


def _counts(report: "ImportReport") -> str:
    return f"{report.accepted:,} accepted, {report.duplicates:,} duplicates, {report.rejected:,} rejected"


def _joins(report: "ImportReport") -> str:
    """What they led to, and how fast that was."""
    return f"{_times(report.joins, 'join')}, {_times(report.lines_a_second, 'line')} a second"


def _times(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _lines(numbers: list[int], warnings: int) -> str:
    """Which lines to look at; there may be more of them than these."""
    named = ", ".join(map(str, numbers))
    return f"line {named}" if warnings == 1 else f"lines {named}{', …' if warnings > len(numbers) else ''}"


def _show(call: Call, report: "ImportReport") -> None:
    import msgspec

    from onefold.cli.answers.output import Screen, show_json

    if call.as_json:
        show_json(msgspec.to_builtins(report, enc_hook=str))
        return
    screen = Screen()
    screen.line(_counts(report))
    screen.line(_joins(report))
    if report.resumed_after is not None:
        screen.line(
            f"it went on after {_times(report.resumed_after, 'line')}, which an import before this one had done"
        )
    if report.conflicts:
        screen.line(f"{report.conflicts:,} of the duplicates say something else than the event that came first")
    if report.blank:
        screen.line(f"{report.blank:,} of {report.lines:,} lines are blank")
    for code, count in sorted(report.warnings.items()):
        screen.line(f"{_times(count, 'warning')}: {code} ({_lines(report.warning_lines[code], count)})")
    if report.rejects:
        screen.line(f"what was wrong with which line is in {report.rejects}")
