"""`onefold customer`: what is known about one customer, and what happened to them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.call import Call

if TYPE_CHECKING:
    from onefold.cli.answers.output import Screen
    from onefold.service import Reading
    from onefold.service.values import Found

MOST_SHOWN = 50
MOST_SESSIONS = 10
LONGEST_JOURNEY = 10_000


def customer(
    call: Call,
    who: Annotated[
        str, typer.Argument(metavar="WHO", help="An id (cus_…, idn_…) or an identifier, as in email:ann@example.com.")
    ],
    limit: Annotated[int, typer.Option("--limit", help="The most touchpoints of the journey to show.")] = 50,
) -> None:
    """Show a customer: profile, consents, identifiers, journey and what it comes to, refused links and decisions."""
    from onefold.cli import references
    from onefold.cli.answers.output import printed_afterwards, show_json

    limit = references.limit(limit, LONGEST_JOURNEY)
    with printed_afterwards(), call.open() as onefold, onefold.read(hold=True, ahead=True) as reading:
        found = reading.customer(references.customer(who))
        if call.as_json:
            show_json(shape(reading, found, limit))
        else:
            _show(reading, found, limit)


def _show(reading: "Reading", found: "Found", limit: int) -> None:
    from onefold.cli.answers import sections
    from onefold.cli.answers.output import Screen, moment
    from onefold.service import evidence, journeys, ledger, profiles
    from onefold.service.consents import consents

    screen, row = Screen(), found.customer
    [profile] = profiles.profiles(reading, [row.key])
    screen.line(f"{row.public_id}  {sections.title(profile)}", "bold")
    if found.requested_id:
        screen.line(f"asked for as {found.requested_id}")
    screen.line(f"first seen {moment(row.first_ms)}, last seen {moment(row.last_ms)} (times are UTC)")
    if profile:
        screen.heading("Profile")
        sections.show_profile(screen, profile)
    [agreed] = consents(reading, [row.key])
    if agreed:
        screen.heading("What was agreed to")
        sections.show_consents(screen, agreed)
    [members] = profiles.identifiers(reading, [row.key], MOST_SHOWN)
    screen.heading(_title("Identifiers", members.more))
    sections.show_identifiers(screen, members.items, journeys.linked_at(reading, members.items))
    _show_summed_up(screen, reading, found)
    touchpoints, more = journey(reading, row.key, limit)
    screen.heading(_title("Journey, the newest first", more))
    sections.show_journey(screen, reading, touchpoints, journeys.linkages(reading, touchpoints))
    [refused] = evidence.refused_links(reading, [row.key], MOST_SHOWN)
    if refused.items:
        screen.heading(_title("Links that do not join", refused.more))
        sections.show_refused(screen, reading, refused.items)
    [decided] = ledger.decisions(reading, [row.key], MOST_SHOWN)
    if decided.items:
        screen.heading(_title("What was decided, the newest first", decided.more))
        sections.show_ledger(screen, reading, decided.items)


def _show_summed_up(screen: "Screen", reading: "Reading", found: "Found") -> None:
    from onefold.cli.answers import summed_up
    from onefold.service import summaries

    [summary] = summaries.summed_up(reading, [found.customer])
    [computed] = summaries.computed(reading, [found.customer], None)
    [sessions] = summaries.session_pages(reading, [found.customer], MOST_SESSIONS)
    screen.heading("Summed up")
    summed_up.show_summary(screen, summary, computed)
    screen.heading(_title("Sessions, the newest first", sessions.more))
    summed_up.show_sessions(screen, sessions.items)


def _title(title: str, more: bool) -> str:
    return f"{title} (there are more)" if more else title


def journey(reading: "Reading", customer_key: int, limit: int) -> tuple[list[Any], bool]:
    """The newest `limit` touchpoints of a customer, and whether there are older ones."""
    from onefold.service.journeys import Ask, pages
    from onefold.service.pages import JOURNEY

    found: list[Any] = []
    after, more = None, True
    while more and len(found) < limit:
        size = min(limit - len(found), reading.means.most)
        [page] = pages(reading, [customer_key], Ask(first=size, after=after))
        found.extend(page.items)
        more = page.more
        after = JOURNEY.write(page.positions[-1]) if page.positions else None
    return found, more


def shape(reading: "Reading", found: "Found", limit: int) -> dict[str, Any]:
    """A customer with all that is known, as JSON."""
    from onefold.cli.answers import shapes, summed_up
    from onefold.service import evidence, ledger, profiles, summaries
    from onefold.service.consents import consents

    key = found.customer.key
    [profile] = profiles.profiles(reading, [key])
    [agreed] = consents(reading, [key])
    [members] = profiles.identifiers(reading, [key], MOST_SHOWN)
    [refused] = evidence.refused_links(reading, [key], MOST_SHOWN)
    [decided] = ledger.decisions(reading, [key], MOST_SHOWN)
    [summary] = summaries.summed_up(reading, [found.customer])
    [computed] = summaries.computed(reading, [found.customer], None)
    [sessions] = summaries.session_pages(reading, [found.customer], MOST_SESSIONS)
    touchpoints, older = journey(reading, key, limit)
    return {
        **shapes.customer(found.customer),
        "requestedId": found.requested_id,
        "profile": {"traits": [shapes.trait(name, row) for name, row in profile.items()]},
        "consents": [shapes.consent(row) for row in agreed.values()],
        "identifiers": shapes.part(shapes.identifiers(reading, members.items), members.more),
        "summary": summed_up.summary(summary, reading),
        "computed": [summed_up.computed(value) for value in computed],
        "sessions": shapes.part([summed_up.session(row) for row in sessions.items], sessions.more),
        "journey": shapes.part(shapes.journey(reading, touchpoints), older),
        "refusedLinks": shapes.part(shapes.links(reading, refused.items), refused.more),
        "history": shapes.part(shapes.decisions(reading, decided.items), decided.more),
    }
