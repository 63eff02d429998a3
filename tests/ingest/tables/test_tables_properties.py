"""Any table that is written is read as it was written; and no bytes at all bring the reader down."""

import csv
import io
from collections.abc import Callable
from datetime import date
from typing import TypeVar

from hypothesis import example, given
from hypothesis import strategies as st

from onefold.errors import OnefoldError
from onefold.ingest.decode import Decoded
from onefold.ingest.files import PlainFile
from onefold.ingest.tables.csv_form import CsvForm
from onefold.ingest.tables.csv_rows import CsvRows
from onefold.ingest.tables.mapping import RowType
from onefold.ingest.tables.rows import Row, RowDecoder
from onefold.ingest.tables.suggest import suggest
from tests.ingest.events import decoder, namespaces
from tests.ingest.tables.building import CRM, LEAST, mapping_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
NAMES = st.one_of(
    st.sampled_from(["id", "E-Mail", "Customer No", "event", "Updated At", "amount", "yes", "null", "a: b", "- x"]),
    TEXTS,
)
CELLS = st.one_of(
    st.sampled_from(["", "ann@example.com", "2026-03-01", "01.02.2026", "007", "1.234,5", "12.5", "yes", "1772366400"]),
    TEXTS,
    st.none(),
    st.integers(),
    st.floats(),
    st.booleans(),
)
PLAIN = CsvForm()

Made = TypeVar("Made")


@st.composite
def tables(draw: st.DrawFn, cells: st.SearchStrategy[object] = TEXTS) -> tuple[list[str], list[list[object]]]:
    names = draw(st.lists(NAMES, min_size=1, max_size=6))
    rows = draw(st.lists(st.lists(cells, min_size=len(names), max_size=len(names)), max_size=6))
    return names, rows


def read(content: bytes, delimiter: str) -> tuple[list[str], list[list[object]]]:
    rows = CsvRows(PlainFile(io.BytesIO(content)), CsvForm(delimiter))
    found = [row for _, row in rows]
    assert not [row for row in found if row and row.problem]
    return rows.columns, [list(row.cells) for row in found if row]


def unless_refused(make: Callable[[], Made]) -> Made | OnefoldError:
    try:
        return make()
    except OnefoldError as error:
        return error


@given(tables(), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]))
def test_what_is_written_as_csv_is_read_as_it_was(
    table: tuple[list[str], list[list[object]]], delimiter: str, ending: str
) -> None:
    names, rows = table
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows([names, *rows])
    columns, found = read(out.getvalue().encode(), delimiter)
    assert columns == [name.strip() for name in names]
    assert found == [row for row in rows if any(str(cell).strip() for cell in row)]


@given(
    st.lists(st.sampled_from([b'"', b",", b"\n", b"\r\n", b"a", b"\xff", b"\x00", b" ", b"\xef\xbb\xbf"])).map(b"".join)
)
def test_no_bytes_bring_the_reader_down(content: bytes) -> None:
    rows = unless_refused(lambda: CsvRows(PlainFile(io.BytesIO(content)), PLAIN))
    if isinstance(rows, OnefoldError):
        assert rows.code == "file.invalid"
        return
    numbers = [number for number, _ in rows]
    assert numbers == sorted(set(numbers)), "rows are told apart by their numbers"


@given(st.lists(CELLS, min_size=3, max_size=3))
@example(["7", "2026-03-01", 10**400])
@example(["7", "2026-03-01", "\ud800"])
def test_no_row_brings_decoding_down(cells: list[object]) -> None:
    text = LEAST + "traits: {x: x, n: {column: x, as: number}, f: {column: x, as: flag}, t: {column: x, as: time}}\n"
    made = RowDecoder(mapping_of(text), ["no", "changed", "x"], decoder(), CRM)(Row(cells))
    assert isinstance(made, Decoded) or made.problem.code.startswith(("event.", "identifier."))


@given(tables(CELLS))
def test_a_suggestion_can_be_read_and_fits_its_table_or_says_what_people_have_to_name(
    table: tuple[list[str], list[list[object]]],
) -> None:
    names, rows = table
    columns = [name.strip() for name in names]
    text = suggest(columns, rows, namespaces(), source="a: b", delimiter=";", today=date(2026, 3, 9))
    mapping = unless_refused(lambda: mapping_of(text))
    if isinstance(mapping, OnefoldError):
        assert mapping.field in {"record.id", "identifiers"}, text
        assert "  # no column " in text
        return
    assert mapping.source == "a: b"
    made = [RowDecoder(mapping, columns, decoder(), CRM)(Row(cells)) for cells in rows]
    assert mapping.type in {RowType.IDENTIFY, RowType.TRACK}
    assert len(made) == len(rows)
