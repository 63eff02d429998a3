"""Rows of tables, made events by a mapping: they take the same way in as any other event."""

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from onefold.errors import Problem
from onefold.ingest.decode import Decoded, Decoder, Rejected
from onefold.ingest.pipeline import now_ms
from onefold.ingest.tables.cells import Cells
from onefold.ingest.tables.mapping import Mapping, Pick, RowType
from onefold.model.sources import Source
from onefold.model.yaml_file import suggestion

_NAMED: Final = 50


class Row(NamedTuple):
    """A row: its cells, in the order of the columns; or what is wrong with it, and what stands there."""

    cells: Sequence[object]
    problem: Problem | None = None
    raw: bytes = b""


class Cell(NamedTuple):
    """Where a value stands in a row: in the cell of this number, or in the pick itself when that is -1."""

    place: int
    pick: Pick

    def of(self, cells: Sequence[object]) -> object:
        """The value in a row."""
        return cells[self.place] if self.place >= 0 else self.pick.value


class RowDecoder:
    """Makes events of rows.

    The message id of a row is its record and its version, so that the same version again is a duplicate. The version is
    the one the mapping names, else the time of the row, else a hash of what it says.
    """

    def __init__(self, mapping: Mapping, columns: Sequence[str], decoder: Decoder, source: Source) -> None:
        """Raises: OnefoldError `mapping.invalid` when the table has no such columns."""
        self._mapping: Final = mapping
        self._decoder: Final = decoder
        self._source: Final = source
        self._cells: Final = Cells(mapping.nulls, mapping.csv.decimal)
        self._places: Final = _places(columns)
        self._columns: Final = columns
        self._record: Final = [self._cell(pick) for pick in mapping.record]
        self._version: Final = self._cell(mapping.version) if mapping.version else None
        self._time: Final = self._cell(mapping.timestamp)
        self._fields: Final = [(name, self._cell(pick)) for name, pick in mapping.fields.items()]
        self._identifiers: Final = [(name, self._cell(pick)) for name, pick in mapping.identifiers]
        self._groups: Final = {
            group: [(name, self._cell(pick)) for name, pick in picks.items()] for group, picks in mapping.groups.items()
        }
        self._consents: Final = [(purpose, self._cell(pick)) for purpose, pick in mapping.consents.items()]

    def __call__(self, row: Row) -> Decoded | Rejected:
        """The event that a row is."""
        if row.problem:
            return Rejected(row.problem, self._source, None, (), row.raw)
        warnings: list[Problem] = []
        said = self._said(row.cells, warnings)
        hashed = blake2b(_json(said), digest_size=8).digest()
        event = {**said, "timestamp": self._cells.moment(self._time.of(row.cells), self._time.pick)}
        event["messageId"] = self._message_id(row.cells, hashed)
        item = self._decoder.decode_line(_json(event), self._source, now_ms())
        if warnings:
            item = msgspec.structs.replace(item, warnings=(*warnings, *item.warnings))
        if isinstance(item, Decoded) and self._time.place < 0:
            # A time that stands in no column is the export's: the same record in a later one says nothing new.
            item = msgspec.structs.replace(item, event=msgspec.structs.replace(item.event, content=hashed))
        return item

    def _said(self, cells: Sequence[object], warnings: list[Problem]) -> dict[str, Any]:
        """All of the event but its time and its message id."""
        value = self._cells.value
        event: dict[str, Any] = {"type": self._mapping.type.value}
        for name, cell in self._fields:
            said = value(cell.of(cells), cell.pick, name, warnings)
            if said is not None:
                event[name] = str(said)
        event["identifiers"] = [
            {"namespace": namespace, "value": said}
            for namespace, cell in self._identifiers
            if (said := value(cell.of(cells), cell.pick, f"identifiers.{namespace}", warnings)) is not None
        ]
        for group, named in self._groups.items():
            held: dict[str, object] = {}
            for name, cell in named:
                said = value(cell.of(cells), cell.pick, f"{group}.{name}", warnings)
                if said is not None:
                    _put(held, name.split(".") if group == "context" else [name], said)
            if held:
                event[group] = held
        if consents := self._agreed(cells, warnings):
            _put(event, ("context", "consent"), consents)
        return event

    def _agreed(self, cells: Sequence[object], warnings: list[Problem]) -> dict[str, object]:
        """What the person agreed to, or did not, by purpose; where the row does not say so, nothing."""
        said = {
            purpose: self._cells.value(cell.of(cells), cell.pick, f"consents.{purpose}", warnings)
            for purpose, cell in self._consents
        }
        return {purpose: given for purpose, given in said.items() if given is not None}

    def _message_id(self, cells: Sequence[object], hashed: bytes) -> str | None:
        """None when the row does not say which record it is."""
        parts = [self._cells.text(cell.of(cells)) for cell in self._record]
        named = [_escaped(part, "|") for part in parts if part is not None]
        if not named or len(named) < len(parts):
            return None
        version = self._version and self._cells.text(self._version.of(cells))
        if version is None and self._mapping.type is not RowType.IDENTIFY:
            return "|".join(named)
        if version is None and self._time.place >= 0:
            version = self._cells.text(self._time.of(cells))
        return f"{'|'.join(named)}@{_escaped(version or hashed.hex(), '@')}"

    def _cell(self, pick: Pick) -> Cell:
        if pick.column is None:
            return Cell(-1, pick)
        found = self._places.get(pick.column, [])
        if len(found) == 1:
            return Cell(found[0], pick)
        if found:
            raise pick.where.error(
                f'the table has {len(found)} columns "{pick.column}"', "Give each a name of its own."
            )
        hint = suggestion(pick.column, [column for column in self._columns[:_NAMED] if column])
        raise pick.where.error(
            f'the table has no column "{pick.column}"', f"{hint} A text for every row is written {{value: TEXT}}."
        )


def _places(columns: Sequence[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, column in enumerate(columns):
        places.setdefault(column, []).append(place)
    return places


def _put(held: dict[str, Any], path: Sequence[str], value: object) -> None:
    """Put a value under keys, one inside the other; what stands in the way of a key stays."""
    for key in path[:-1]:
        inner = held.setdefault(key, {})
        if not isinstance(inner, dict):
            return
        held = inner
    held.setdefault(path[-1], value)


def _escaped(text: str, mark: str) -> str:
    return text.replace("\\", "\\\\").replace(mark, f"\\{mark}")


def _json(event: object) -> bytes:
    try:
        return orjson.dumps(event)
    except orjson.JSONEncodeError:
        # Half a character, or a number beyond 64 bits: decoding drops or mends it, and says so.
        return json.dumps(event).encode()
