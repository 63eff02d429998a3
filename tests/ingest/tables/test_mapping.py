"""Mapping files: each mistake is told with its line and its field."""

import re
from pathlib import Path

import pytest

from onefold.errors import OnefoldError
from onefold.ingest.tables.mapping import load
from tests.ingest.events import namespaces
from tests.ingest.tables.building import LEAST, mapping_of
from tests.tables import ROOT

BAD = sorted((ROOT / "tests" / "golden" / "bad_mappings").glob("*.yaml"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_mistake_is_told_with_its_line_and_its_field(path: Path) -> None:
    expected = dict(re.findall(r"^# (line|field|says): ?(.*)$", path.read_text(), re.MULTILINE))
    with pytest.raises(OnefoldError) as caught:
        load(path, namespaces())
    assert caught.value.code == "mapping.invalid"
    assert f"{path.name}, line {expected['line']}: " in caught.value.message
    assert (caught.value.field or "") == expected["field"]
    assert caught.value.message.endswith(expected["says"])


def test_there_are_mistakes_to_look_at() -> None:
    assert len(BAD) > 15


def test_a_mapping_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OnefoldError, match=r"nowhere\.yaml cannot be read") as caught:
        load(tmp_path / "nowhere.yaml", namespaces())
    assert caught.value.code == "mapping.invalid"


def test_what_need_not_be_said_has_its_default() -> None:
    least = mapping_of(LEAST)
    assert (least.type, least.source, least.version) == ("identify", None, None)
    assert (least.csv.delimiter, least.csv.encoding, least.csv.decimal) == (None, "utf-8", ".")
    assert [pick.column for pick in least.picks()] == ["no", "changed", "no"]


def test_a_namespace_may_stand_in_several_columns() -> None:
    said = mapping_of(LEAST.replace("{crm_id: no}", "{email: [private, {column: business}]}"))
    assert [(name, pick.column) for name, pick in said.identifiers] == [("email", "private"), ("email", "business")]
