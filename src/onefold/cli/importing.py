"""`onefold import`: events from a file or a pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from onefold.cli.call import Access, Call

if TYPE_CHECKING:
    from onefold.ingest.files import ImportReport

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
    """Import events. Doing it again changes nothing."""
    from onefold.cli import references
    from onefold.ingest.files import import_file
    from onefold.ingest.pipeline import now_ms
    from onefold.model.sources import Source, Trust

    said_by = Source(references.text(source, "source", "Name whoever says it, as in --source crm."), Trust.SERVER)
    with _opened(file) as stream, call.open(Access.MAKE) as onefold, _progress(call) as progress:
        report = import_file(
            stream,
            lambda line: onefold.decoder.decode_line(line, said_by, now_ms()),
            onefold.batcher.submit,
            rejects=_rejects(file),
            batch_size=onefold.settings.batch_size,
            max_line_bytes=onefold.settings.max_event_bytes,
            progress=progress,
        )
    _show(call, report)
    if report.rejected and not report.accepted and not report.duplicates:
        from onefold.errors import Exit

        raise typer.Exit(Exit.INPUT)


def _rejects(file: str) -> Path:
    """Where rejected lines go: beside the file, or here when there is none."""
    from onefold.ingest.files import rejects_beside

    return rejects_beside(Path("stdin.jsonl" if file == STDIN else file))


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    """The bytes to import. A file that cannot be read is a wrong call."""
    if file == STDIN:
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 (it is closed below; what is raised in between is not about it)
    except OSError as error:
        from onefold.errors import OnefoldError

        raise OnefoldError(
            "call.invalid",
            f"{file} cannot be read: {error.strerror}",
            "Name a file of events, or - for standard input.",
            "file",
        ) from error
    with stream:
        yield stream


@contextmanager
def _progress(call: Call) -> "Iterator[Callable[[ImportReport], None]]":
    """Shows how far it is, where somebody looks."""
    from rich.console import Console

    console = Console(stderr=True)
    if call.as_json or not console.is_terminal:
        yield lambda _: None
        return
    with console.status("importing …") as status:
        yield lambda report: status.update(_counts(report))


def _counts(report: "ImportReport") -> str:
    return f"{report.accepted:,} accepted, {report.duplicates:,} duplicates, {report.rejected:,} rejected"


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
    if report.conflicts:
        screen.line(f"{report.conflicts:,} of the duplicates say something else than the event that came first")
    if report.blank:
        screen.line(f"{report.blank:,} of {report.lines:,} lines are blank")
    for code, count in sorted(report.warnings.items()):
        screen.line(f"{_times(count, 'warning')}: {code} ({_lines(report.warning_lines[code], count)})")
    if report.rejects:
        screen.line(f"what was wrong with which line is in {report.rejects}")
