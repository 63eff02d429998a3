"""A report says what was asked for and missed, and is the same whether parts are measured together or apart."""

from onefold.demo.measuring.report import measured
from onefold.demo.measuring.seen import Seen, Stitched

DEVICE = 3


def world(part: int, customers: tuple[int | None, ...] = (1, 1, 2, None)) -> list[Seen]:
    """Ann has three touchpoints, Ben one."""
    ann, ben = 10 * part + 1, 10 * part + 2
    said = zip(
        (ann, ann, ann, ben), (None, "tablet", None, "kiosk"), customers, ((1,), (1, 3), (3,), (2,)), strict=True
    )
    return [Seen(part, person, person, trap, customer, ids) for person, trap, customer, ids in said]


STITCHED = Stitched([0, 1, 2, 1], frozenset(), frozenset({1, 2}))


def test_a_world_of_one_part_by_hand() -> None:
    report = measured(world(0), STITCHED)
    assert (report.people, report.touchpoints, report.anonymous) == (2, 4, 1)
    assert (report.onefold.right, report.onefold.together, report.onefold.belonging) == (1, 1, 3)
    assert (report.ceiling.recall, report.of_ceiling) == (1.0, 1 / 3)
    assert set(report.traps) == {"kiosk", "tablet"}
    assert report.misses() == ["recall is under 0.85 of the ceiling"]


def test_parts_add_up() -> None:
    one, both = measured(world(0), STITCHED), measured([*world(0), *world(1)], STITCHED)
    assert (both.people, both.touchpoints, both.anonymous) == (4, 8, 2)
    assert both.onefold.belonging == 2 * one.onefold.belonging
    assert both.traps["tablet"].touchpoints == 2
    assert both.of_ceiling == one.of_ceiling


def test_each_thing_asked_is_missed_by_its_name() -> None:
    glued = measured(world(0, (1, 1, 1, 1)), Stitched([0, 1, 1, 1], frozenset(), frozenset({1, 2})))
    assert glued.misses() == [
        "pairwise precision is under 0.95",
        "more than 2% is shown to the wrong person",
    ]
    at_the_kiosk = [Seen(0, person, person, "kiosk", 1, (person, 3)) for person in (1, 2)]
    strangers = measured(at_the_kiosk, Stitched([0, 1, 1, 1], frozenset(), frozenset({1, 2})))
    assert strangers.misses()[-1] == "strangers were glued: kiosk"


def test_nothing_at_all_is_measured_too() -> None:
    report = measured([], STITCHED)
    assert (report.touchpoints, report.share_anonymous, report.misses()) == (0, 0.0, [])
