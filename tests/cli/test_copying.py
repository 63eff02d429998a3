"""copy: a whole store to another."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run

COPY = ("copy", "--from", "sqlite:///onefold.db", "--to", "sqlite:///copy.db")


@pytest.fixture
def shop(onefold: Run) -> Run:
    """With the demo story in the store of the settings."""
    assert onefold("demo", "--story", "--no-serve", "--store", "sqlite:///onefold.db").code == 0
    return onefold


def test_a_copy_is_asked_as_its_source_is(shop: Run) -> None:
    assert shop(*COPY).out.startswith("the copy is complete; compared with its source, it has the same rows\n")
    for question in (
        ("customer", "email:ann@example.com"),
        ("why", "anonymous_id:web-b2903f", "user_id:u-1001"),
        ("search", "ann"),
        ("rejects",),
    ):
        assert shop(*question, "--json", "--store", "sqlite:///copy.db").json == shop(*question, "--json").json


def test_it_says_what_was_copied(shop: Run, tmp_path: Path) -> None:
    said = shop(*COPY, "--json").json
    assert (said["source"], said["target"]) == (str(tmp_path / "onefold.db"), str(tmp_path / "copy.db"))
    assert said["rows"]["touchpoints"] == 40
    assert (said["resumed"], said["anew"], said["already"]) == (False, False, False)
    assert shop(*COPY, "--json").json == said | {"already": True}
    assert "already" in shop(*COPY).out


def test_the_store_of_the_settings_is_copied_unless_another_is_named(shop: Run, tmp_path: Path) -> None:
    assert shop("copy", "--to", "sqlite:///copy.db").code == 0
    again = shop("copy", "--store", "sqlite:///copy.db", "--to", "sqlite:///again.db", "--json")
    assert again.json["source"] == str(tmp_path / "copy.db")


def test_a_store_is_no_copy_of_itself(shop: Run) -> None:
    ended = shop("copy", "--to", "sqlite:///./onefold.db", "--json")
    assert (ended.code, ended.error["code"], ended.error["field"]) == (5, "copy.target_not_empty", "to")
    assert "is the source itself" in ended.error["message"]


def test_a_store_with_something_in_it_is_no_target(shop: Run) -> None:
    assert shop("demo", "--story", "--no-serve", "--store", "sqlite:///copy.db").code == 0
    ended = shop(*COPY, "--json")
    assert (ended.code, ended.error["code"], ended.error["field"]) == (5, "copy.target_not_empty", "to")


def test_a_store_that_is_not_there_cannot_be_copied_and_none_is_made(onefold: Run, tmp_path: Path) -> None:
    ended = onefold(*COPY, "--json")
    assert (ended.code, ended.error["code"]) == (6, "store.unavailable")
    assert list(tmp_path.iterdir()) == []


def test_a_target_of_no_known_kind_is_named(shop: Run) -> None:
    ended = shop("copy", "--to", "redis://localhost", "--json")
    assert (ended.code, ended.error["code"]) == (7, "store.unknown_scheme")
