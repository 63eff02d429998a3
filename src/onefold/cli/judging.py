"""`onefold judge` and `onefold retract`: what people know and data does not."""

from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.call import Access, Call

if TYPE_CHECKING:
    from onefold.cli.answers.output import Screen
    from onefold.service import Onefold
    from onefold.service.values import Judged

Reason = Annotated[str, typer.Option("--reason", help="Why, in a sentence; it is kept with the judgement.")]
Author = Annotated[str | None, typer.Option("--author", help="Who says so; by default whoever is logged in.")]


def judge(
    call: Call,
    verdict: Annotated[str, typer.Argument(metavar="same|different", help="What you say of the two.")],
    a: Annotated[str, typer.Argument(metavar="A", help="An identifier, as in email:ann@example.com.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other.")],
    reason: Reason,
    author: Author = None,
) -> None:
    """Say that two identifiers are the same customer, or different ones."""
    from onefold.cli import references

    same, one, other = references.verdict(verdict), references.identifier(a), references.identifier(b)
    why, who = _signed(reason, author)
    with call.open(Access.WRITE) as onefold:
        judged = onefold.judge(same=same, a=one, b=other, reason=why, author=who)
        _show(call, onefold, judged)


def retract(
    call: Call,
    judgement: Annotated[str, typer.Argument(metavar="JUDGEMENT", help="Its id: jdg_….")],
    reason: Reason,
    author: Author = None,
) -> None:
    """Take a judgement back: everything is then what it was before."""
    why, who = _signed(reason, author)
    with call.open(Access.WRITE) as onefold:
        _show(call, onefold, onefold.retract(judgement, why, who))


def _signed(reason: str, author: str | None) -> tuple[str, str]:
    """Reason and author as they are kept. Raises `call.invalid` for an empty one."""
    from onefold.cli import references

    said = references.text(reason, "reason", "Say why, in a sentence: it is kept for whoever asks later.")
    if author is None:
        return said, _login()
    return said, references.text(author, "author", "Name who says so, or leave --author out.")


def _login() -> str:
    """The name of whoever sits at the machine."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return "command line"


def _show(call: Call, onefold: "Onefold", judged: "Judged") -> None:
    """Say what was joined and what was split. Raises OnefoldError when the judgement was refused."""
    from msgspec import structs

    from onefold.errors import OnefoldError

    if judged.problem is not None:
        raise OnefoldError(*structs.astuple(judged.problem))
    from onefold.cli.answers import shapes
    from onefold.cli.answers.output import Screen, show_json

    with onefold.read(hold=True) as reading:
        customers = reading.customers([*judged.joined, *judged.split])
        row = reading.view.judgements_by_number([judged.number or 0])[judged.number or 0]
        said = shapes.judgement(reading, row)
    joined, split = ([shapes.customer(customers[key]) for key in keys] for keys in (judged.joined, judged.split))
    if call.as_json:
        show_json({"judgement": said, "joined": joined, "split": split})
        return
    screen = Screen()
    standing = "stands" if said["retractedAt"] is None else "is taken back"
    screen.line(f"{said['id']} {standing}: {said['verdict'].lower()}")
    _list(screen, "joined", [row["id"] for row in joined])
    _list(screen, "split", [row["id"] for row in split])
    if not joined and not split:
        screen.line("nobody was joined or split by it")


def _list(screen: "Screen", title: str, ids: list[str]) -> None:
    if ids:
        screen.line(f"{title}: {', '.join(ids)}")
