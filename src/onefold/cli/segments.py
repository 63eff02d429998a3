"""`onefold segment …`: who are the customers that …, saved or not, and why one of them is or is not."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.call import Access, Call, command

if TYPE_CHECKING:
    from onefold.model.saved import SavedSegment
    from onefold.service import Onefold, Reading

app = typer.Typer(help="Find who meets a rule; save, list, show, export, delete and explain segments.")

MOST_SHOWN = 20
UNWRITABLE = {"store.read_only", "store.unwritable"}
"""What a store says that can only be read."""

RuleFile = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="The rule, as YAML or JSON; - for what is piped in.")
]
RuleText = Annotated[str | None, typer.Option("--rule", metavar="RULE", help="The rule itself, instead of a file.")]
Purpose = Annotated[
    str | None,
    typer.Option("--require-consent", metavar="PURPOSE", help="Leave out who has not agreed to this, and count them."),
]
Unknown = Annotated[
    bool, typer.Option("--allow-unknown", help="Let names stand in the rule that no event has brought yet.")
]
Named = Annotated[str, typer.Argument(metavar="SEGMENT", help="Its id, seg_…, or its name.")]
Limit = Annotated[int, typer.Option("--limit", help="The most customers to show.")]
After = Annotated[str | None, typer.Option("--after", metavar="CURSOR", help="Go on where this list ended.")]


def preview(
    call: Call,
    file: RuleFile = None,
    rule: RuleText = None,
    require_consent: Purpose = None,
    limit: Limit = MOST_SHOWN,
    after: After = None,
    allow_unknown: Unknown = False,
) -> None:
    """Count who meets a rule, and show the first of them."""
    from onefold.cli import references, rules
    from onefold.cli.answers import segments as answers
    from onefold.cli.answers.output import printed_afterwards
    from onefold.service.previewing import Preview, Wanted, question

    wanted = Wanted(rules.given(file, rule), require_consent, allow_unknown=allow_unknown)
    with printed_afterwards(), call.open() as onefold, onefold.read(hold=True, ahead=True) as reading:
        found = Preview(reading, question(reading, wanted))
        page = found.page(references.limit(limit, reading.means.most), after)
        answers.show_preview(reading, found, require_consent, page, as_json=call.as_json)


def save(  # noqa: PLR0913, PLR0917  # each is an option
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    file: RuleFile = None,
    rule: RuleText = None,
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None,
    require_consent: Purpose = None,
    change: Annotated[
        str | None,
        typer.Option("--change", metavar="SEGMENT", help="Change this one, by id or name, instead of making one."),
    ] = None,
    allow_unknown: Unknown = False,
) -> None:
    """Save a segment; from now on who is in it is kept current."""
    from onefold.cli import rules
    from onefold.cli.answers import segments as answers
    from onefold.model.saved import SegmentDraft
    from onefold.service.previewing import to_text

    draft = SegmentDraft(name, to_text(rules.given(file, rule)), description, require_consent)
    with call.open(Access.WRITE) as onefold:
        id_ = None if change is None else onefold.in_one_state(lambda reading: _named(reading, change)).public_id
        saved = answers.kept(onefold.save_segment(draft, id_, allow_unknown=allow_unknown))
    answers.show_saved(saved, as_json=call.as_json)


def list_(call: Call) -> None:
    """List the saved segments, each with how many are in it."""
    from onefold.cli.answers import segments as answers
    from onefold.service import segments

    with _kept(call) as onefold:
        seq, rows = onefold.in_one_state(lambda reading: (reading.view.head().seq, segments.listed(reading)))
        answers.show_all(rows, seq, as_json=call.as_json)


def show(call: Call, segment: Named) -> None:
    """Show a segment with its rule, as a file that preview and save take."""
    from onefold.cli.answers import segments as answers

    with _kept(call) as onefold:
        found = onefold.in_one_state(lambda reading: _named(reading, segment))
    answers.show_one(found, as_json=call.as_json)


def members(call: Call, segment: Named, limit: Limit = MOST_SHOWN, after: After = None) -> None:
    """List who is in a segment."""
    from onefold.cli import references
    from onefold.cli.answers import segments as answers
    from onefold.cli.answers.output import printed_afterwards
    from onefold.service import segments

    with printed_afterwards(), _kept(call) as onefold, onefold.read(hold=True) as reading:
        found = _named(reading, segment)
        [page] = segments.members(reading, [found], references.limit(limit, reading.means.most), after)
        answers.show_members(reading, found, page, as_json=call.as_json)


def delete(call: Call, segment: Named) -> None:
    """Delete a segment."""
    from onefold.cli.answers import segments as answers
    from onefold.cli.answers.output import Screen, show_json

    with call.open(Access.WRITE) as onefold:
        id_ = onefold.in_one_state(lambda reading: _named(reading, segment)).public_id
        deleted = answers.kept(onefold.delete_segment(id_))
    if call.as_json:
        show_json({"id": id_, "name": deleted.name})
    else:
        Screen().line(f"{id_} {deleted.name} is deleted")


def why(
    call: Call,
    who: Annotated[str, typer.Argument(metavar="WHO", help="A customer: an id or an identifier.")],
    segment: Annotated[str | None, typer.Argument(metavar="SEGMENT", help="A saved segment, by id or name.")] = None,
    rule: RuleText = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="The file of a rule, instead of a segment.")
    ] = None,
) -> None:
    """Say why a customer is in a segment, or meets a rule, or why not: each condition with the value found."""
    from onefold.cli import references, rules
    from onefold.cli.answers import segments as answers
    from onefold.cli.answers.output import printed_afterwards
    from onefold.errors import OnefoldError
    from onefold.service.previewing import Wanted, kept_rule, membership

    if (segment is None) == (rule is None and file is None):
        said = "there is neither a segment nor a rule" if segment is None else "there are a segment and a rule"
        raise OnefoldError("call.invalid", said, "Name a segment, or give a rule with --rule or --file.", "SEGMENT")
    unsaved = Wanted(rules.given(file, rule)) if segment is None else None
    with printed_afterwards(), call.open() as onefold, onefold.read(hold=True, ahead=True) as reading:
        saved = None if segment is None else _named(reading, segment)
        wanted = unsaved if saved is None else kept_rule(saved)
        assert wanted is not None
        found = membership(reading, reading.customer(references.customer(who)), wanted)
        answers.show_why(reading, found, saved, as_json=call.as_json)


def export(
    call: Call,
    segment: Named,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The file to make.")],
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="csv or parquet.")] = "csv",
    traits: Annotated[
        str, typer.Option("--traits", metavar="NAMES", help="Traits to write beside the ids, with commas between.")
    ] = "",
    require_consent: Purpose = None,
) -> None:
    """Write who is in a segment to a file: ids, and the traits that are chosen."""
    from onefold.cli import references
    from onefold.cli.answers import segments as answers
    from onefold.service import segment_exporting as exporting

    write = answers.WRITERS[references.chosen(format_, answers.WRITERS, "format")]
    names = [name.strip() for name in traits.split(",") if name.strip()]
    with call.open() as onefold:
        kept = onefold.in_one_state(lambda reading: _named(reading, segment))
        with onefold.ask() as asking:
            found = exporting.export(onefold, asking, kept, names, require_consent)
            write(found, out)
    answers.show_exported(found, out, format_, as_json=call.as_json)


@contextmanager
def _kept(call: Call) -> "Iterator[Onefold]":
    """The service, with segments as they are by now; as they were last found, where the store can only be read. Whoever
    reads does not look at everybody anew because other things are declared where segments are kept."""
    from onefold.errors import OnefoldError

    with ExitStack() as opened:
        try:
            onefold = opened.enter_context(call.open(Access.WRITE))
            onefold.keep_now(anew=False)
        except OnefoldError as error:
            if error.code not in UNWRITABLE:
                raise
            onefold = opened.enter_context(call.open())
        yield onefold


def _named(reading: "Reading", said: str) -> "SavedSegment":
    """The segment of this id or name. Raises `segment.not_found`."""
    from onefold.cli.references import near
    from onefold.errors import OnefoldError
    from onefold.service import segments

    listed = segments.listed(reading)
    for one in listed:
        if said in {one.name, one.public_id}:
            return one
    if said.startswith("seg_"):
        return segments.segment(reading, said)
    hint = near(said, [one.name for one in listed]) or "onefold segment list shows those there are."
    raise OnefoldError("segment.not_found", f"no segment is called {said!r}", hint, "SEGMENT")


for one in (preview, save, list_, show, members, export, delete, why):
    app.command(one.__name__.rstrip("_"))(command(one))
