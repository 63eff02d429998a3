"""`onefold demo --story`: a small story, what was stitched of it and why, one journey."""

from typing import TYPE_CHECKING, Any

from onefold.cli.call import Call
from onefold.cli.customers import journey

if TYPE_CHECKING:
    from onefold.cli.answers.output import Screen
    from onefold.service import Onefold, Reading

MOST_LINES = 200


def tell(call: Call, onefold: "Onefold") -> None:
    """Tell the story, and show what became of it, and two segments."""
    from onefold import demo as story
    from onefold.cli import demo_segments
    from onefold.cli.answers.output import Screen, printed_afterwards, show_json
    from onefold.demo import segments

    new = story.tell(onefold)
    saved = segments.save(onefold)
    with printed_afterwards(), onefold.read(hold=True, ahead=True) as reading:
        if call.as_json:
            show_json(_shape(onefold, reading, new) | demo_segments.shape(reading, saved))
        else:
            _show(onefold, reading, new)
            demo_segments.show(Screen(), reading, saved, onefold.settings.store)


def _show(onefold: "Onefold", reading: "Reading", new: int) -> None:
    from onefold import demo as story
    from onefold.cli.answers import sections
    from onefold.cli.answers.output import Screen
    from onefold.service import journeys, ledger, profiles

    screen = Screen()
    known = len(story.events()) - new
    screen.line(f"{new} events came in, one after the other; {known} were there already. Times are UTC.")
    screen.line(f"They are kept in {onefold.settings.store}")
    screen.heading("Four people")
    _show_people(screen, reading)
    screen.heading("What was stitched, and why")
    [decided] = ledger.decisions(reading, None, MOST_LINES)
    sections.show_ledger(screen, reading, decided.items[::-1])
    ann = reading.customer(story.HEROINE).customer
    [profile] = profiles.profiles(reading, [ann.key])
    screen.heading(f"One of them: {sections.title(profile)}")
    sections.show_profile(screen, profile)
    touchpoints, _ = journey(reading, ann.key, MOST_LINES)
    touchpoints.reverse()
    screen.heading("Her journey; what is marked retroactive was nobody's when it happened")
    sections.show_journey(screen, reading, touchpoints, journeys.linkages(reading, touchpoints))


def _show_people(screen: "Screen", reading: "Reading") -> None:
    from onefold import demo as story
    from onefold.cli.answers import sections
    from onefold.cli.words import name
    from onefold.service import journeys, profiles

    rows = []
    found = [reading.customer(key).customer for key in story.PEOPLE]
    for row, profile in zip(found, profiles.profiles(reading, [row.key for row in found]), strict=True):
        touchpoints, _ = journey(reading, row.key, MOST_LINES)
        retroactive = sum(linkage.retroactive for linkage in journeys.linkages(reading, touchpoints))
        [members] = profiles.identifiers(reading, [row.key], MOST_LINES)
        held = ", ".join(name(member.key) for member in members.items)
        rows.append((row.public_id, sections.title(profile), str(len(touchpoints)), str(retroactive), held))
    right = ("touchpoints", "retroactive")
    screen.table(("customer", "name", *right, "identifiers"), rows, right=right)


def _shape(onefold: "Onefold", reading: "Reading", new: int) -> dict[str, Any]:
    from onefold import demo as story
    from onefold.cli.answers import shapes
    from onefold.cli.customers import shape
    from onefold.service import ledger

    [decided] = ledger.decisions(reading, None, MOST_LINES)
    return {
        "store": onefold.settings.store,
        "accepted": new,
        "duplicates": len(story.events()) - new,
        "customers": [shapes.customer(reading.customer(key).customer) for key in story.PEOPLE],
        "decisions": shapes.decisions(reading, decided.items[::-1]),
        "customer": shape(reading, reading.customer(story.HEROINE), MOST_LINES),
    }
