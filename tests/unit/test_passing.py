"""Trying again what may pass by itself."""

from collections.abc import Callable

import pytest

from onefold.errors import OnefoldError
from onefold.store import passing
from onefold.store.passing import PassingError, repeated


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(passing, "sleep", made.sleep)
    monkeypatch.setattr(passing, "monotonic", lambda: made.now)
    return made


def failing(times: int, error: OnefoldError) -> tuple[Callable[[], str], list[int]]:
    """Work that fails so often, and the number of every time it was done."""
    done: list[int] = []

    def work() -> str:
        done.append(len(done))
        if len(done) <= times:
            raise error
        return "done"

    return work, done


LOCKED = PassingError("store.busy", "others write")
CUT = PassingError("store.unavailable", "the connection was lost during a commit", undone=False)


def test_what_passes_is_done_again_after_ever_longer_pauses(clock: Clock) -> None:
    work, done = failing(4, LOCKED)
    assert repeated(work, idempotent=False) == "done"
    assert len(done) == 5
    assert all(later > earlier for earlier, later in zip(clock.pauses[:-2], clock.pauses[2:], strict=True))


def test_what_does_not_pass_is_raised_after_two_seconds(clock: Clock) -> None:
    work, done = failing(1_000, LOCKED)
    with pytest.raises(PassingError) as raised:
        repeated(work, idempotent=True)
    assert raised.value is LOCKED
    assert 0.5 < clock.now <= 2.0
    assert len(done) < 20


def test_what_may_have_been_done_is_done_again_only_if_that_changes_nothing(clock: Clock) -> None:
    work, done = failing(1, CUT)
    with pytest.raises(PassingError):
        repeated(work, idempotent=False)
    assert done == [0]
    work, done = failing(1, CUT)
    assert repeated(work, idempotent=True) == "done"


def test_other_failures_are_raised_at_once(clock: Clock) -> None:
    work, done = failing(1, OnefoldError("store.full", "no room"))
    with pytest.raises(OnefoldError, match=r"store\.full"):
        repeated(work, idempotent=True)
    assert (done, clock.pauses) == ([0], [])
