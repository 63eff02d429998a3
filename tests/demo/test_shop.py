"""The shop of `make demo` is hard, and stitching finds in it what was asked of it. It takes half a minute."""

from collections.abc import Iterator

import pytest

from onefold.demo.importing import bring_in, measure
from onefold.demo.measuring.report import Report
from onefold.demo.shop.world import World
from onefold.settings import Settings
from onefold.wiring import build
from tests.tables import rows

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("shop")]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    """Of the shop as anybody gets it who types `make demo`."""
    with build(Settings(store=f"sqlite:///{tmp_path_factory.mktemp('shop')}/shop.db")) as onefold:
        bring_in(onefold, World())
        yield measure(onefold, World())


def test_it_is_of_the_size_that_was_asked_for(report: Report) -> None:
    assert 4_900 < report.people <= 5_000
    assert 90_000 < report.touchpoints < 110_000


def test_it_is_hard(report: Report) -> None:
    """More than half of it is anonymous; without stitching a third is found, and without rules strangers are one."""
    assert 0.5 < report.share_anonymous < 0.75
    assert report.unstitched.recall < 0.45
    assert report.unstitched.precision < 0.95
    assert report.connected.precision < 0.1
    assert report.connected.shown_wrong > 0.08
    assert 0.6 < report.ceiling.recall < 0.85
    assert min(trap.touchpoints for trap in report.traps.values()) > 50
    assert sum(trap.touchpoints for trap in report.traps.values()) > 0.05 * report.touchpoints


def test_the_ceiling_is_one(report: Report) -> None:
    assert (report.ceiling.precision, report.ceiling.wrong) == (1.0, 0)
    assert report.onefold.recall < report.ceiling.recall


def test_stitching_finds_what_was_asked_of_it(report: Report) -> None:
    assert report.onefold.precision >= 0.95
    assert report.onefold.shown_wrong <= 0.02
    assert report.of_ceiling >= 0.85
    assert report.misses() == []


@pytest.mark.parametrize("trap", ["bot", "family tablet", "kiosk", "shared inbox"])
def test_what_is_shared_glues_no_strangers(report: Report, trap: str) -> None:
    assert report.traps[trap].touchpoints > 100
    assert report.glued_of(trap).strangers == 0


def test_it_does_better_than_both_baselines(report: Report) -> None:
    assert report.onefold.precision > report.unstitched.precision > report.connected.precision
    assert report.onefold.recall > 1.5 * report.unstitched.recall
    assert report.onefold.shown_wrong < report.connected.shown_wrong / 5


def test_the_guide_shows_what_comes_out(report: Report) -> None:
    methods = {"no stitching": report.unstitched, "connected, no rules": report.connected}
    methods |= {"onefold": report.onefold, "ceiling": report.ceiling}
    by_method = [
        (
            name,
            percent(score.precision),
            percent(score.recall),
            percent(score.recall / report.ceiling.recall),
            counted(score.wrong, score.shown_wrong),
        )
        for name, score in methods.items()
    ]
    assert shown("| | precision | recall | of the ceiling | shown to the wrong person |") == by_method
    by_trap = []
    for trap, score in report.traps.items():
        glued = report.glued_of(trap)
        recall = percent(score.recall) if score.belonging else "–"
        wrong = counted(score.wrong, score.shown_wrong)
        by_trap.append((trap, f"{score.touchpoints:,}", wrong, recall, str(glued.strangers), str(glued.family)))
    header = "| trap | touchpoints | shown to the wrong person | recall | strangers glued | family glued |"
    assert shown(header) == by_trap


def shown(header: str) -> list[tuple[str, ...]]:
    """A table of the guide, without what stands out in it."""
    return [tuple(cell.strip("*") for cell in row) for row in rows("shop.md", header)]


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def counted(count: int, share: float) -> str:
    return f"{count:,} ({percent(share)})" if count else "0"
