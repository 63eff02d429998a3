"""What stands in a cell: text in CSV, values of many types in Parquet; and what it becomes in an event."""

import math
import re
from collections.abc import Collection
from datetime import UTC, date, datetime, time
from decimal import Decimal as Exact
from typing import Final

from onefold.errors import Problem
from onefold.ingest.tables.csv_form import Decimal
from onefold.ingest.tables.mapping import Kind, Pick
from onefold.ingest.tables.words import flag_of

NUMBERS: Final = {
    Decimal.POINT: re.compile(r"[-+]?(\d+|\d{1,3}([,'’\s]\d{3})+)(\.\d+)?([eE][-+]?\d{1,2})?", re.ASCII),
    Decimal.COMMA: re.compile(r"[-+]?(\d+|\d{1,3}([.'’\s]\d{3})+)(,\d+)?([eE][-+]?\d{1,2})?", re.ASCII),
}
"""Thousands may be set apart, in threes: else 1,5 would be fifteen to whoever writes points."""
_WHOLE: Final = re.compile(r"[-+]?\d{1,18}")


class Cells:
    """Reads cells as one mapping has them written."""

    def __init__(self, nulls: Collection[str], decimal: Decimal) -> None:
        """`nulls`: texts that say nothing, as an empty one does anyway."""
        self._nulls: Final = frozenset(nulls) | {""}
        self._decimal: Final = decimal

    def value(self, cell: object, pick: Pick, field: str, warnings: list[Problem]) -> object:
        """What a cell says; None when it says nothing. What cannot be read as its kind is warned of and dropped."""
        said = plain(cell)
        if isinstance(said, str):
            said = said.strip()
        if said is None or (isinstance(said, str) and said in self._nulls):
            return None
        if pick.kind is None:
            return said
        found = self._read(said, pick)
        if found is None:
            warnings.append(
                Problem(
                    "event.value_dropped",
                    f"{field} is not a {pick.kind} and was dropped",
                    f"Mend the column {pick.column}, or read it as text.",
                    field,
                )
            )
        return found

    def text(self, cell: object) -> str | None:
        """A cell as a part of a message id; None when it says nothing."""
        said = plain(cell)
        text = str(int(said) if isinstance(said, float) and said.is_integer() else said).strip()
        return None if said is None or text in self._nulls else text

    def moment(self, cell: object, pick: Pick) -> object:
        """A time as events have it; what is none is left as it is, and will be rejected with its event."""
        if pick.format is None and isinstance(cell, int | float) and not isinstance(cell, bool):
            return cell
        if isinstance(cell, datetime):
            return _zoned(cell, pick).isoformat()
        text = self.text(cell)
        if text is None:
            return None
        found = _moment(text, pick)
        return text if found is None else _zoned(found, pick).isoformat()

    def _read(self, said: object, pick: Pick) -> object:
        match pick.kind:
            case Kind.NUMBER:
                return said if isinstance(said, int | float) else self._number(str(said))
            case Kind.FLAG:
                return said if isinstance(said, bool) else flag_of(str(said))
            case Kind.TIME:
                found = _moment(str(said), pick)
                return None if found is None else _zoned(found, pick).isoformat()
        return str(said)

    def _number(self, text: str) -> int | float | None:
        if not NUMBERS[self._decimal].fullmatch(text):
            return None
        whole, parts, fraction = text.partition(self._decimal)
        digits = re.sub(r"[^-+\deE]", "", whole) + ("." if parts else "") + fraction
        return int(digits) if _WHOLE.fullmatch(digits) else float(digits)


def plain(cell: object) -> object:
    """A cell as JSON has it: text, number, true or false, list, object, None."""
    match cell:
        case None | bool() | int() | str():
            return cell
        case float():
            return cell if math.isfinite(cell) else None
        case datetime() | date() | time():
            return cell.isoformat()
        case bytes():
            return cell.decode("utf-8", "surrogateescape")
        case list() | tuple():
            return [plain(item) for item in cell]
        case dict():
            return {str(name): plain(item) for name, item in cell.items()}
        case Exact():
            return format(cell, "f") if cell.is_finite() else None
    return str(cell)


def _moment(text: str, pick: Pick) -> datetime | None:
    try:
        match pick.format:
            case None:
                return datetime.fromisoformat(text)
            case "seconds":
                return datetime.fromtimestamp(float(text), UTC)
            case "milliseconds":
                return datetime.fromtimestamp(float(text) / 1000, UTC)
            case form:
                return datetime.strptime(text, form)  # noqa: DTZ007 (it gets its zone from the mapping)
    except (ValueError, OverflowError, OSError):
        return None


def _zoned(moment: datetime, pick: Pick) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=pick.zone or UTC)
