"""What a benchmark found: a table of figures, each beside its control; shown on the terminal and kept in the guide."""

import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from os import cpu_count
from pathlib import Path
from typing import Final

import apsw
from rich.console import Console
from rich.table import Table as RichTable

GUIDE: Final = Path(__file__).parents[1] / "docs" / "benchmarks.md"
PACKAGES: Final = ("onefold", "apsw", "msgspec", "orjson")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a ratio has to be; with a `unit`, what the figure itself has to be."""

    least: float | None = None
    most: float | None = None
    unit: str = ""

    def holds(self, figure: float) -> bool:
        """Whether it is."""
        return (self.least is None or figure >= self.least) and (self.most is None or figure <= self.most)

    def __str__(self) -> str:
        """For people."""
        if self.least == self.most:
            return f"= {self.least:g} {self.unit}".rstrip()
        bound = f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"
        return f"{bound} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: its name, what was measured beside what (as `Table.columns` say), and their ratio.

    `figure`: what was asked for, where that is not the ratio.
    """

    name: str
    cells: tuple[str, ...]
    ratio: float | None = None
    asked: Asked | None = None
    figure: float | None = None

    @property
    def holds(self) -> bool:
        """Whether it is as asked."""
        figure = self.ratio if self.figure is None else self.figure
        return self.asked is None or figure is None or self.asked.holds(figure)

    def texts(self) -> tuple[str, ...]:
        """All of its cells."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        asked = "" if self.asked is None else f"{self.asked}{'' if self.holds else ' (missed)'}"
        return (self.name, *self.cells, ratio, asked)


@dataclass(frozen=True, slots=True)
class Table:
    """The figures of one benchmark. `checked`: what was compared besides time, and how it came out."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    checked: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every figure is as asked."""
        return all(row.holds for row in self.rows)

    def heads(self) -> tuple[str, ...]:
        """The names of all columns."""
        return ("", *self.columns, "ratio", "asked")


def show(table: Table, console: Console) -> None:
    """Print it."""
    drawn = RichTable(title=table.title, title_justify="left")
    for number, head in enumerate(table.heads()):
        drawn.add_column(head, justify="left" if number == 0 else "right", no_wrap=number == 0)
    for row in table.rows:
        drawn.add_row(*row.texts(), style=None if row.holds else "bold red")
    console.print(drawn)
    for line in table.checked:
        console.print(f"  {line}")


def keep(name: str, tables: Iterable[Table], guide: Path = GUIDE) -> None:
    """Write it into the guide, between the markers of the benchmark `name`."""
    text = guide.read_text(encoding="utf-8")
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    assert begin in text, f"{guide.name} has no place for {name}"
    measured = "\n\n".join(_markdown(table) for table in tables)
    between = f"{begin}\n{measured}\n\n{_circumstances()}\n{end}"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    guide.write_text(pattern.sub(lambda _: between, text), encoding="utf-8")


def _markdown(table: Table) -> str:
    heads = table.heads()
    lines = [heads, ("---", *["---:"] * (len(heads) - 1)), *(row.texts() for row in table.rows)]
    drawn = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    checked = "".join(f"\n\n{line}" for line in table.checked)
    return f"**{table.title}**\n\n{drawn}{checked}"


def _circumstances() -> str:
    """When, on what, with what."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} on {cpu_count()} {platform.machine()} cores with "
        f"{_memory_gb()} GB of memory under {platform.system()}, shared with other work; "
        f"Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}, {versions}."
    )


def _memory_gb() -> int:
    found = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
    return round(int(found[1]) / 1_000_000) if found else 0
