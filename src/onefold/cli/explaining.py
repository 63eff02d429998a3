"""`onefold why`: why are these one customer, or why not?"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from onefold.cli.call import Call

if TYPE_CHECKING:
    from onefold.cli.answers.output import Screen
    from onefold.service import Reading
    from onefold.service.values import Apart, Evidence, Explanation, NeverSeen, Together


def why(
    call: Call,
    a: Annotated[str, typer.Argument(metavar="A", help="An identifier, as in email:ann@example.com.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other.")],
) -> None:
    """Say why two identifiers are one customer, or why not."""
    from onefold.cli import references
    from onefold.cli.answers.output import Screen, printed_afterwards, show_json
    from onefold.service.explaining import why as explain
    from onefold.service.values import Apart, Together

    with printed_afterwards(), call.open() as onefold, onefold.read(hold=True) as reading:
        found = explain(reading, references.identifier(a), references.identifier(b))
        if call.as_json:
            show_json(_shape(reading, found))
            return
        screen = Screen()
        match found:
            case Together():
                _show_together(reading, found, screen)
            case Apart():
                _show_apart(reading, found, screen)
            case _:
                _show_never_seen(found, screen)


def _show_together(reading: "Reading", found: "Together", screen: "Screen") -> None:
    from onefold.cli.words import name, short

    screen.line(f"{name(found.a)} and {name(found.b)} are one customer: {found.customer.public_id}")
    if not found.chain:
        screen.line("They are the same identifier.")
        return
    screen.heading("The strongest chain of evidence between them")
    rows = []
    for step in found.chain:
        judged = f"judged the same by {step.judgement.author}: {short(step.judgement.reason)}" if step.judgement else ""
        rows.append([name(step.a), name(step.b), *(_seen(step.evidence) if step.evidence else ["", "", ""]), judged])
    screen.table(("from", "to", "seen together", "times", "by", "judged"), rows, right=("times",))


def _show_apart(reading: "Reading", found: "Apart", screen: "Screen") -> None:
    from onefold.cli.words import name, short
    from onefold.service.evidence import refusals

    one, other = found.customers
    screen.line(f"{name(found.a)} and {name(found.b)} are two customers: {one.public_id} and {other.public_id}")
    screen.line(f"{found.refusal.message} ({found.refusal.reason})")
    screen.line(found.refusal.hint)
    if found.refused:
        screen.heading("What would have joined them")
        rows = [
            [name(link.a.key), name(link.b.key), *_seen(link), refused.reason if refused else ""]
            for link, refused in zip(found.refused, refusals(reading, found.refused), strict=True)
        ]
        screen.table(("a", "b", "seen together", "times", "by", "refused"), rows, right=("times",))
    if found.judgements:
        screen.heading("What was judged")
        judged = [(row.public_id, row.author, short(row.reason)) for row in found.judgements]
        screen.table(("judgement", "by", "reason"), judged)


def _show_never_seen(found: "NeverSeen", screen: "Screen") -> None:
    from onefold.cli.words import listed, name

    screen.line(f"{name(found.a)} and {name(found.b)} were never seen together, nor by way of another customer.")
    if found.unknown:
        screen.line(f"No event has named {listed([name(key) for key in found.unknown])}.")


def _seen(link: "Evidence") -> list[str]:
    from onefold.cli.answers.output import moment

    first, last = moment(link.first_ms), moment(link.last_ms)
    return [first if first == last else f"{first} to {last}", str(link.count), _sources(link)]


def _sources(link: "Evidence") -> str:
    return ", ".join(f"{seen.source} ({seen.trust.name.lower()})" for seen in link.sources)


def _shape(reading: "Reading", found: "Explanation") -> dict[str, Any]:
    from onefold.cli.answers import shapes
    from onefold.service.values import Apart, Together

    ends = {"a": shapes.key(found.a), "b": shapes.key(found.b)}
    match found:
        case Together():
            return {
                "__typename": "Together",
                **ends,
                "customer": shapes.customer(found.customer),
                "chain": [
                    {
                        "a": shapes.key(step.a),
                        "b": shapes.key(step.b),
                        "link": shapes.links(reading, [step.evidence])[0] if step.evidence else None,
                        "judgement": step.judgement and shapes.judgement(reading, step.judgement),
                    }
                    for step in found.chain
                ],
            }
        case Apart():
            return {
                "__typename": "Apart",
                **ends,
                "customers": [shapes.customer(row) for row in found.customers],
                "refusal": shapes.refusal(found.refusal),
                "refused": shapes.links(reading, found.refused),
                "judgements": [shapes.judgement(reading, row) for row in found.judgements],
            }
        case _:
            return {"__typename": "NeverSeen", **ends, "unknown": [shapes.key(row) for row in found.unknown]}
