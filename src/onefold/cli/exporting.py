"""`onefold export`: the graph in files, for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from onefold.cli.call import Call

DEPTH, NODES = 1, 300
"""How far to go around a customer."""


def export(
    call: Call,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file of a graph, or the folder of tables, to make.")],
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="csv, parquet, graphml or gexf.")],
    around: Annotated[
        str | None,
        typer.Option("--around", metavar="WHO", help="Only what is around this customer: an id or an identifier."),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option("--depth", help=f"With --around: how many rings of neighbours, at most 10; {DEPTH} unless given."),
    ] = None,
    nodes: Annotated[
        int | None, typer.Option("--nodes", help=f"With --around: the most identifiers; {NODES} unless given.")
    ] = None,
) -> None:
    """Write the graph, or what is around a customer, to files that other programs read."""
    import msgspec

    from onefold.cli import references
    from onefold.cli.answers.exports import FORMATS, GRAPHS, finished
    from onefold.cli.answers.output import Screen, show_json
    from onefold.errors import OnefoldError
    from onefold.service.exporting import Around, Table, counted, part, whole

    for name, value in (("depth", depth), ("nodes", nodes)):
        if around is None and value is not None:
            said = f"--{name} says how far to go around a customer, and none is named"
            raise OnefoldError("call.invalid", said, "Name one with --around, or leave it out.", name)
    write = FORMATS[references.chosen(format_, FORMATS, "format")]
    counts: dict[Table, int] = {}
    with finished(out) as beside, call.open() as onefold, onefold.read(hold=around is not None) as reading:
        if around is None:
            pages = whole(reading.view, touchpoints=format_ not in GRAPHS)
        else:
            far = (DEPTH if depth is None else depth, NODES if nodes is None else nodes)
            pages = part(reading, Around(references.customer(around), *far))
        write(counted(pages, counts), beside)
    if call.as_json:
        show_json({"out": str(out), "format": format_, "rows": msgspec.to_builtins(counts)})
        return
    screen = Screen()
    screen.line(f"{out} is written")
    screen.table(("rows", "count"), [(table.value, f"{count:,}") for table, count in counts.items()], ("count",))
