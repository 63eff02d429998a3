"""Rows of Parquet files, by pyarrow, which is imported when one is read."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from itertools import repeat
from typing import Any, BinaryIO, Final

from onefold.errors import OnefoldError
from onefold.ingest.tables.rows import Row

CODE: Final = "file.invalid"
_BATCH_ROWS: Final = 1_000
_FOOTER_BYTES: Final = 65_536


class ParquetRows:
    """A Parquet file. A `Reader` of rows; a row's number is its place, the first being 1.

    Attributes:
        columns: their names.
    """

    def __init__(self, stream: BinaryIO) -> None:
        """Raises: OnefoldError `file.invalid` when it is no Parquet."""
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415 (it takes long, and few imports need it)

        self._read = 0
        self._fingerprint: Final = _footer(stream)
        with _told():
            self._file: Final = ParquetFile(stream)
        self.columns: Final[list[str]] = list(self._file.schema_arrow.names)
        self._wanted: frozenset[str] = frozenset(self.columns)

    def only(self, columns: Collection[str]) -> None:
        """Read no others than these; the cells of the others say nothing."""
        self._wanted = frozenset(columns)

    def __iter__(self) -> Iterator[tuple[int, Row | None]]:
        """As `Reader`."""
        wanted = [name for name in self.columns if name in self._wanted]
        with _told():
            for batch in self._file.iter_batches(_BATCH_ROWS, columns=wanted):
                held = {name: _cells(batch.column(place)) for place, name in enumerate(batch.schema.names)}
                columns = [held.get(name, repeat(None)) for name in self.columns]
                for cells in zip(*columns, strict=False):
                    self._read += 1
                    yield self._read, Row(cells) if any(cell is not None for cell in cells) else None

    def ready(self) -> bool:
        """Always."""
        return True

    def fingerprint(self) -> str:
        """Of the whole file: it is never written to, only anew."""
        return self._fingerprint

    def share(self) -> float | None:
        """As `Reader.share`."""
        rows: int = self._file.metadata.num_rows
        return self._read / rows if rows else None


@contextmanager
def _told() -> Iterator[None]:
    """What pyarrow finds wrong with a file, as every other error is said."""
    from pyarrow import ArrowException  # noqa: PLC0415

    try:
        yield
    except (ArrowException, OSError, ValueError, OverflowError) as error:
        said = str(error).partition("\n")[0].rstrip(".")
        raise OnefoldError(CODE, f"the file cannot be read as Parquet: {said}", "Write it anew.") from error


def _cells(column: Any) -> list[object]:
    """The values of a column. Python has no nanoseconds, and needs no zone but UTC to tell a moment."""
    import pyarrow as pa  # noqa: PLC0415

    if pa.types.is_timestamp(column.type):
        zone = "UTC" if column.type.tz else None
        column = column.cast(pa.timestamp("ms", zone), safe=False)
    cells: list[object] = column.to_pylist()
    return cells


def _footer(stream: BinaryIO) -> str:
    """A hash of the end of the file, where Parquet keeps what is in it and where, and of its length."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _FOOTER_BYTES))
    hashed = blake2b(f"{size}:".encode() + stream.read(), digest_size=16).hexdigest()
    stream.seek(0)
    return hashed
