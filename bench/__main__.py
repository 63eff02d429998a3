"""`python -m bench [NAME …]`: run the benchmarks, each with its control beside it."""

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Final

from rich.console import Console

from bench.memory import EVENTS
from bench.report import Table, keep, show
from onefold.wiring import collect_seldom

WIDTH: Final = 140
"""Narrower, the tables cannot be read."""
NAMES: Final = (
    "ingest",
    "hard",
    "joins",
    "reads",
    "memory",
    "http",
    "segments",
    "readmodel",
    "keeping",
    "neo4j.ingest",
    "neo4j.joins",
    "neo4j.reads",
    "copy",
)


def main() -> int:
    """Run those named, or all; 1 when a figure is not as asked."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks with their controls.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; all if none is named")
    parser.add_argument("--write", action="store_true", help="keep the figures in docs/benchmarks.md")
    parser.add_argument("--events", type=int, default=EVENTS, help=f"how many `memory` sends ({EVENTS:,} if not said)")
    said = parser.parse_args()
    if unknown := set(said.names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    collect_seldom()  # as onefold's own process does
    console = Console()
    console.width = max(console.width, WIDTH)
    missed = False
    for name in said.names or NAMES:
        run: Callable[..., list[Table]] = import_module(f"bench.{name}").run
        tables = run(said.events) if name == "memory" else run()
        for table in tables:
            show(table, console)
        missed = missed or not all(table.holds for table in tables)
        if said.write:
            keep(name, tables)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
