"""How answers look: JSON for programs, tables for people, plain text when nobody looks.

Where standard output is no terminal, nothing is coloured or wrapped. What somebody wrote at length is cut in tables,
never in JSON.
"""

import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    from onefold.errors import OnefoldError

WIDE: Final = 10_000
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class _Kept(io.StringIO):
    """What would be printed; it looks to whoever prints as standard output does."""

    def __init__(self, instead_of: TextIO) -> None:
        super().__init__(newline="")
        self._of: Final = instead_of

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a StringIO has none
        return self._of.encoding

    def isatty(self) -> bool:
        return self._of.isatty()


@contextmanager
def printed_afterwards() -> Iterator[None]:
    """What is printed inside the block appears when it has ended, unless it fails. Whoever reads the store meanwhile
    may hold up others, and who looks at the answer (`| less`) may take their time."""
    standard = sys.stdout
    kept = _Kept(standard)
    with redirect_stdout(kept):
        yield
    standard.write(kept.getvalue())


def show_json(answer: object) -> None:
    """Print one JSON value on standard output, indented by two."""
    sys.stdout.write(to_json(answer) + "\n")


def to_json(answer: object, *, indent: int = 2) -> str:
    """JSON as every command prints it; with an indent of 0 in one line."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(answer), indent=indent or -1).decode()


def console() -> "Console":
    """Standard output for people."""
    from rich.console import Console

    there = Console(highlight=False, markup=False, emoji=False)
    return there if there.is_terminal else Console(highlight=False, markup=False, emoji=False, width=WIDE)


def text(value: object, style: str = "") -> "Text":
    """What was sent by anybody, made harmless: no control characters, no direction marks, no markup."""
    from rich.text import Text

    shown = "" if value is None else str(value)
    return Text(_UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", shown), style=style)


class Screen:
    """What people see: headings, lines and tables, one after the other."""

    def __init__(self) -> None:
        """On standard output as it is now."""
        self._console = console()

    def line(self, value: object = "", style: str = "") -> None:
        """One line."""
        self._console.print(text(value, style), soft_wrap=True)

    @staticmethod
    def text(value: object, style: str = "") -> "Text":
        """What was sent by anybody, made harmless, as a part of a line."""
        return text(value, style)

    def tree(self, tree: "Tree") -> None:
        """A tree whose labels were made by `text`."""
        self._console.print(tree, soft_wrap=True)

    def heading(self, value: str) -> None:
        """A line that parts what follows from what stands before."""
        self.line()
        self.line(value, "bold")

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[Any]],
        right: Sequence[str] = (),
        marked: str | None = None,
    ) -> None:
        """A table. Without rows it is not shown.

        Args:
            columns: their names. rows: a value for each of them.
            right: columns that are set to the right. marked: rows with a value in this column stand out.
        """
        from rich.table import Table

        cells = [[text(value) for value in row] for row in rows]
        if not cells:
            return
        if not self._console.is_terminal:
            self._plain([[text(column) for column in columns], *cells], [column in right for column in columns])
            return
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        for column in columns:
            table.add_column(column, justify="right" if column in right else "left", overflow="fold")
        mark = columns.index(marked) if marked else None
        for row in cells:
            table.add_row(*row, style="yellow" if mark is not None and row[mark].plain else None)
        self._console.print(table)

    def _plain(self, rows: Sequence[Sequence["Text"]], right: Sequence[bool]) -> None:
        widths = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
        for row in rows:
            parts = (
                " " * (width - cell.cell_len) + cell.plain if to_right else cell.plain + " " * (width - cell.cell_len)
                for cell, width, to_right in zip(row, widths, right, strict=True)
            )
            self._console.print(text("  ".join(parts).rstrip()), soft_wrap=True)


def moment(at_ms: int) -> str:
    """A time as people read it: UTC, to the minute."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def iso(at_ms: int) -> str:
    """A time as programs read it: ISO 8601, UTC, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def show_error(error: "OnefoldError", *, as_json: bool) -> None:
    """One line on standard error: code, message, hint; as JSON an object with the field too."""
    problem = error.problem
    if as_json:
        said = {"code": problem.code, "message": problem.message, "hint": problem.hint, "field": problem.field}
        import msgspec

        sys.stderr.write(msgspec.json.encode(said).decode() + "\n")
        return
    line = f"{problem.code}: {problem.message}" + (f" ({problem.hint})" if problem.hint else "")
    sys.stderr.write(f"{text(line).plain}\n")
