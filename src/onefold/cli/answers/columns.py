"""Answers in columns as tables, CSV, JSON and Parquet, written as they come."""

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import count, islice
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import pyarrow as pa
from pyarrow import parquet

from onefold.cli.answers.exports import finished
from onefold.cli.answers.output import Screen
from onefold.cli.words import short
from onefold.errors import OnefoldError

MOST_SHOWN: Final = 1_000
NANOSECONDS: Final = 1_000_000_000

Batches: TypeAlias = pa.RecordBatchReader


def show_table(answer: Batches) -> None:
    """A table for people: at most 1,000 rows."""
    screen, rows = Screen(), _rows(answer)
    shown = list(islice(rows, MOST_SHOWN))
    numbers = [f.name for f in answer.schema if pa.types.is_integer(f.type) or _is_fraction(f.type)]
    screen.table(answer.schema.names, [[short(text(value)) for value in row] for row in shown], right=numbers)
    if not shown:
        screen.line("no rows")
    if next(rows, None) is not None:
        screen.line(f"… and more: --csv, --json and --parquet show all, this at most {MOST_SHOWN:,} rows")


def show_csv(answer: Batches) -> None:
    """CSV on standard output: a line of names, then a line a row."""
    write_csv(answer.schema.names, _rows(answer), sys.stdout)


def write_csv(names: Sequence[str], rows: Iterable[Sequence[Any]], file: Any) -> None:
    """A line of names, then a line a row. Flags are true and false, times ISO 8601; what is not there is empty."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([None if value is None else text(value) for value in row] for row in rows)


def show_json(answer: Batches, json: frozenset[int] = frozenset()) -> None:
    """A list of objects on standard output, one a line. json: places of columns that hold JSON as text."""
    names = _distinct(answer.schema.names)
    sys.stdout.write("[")
    for number, row in enumerate(_rows(answer)):
        values = (_raw(value) if place in json else _plain(value) for place, value in enumerate(row))
        said = msgspec.json.encode(dict(zip(names, values, strict=True)))
        sys.stdout.write((",\n " if number else "\n ") + said.decode())
    sys.stdout.write("\n]\n")


def _raw(json: str | None) -> msgspec.Raw | None:
    return None if json is None else msgspec.Raw(json.encode())


def _plain(value: object) -> object:
    """A value as JSON has it: what JSON has no kind for is text."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
    return text(value)


def write_parquet(answer: Batches, place: Path) -> int:
    """One file; -> how many rows it has. Times are in UTC.

    Raises: OnefoldError `call.invalid` if it is there or cannot be written; `sql.invalid` for types Parquet has not.
    """
    rows, schema = 0, pa.schema([_zoned(field) for field in answer.schema])
    with finished(place) as beside:
        try:
            with parquet.ParquetWriter(beside, schema, compression="zstd") as writer:
                for batch in answer:
                    rows += batch.num_rows
                    writer.write_table(pa.Table.from_batches([batch]).cast(schema))
        except pa.ArrowNotImplementedError as error:
            said = "a column is of a type that Parquet does not have"
            raise OnefoldError("sql.invalid", said, "Make it a text: CAST(… AS VARCHAR).", "sql") from error
    return rows


def _zoned(field: pa.Field) -> pa.Field:
    """Times say that they are UTC."""
    if pa.types.is_timestamp(field.type) and field.type.tz is None:
        return field.with_type(pa.timestamp(field.type.unit, tz="UTC"))
    return field


def _rows(answer: Batches) -> Iterator[tuple[Any, ...]]:
    for batch in answer:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def text(value: object) -> str:
    """A value as text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            plain = format(value, "f")
            return plain.rstrip("0").rstrip(".") if "." in plain else plain
        case datetime():
            moment = value if value.tzinfo else value.replace(tzinfo=UTC)
            return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case list() | dict():
            return msgspec.json.encode(_plain(value)).decode()
    return _interval(value) if isinstance(value, pa.MonthDayNano) else str(value)


def _interval(value: Any) -> str:
    """`2 months 17 days 03:20:00`; what is zero is left out."""
    seconds = value.nanoseconds // NANOSECONDS
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    parts = [f"{count} {unit}" for count, unit in ((value.months, "months"), (value.days, "days")) if count]
    return " ".join([*parts, clock] if seconds or not parts else parts)


def _distinct(names: Sequence[str]) -> list[str]:
    """Names of which no two are the same: a second `a` is `a_2`."""
    taken: dict[str, None] = {}
    for name in names:
        taken[next(new for n in count(1) if (new := name if n == 1 else f"{name}_{n}") not in taken)] = None
    return list(taken)


def _is_fraction(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_decimal(kind))
