"""`onefold demo`: a shop that never was, or a small story; then it is served."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.call import Access, Call
from onefold.cli.running import Host, Port

if TYPE_CHECKING:
    from onefold.service import Onefold


def demo(
    call: Call,
    people: Annotated[
        int | None, typer.Option("--people", help="How many people the shop has, 5,000 unless given.", min=1)
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Another seed draws other people, 7 unless given.")] = None,
    story: Annotated[
        bool,
        typer.Option("--story", help="Instead of the shop, show a story of forty events and why each join was made."),
    ] = False,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="End after showing what was stitched.")] = False,
    host: Host = None,
    port: Port = None,
) -> None:
    """Make up a shop, show how well stitching found whose everything is, and serve it."""
    from onefold import demo as demos
    from onefold.cli import shop
    from onefold.cli import story as telling
    from onefold.demo.shop.world import World
    from onefold.schema_files import schema_file

    _check(story, people, seed)
    drawn = {name: number for name, number in (("people", people), ("seed", seed)) if number is not None}
    world = World(**drawn)
    store = call.store or (demos.STORE if story else shop.store_of(world))
    shipped = {name: schema_file(f"{name}.yaml") for name in ("namespaces", "traits")}
    settings = call.settings(store=store, host=host, port=port, **shipped)
    with call.doors.open(settings, Access.MAKE) as onefold:
        if story:
            telling.tell(call, onefold)
        else:
            shop.bring_in(call, onefold, world)
        if not no_serve:
            call.doors.serve(onefold, lambda url: _announce(call, onefold, url), call.keys_file())


def _check(story: bool, people: int | None, seed: int | None) -> None:
    if story and (people is not None or seed is not None):
        from onefold.errors import OnefoldError

        said = "the story has people of its own, and no seed"
        raise OnefoldError("call.invalid", said, "Leave out --story, or --people and --seed.", "story")


def _announce(call: Call, onefold: "Onefold", url: str) -> None:
    from onefold import demo as story
    from onefold.cli.answers.output import Screen, to_json
    from onefold.cli.running import announce

    if call.as_json:
        announce(call, url, onefold.settings.store)
        return
    screen = Screen()
    screen.line()
    announce(call, url, onefold.settings.store)
    screen.heading("Ask it, for instance")
    body = shlex.quote(to_json({"query": " ".join(story.QUERY.split())}, indent=0))
    screen.line(f"  curl {url}/graphql -H 'Content-Type: application/json' -d {body}")
    screen.line(f"  {_typed()} why user_id:u-1002 user_id:u-1004 --store {onefold.settings.store}")


def _typed() -> str:
    """How onefold is called from here: by its name where the shell finds it, else by its path."""
    if shutil.which("onefold"):
        return "onefold"
    beside, here = Path(sys.executable).with_name("onefold"), Path.cwd()
    return shlex.quote(str(beside.relative_to(here) if beside.is_relative_to(here) else beside))
