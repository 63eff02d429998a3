"""`onefold copy`: a whole store, moved to another."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.call import Call

if TYPE_CHECKING:
    from onefold.service.copying import Copied, Step


def copy(
    call: Call,
    to: Annotated[str, typer.Option("--to", metavar="URL", help="The store to make, as in sqlite:///copy.db.")],
    from_: Annotated[
        str | None, typer.Option("--from", metavar="URL", help="The store to copy; unless given, that of the settings.")
    ] = None,
) -> None:
    """Copy a whole store to another, of the same kind or not. If it is stopped, doing it again goes on."""
    with _progress(call) as watch:
        copied = call.doors.copy(call.settings(store=from_ or call.store), to, watch)
    _show(call, copied)


@contextmanager
def _progress(call: Call) -> "Iterator[Callable[[Step], None]]":
    """Shows how far it is, where somebody looks."""
    from rich.console import Console

    console = Console(stderr=True)
    if call.as_json or not console.is_terminal:
        yield lambda _: None
        return
    with console.status("copying …") as status:
        yield lambda step: status.update(_told(step))


def _told(step: "Step") -> str:
    of_all = "" if step.total is None else f" of {step.total:,}"
    return f"{'comparing' if step.comparing else 'copying'} {step.kind.value}: {step.count:,}{of_all}"


def _show(call: Call, copied: "Copied") -> None:
    import msgspec

    from onefold.cli.answers.output import Screen, show_json

    if call.as_json:
        show_json(msgspec.to_builtins(copied))
        return
    screen = Screen()
    if copied.already:
        screen.line("the copy was complete already; compared with its source, it has the same rows")
    else:
        screen.line("the copy is complete; compared with its source, it has the same rows")
    if copied.anew:
        screen.line("what an earlier copy had left was of another state of the source, and was deleted")
    screen.table(("rows", "count"), [(kind.value, f"{count:,}") for kind, count in copied.rows.items()], ("count",))
