"""Whether saved segments are kept right: seen from outside, from all that is stored."""

from typing import Final

from onefold.analytics.segments import evaluate
from onefold.model.saved import MembershipChange, SavedSegment
from onefold.service import Onefold, Reading, segment_rules, segments

ALL: Final = 1_000_000


def check_kept(onefold: Onefold) -> list[MembershipChange]:
    """The members of every segment are those who meet its rule now, and the log from its first line on gives just them:
    everybody comes in and goes in turn. -> the log."""
    assert onefold.keep_now()
    there, log, members = onefold.in_one_state(_stored)
    inside: set[tuple[int, int]] = set()
    for number, line in enumerate(log, 1):
        assert line.number == number, "there are no gaps"
        place = (line.segment, line.anchor)
        assert (place in inside) is not line.entered, line
        inside ^= {place}
    assert inside == {(number, anchor) for number, anchors in members.items() for anchor in anchors}
    with onefold.ask() as asking:
        for segment in there:
            around = segment_rules.surroundings(onefold.means, there, segment.as_of_ms or 0)
            met = evaluate.page(asking, segment_rules.whole_rule(segment), around)
            assert members.get(segment.number, []) == [person.anchor for person in met], segment
            assert segment.count == len(met)
    return log


def _stored(reading: Reading) -> tuple[list[SavedSegment], list[MembershipChange], dict[int, list[int]]]:
    there = segments.listed(reading)
    members = reading.view.segment_members([segment.number for segment in there], ALL)
    log = reading.view.membership_log(None, 0, ALL)
    return there, log, {number: [member.anchor for member in some] for number, some in members.items()}
