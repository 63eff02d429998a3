"""`onefold init`, `onefold status` and `onefold serve`."""

from typing import Annotated

import typer

from onefold.cli.call import Access, Call

Host = Annotated[str | None, typer.Option("--host", help="The address to listen on; loopback only.")]
Port = Annotated[int | None, typer.Option("--port", help="The port to listen on; 0 takes any free one.")]


def init(call: Call) -> None:
    """Make the store, if it is not there yet, and say where it is."""
    from onefold.cli.answers.output import Screen, show_json

    there = call.doors.exists(call.settings())
    with call.open(Access.MAKE) as onefold, onefold.read() as reading:
        status = onefold.status(reading)
    if call.as_json:
        show_json({"store": status.store, "created": not there})
        return
    Screen().line(f"{status.store} was there already" if there else f"{status.store} is made")


def status(call: Call) -> None:
    """Say how much the store holds and where it stands."""
    import msgspec

    from onefold.cli.answers.output import Screen, show_json

    with call.open() as onefold, onefold.read() as reading:
        found = onefold.status(reading)
    counts = msgspec.structs.asdict(found.counts)
    said = {"version": found.version, "store": found.store, "seq": str(found.seq), **counts}
    if call.as_json:
        show_json(said)
        return
    Screen().table(("what", "value"), said.items())


def serve(call: Call, host: Host = None, port: Port = None) -> None:
    """Answer over HTTP: GraphQL at /graphql, events at /v1/batch."""
    settings = call.settings(host=host, port=port)
    with call.doors.open(settings, Access.MAKE) as onefold:
        call.doors.serve(onefold, lambda url: announce(call, url, onefold.settings.store))


def announce(call: Call, url: str, store: str) -> None:
    """Say where to look."""
    from onefold.cli.answers.output import Screen, show_json

    if call.as_json:
        show_json({"url": url, "graphql": f"{url}/graphql", "events": f"{url}/v1/batch", "store": store})
        return
    screen = Screen()
    screen.line(f"onefold serves {store}")
    screen.line(f"  GraphQL  {url}/graphql")
    screen.line(f"  events   {url}/v1/batch")
    screen.line("Stop it with Ctrl-C.")
