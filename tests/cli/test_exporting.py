"""`onefold export`: what is written is opened again by those who read such files."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import networkx as nx
import pytest
from pyarrow import parquet

from onefold import demo
from tests.cli.conftest import Run, called

STORE: Final = ("--store", "sqlite:///onefold.db")
ANN: Final = "email:ann@example.com"
COUNTS: Final = {"customers": 5, "identifiers": 23, "links": 31, "touchpoints": 40}
Tables = dict[str, list[dict[str, Any]]]


def rows_of(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose store holds the demo story."""
    folder = tmp_path_factory.mktemp("exported")
    story = Path(demo.__file__).with_name("story.jsonl")
    assert called(folder, "import", str(story), "--source", "demo", *STORE).code == 0
    return folder


@pytest.fixture(scope="module")
def tables(folder: Path) -> Tables:
    """The whole graph as CSV."""
    ended = called(folder, "export", "whole", "--format", "csv", "--json", *STORE)
    assert ended.json == {"out": "whole", "format": "csv", "rows": COUNTS}
    return {path.stem: rows_of(path) for path in (folder / "whole").iterdir()}


def test_tables_name_each_other_by_the_ids_that_every_door_answers_with(folder: Path, tables: Tables) -> None:
    assert {name: len(rows) for name, rows in tables.items()} == COUNTS
    identifiers = {row["id"]: row for row in tables["identifiers"]}
    customers = {row["id"]: int(row["identifiers"]) for row in tables["customers"]}
    held = [row["customer"] for row in tables["identifiers"]]
    assert {id_: held.count(id_) for id_ in customers} == customers
    for link in tables["links"]:
        ends = [identifiers[link[end]]["customer"] for end in "ab"]
        assert link["refused"] == str(ends[0] != ends[1]).lower()
    for touchpoint in tables["touchpoints"]:
        assert touchpoint["customer"] == identifiers[touchpoint["subject"]]["customer"]
    [ann] = [row for row in tables["identifiers"] if row["value"] == "ann@example.com"]
    [found] = called(folder, "resolve", ANN, "--json", *STORE).json
    assert ann["customer"] == found["customer"]["id"]
    [shared] = [row["value"] for row in tables["identifiers"] if row["generic"] == "true"]
    assert shared == "tablet-19"


def test_parquet_has_the_same_rows_with_types(folder: Path, tables: Tables) -> None:
    assert called(folder, "export", "typed", "--format", "parquet", *STORE).code == 0
    for name, rows in tables.items():
        read = parquet.read_table(folder / "typed" / f"{name}.parquet").to_pylist()
        assert [{column: as_csv(value) for column, value in row.items()} for row in read] == rows


def as_csv(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)


@pytest.mark.parametrize(("format_", "read"), [("graphml", nx.read_graphml), ("gexf", nx.read_gexf)])
def test_a_graph_has_customers_and_identifiers_and_what_joins_them(
    folder: Path, tables: Tables, format_: str, read: Any
) -> None:
    assert called(folder, "export", f"all.{format_}", "--format", format_, *STORE).code == 0
    graph = read(folder / f"all.{format_}")
    kinds = dict(graph.nodes(data="kind"))
    assert kinds == {row["id"]: "Customer" for row in tables["customers"]} | {
        row["id"]: "Identifier" for row in tables["identifiers"]
    }
    edges = {(a, b): kind for a, b, kind in graph.edges(data="kind")}
    assert edges == {(row["customer"], row["id"]): "HAS" for row in tables["identifiers"] if row["customer"]} | {
        (row["a"], row["b"]): "LINKED" for row in tables["links"]
    }
    for link in tables["links"]:
        shown = graph.edges[link["a"], link["b"]]
        assert (str(shown["count"]), shown["sources"]) == (link["count"], "demo")
        assert shown["refused"] is (link["refused"] == "true")
    for row in tables["identifiers"]:
        assert graph.nodes[row["id"]]["label"] == f"{row['namespace']}:{row['value']}"


def test_what_is_around_a_customer_is_a_part_of_the_whole(folder: Path, tables: Tables) -> None:
    around = ("--around", "email:ben@example.com", "--format", "csv", *STORE)
    sizes = []
    for depth in ("0", "1"):
        ended = called(folder, "export", f"ben {depth}", *around, "--depth", depth, "--json")
        assert ended.code == 0
        for path in (folder / f"ben {depth}").iterdir():
            rows = rows_of(path)
            assert {tuple(row.items()) for row in rows} <= {tuple(row.items()) for row in tables[path.stem]}
        sizes.append(ended.json["rows"]["identifiers"])
    assert sizes[0] == 6 < sizes[1]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("out", "--format", "xlsx"), "call.invalid"),
        (("out", "--format", "CSV"), "call.invalid"),
        (("whole", "--format", "csv"), "call.invalid"),
        (("no/where", "--format", "gexf"), "call.invalid"),
        (("out", "--format", "csv", "--around", "email:nobody@example.com"), "identifier.not_found"),
        (("out", "--format", "csv", "--around", ANN, "--depth", "11"), "query.invalid"),
    ],
)
def test_what_cannot_be_written_leaves_nothing_behind(
    folder: Path, tables: Tables, arguments: tuple[str, ...], code: str
) -> None:
    before = sorted(folder.rglob("*"))
    ended = called(folder, "export", *arguments, "--json", *STORE)
    assert (ended.error["code"], ended.out) == (code, "")
    assert sorted(folder.rglob("*")) == before


def test_how_far_to_go_needs_somebody_to_go_from(folder: Path) -> None:
    for option in ("--depth", "--nodes"):
        refused = called(folder, "export", "far", "--format", "csv", option, "2", "--json", *STORE)
        assert (refused.code, refused.error["code"], refused.error["field"]) == (2, "call.invalid", option[2:])


def test_what_xml_cannot_hold_is_replaced(onefold: Run, tmp_path: Path) -> None:
    sent = '{"messageId":"1","timestamp":"2025-01-01T00:00:00Z","type":"page","userId":"a\\uffffb<&>"}'
    assert onefold("import", "-", "--source", "\ufffeodd", *STORE, stdin=sent).code == 0
    for format_, read in (("graphml", nx.read_graphml), ("gexf", nx.read_gexf)):
        assert onefold("export", f"odd.{format_}", "--format", format_, *STORE).code == 0
        graph = read(tmp_path / f"odd.{format_}")
        assert "user_id:a\ufffdb<&>" in dict(graph.nodes(data="label")).values()
