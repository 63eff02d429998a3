"""The entry point: the only module that names concrete stores."""

from typing import Annotated

import typer

from onefold import __version__


def main() -> None:
    """Run the command line."""
    app()


app = typer.Typer(no_args_is_help=True, add_completion=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"onefold {__version__}")
        raise typer.Exit


@app.callback()
def onefold(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Many identifiers, one customer."""
