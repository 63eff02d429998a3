"""`onefold sql`: questions to the read model, for those who do science with it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.call import Call

if TYPE_CHECKING:
    from onefold.analytics.sql import Answer

MOST_SECONDS = 3_600.0


def sql(
    call: Call,
    question: Annotated[
        str,
        typer.Argument(
            metavar="SQL", help="SELECT … of customers, identifiers, touchpoints, sessions, traits, segments."
        ),
    ],
    as_csv: Annotated[bool, typer.Option("--csv", help="Answer as CSV.")] = False,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", metavar="FILE", help="Write the answer to this file, as Parquet.")
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", help="How long it may take.")] = 60.0,
) -> None:
    """Ask in SQL. Nothing can be changed by it."""
    _check(call, as_csv, parquet, seconds)
    from onefold.analytics import sql as questions

    with (
        call.open() as onefold,
        onefold.ask(members=True) as asking,
        questions.ask(asking, question, seconds) as answer,
    ):
        _show(call, answer, as_csv, parquet)


def _show(call: Call, answer: "Answer", as_csv: bool, parquet: Path | None) -> None:
    from onefold.cli.answers import columns

    if parquet is not None:
        written = columns.write_parquet(answer.rows, parquet)
        _say(call, parquet, written)
    elif call.as_json:
        columns.show_json(answer.rows, answer.json)
    elif as_csv:
        columns.show_csv(answer.rows)
    else:
        columns.show_table(answer.rows)


def _say(call: Call, file: Path, written: int) -> None:
    from onefold.cli.answers.output import Screen, show_json

    if call.as_json:
        show_json({"out": str(file), "rows": written})
    else:
        Screen().line(f"{file} is written: {written:,} rows")


def _check(call: Call, as_csv: bool, parquet: Path | None, seconds: float) -> None:
    from onefold.errors import OnefoldError

    if as_csv and (call.as_json or parquet is not None):
        raise OnefoldError("call.invalid", "--csv stands beside another form", "Give one of them.", "csv")
    if not 0 < seconds <= MOST_SECONDS:
        raise OnefoldError("call.invalid", f"--seconds is {seconds:g}", f"Give up to {MOST_SECONDS:,.0f}.", "seconds")
