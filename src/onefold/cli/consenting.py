"""`onefold consent`: that somebody agreed to something, or withdrew that."""

from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.call import Access, Call

if TYPE_CHECKING:
    from onefold.service.values import StandingConsent


def consent(
    call: Call,
    identifier: Annotated[
        str, typer.Argument(metavar="IDENTIFIER", help="Of whom: an identifier, as in email:ann@example.com.")
    ],
    purpose: Annotated[str, typer.Argument(metavar="PURPOSE", help="What for, as in marketing.")],
    given: Annotated[bool, typer.Option("--given", help="It is agreed to.")] = False,
    withdrawn: Annotated[bool, typer.Option("--withdrawn", help="It is not agreed to any more.")] = False,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="When, in ISO 8601; now unless given.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="How it is known; kept with the touchpoint.")] = None,
) -> None:
    """Record that somebody agreed to something, or withdrew that."""
    from msgspec import structs

    from onefold.cli import references
    from onefold.errors import OnefoldError
    from onefold.service import consents

    if given is withdrawn:
        said_ = "both --given and --withdrawn" if given else "neither --given nor --withdrawn"
        raise OnefoldError("call.invalid", f"{said_} is said", "Say one of the two.", "given")
    at_ms = None if at is None else references.moment(at, "at")
    said = consents.Said(references.identifier(identifier), purpose, given, at_ms, reason)
    with call.open(Access.WRITE) as onefold:
        recorded = onefold.record_consent(said)
        if recorded.problem is not None:
            raise OnefoldError(*structs.astuple(recorded.problem))
        with onefold.read(hold=True) as reading:
            counts = consents.standing(reading, recorded)
    if counts is not None:
        _show(call, counts, given)


def _show(call: Call, counts: "StandingConsent", given: bool) -> None:
    """What counts now, which need not be what was just recorded."""
    from onefold.cli.answers import shapes
    from onefold.cli.answers.output import Screen, moment, show_json
    from onefold.cli.words import agreed, name

    if call.as_json:
        show_json(shapes.consent(counts))
        return
    row = counts.consent
    said = f"{row.purpose} is {agreed(row.given)}, as of {moment(row.at_ms)}: {name(row.identifier)} by {row.source}"
    Screen().line(said if row.given is given else f"{said} (that is newer than what was recorded)")
