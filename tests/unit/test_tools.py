"""A test that needs a program which is not there fails, unless a variable says that it may be skipped."""

import pytest

from tests.support.tools import ALLOW_SKIP, needed


def test_a_program_that_is_there_is_found() -> None:
    assert needed("sh", "…").endswith("/sh")


@pytest.mark.parametrize("allowed", [None, "", "chromium", "nod", "no-such-tools"])
def test_a_missing_program_fails_the_test(monkeypatch: pytest.MonkeyPatch, allowed: str | None) -> None:
    monkeypatch.delenv(ALLOW_SKIP, raising=False)
    if allowed is not None:
        monkeypatch.setenv(ALLOW_SKIP, allowed)
    with pytest.raises(pytest.fail.Exception, match="apt-get install it, or set ONEFOLD_ALLOW_SKIP=no-such-tool"):
        needed("no-such-tool", "apt-get install it")


def test_it_is_skipped_only_when_that_is_allowed_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALLOW_SKIP, "chromium, no-such-tool")
    with pytest.raises(pytest.skip.Exception, match="no-such-tool is not installed"):
        needed("no-such-tool", "apt-get install it")
