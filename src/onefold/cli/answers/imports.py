"""How an import goes, and how it went."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from onefold.ingest.files import ImportReport, Progress

_NAMED: Final = 10


@contextmanager
def watching(*, quiet: bool) -> "Iterator[Callable[[Progress], None]]":
    """Shows how far an import is, where somebody looks."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
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


def show_report(report: "ImportReport", unmapped: Sequence[str], *, as_json: bool) -> None:
    """What became of the lines. `unmapped`: columns that were not looked at."""
    import msgspec

    from onefold.cli.answers.output import Screen, show_json

    if as_json:
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
        where = _lines(report.warning_lines[code], count)
        screen.line(f"{_times(count, 'warning')}: {code} ({where}), first: {report.warning_messages[code]}")
    if report.rejects:
        screen.line(f"what was wrong with which line is in {report.rejects}")
    if unmapped:
        named = ", ".join(unmapped[:_NAMED]) + (", …" if len(unmapped) > _NAMED else "")
        screen.line(f"the mapping leaves out {_times(len(unmapped), 'column')}: {named}")


def _counts(report: "ImportReport") -> str:
    return f"{report.accepted:,} accepted, {_times(report.duplicates, 'duplicate')}, {report.rejected:,} rejected"


def _joins(report: "ImportReport") -> str:
    """What they led to, and how fast that was."""
    return f"{_times(report.joins, 'join')}, {_times(report.lines_a_second, 'line')} a second"


def _times(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _lines(numbers: list[int], warnings: int) -> str:
    """Which lines to look at; there may be more of them than these. A line may have several."""
    from onefold.ingest.files.report import LINES_NAMED

    named = ", ".join(map(str, numbers))
    more = ", …" if len(numbers) == LINES_NAMED < warnings else ""
    return f"line {named}" if len(numbers) == 1 else f"lines {named}{more}"
