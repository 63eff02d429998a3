"""Rows of CSV files, each read for itself: one that is broken takes no other with it.

The standard library reads the fields; which line a row begins on, what stands in it, and how long it may be is seen to
here.
"""

import csv
from collections.abc import Iterator, Sequence
from typing import Final

from onefold.errors import OnefoldError, Problem
from onefold.ingest.files.lines import Incoming, Lines
from onefold.ingest.tables.csv_form import CsvForm
from onefold.ingest.tables.rows import Row

CODE: Final = "file.invalid"
DELIMITERS: Final = ",;\t|"
_LINE_BYTES: Final = 1_000_000
_KEPT_BYTES: Final = 100_000


class _TooLongError(Exception):
    """A line has more bytes than are read."""


class _Texts:
    """Lines as text, for the reader of fields; it may be asked on after it has raised."""

    def __init__(self, lines: Lines, encoding: str) -> None:
        self._lines: Final = lines
        self._encoding: Final = encoding
        self.first = 0
        self.raw = b""

    def begin(self) -> None:
        """A row begins with the next line."""
        self.first = self._lines.number + 1
        self.raw = b""

    def __iter__(self) -> "_Texts":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if len(self.raw) < _KEPT_BYTES:
            self.raw += line[:_KEPT_BYTES]
        if len(line) > _LINE_BYTES:
            raise _TooLongError
        # What is none of the encoding's is carried along, and dropped where the event is decoded.
        return line.decode(self._encoding, "surrogateescape")


class CsvRows:
    """A CSV file, with the names of the columns in its first row. A `Reader` of rows.

    Attributes:
        columns: their names, without blanks around them.
        delimiter: what parts them.
    """

    def __init__(self, incoming: Incoming, form: CsvForm, usual: str | None = ",") -> None:
        """`usual`: the delimiter, if the form names none; None takes the one that the first line has most of.

        Raises: OnefoldError `file.invalid` when there is no first row.
        """
        self._lines: Final = Lines(incoming, _LINE_BYTES, CODE)
        self._texts: Final = _Texts(self._lines, form.encoding)
        self._texts.begin()
        try:
            first = next(self._texts)
        except (StopIteration, _TooLongError) as error:
            raise OnefoldError(
                CODE, "the file has no row with the names of its columns", "Put them into the first line."
            ) from error
        self.delimiter: Final = form.delimiter or usual or max(DELIMITERS, key=first.count)
        self.columns: Final = self._header(first)
        self.ready: Final = self._lines.ready
        self.fingerprint: Final = self._lines.fingerprint
        self.share: Final = self._lines.share

    def __iter__(self) -> Iterator[tuple[int, Row | None]]:
        """As `Reader`; a row whose cells are all empty is blank. A row's number is that of its first line."""
        fields = csv.reader(self._texts, delimiter=self.delimiter, strict=True)
        while True:
            self._texts.begin()
            try:
                cells = next(fields)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._texts.first, self._broken(f"the row cannot be read: {error}")
            except _TooLongError:
                yield self._texts.first, self._broken(f"a line has more than {_LINE_BYTES:,} bytes")
            else:
                yield self._texts.first, self._row(cells) if any(map(str.strip, cells)) else None

    def _header(self, first: str) -> list[str]:
        names = csv.reader(_Again(first, self._texts), delimiter=self.delimiter, strict=True)
        try:
            return [name.strip() for name in next(names)]
        except (csv.Error, StopIteration, _TooLongError) as error:
            raise OnefoldError(
                CODE, f"the names of the columns cannot be read: {error}", "Mend the first line."
            ) from error

    def _row(self, cells: Sequence[str]) -> Row:
        if len(cells) == len(self.columns):
            return Row(cells)
        return self._broken(f"the row has {len(cells)} fields, and there are {len(self.columns)} columns")

    def _broken(self, message: str) -> Row:
        hint = "Quote fields that hold delimiters, quotes or line breaks, and double the quotes in them."
        return Row((), Problem("event.invalid", message, hint), self._texts.raw.strip())


class _Again:
    """A line, and then the others."""

    def __init__(self, first: str, texts: _Texts) -> None:
        self._first: str | None = first
        self._texts: Final = texts

    def __iter__(self) -> "_Again":
        return self

    def __next__(self) -> str:
        if self._first is None:
            return next(self._texts)
        first, self._first = self._first, None
        return first
