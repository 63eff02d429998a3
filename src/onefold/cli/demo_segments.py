"""The end of `onefold demo`: two segments, who is in them, and why one of them is."""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onefold.cli.answers.output import Screen
    from onefold.model.reading import KnownCustomer
    from onefold.model.saved import SavedSegment
    from onefold.service import Reading
    from onefold.service.previewing import Membership

SHOWN: Final = 5


def show(screen: "Screen", reading: "Reading", saved: "Sequence[SavedSegment]", store: str) -> None:
    """The two segments, the first people in each, and a tree of ticks for one of them. `store`: where they are."""
    from onefold.cli.answers import sections
    from onefold.cli.answers.output import moment
    from onefold.cli.answers.segments import show_people, show_tree, size
    from onefold.demo.segments import CAMPAIGN
    from onefold.service.profiles import profiles

    for segment in saved:
        screen.heading(f"A segment: {segment.name}: {size(segment.count)}")
        show_people(screen, reading, _members(reading, segment)[:SHOWN])
        if segment.count > SHOWN:
            screen.line(
                f"… and {segment.count - SHOWN:,} more: onefold segment members {segment.public_id} --store {store}"
            )
    came, _ = saved
    by_past = _by_past(reading, came)
    if not by_past:
        return
    screen.line()
    said = f"{len(by_past):,} of the first came by {CAMPAIGN} when nobody knew them"
    screen.line(f"{said}: they are in only since that became theirs.")
    row, since_ms = by_past[0]
    [profile] = profiles(reading, [row.key])
    name = sections.title(profile)
    screen.heading(f"Why {name} is in")
    show_tree(screen, _why(reading, came, row), name, came.name)
    screen.line(f"What came by {CAMPAIGN} was nobody's until {moment(since_ms)}.")


def shape(reading: "Reading", saved: "Sequence[SavedSegment]") -> dict[str, Any]:
    """The same as JSON."""
    from onefold.cli.answers import segments as answers

    came, _ = saved
    by_past = _by_past(reading, came)
    why = answers.shape_of_why(_why(reading, came, by_past[0][0]), came) if by_past else None
    return {"segments": [answers.shape(one) for one in saved], "onlyByTheirPast": len(by_past), "why": why}


def _members(reading: "Reading", segment: "SavedSegment") -> "list[KnownCustomer]":
    from onefold.service import segments
    from onefold.service.pages import SEGMENT_MEMBERS

    found: list[KnownCustomer] = []
    after, more = None, True
    while more:
        [page] = segments.members(reading, [segment], reading.means.most, after)
        found.extend(page.items)
        more, after = page.more, SEGMENT_MEMBERS.write(page.end) if page.end else None
    return found


def _by_past(reading: "Reading", came: "SavedSegment") -> "list[tuple[KnownCustomer, int]]":
    from onefold.demo.segments import only_by_their_past

    members = {row.key: row for row in _members(reading, came)}
    return [(members[key], since_ms) for key, since_ms in only_by_their_past(reading, list(members)).items()]


def _why(reading: "Reading", segment: "SavedSegment", row: "KnownCustomer") -> "Membership":
    from onefold.service.previewing import kept_rule, membership
    from onefold.service.values import Found

    return membership(reading, Found(row), kept_rule(segment))
