"""`onefold import` of CSV and Parquet, with a mapping."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Run

CRM = """\
customer_no,email,name,plan,updated_at
C-1,ann@example.com,Ann Keller,basic,2026-03-01T09:30:00Z
C-2,ben@example.com,Ben Miller,team,2026-03-02T10:00:00Z
"""
MAPPING = """\
source: crm
record: {id: customer_no, version: updated_at}
timestamp: updated_at
channel: {value: crm}
identifiers: {crm_id: customer_no, email: email}
traits: {name: name, plan: plan}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "crm.csv").write_text(CRM)
    (tmp_path / "crm.yaml").write_text(MAPPING)
    return tmp_path


def profile(onefold: Run, who: str) -> dict[str, Any]:
    said = onefold("customer", who, "--json").json
    return {trait["name"]: (trait["value"], trait["source"]) for trait in said["profile"]["traits"]}


def counts(report: dict[str, Any]) -> tuple[int, ...]:
    return tuple(report[name] for name in ("accepted", "duplicates", "rejected", "conflicts"))


def test_records_become_customers_and_the_same_export_again_changes_nothing(onefold: Run, folder: Path) -> None:
    assert counts(onefold("import", "crm.csv", "--map", "crm.yaml", "--json").json) == (2, 0, 0, 0)
    assert profile(onefold, "crm_id:C-1") == {"name": ("Ann Keller", "crm"), "plan": ("basic", "crm")}
    before = onefold("status", "--json").json
    assert counts(onefold("import", "crm.csv", "--map", "crm.yaml", "--json").json) == (0, 2, 0, 0)
    assert onefold("status", "--json").json == before
    journey = onefold("customer", "email:ann@example.com", "--json").json["journey"]["items"]
    assert [(item["type"], item["channel"]) for item in journey] == [("identify", "crm")]


def test_a_newer_version_of_a_record_counts_and_an_older_one_that_comes_late_does_not_win(
    onefold: Run, folder: Path
) -> None:
    for plan, updated in (("team", "2026-04-01"), ("club", "2026-05-01"), ("trial", "2025-01-01")):
        (folder / "crm.csv").write_text(CRM.replace("basic,2026-03-01", f"{plan},{updated}"))
        assert onefold("import", "crm.csv", "--map", "crm.yaml", "--json").json["accepted"] >= 1
    assert profile(onefold, "crm_id:C-1")["plan"] == ("club", "crm")


def test_a_version_that_says_something_else_than_before_is_a_conflict(onefold: Run, folder: Path) -> None:
    onefold("import", "crm.csv", "--map", "crm.yaml")
    (folder / "crm.csv").write_text(CRM.replace("basic", "team"))
    report = onefold("import", "crm.csv", "--map", "crm.yaml", "--json").json
    assert counts(report) == (0, 2, 0, 1)
    [conflict] = [json.loads(line) for line in Path(folder / report["rejects"]).read_text().splitlines()]
    assert (conflict["line"], conflict["code"]) == (2, "event.message_id_reused")


def test_an_export_that_tells_no_times_may_be_imported_every_night(onefold: Run, folder: Path) -> None:
    text = MAPPING.replace(", version: updated_at", "").replace("timestamp: updated_at", "timestamp: {value: %s}")
    (folder / "crm.yaml").write_text(text % "2026-03-05")
    assert counts(onefold("import", "crm.csv", "--map", "crm.yaml", "--json").json) == (2, 0, 0, 0)
    (folder / "crm.yaml").write_text(text % "2026-03-06")
    (folder / "crm.csv").write_text(CRM.replace("basic", "team"))
    assert counts(onefold("import", "crm.csv", "--map", "crm.yaml", "--json").json) == (1, 1, 0, 0)
    assert profile(onefold, "crm_id:C-1")["plan"] == ("team", "crm")


def test_parquet_and_csv_of_one_table_lead_to_the_same(onefold: Run, folder: Path) -> None:
    table = pyarrow.csv.read_csv(folder / "crm.csv")
    assert pa.types.is_timestamp(table.schema.field("updated_at").type)
    pq.write_table(table, folder / "crm.parquet")
    stores = {}
    for form in ("csv", "parquet"):
        store = ("--store", f"sqlite:///{form}.db")
        assert onefold("import", f"crm.{form}", "--map", "crm.yaml", "--json", *store).json["accepted"] == 2
        said = onefold("customer", "email:ben@example.com", "--json", *store).json
        stores[form] = (said["profile"], said["firstSeen"], [row["value"] for row in said["identifiers"]["items"]])
    for said in stores.values():
        for trait in said[0]["traits"]:
            trait["identifier"].pop("id", None)
    assert stores["csv"] == stores["parquet"]


def test_a_suggested_mapping_can_be_used_as_it_is(onefold: Run, folder: Path) -> None:
    printed = onefold("import", "crm.csv", "--suggest-map")
    assert not (folder / "onefold.db").exists(), "nothing was imported"
    written = onefold("import", "crm.csv", "--suggest-map", "--map", "first.yaml")
    assert written.code == 0
    assert (folder / "first.yaml").read_text() == printed.out
    assert onefold("import", "crm.csv", "--suggest-map", "--json").json["mapping"] == printed.out
    assert counts(onefold("import", "crm.csv", "--map", "first.yaml", "--json").json) == (2, 0, 0, 0)
    assert profile(onefold, "email:ann@example.com")["name"] == ("Ann Keller", "crm")
    again = onefold("import", "crm.csv", "--suggest-map", "--map", "first.yaml")
    assert again.code == 2, "a mapping that people have worked on is not written over"


def test_a_mapping_is_suggested_for_parquet_too(onefold: Run, folder: Path) -> None:
    pq.write_table(pyarrow.csv.read_csv(folder / "crm.csv"), folder / "crm.parquet")
    (folder / "first.yaml").write_text(onefold("import", "crm.parquet", "--suggest-map").out)
    assert counts(onefold("import", "crm.parquet", "--map", "first.yaml", "--json").json) == (2, 0, 0, 0)


def test_a_table_is_piped_in_as_well(onefold: Run, folder: Path) -> None:
    assert onefold("import", "-", "--map", "crm.yaml", "--json", stdin=CRM).json["accepted"] == 2


def test_the_source_of_the_call_counts_more_than_that_of_the_mapping(onefold: Run, folder: Path) -> None:
    onefold("import", "crm.csv", "--map", "crm.yaml", "--source", "old crm")
    assert profile(onefold, "crm_id:C-1")["name"] == ("Ann Keller", "old crm")


def test_columns_that_the_mapping_leaves_out_are_named(onefold: Run, folder: Path) -> None:
    (folder / "crm.yaml").write_text(MAPPING.replace(", plan: plan", ""))
    assert "the mapping leaves out 1 column: plan\n" in onefold("import", "crm.csv", "--map", "crm.yaml").out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("crm.csv",), 2, "--suggest-map"),
        (("events.jsonl", "--map", "crm.yaml"), 2, "need no mapping"),
        (("events.jsonl", "--suggest-map"), 2, "need no mapping"),
        (("crm.csv", "--map", "nowhere.yaml"), 3, "nowhere.yaml cannot be read"),
        (("other.csv", "--map", "crm.yaml"), 3, 'no column "customer_no"'),
        (("broken.parquet", "--map", "crm.yaml"), 3, "cannot be read as Parquet"),
        (("crm.csv", "--suggest-map", "--map", "no/where.yaml"), 2, "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_told(
    onefold: Run, folder: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    (folder / "events.jsonl").write_text("{}\n")
    (folder / "other.csv").write_text("id,mail\n1,a@example.com\n")
    (folder / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    ended = onefold("import", *arguments)
    assert ended.code == code
    assert says in ended.err
    assert ended.err.count("\n") == 1


def test_pyarrow_is_not_imported_unless_a_parquet_file_is(folder: Path) -> None:
    import subprocess
    import sys

    script = (
        "import sys; from onefold.wiring import Wired; from onefold.cli.app import run;"
        "code = run(Wired(), ['import', 'crm.csv', '--map', 'crm.yaml']);"
        "sys.exit(code or 'pyarrow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=folder, check=False, capture_output=True).returncode == 0
