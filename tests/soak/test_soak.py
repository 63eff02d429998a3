"""The soak itself, for some seconds: `make soak` runs ten minutes of it."""

from pathlib import Path

import pytest

from tests.soak.soak import soak


@pytest.mark.slow
def test_some_seconds_of_mixed_load_with_kills_lose_nothing(tmp_path: Path) -> None:
    report = soak(tmp_path, 10.0, kills=2, filled=1_000)
    assert [what for what in report.wrong if what != "memory grew"] == [], "its caches are still filling"
    assert len(report.lives) == 3
    for name in ("acknowledged", "questions answered", "files imported"):
        assert report.counts[name] > 0, name
    assert list(report.lines())[-1]
