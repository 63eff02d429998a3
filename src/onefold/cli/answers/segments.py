"""Segments as people and programs see them: who is in them, their rules, and why somebody is or is not."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import yaml

from onefold.cli.answers import sections, shapes
from onefold.cli.answers.columns import write_csv
from onefold.cli.answers.exports import finished
from onefold.cli.answers.output import Screen, iso, moment, show_json
from onefold.cli.words import short
from onefold.errors import OnefoldError, Problem
from onefold.model.reading import KnownCustomer
from onefold.model.saved import SavedSegment
from onefold.service import Reading
from onefold.service.pages import SEGMENT_MEMBERS, Page
from onefold.service.previewing import Line, Membership, Preview
from onefold.service.profiles import profiles
from onefold.service.segment_exporting import Exported

if TYPE_CHECKING:
    pass

Shape = dict[str, Any]
TICKS: Final = {True: ("✓", "green"), False: ("✗", "red")}
CHUNK: Final = 50_000


def kept(row: SavedSegment | Problem) -> SavedSegment:
    """What was saved or deleted. Raises OnefoldError with the problem there is."""
    if isinstance(row, Problem):
        raise OnefoldError(*msgspec.structs.astuple(row))
    return row


# -- who is in it


def show_preview(
    reading: Reading, found: Preview, purpose: str | None, page: Page[KnownCustomer], *, as_json: bool
) -> None:
    """How many meet a rule, and a page of them."""
    counts = found.counts
    if as_json:
        said = {"count": counts.count, "share": counts.share, "withoutConsent": counts.without_consent}
        show_json({**said, "asOfSeq": str(found.as_of_seq), **_shape_of_page(page)})
        return
    screen = Screen()
    screen.line(f"{counts.count:,} of {counts.of:,} customers ({counts.share:.1%})", "bold")
    if purpose is not None:
        screen.line(f"{counts.without_consent:,} more meet the rule and have not agreed to {purpose}")
    _show_page(screen, reading, page)


def show_members(reading: Reading, segment: SavedSegment, page: Page[KnownCustomer], *, as_json: bool) -> None:
    """Who is in a segment."""
    if as_json:
        show_json({"segment": shape(segment), **_shape_of_page(page)})
        return
    screen = Screen()
    screen.line(f"{segment.public_id}  {segment.name}: {size(segment.count)}", "bold")
    _show_page(screen, reading, page)


def _show_page(screen: Screen, reading: Reading, page: Page[KnownCustomer]) -> None:
    show_people(screen, reading, page.items)
    if page.more and page.end is not None:
        screen.line(f"… and more: --after {SEGMENT_MEMBERS.write(page.end)} shows who comes next")


def show_people(screen: Screen, reading: Reading, people: Sequence[KnownCustomer]) -> None:
    """One line a customer."""
    names = [sections.title(profile) for profile in profiles(reading, [row.key for row in people])]
    rows = [
        (row.public_id, short(name), moment(row.first_ms), moment(row.last_ms))
        for row, name in zip(people, names, strict=True)
    ]
    screen.table(("customer", "name", "first seen", "last seen"), rows)


def _shape_of_page(page: Page[KnownCustomer]) -> Shape:
    end = None if page.end is None else SEGMENT_MEMBERS.write(page.end)
    return {"customers": [shapes.customer(row) for row in page.items], "more": page.more, "endCursor": end}


# -- saved segments


def shape(row: SavedSegment) -> Shape:
    """A segment, without who is in it."""
    return {
        "id": row.public_id,
        "name": row.name,
        "description": row.description,
        "requireConsent": row.require_consent,
        "count": row.count,
        "createdAt": iso(row.created_ms),
        "changedAt": iso(row.changed_ms),
        "asOfSeq": str(row.as_of_seq or 0),
        "rule": msgspec.Raw(row.rule.encode()),
    }


def show_all(rows: Sequence[SavedSegment], seq: int, *, as_json: bool) -> None:
    """One line a segment; and which are not right for the store as it is, at sequence number `seq`."""
    if as_json:
        show_json([shape(row) for row in rows])
        return
    screen = Screen()
    cells = [
        (row.public_id, short(row.name), f"{row.count:,}", row.require_consent or "", short(row.description or ""))
        for row in rows
    ]
    screen.table(("segment", "name", "customers", "requires consent to", "description"), cells, right=("customers",))
    for row in rows:
        if (row.as_of_seq or 0) < seq:
            since = "never" if row.as_of_ms is None else f"last at {moment(row.as_of_ms)}"
            screen.line(f"{row.public_id} is not kept: who is in it was found {since}", "bold")
    if not rows:
        screen.line("no segments are saved; onefold segment save makes one")


def show_saved(row: SavedSegment, *, as_json: bool) -> None:
    """That a segment is kept, and how many are in it."""
    if as_json:
        show_json(shape(row))
    else:
        Screen().line(f"{row.public_id}  {row.name} is saved: {size(row.count)}")


def show_one(row: SavedSegment, *, as_json: bool) -> None:
    """A segment with its rule: as YAML, in which all else is a comment."""
    if as_json:
        show_json(shape(row))
        return
    screen = Screen()
    screen.line(f"# {row.public_id}  {row.name}: {size(row.count)}", "bold")
    for line in (row.description or "").splitlines():
        screen.line(f"# {line}")
    if row.require_consent:
        screen.line(f"# only who agreed to {row.require_consent}")
    screen.line(f"# saved {moment(row.created_ms)}, changed {moment(row.changed_ms)} (times are UTC)")
    rule = yaml.safe_dump(msgspec.json.decode(row.rule), sort_keys=False, allow_unicode=True, width=100)
    for line in rule.splitlines():
        screen.line(line)


def size(count: int) -> str:
    """`1 customer`, `1,204 customers`."""
    return f"{count:,} {'customer' if count == 1 else 'customers'}"


# -- why


def show_why(reading: Reading, found: Membership, segment: SavedSegment | None, *, as_json: bool) -> None:
    """A tree of ticks: each condition, whether it holds, and what was found."""
    if as_json:
        show_json(shape_of_why(found, segment))
        return
    [profile] = profiles(reading, [found.customer.customer.key])
    show_tree(Screen(), found, sections.title(profile), "the rule" if segment is None else segment.name)


def show_tree(screen: Screen, found: Membership, name: str, of: str) -> None:
    """The tree of one customer, called `name`, for what is called `of`."""
    from rich.tree import Tree

    id_ = found.customer.customer.public_id
    tree = Tree(screen.text(f"{id_}  {short(name)} {'meets' if found.holds else 'does not meet'} {short(of)}", "bold"))
    branches: list[Tree] = [tree]
    for line in found.lines:
        del branches[line.level + 1 :]
        branches.append(branches[line.level].add(_ticked(screen, line)))
    screen.tree(tree)


def _ticked(screen: Screen, line: Line) -> Any:
    tick, colour = TICKS[line.holds]
    said = screen.text(f"{tick} ", colour).append_text(screen.text(line.said))
    return said.append_text(screen.text(f": {short(line.seen)}", "dim")) if line.seen else said


def shape_of_why(found: Membership, segment: SavedSegment | None) -> Shape:
    """The same as JSON, as GraphQL has it."""
    return {
        "customer": shapes.customer(found.customer.customer),
        "segment": segment and shape(segment),
        "holds": found.holds,
        "conditions": [
            {
                "path": line.path,
                "level": line.level,
                "kind": line.kind,
                "text": line.said,
                "asked": line.asked,
                "holds": line.holds,
                "found": line.found,
                "foundText": line.seen,
            }
            for line in found.lines
        ],
        "asOfSeq": str(found.as_of_seq),
    }


# -- exports


def _write_csv(found: Exported, out: Path) -> None:
    with finished(out) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        write_csv(found.columns, found.rows(), file)


def _write_parquet(found: Exported, out: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(name, pa.string()) for name in found.columns])
    with finished(out) as beside, parquet.ParquetWriter(beside, schema, compression="zstd") as writer:
        for rows in found.pages():
            columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


WRITERS: Final[Mapping[str, Callable[[Exported, Path], None]]] = {"csv": _write_csv, "parquet": _write_parquet}
"""Formats of files of customers."""


def show_exported(found: Exported, out: Path, form: str, *, as_json: bool) -> None:
    """What was written, and who was left out."""
    if as_json:
        show_json({"out": str(out), "format": form, "rows": found.count, "withoutConsent": found.without_consent})
        return
    screen = Screen()
    screen.line(f"{out} is written: {size(found.count)}")
    if found.purposes:
        left_out = f"{found.without_consent:,} left out: they have not agreed to {' and '.join(found.purposes)}"
        screen.line(left_out)
