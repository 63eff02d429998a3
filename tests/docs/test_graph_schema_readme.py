"""graph_schema/README.md describes the tables of SQLite that there are, and every one of their columns.

`tests/contract/test_neo4j_graph.py` does the same for the graph in Neo4j.
"""

import re

import apsw

from tests.tables import ROOT

FOLDER = ROOT / "graph_schema"
README = (FOLDER / "README.md").read_text()


def stored() -> dict[str, set[str]]:
    """Table → its columns, as the migrations make them."""
    connection = apsw.Connection(":memory:")
    for migration in sorted((FOLDER / "sqlite").glob("*.sql")):
        connection.execute(migration.read_text())
    tables = connection.execute(
        "SELECT name FROM pragma_table_list WHERE type IN ('table', 'virtual') AND schema = 'main'"
    ).fetchall()
    columns = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1"
    return {
        str(table): {str(column) for (column,) in connection.execute(columns, (table,))}
        for (table,) in tables
        if not str(table).startswith("sqlite_")
    }


def described() -> dict[str, set[str]]:
    """Table → the columns that its section lists."""
    found: dict[str, set[str]] = {}
    tables = README.split("\n## The tables of SQLite\n")[1].split("\n## ")[0]
    for section in tables.split("\n### ")[1:]:
        heading, *lines = section.splitlines()
        columns = {name for line in lines for name in re.findall(r"^\| `(\w+)` \|", line)}
        found.update(dict.fromkeys(heading.split(", "), columns))
    return found


def test_every_table_and_column_is_described_and_no_other() -> None:
    assert described() == stored()


def test_every_file_is_described_and_no_other() -> None:
    there = {path.name + ("/" if path.is_dir() else "") for path in FOLDER.iterdir()} - {"README.md"}
    assert set(re.findall(r"^\| `([^`]+)` \| ", README.split("## The graph")[0], re.MULTILINE)) == there
