from pathlib import Path

import pytest

from onefold import schema_files
from onefold.errors import OnefoldError
from onefold.schema_files import schema_file, schema_folder
from tests.tables import ROOT


def test_an_editable_install_reads_the_checkout() -> None:
    assert schema_folder() == ROOT / "graph_schema"
    assert schema_file("README.md").read_text().startswith("# What the graph is made of")


def test_an_installed_wheel_reads_its_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = tmp_path / "onefold" / "graph_schema"
    packaged.mkdir(parents=True)
    monkeypatch.setattr(schema_files, "files", lambda _: tmp_path / "onefold")
    assert schema_folder() == packaged


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(OnefoldError) as caught:
        schema_file("sqlite/9999_never.sql")
    assert caught.value.code == "schema.missing"
    assert "sqlite/9999_never.sql" in caught.value.message


def test_an_installation_without_the_folder_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_files, "files", lambda _: tmp_path / "onefold")
    monkeypatch.setattr(schema_files, "__file__", str(tmp_path / "src" / "onefold" / "schema_files.py"))
    with pytest.raises(OnefoldError) as caught:
        schema_folder()
    assert caught.value.code == "schema.missing"
    assert caught.value.hint
    assert str(tmp_path) in caught.value.message
