"""`onefold demo`: a made-up shop is imported, and what stitching found of it is set beside the truth."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from onefold.cli.call import Call

if TYPE_CHECKING:
    from onefold.cli.answers.output import Screen
    from onefold.demo.importing import Imported
    from onefold.demo.measuring.pairs import Score
    from onefold.demo.measuring.report import Report
    from onefold.demo.shop.world import World
    from onefold.service import Onefold


def store_of(world: "World") -> str:
    """Where this shop is kept unless told otherwise: each in a file of its own."""
    from onefold.demo.shop.world import World

    drawn = "" if world == World() else f"-{world.people}-{world.seed}"
    return f"sqlite:///onefold-shop{drawn}.db"


def bring_in(call: Call, onefold: "Onefold", world: "World") -> None:
    """Import the shop, and beside it the story, which guides ask of; show how well it was found whose everything is,
    and two segments."""
    from onefold import demo as story
    from onefold.cli import demo_segments
    from onefold.cli.answers.output import Screen, printed_afterwards, show_json
    from onefold.demo import importing, segments

    with _progress(call) as progress:
        imported = importing.bring_in(onefold, world, progress)
    story.tell(onefold)
    report = importing.measure(onefold, world)
    saved = segments.save(onefold)
    with printed_afterwards(), onefold.read(hold=True, ahead=True) as reading:
        if call.as_json:
            show_json(_shape(onefold, world, imported, report) | demo_segments.shape(reading, saved))
        else:
            _show(onefold, world, imported, report)
            demo_segments.show(Screen(), reading, saved, onefold.settings.store)


@contextmanager
def _progress(call: Call) -> "Iterator[Callable[[Imported], None]]":
    """A bar, where somebody looks."""
    from rich.console import Console

    console = Console(stderr=True)
    if call.as_json or not console.is_terminal:
        yield lambda _: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("importing a year", total=1.0)
        yield lambda so_far: bar.update(
            task, completed=so_far.done, description=f"importing a year: {so_far.accepted + so_far.duplicates:,} events"
        )


def _shape(onefold: "Onefold", world: "World", imported: "Imported", report: "Report") -> dict[str, Any]:
    import msgspec

    methods = [
        {"method": name, "precision": score.precision, "recall": score.recall, "shownWrong": score.shown_wrong}
        for name, score in _methods(report).items()
    ]
    traps = [
        {"trap": trap, "touchpoints": score.touchpoints, "shownWrong": score.shown_wrong, "recall": score.recall}
        | {"glued": msgspec.to_builtins(report.glued_of(trap))}
        for trap, score in report.traps.items()
    ]
    return {
        "store": onefold.settings.store,
        "people": world.people,
        "seed": world.seed,
        "accepted": imported.accepted,
        "duplicates": imported.duplicates,
        "touchpoints": report.touchpoints,
        "anonymous": report.share_anonymous,
        "ofCeiling": report.of_ceiling,
        "methods": methods,
        "traps": traps,
        "misses": report.misses(),
    }


def _methods(report: "Report") -> "dict[str, Score]":
    return {
        "no stitching": report.unstitched,
        "connected, no rules": report.connected,
        "onefold": report.onefold,
        "ceiling": report.ceiling,
    }


def _show(onefold: "Onefold", world: "World", imported: "Imported", report: "Report") -> None:
    from onefold.cli.answers.output import Screen

    screen = Screen()
    screen.line(f"A shop with {world.people:,} people, drawn from seed {world.seed}, and what they did in a year:")
    screen.line(f"{imported.accepted:,} events were new, {imported.duplicates:,} had come before.")
    screen.line(f"They are kept in {onefold.settings.store}")
    _show_report(screen, report)


def _show_report(screen: "Screen", report: "Report") -> None:
    screen.line(
        f"{report.share_anonymous:.0%} of the touchpoints name no person: they carry cookies and devices' ids alone."
    )
    screen.heading("How well stitching found whose they are")
    ceiling = report.ceiling.recall
    rows = [
        (
            name,
            _percent(score.precision),
            _percent(score.recall),
            _percent(score.recall / ceiling if ceiling else 1.0),
            _counted(score.wrong, score.shown_wrong),
        )
        for name, score in _methods(report).items()
    ]
    right = ("precision", "recall", "of the ceiling", "shown to the wrong person")
    screen.table(("", *right), rows, right=right)
    screen.heading("Where it is hard")
    counts = ("touchpoints", "shown to the wrong person", "recall", "strangers glued", "family glued")
    traps: list[tuple[str, ...]] = []
    for trap, score in report.traps.items():
        glued = report.glued_of(trap)
        shown = _counted(score.wrong, score.shown_wrong)
        recall = _percent(score.recall) if score.belonging else "–"
        traps.append((trap, f"{score.touchpoints:,}", shown, recall, str(glued.strangers), str(glued.family)))
    screen.table(("trap", *counts), traps, right=counts)
    screen.line()
    for miss in report.misses():
        screen.line(f"not as asked: {miss}", "red")
    screen.line("docs/shop.md says how this is measured, why some traps do badly, and what an operator can do.")


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _counted(count: int, share: float) -> str:
    return f"{count:,} ({share:.1%})"
