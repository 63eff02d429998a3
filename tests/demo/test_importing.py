"""The shop comes into a real store as its systems would have sent it, once, and what became of it is read back."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from onefold.demo.importing import Imported, bring_in, measure
from onefold.demo.measuring.reading import seen_in, stitched_in
from onefold.demo.shop.telling import END_MS, START_MS
from onefold.demo.shop.world import World
from onefold.errors import OnefoldError
from onefold.service import Onefold
from onefold.settings import Settings
from onefold.wiring import build

SMALL = World(60, 3)
OTHERS = b'{"messageId":"1","timestamp":"2025-01-01T00:00:00Z","type":"page","anonymousId":"a"}'


@pytest.fixture
def onefold(tmp_path: Path) -> Iterator[Onefold]:
    """With batches that are small beside the world."""
    with build(Settings(store=f"sqlite:///{tmp_path}/shop.db", batch_size=100)) as onefold:
        yield onefold


def test_each_event_is_stored_once_and_doing_it_again_changes_nothing(onefold: Onefold) -> None:
    told = list(SMALL.told())
    new = sum(not one.truth.again for one in told)
    steps: list[Imported] = []
    first = bring_in(onefold, SMALL, steps.append)
    assert (first.accepted, first.duplicates) == (new, len(told) - new)
    ends = [one.sent.received_ms for one in (*told[99:-1:100], told[-1])]
    shares = [(end_ms - START_MS) / (END_MS - START_MS) for end_ms in ends]
    assert [step.done for step in steps] == [pytest.approx(min(share, 1.0)) for share in shares]
    assert first.done == 1.0
    measured = measure(onefold, SMALL)
    again = bring_in(onefold, SMALL)
    assert (again.accepted, again.duplicates) == (0, len(told))
    assert measure(onefold, SMALL) == measured


def test_an_import_that_was_stopped_goes_on(onefold: Onefold) -> None:
    whole = sum(not one.truth.again for one in SMALL.told())
    some = list(islice(SMALL.told(), 250))
    decode = onefold.decoder.decode_line
    onefold.batcher.ingest([decode(one.sent.line, one.sent.source, one.sent.received_ms) for one in some])
    with pytest.raises(OnefoldError, match="another shop than the one asked for, or only a part"):
        measure(onefold, SMALL)
    bring_in(onefold, SMALL)
    assert measure(onefold, SMALL).touchpoints == whole


def test_another_shop_is_refused_before_anything_is_written(onefold: Onefold) -> None:
    bring_in(onefold, SMALL)
    with onefold.read() as reading:
        before = reading.view.counts()
    for other in (World(60, 4), World(61, 3)):
        with pytest.raises(OnefoldError, match="another shop"):
            bring_in(onefold, other)
    with onefold.read() as reading:
        assert reading.view.counts() == before


def test_the_truth_is_only_laid_beside_the_touchpoints_it_is_about(onefold: Onefold) -> None:
    bring_in(onefold, SMALL)
    truths = [one.truth for one in SMALL.told() if not one.truth.again]
    with onefold.read(hold=True) as reading:
        stitched = stitched_in(reading.view, onefold.namespaces)
        assert len(list(seen_in(reading.view, truths, stitched))) == len(truths)
        for others in (truths[::-1], truths[1:], truths[:-1]):
            with pytest.raises(OnefoldError, match="another shop"):
                list(seen_in(reading.view, others, stitched))


def test_what_others_sent_is_not_measured(onefold: Onefold) -> None:
    onefold.ingest([OTHERS])
    bring_in(onefold, SMALL)
    onefold.ingest([OTHERS.replace(b'"1"', b'"2"')])
    assert measure(onefold, SMALL).touchpoints == sum(not one.truth.again for one in SMALL.told())


def test_touchpoints_are_read_with_the_customer_whose_journey_shows_them(onefold: Onefold) -> None:
    world = World(200, 2)  # of these, enough share an inbox
    bring_in(onefold, world)
    with onefold.read(hold=True) as reading:
        stitched = stitched_in(reading.view, onefold.namespaces)
        seen = list(seen_in(reading.view, (one.truth for one in world.told()), stitched))
        numbers = {number for one in seen for number in one.identifiers}
        known = reading.view.by_number(list(numbers))
        operators = reading.view.counts().identifiers - len(known)
    assert operators > 0
    assert set(known) == numbers
    assert all(one.customer for one in known.values())
    assert {n: stitched.customer[n] for n in known} == {n: one.customer for n, one in known.items()}
    assert {n for n in known if n in stitched.generic} == {n for n, one in known.items() if one.generic}
    telling = {"user_id", "crm_id", "loyalty_card", "email", "phone"}
    assert {n for n in known if n in stitched.telling} == {
        n for n, one in known.items() if one.key.namespace in telling
    }
    shown = [one for one in seen if one.customer is not None]
    assert 0 < len(shown) < len(seen)
    assert all(one.customer in {stitched.customer[number] for number in one.identifiers} for one in shown)
