"""CSV files as they are in the wild: one broken row takes no other with it."""

import io

import pytest

from onefold.errors import OnefoldError
from onefold.ingest.files import PlainFile
from onefold.ingest.tables.csv_form import CsvForm
from onefold.ingest.tables.csv_rows import CsvRows

HEAD = b"a,b\n"
PLAIN = CsvForm()


def rows_of(content: bytes, form: CsvForm = PLAIN, usual: str | None = ",") -> CsvRows:
    return CsvRows(PlainFile(io.BytesIO(content)), form, usual)


def read(content: bytes, form: CsvForm = PLAIN) -> list[tuple[int, list[object] | str | None]]:
    """Each row's number and cells; of a broken one what is wrong with it."""
    return [
        (number, row and (row.problem.message if row.problem else list(row.cells)))
        for number, row in rows_of(content, form)
    ]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_rows_are_read_whatever_ends_them(ending: bytes, mark: bytes) -> None:
    content = mark + ending.join([b" a ,b", b"1,x", b"2,y"])
    assert rows_of(content).columns == ["a", "b"]
    assert read(content) == [(2, ["1", "x"]), (3, ["2", "y"])]


def test_a_quoted_field_may_hold_anything_and_a_row_s_number_is_that_of_its_first_line() -> None:
    content = HEAD + b'"1, or so","he said ""so""\nand left"\n2,y\n'
    assert read(content) == [(2, ["1, or so", 'he said "so"\nand left']), (4, ["2", "y"])]


def test_empty_rows_are_blank() -> None:
    assert read(HEAD + b"\n , \n1,\n") == [(2, None), (3, None), (4, ["1", ""])]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (b"1", "the row has 1 fields, and there are 2 columns"),
        (b"1,2,3", "the row has 3 fields, and there are 2 columns"),
        (b'1,"x"y', "the row cannot be read"),
        (b"1," + b"x" * 200_000, "the row cannot be read: field larger"),
        (b"1," + b"x" * 1_100_000, "a line has more than 1,000,000 bytes"),
    ],
    ids=["short", "long", "quotes", "large", "huge"],
)
def test_a_broken_row_takes_no_other_with_it(broken: bytes, says: str) -> None:
    before, [number, said], after = read(HEAD + b"0,w\n" + broken + b"\n2,y\n")
    assert (before, after) == ((2, ["0", "w"]), (4, ["2", "y"]))
    assert number == 3
    assert isinstance(said, str)
    assert said.startswith(says)


def test_a_quote_that_is_never_closed_takes_no_more_with_it_than_a_field_may_hold() -> None:
    rest = b"".join(b"%d,some text\n" % number for number in range(20_000))
    found = read(HEAD + b'1,"open\n' + rest)
    assert found[0][0] == 2
    assert isinstance(found[0][1], str)
    assert found[-1] == (20_002, ["19999", "some text"])
    assert len(found) > 10_000


def test_a_quote_that_is_open_at_the_end_is_told() -> None:
    [(number, said)] = read(HEAD + b'1,"open\nand more\n')
    assert (number, said) == (2, "the row cannot be read: unexpected end of data")


def test_what_a_broken_row_said_is_kept() -> None:
    [(_, row)] = rows_of(HEAD + b"1,2,3\n")
    assert row is not None
    assert row.raw == b"1,2,3"


def test_other_delimiters_and_encodings_are_read() -> None:
    assert read("a;b\nä;€\n".encode("cp1252"), CsvForm(";", "cp1252")) == [(2, ["ä", "€"])]
    assert read(b"a\tb\n1\t2\n", CsvForm("\t")) == [(2, ["1", "2"])]


def test_bytes_of_another_encoding_are_carried_to_where_they_are_dropped() -> None:
    assert read(HEAD + b"caf\xe9,1\n") == [(2, ["caf\udce9", "1"])]


@pytest.mark.parametrize("first", [b"a;b;c", b"a\tb\tc", b"a|b|c", b"a,b,c"])
def test_what_parts_columns_is_guessed_where_nobody_says_it(first: bytes) -> None:
    assert rows_of(first, usual=None).columns == ["a", "b", "c"]


@pytest.mark.parametrize("content", [b"", b"\xff\xfea\x00", b'"open'], ids=["empty", "UTF-16", "open"])
def test_a_file_without_names_of_columns_is_refused(content: bytes) -> None:
    with pytest.raises(OnefoldError) as caught:
        rows_of(content)
    assert caught.value.code == "file.invalid"


def test_names_of_columns_may_hold_line_breaks() -> None:
    content = b'a,"b\nc"\n1,2\n'
    assert rows_of(content).columns == ["a", "b\nc"]
    assert read(content) == [(3, ["1", "2"])]


def test_a_fingerprint_is_of_what_was_read() -> None:
    one, other = rows_of(HEAD + b"1,2\n3,4\n"), rows_of(HEAD + b"1,2\n3,5\n")
    assert next(iter(one)) == next(iter(other))
    assert one.fingerprint() == other.fingerprint()
    assert [list(rows) for rows in (one, other)]
    assert one.fingerprint() != other.fingerprint()
    assert one.share() == 1.0
