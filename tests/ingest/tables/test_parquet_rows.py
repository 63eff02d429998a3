"""Parquet files: rows of typed values, read part by part."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onefold.errors import OnefoldError
from onefold.ingest.tables.parquet_rows import ParquetRows

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def written(table: pa.Table, **how: Any) -> io.BytesIO:
    out = io.BytesIO()
    pq.write_table(table, out, **how)
    return io.BytesIO(out.getvalue())


def test_values_keep_their_types() -> None:
    table = pa.table(
        {
            "number": pa.array([7, None], pa.int64()),
            "text": pa.array(["a", None]).dictionary_encode(),
            "exact": pa.array([Decimal("12.50"), None], pa.decimal128(10, 2)),
            "day": pa.array([date(2026, 3, 1), None]),
            "list": pa.array([["a", "b"], None]),
            "object": pa.array([{"x": 1}, None]),
            "flag": pa.array([True, None]),
        }
    )
    rows = ParquetRows(written(table))
    assert rows.columns == ["number", "text", "exact", "day", "list", "object", "flag"]
    [(first, row), (second, blank)] = list(rows)
    assert (first, second, blank) == (1, 2, None)
    assert row is not None
    assert list(row.cells) == [7, "a", Decimal("12.50"), date(2026, 3, 1), ["a", "b"], {"x": 1}, True]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin", "+02:00"])
def test_moments_are_read_whatever_their_unit_and_zone(unit: str, zone: str | None) -> None:
    moments = pa.array([1_772_366_400], pa.timestamp("s", "UTC")).cast(pa.timestamp(unit, zone or "UTC"))
    if zone is None:
        moments = moments.cast(pa.timestamp(unit))
    [(_, row)] = ParquetRows(written(pa.table({"at": moments})))
    assert row is not None
    assert row.cells[0] == (NOON if zone else NOON.replace(tzinfo=None))


def test_nanoseconds_are_no_mistake() -> None:
    moments = pa.array([1_772_366_400_000_000_001], pa.timestamp("ns"))
    [(_, row)] = ParquetRows(written(pa.table({"at": moments})))
    assert row is not None
    assert row.cells[0] == NOON.replace(tzinfo=None)


def test_only_the_columns_that_are_wanted_are_read_and_the_others_keep_their_place() -> None:
    rows = ParquetRows(written(pa.table({"a": [1, 2], "b": [3, 4], "c": [5, 6]})))
    rows.only({"c", "a"})
    assert [row and list(row.cells) for _, row in rows] == [[1, None, 5], [2, None, 6]]


def test_many_row_groups_are_one_file() -> None:
    rows = ParquetRows(written(pa.table({"a": range(2_500)}), row_group_size=300))
    assert [(number, row and row.cells[0]) for number, row in rows] == [(n + 1, n) for n in range(2_500)]
    assert rows.share() == 1.0


def test_another_file_has_another_fingerprint() -> None:
    tables = [pa.table({"a": [1]}), pa.table({"a": [1]}), pa.table({"a": [2]})]
    one, same, other = (ParquetRows(written(table)).fingerprint() for table in tables)
    assert one == same != other


@pytest.mark.parametrize("content", [b"", b"PAR1", b"a,b\n1,2\n"])
def test_what_is_no_parquet_is_refused(content: bytes) -> None:
    with pytest.raises(OnefoldError) as caught:
        ParquetRows(io.BytesIO(content))
    assert caught.value.code == "file.invalid"


def test_a_file_that_is_broken_further_on_is_told() -> None:
    content = bytearray(written(pa.table({"a": [str(n) for n in range(9_000)]}), compression="none").getvalue())
    content[4:400] = b"\xff" * 396
    with pytest.raises(OnefoldError) as caught:
        list(ParquetRows(io.BytesIO(bytes(content))))
    assert caught.value.code == "file.invalid"
