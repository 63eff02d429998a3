import pickle

import pytest

from onefold.errors import CODES, Exit, OnefoldError, Problem


def test_an_error_carries_its_problem_and_how_each_door_says_it() -> None:
    error = OnefoldError("store.full", "no room is left", hint="free some", field="store")
    assert error.problem == Problem("store.full", "no room is left", "free some", "store")
    assert (error.code, error.message, error.hint, error.field) == (
        "store.full",
        "no room is left",
        "free some",
        "store",
    )
    assert (error.exit, error.http_status) == (Exit.STORE, 507)
    assert str(error) == "store.full: no room is left"


def test_an_error_survives_a_way_between_processes() -> None:
    error = OnefoldError("store.busy", "locked", field="store")
    copy = pickle.loads(pickle.dumps(error))
    assert copy.problem == error.problem


def test_a_code_that_is_not_registered_cannot_be_raised() -> None:
    with pytest.raises(ValueError, match=r"'store.fulll' is not an error code"):
        OnefoldError("store.fulll", "no room is left")


def test_codes_can_only_be_made_where_they_are_registered() -> None:
    with pytest.raises(TypeError):
        CODES["store.mine"] = CODES["store.full"]  # type: ignore[index]


@pytest.mark.parametrize("code", sorted(CODES))
def test_each_code_fails_in_every_door_and_reads_as_a_sentence(code: str) -> None:
    entry = CODES[code]
    assert entry.exit is not Exit.OK
    assert 400 <= entry.http_status < 600
    assert entry.meaning[0].isupper() or entry.meaning.startswith("onefold")
    assert entry.meaning.endswith(".")
    assert "|" not in entry.meaning
