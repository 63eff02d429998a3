"""A table and its mapping, ready to be imported."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import PurePath
from typing import Final

from onefold.ingest.decode import Decoded, Decoder, Rejected
from onefold.ingest.files.lines import Reader
from onefold.ingest.tables.csv_rows import CsvRows
from onefold.ingest.tables.mapping import Mapping
from onefold.ingest.tables.parquet_rows import ParquetRows
from onefold.ingest.tables.rows import Row, RowDecoder
from onefold.model.sources import Source

Rows = CsvRows | ParquetRows


class Form(StrEnum):
    """The kinds of files there are, by the ends of their names."""

    EVENTS = "events"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"


_ENDINGS: Final = {
    ".csv": Form.CSV,
    ".tsv": Form.TSV,
    ".tab": Form.TSV,
    ".parquet": Form.PARQUET,
    ".pq": Form.PARQUET,
    ".jsonl": Form.EVENTS,
    ".ndjson": Form.EVENTS,
    ".json": Form.EVENTS,
}


def form_of(name: str) -> Form | None:
    """The kind of file that a name tells of; None when it tells none."""
    return _ENDINGS.get(PurePath(name).suffix.lower())


class Table:
    """Reads a table's rows and makes events of them, for `import_file`.

    Attributes:
        unmapped: columns that the mapping does not name; known once it was begun.
    """

    def __init__(self, opened: Callable[[], Rows], mapping: Mapping, decoder: Decoder, source: Source) -> None:
        """`opened`: the rows from their beginning, each time it is called."""
        self.unmapped: Sequence[str] = ()
        self._opened: Final = opened
        self._mapping: Final = mapping
        self._decoder: Final = decoder
        self._source: Final = source

    def begin(self) -> Reader[Row]:
        """The rows. Raises: OnefoldError `file.invalid`, `mapping.invalid` when it names columns that are not there."""
        rows = self._opened()
        named = {pick.column for pick in self._mapping.picks() if pick.column is not None}
        self._made = RowDecoder(self._mapping, rows.columns, self._decoder, self._source)
        self.unmapped = [column for column in rows.columns if column and column not in named]
        if isinstance(rows, ParquetRows):
            rows.only(named)
        return rows

    def decode(self, row: Row) -> Decoded | Rejected:
        """The event that a row is."""
        return self._made(row)
