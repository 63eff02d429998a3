"""Parts of what people see that more than one command shows: profile, identifiers, journey, refused links, ledger."""

from collections.abc import Mapping, Sequence

import msgspec

from onefold.cli.answers import shapes
from onefold.cli.answers.output import Screen, moment
from onefold.cli.words import agreed, listed, name, short, what, why
from onefold.model.reading import KnownIdentifier, LedgerLine, Touchpoint
from onefold.service import Reading
from onefold.service.evidence import refusals
from onefold.service.values import Evidence, Linkage, StandingConsent, Survivor

NAME = "name"


def title(profile: Mapping[str, Survivor]) -> str:
    """What people call the customer, as far as anybody said."""
    return said(profile[NAME].claim.value) if NAME in profile else "nobody has said a name"


def show_profile(screen: Screen, profile: Mapping[str, Survivor]) -> None:
    """One line a trait: its value, who said it of what and when, and what else was said."""
    rows = [
        (
            trait,
            said(row.claim.value),
            name(row.claim.identifier),
            row.claim.source,
            moment(row.claim.last_ms),
            ", ".join(dict.fromkeys(said(other.value) for other in row.others)),
        )
        for trait, row in profile.items()
    ]
    screen.table(("trait", "value", "said of", "by", "at", "also said"), rows)


def said(value: object) -> str:
    """A trait's value: text as it is, everything else as JSON; a long one is cut."""
    return short(value if isinstance(value, str) else msgspec.json.encode(value).decode())


def show_consents(screen: Screen, consents: Mapping[str, StandingConsent]) -> None:
    """One line a purpose: whether it is agreed to, who said so of what and when, and what of others of its identifiers
    was said before."""
    rows = [
        (
            short(purpose),
            agreed(row.consent.given),
            name(row.consent.identifier),
            row.consent.source,
            moment(row.consent.at_ms),
            ", ".join(f"{agreed(other.given)} {moment(other.at_ms)}" for other in row.others),
        )
        for purpose, row in consents.items()
    ]
    screen.table(("purpose", "consent", "said of", "by", "at", "before"), rows)


def show_identifiers(screen: Screen, identifiers: Sequence[KnownIdentifier], linked_at: Sequence[int]) -> None:
    """One line an identifier, the strongest first."""
    rows = [
        (name(row.key), moment(row.first_ms), moment(row.last_ms), moment(linked_ms), "generic" if row.generic else "")
        for row, linked_ms in zip(identifiers, linked_at, strict=True)
    ]
    screen.table(("identifier", "first seen", "last seen", "known since", ""), rows)


def show_journey(screen: Screen, reading: Reading, touchpoints: Sequence[Touchpoint], links: Sequence[Linkage]) -> None:
    """One line a touchpoint; what was nobody's when it happened says since when it is known to be this customer's."""
    keys = shapes.known_keys(reading, (row.subject for row in touchpoints))
    rows = [
        (
            moment(row.at_ms),
            row.channel,
            short(row.name or row.type),
            short(row.campaign or ""),
            f"{row.revenue} {row.currency or ''}" if row.revenue else "",
            name(keys[row.subject]),
            f"linked {moment(linkage.linked_at_ms)}" if linkage.retroactive else "",
        )
        for row, linkage in zip(touchpoints, links, strict=True)
    ]
    columns = ("at", "channel", "what", "campaign", "revenue", "of", "retroactive")
    screen.table(columns, rows, right=("revenue",), marked="retroactive")


def show_refused(screen: Screen, reading: Reading, links: Sequence[Evidence]) -> None:
    """One line a link that joins nobody, with the reason."""
    rows = [
        (name(link.a.key), name(link.b.key), str(link.count), refused.reason if refused else "")
        for link, refused in zip(links, refusals(reading, links), strict=True)
    ]
    screen.table(("a", "b", "times", "refused"), rows, right=("times",))


def show_ledger(screen: Screen, reading: Reading, lines: Sequence[LedgerLine]) -> None:
    """One line a decision: when the event that brought it about happened, what came of it and why."""
    names = {number: name(key) for number, key in shapes.keys_of_decisions(reading, lines).items()}
    messages = reading.view.touchpoints(list({message for line in lines for message in line.messages}))
    judgements = shapes.judgements_of(reading, lines)
    rows = []
    for line in lines:
        causes = [messages[message] for message in line.messages if message in messages]
        rows.append(
            (
                moment(max((cause.at_ms for cause in causes), default=line.at_ms)),
                line.kind.value,
                what(line, names),
                why(line, reading.means.rules, judgements.get(line.judgement or 0)),
                listed([cause.message_id for cause in causes]) if causes else "",
            )
        )
    screen.table(("when", "decision", "what", "why", "message"), rows)
