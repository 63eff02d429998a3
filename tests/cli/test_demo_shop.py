"""`onefold demo`: the made-up shop is imported, and what stitching found of it stands beside the truth."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.test_calling import on_a_terminal

SMALL = ("demo", "--people", "40", "--no-serve")
METHODS = ["no stitching", "connected, no rules", "onefold", "ceiling"]
TRAPS = {"kiosk", "family tablet", "shared inbox", "typing error", "recycled number", "bot"}


def test_it_says_how_well_stitching_did_beside_two_baselines_and_the_ceiling_and_by_trap(onefold: Run) -> None:
    ended = onefold(*SMALL, "--people", "300")
    assert (ended.code, ended.err) == (0, "")
    lines = [line.split("  ")[0] for line in ended.out.splitlines()]
    assert [line for line in lines if line in METHODS] == METHODS
    assert set(lines) > TRAPS
    [header] = [line for line in ended.out.splitlines() if "precision" in line]
    for column in ("precision", "recall", "of the ceiling", "shown to the wrong person"):
        assert column in header
    assert "docs/shop.md says how this is measured" in ended.out


def test_the_same_in_json(onefold: Run) -> None:
    said = onefold(*SMALL, "--json").json
    assert [row["method"] for row in said["methods"]] == METHODS
    assert (said["people"], said["seed"]) == (40, 7)
    assert said["accepted"] == said["touchpoints"] > 0
    assert said["methods"][3]["precision"] == 1.0
    again = onefold(*SMALL, "--json").json
    assert (again["accepted"], again["duplicates"]) == (0, said["accepted"] + said["duplicates"])
    assert {**again, "accepted": 0, "duplicates": 0} == {**said, "accepted": 0, "duplicates": 0}


def test_each_shop_has_a_store_of_its_own_and_none_is_that_of_the_settings(onefold: Run, tmp_path: Path) -> None:
    (tmp_path / "onefold.toml").write_text('store = "sqlite:///precious.db"')
    for arguments in (SMALL, (*SMALL, "--seed", "8")):
        assert onefold(*arguments, variables={"ONEFOLD_STORE": "sqlite:///precious.db"}).code == 0
    assert {path.name for path in tmp_path.glob("*.db")} == {"onefold-shop-40-7.db", "onefold-shop-40-8.db"}


def test_a_store_that_holds_another_shop_is_left_as_it_is(onefold: Run) -> None:
    store = ("--store", "sqlite:///shop.db")
    assert onefold(*SMALL, *store).code == 0
    before = onefold("status", "--json", *store).json
    refused = onefold(*SMALL, "--seed", "8", *store, "--json")
    assert (refused.code, refused.error["code"]) == (2, "call.invalid")
    assert onefold("status", "--json", *store).json == before


def test_the_shop_holds_the_story_that_guides_ask_of(onefold: Run) -> None:
    store = ("--store", "sqlite:///shop.db")
    assert onefold(*SMALL, *store).code == 0
    assert "Ann Keller" in onefold("customer", "email:ann@example.com", *store).out


@pytest.mark.parametrize("given", [("--people", "10"), ("--seed", "1")])
def test_the_story_has_its_own_people(onefold: Run, given: tuple[str, str]) -> None:
    refused = onefold("demo", "--story", "--no-serve", *given, "--json")
    assert (refused.code, refused.error["code"]) == (2, "call.invalid")


def test_a_shop_without_people_is_none(onefold: Run) -> None:
    assert onefold("demo", "--people", "0", "--no-serve").code == 2


def test_on_a_terminal_a_bar_shows_how_far_it_is(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, "demo", "--people", "200", "--no-serve")
    assert "importing a year" in shown
    assert "━" in shown
