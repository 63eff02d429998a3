"""The command line as a whole: its commands, and how every call ends."""

from collections.abc import Sequence
from typing import Annotated

import typer

from onefold import __version__
from onefold.cli import customers, demo, explaining, finding, importing, judging, running
from onefold.cli.answers.output import show_error
from onefold.cli.call import Call, ConfigOption, Doors, JsonOption, StoreOption, command
from onefold.errors import Exit, OnefoldError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

for family in (
    running.init,
    importing.import_,
    finding.resolve,
    customers.customer,
    explaining.why,
    judging.judge,
    judging.retract,
    finding.search,
    running.status,
    running.serve,
    demo.demo,
):
    app.command(family.__name__.rstrip("_"))(command(family))


def _print_version(wanted: bool) -> None:
    if wanted:
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
    call = Call(doors)
    try:
        app(args=arguments, prog_name="onefold", obj=call)
    except SystemExit as ended:  # how typer ends, whatever came of it
        return ended.code if isinstance(ended.code, int) else Exit.OK
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
    return Exit.OK
