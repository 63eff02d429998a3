"""Reads the tables of the documentation, so that tests can compare them with the code."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def rows(document: str, header: str) -> list[tuple[str, ...]]:
    """The rows below the one table of `docs/DOCUMENT` whose header line is `header`."""
    lines = (ROOT / "docs" / document).read_text().splitlines()
    start = lines.index(header) + 2
    table: list[tuple[str, ...]] = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        table.append(tuple(cell.strip() for cell in line.strip("|").split("|")))
    return table


def plain(cell: str) -> str:
    """A cell without the backticks around it."""
    return cell.removeprefix("`").removesuffix("`")
