"""`onefold resolve` and `onefold search`: who is this?"""

from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.call import Call

if TYPE_CHECKING:
    from onefold.model.namespaces import Namespaces
    from onefold.service.values import Hit, Resolution


def resolve(
    call: Call,
    identifiers: Annotated[
        list[str], typer.Argument(metavar="IDENTIFIER…", help="Identifiers, as in email:ann@example.com.")
    ],
) -> None:
    """Say whose these identifiers are."""
    from onefold.cli import references
    from onefold.cli.answers.output import Screen, show_json
    from onefold.errors import Exit

    keys = [references.identifier(said) for said in identifiers]
    with call.open() as onefold, onefold.read(hold=True) as reading:
        found = reading.resolve(keys)
        contested = reading.contested([row.customer.key for row in found if row.customer])
    if call.as_json:
        show_json([_resolution(row, contested) for row in found])
    else:
        columns = ("identifier", "customer", "first seen", "last seen", "note")
        Screen().table(columns, (_resolved(row, contested, onefold.namespaces) for row in found))
    if any(row.problem for row in found):
        raise typer.Exit(Exit.INPUT)


def _resolution(row: "Resolution", contested: set[int]) -> dict[str, object]:
    from onefold.cli.answers import shapes

    return {
        "identifier": shapes.key(row.identifier),
        "customer": row.customer and shapes.customer(row.customer),
        "generic": row.generic,
        "contested": row.customer is not None and row.customer.key in contested,
        "problem": row.problem and shapes.problem(row.problem),
    }


def _resolved(row: "Resolution", contested: set[int], namespaces: "Namespaces") -> list[str]:
    from onefold.cli.answers.output import moment
    from onefold.cli.words import name

    if row.customer is None:
        linking = row.problem or namespaces[row.identifier.namespace].links
        note = "no event has named it" if linking else "names whoever served the customer"
        return [name(row.identifier), "nobody", "", "", row.problem.message if row.problem else note]
    notes = {
        "shared by too many to be anybody's": row.generic,
        "has refused links": row.customer.key in contested,
        "anonymous": row.customer.anonymous,
    }
    return [
        name(row.identifier),
        row.customer.public_id,
        moment(row.customer.first_ms),
        moment(row.customer.last_ms),
        ", ".join(note for note, holds in notes.items() if holds),
    ]


def search(
    call: Call,
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="A part of an identifier's value or of a searchable trait.")
    ],
    limit: Annotated[int, typer.Option("--limit", help="The most customers to show.")] = 20,
) -> None:
    """Find customers by a part of what is known about them."""
    from onefold.cli import references
    from onefold.cli.answers.output import Screen, moment, show_json
    from onefold.cli.words import short
    from onefold.service.searching import search as find

    with call.open() as onefold, onefold.read(hold=True) as reading:
        found = find(reading, text, references.limit(limit, reading.means.most))
    if call.as_json:
        show_json({"customers": [_hit(hit) for hit in found.items], "more": found.more})
        return
    screen = Screen()
    screen.table(
        ("customer", "found in", "value", "last seen"),
        (
            (hit.customer.public_id, hit.place.attribute, short(hit.place.value), moment(hit.customer.last_ms))
            for hit in found.items
        ),
    )
    if not found.items:
        screen.line("nobody")
    if found.more:
        screen.line(f"… and more; --limit shows more than {limit}")


def _hit(hit: "Hit") -> dict[str, object]:
    from onefold.cli.answers import shapes

    matched = {"attribute": hit.place.attribute, "value": hit.place.value}
    return {"customer": shapes.customer(hit.customer), "matched": matched}
