"""The command line as a whole: its commands, and how every call ends."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from onefold import __version__
from onefold.cli import (
    consenting,
    copying,
    customers,
    demo,
    explaining,
    exporting,
    finding,
    importing,
    judging,
    keys,
    running,
    segments,
    sql,
)
from onefold.cli.answers.output import show_error, show_json
from onefold.cli.call import Call, ConfigOption, Doors, JsonOption, StoreOption, command
from onefold.errors import Exit, OnefoldError

UsageError: Final[type[Exception]] = typer.BadParameter.__mro__[1]
"""What typer raises of a call that it cannot read; some of its releases have it from click, others of their own."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

for family in (
    running.init,
    importing.import_,
    finding.resolve,
    customers.customer,
    explaining.why,
    judging.judge,
    judging.retract,
    consenting.consent,
    finding.search,
    running.status,
    running.rejects,
    copying.copy,
    exporting.export,
    sql.sql,
    running.serve,
    demo.demo,
):
    app.command(family.__name__.rstrip("_"))(command(family))
app.add_typer(segments.app, name="segment")
app.add_typer(keys.app, name="key")


def _print_version(context: typer.Context, wanted: bool) -> None:
    if not wanted:
        return
    call: Call = context.obj
    if call.as_json:
        show_json({"version": __version__})
    else:
        typer.echo(f"onefold {__version__}")
    raise typer.Exit


@app.callback()
def onefold(
    context: typer.Context,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Where onefold itself fails (`internal`), show where, for a bug report.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Many identifiers, one customer."""
    call: Call = context.obj
    call.take(store, config, as_json)
    call.traceback = traceback


def run(doors: Doors, arguments: Sequence[str] | None = None) -> int:
    """Run one call; -> its exit code. Every error is one line on standard error, with a code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    call = Call(doors)
    # A call that cannot be read as a whole, and one for the version, end before the options are taken in turn.
    call.as_json = "--json" in words[: words.index("--") if "--" in words else None]
    try:
        ended = app(args=words or ["--help"], prog_name="onefold", obj=call, standalone_mode=False)
    except SystemExit as gone:  # how typer ends when nobody reads on
        return gone.code if isinstance(gone.code, int) else Exit.OK
    except UsageError as error:
        wrong = _wrong_call(error)
        show_error(wrong, as_json=call.as_json)
        return wrong.exit
    except OnefoldError as error:
        show_error(error, as_json=call.as_json)
        return error.exit
    except Exception as error:
        if call.traceback:
            raise
        bug = OnefoldError(
            "internal", f"{type(error).__name__}: {error}", "This is a bug; onefold --traceback COMMAND … shows where."
        )
        show_error(bug, as_json=call.as_json)
        return bug.exit
    return ended if isinstance(ended, int) else Exit.OK


def _wrong_call(error: Any) -> OnefoldError:
    """What typer found wrong with a call, as every other error is said."""
    said = " ".join(error.format_message().split()).rstrip(".")
    command = error.ctx.command_path if error.ctx else "onefold"
    about = getattr(error, "param", None)
    return OnefoldError(
        "call.invalid", said[:1].lower() + said[1:], f"{command} --help says how it is called.", about and about.name
    )
