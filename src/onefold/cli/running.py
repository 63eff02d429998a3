"""`onefold init`, `onefold status`, `onefold rejects` and `onefold serve`."""

import functools
from typing import Annotated

import typer

from onefold.cli.call import Access, Call

MOST_REJECTS = 10_000

Host = Annotated[str | None, typer.Option("--host", help="The address to listen on; without keys loopback only.")]
Port = Annotated[int | None, typer.Option("--port", help="The port to listen on; 0 takes any free one.")]


def init(call: Call) -> None:
    """Make the store, if it is not there yet, and say where it is."""
    from onefold.cli.answers.output import Screen, show_json

    there = call.doors.exists(call.settings())
    with call.open(Access.MAKE) as onefold, onefold.read(hold=True) as reading:
        status = onefold.status(reading)
    if call.as_json:
        show_json({"store": status.store, "created": not there})
        return
    Screen().line(f"{status.store} was there already" if there else f"{status.store} is made")


def status(call: Call) -> None:
    """Say how much the store holds and where it stands."""
    import msgspec

    from onefold.cli.answers.output import Screen, show_json

    with call.open() as onefold, onefold.read(hold=True) as reading:
        found = onefold.status(reading)
    counts = msgspec.structs.asdict(found.counts)
    said = {"version": found.version, "store": found.store, "seq": str(found.seq), **counts}
    if call.as_json:
        show_json(said)
        return
    Screen().table(("what", "value"), said.items())


def rejects(
    call: Call, limit: Annotated[int, typer.Option("--limit", help="The most rejected events to show.")] = 20
) -> None:
    """Show the events that were rejected, the newest first: what is wrong with each, and what was sent."""
    from onefold.cli import references
    from onefold.cli.answers import shapes
    from onefold.cli.answers.output import Screen, moment, show_json
    from onefold.cli.words import short

    limit = references.limit(limit, MOST_REJECTS)
    with call.open() as onefold, onefold.read(hold=True) as reading:
        found = reading.view.rejects(limit)
    if call.as_json:
        show_json([shapes.reject(row) for row in found])
        return
    screen = Screen()
    rows = []
    for row in found:
        sent = short(" ".join(row.body.decode("utf-8", "backslashreplace").split()))
        rows.append((moment(row.at_ms), row.source, row.code, row.field, row.message, sent))
    screen.table(("rejected", "source", "code", "field", "what is wrong", "what was sent"), rows)
    if not found:
        screen.line("nothing was rejected")


def serve(call: Call, host: Host = None, port: Port = None) -> None:
    """Answer over HTTP: GraphQL at /graphql, events at /v1/batch."""
    settings = call.settings(host=host, port=port)
    ready = functools.partial(announce, call, store=call.doors.shown(settings))
    call.doors.serve_once_open(settings, ready, call.keys_file())


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
