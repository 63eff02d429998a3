"""Mapping files: which column of a table becomes which part of an event. docs/importing.md describes them."""

import re
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from onefold.ingest.tables.csv_form import CsvForm, csv_form
from onefold.ingest.tables.words import flag_of
from onefold.model import yaml_file
from onefold.model.consents import LONGEST_PURPOSE, purpose_of
from onefold.model.namespaces import Namespaces
from onefold.model.yaml_file import YamlNode, suggestion

CODE: Final = "mapping.invalid"
EPOCHS: Final = ("seconds", "milliseconds")
"""Formats of a time that is a number, counted since 1970."""

_HEAD: Final = ("source", "type", "record", "timestamp", "event", "name", "channel", "identifiers", "traits")
KEYS: Final = (*_HEAD, "consents", "properties", "context", "nulls", "csv")
"""What a mapping may say."""
SOME_TIME: Final = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 (only to be written and read again)
PICK_KEYS: Final = ("column", "value", "as", "format", "timezone")
"""What it may say of a value."""


class RowType(StrEnum):
    """The types of events that rows may be."""

    IDENTIFY = "identify"
    TRACK = "track"
    PAGE = "page"
    SCREEN = "screen"


class Kind(StrEnum):
    """What the text in a cell is read as."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Pick:
    """Where a value comes from: a column, or a text that is the same in every row.

    Attributes:
        where: the place in the mapping file, to say what is wrong with it.
        kind: what a cell's text is read as; None takes a value as it is.
        format: of a time: as `datetime.strptime` has it, or one of EPOCHS; None for ISO 8601.
        zone: of a time that names none; None for UTC.
    """

    where: YamlNode
    column: str | None
    value: str | None = None
    kind: Kind | None = None
    format: str | None = None
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping.

    Attributes:
        text: the file, as it is written.
        source: who says it, if the file says so.
        record: the columns that tell a record from all others. version: what tells its versions apart.
        fields: `event`, `name`, `channel`. identifiers: by namespace, of which there may be several.
        groups: `traits`, `properties`, `context`, each with its names; those of `context` may hold points.
        consents: by purpose; each is read as a flag.
        nulls: texts that say nothing.
    """

    text: str
    source: str | None
    type: RowType
    record: tuple[Pick, ...]
    version: Pick | None
    timestamp: Pick
    fields: MappingOf[str, Pick]
    identifiers: tuple[tuple[str, Pick], ...]
    groups: MappingOf[str, MappingOf[str, Pick]]
    consents: MappingOf[str, Pick]
    nulls: frozenset[str]
    csv: CsvForm

    def picks(self) -> list[Pick]:
        """All of them."""
        found = [*self.record, self.timestamp, *self.fields.values(), *(pick for _, pick in self.identifiers)]
        found.extend(self.consents.values())
        found.extend(pick for group in self.groups.values() for pick in group.values())
        return [*found, self.version] if self.version else found


def load(path: Path, namespaces: Namespaces) -> Mapping:
    """The mapping in a file.

    Raises: OnefoldError `mapping.invalid`, with the line and the field, if it cannot be read or has a mistake.
    """
    return read(yaml_file.load(path, CODE), path.read_text(encoding="utf-8"), namespaces)


def read(top: YamlNode, text: str, namespaces: Namespaces) -> Mapping:
    """The mapping that stands in `text`, of which `top` is the top. Raises as `load` does."""
    keys = top.mapping(KEYS)
    kind = keys["type"].choice(RowType) if "type" in keys else RowType.IDENTIFY
    _check_fitting(keys, kind)
    _check_consents_once(keys)
    record, version = _record(keys, top, kind)
    source = keys["source"].text().strip() if "source" in keys else None
    if source == "":
        raise keys["source"].error("the source has no name")
    return Mapping(
        text=text,
        source=source,
        type=kind,
        record=record,
        version=version,
        timestamp=_timestamp(_needed(keys, top, "timestamp", "Name the column that says when it happened.")),
        fields={name: _pick(keys[name]) for name in ("event", "name", "channel") if name in keys},
        identifiers=_identifiers(
            _needed(keys, top, "identifiers", "Name the columns that people are known by."), namespaces
        ),
        groups={name: _group(keys[name]) for name in ("traits", "properties", "context") if name in keys},
        consents=_consents(keys["consents"]) if "consents" in keys else {},
        nulls=frozenset(item.text().strip() for item in keys["nulls"].items()) if "nulls" in keys else frozenset(),
        csv=csv_form(keys["csv"]) if "csv" in keys else CsvForm(),
    )


def _timestamp(node: YamlNode) -> Pick:
    pick = _pick(node)
    if pick.value is not None:
        try:
            datetime.fromisoformat(pick.value)
        except ValueError as error:
            said = f'"{yaml_file.shown(pick.value)}" is not a time'
            raise node.child("value").error(said, "Write ISO 8601, as 2026-03-01.") from error
    return pick


def _needed(keys: MappingOf[str, YamlNode], above: YamlNode, key: str, hint: str) -> YamlNode:
    if key not in keys:
        raise above.child(key).error("this key is missing", hint)
    return keys[key]


def _check_fitting(keys: MappingOf[str, YamlNode], kind: RowType) -> None:
    """Fields that say nothing on this type of event are mistakes."""
    fits = {
        "traits": kind is RowType.IDENTIFY,
        "event": kind is RowType.TRACK,
        "name": kind in {RowType.PAGE, RowType.SCREEN},
    }
    for key, fitting in fits.items():
        if key in keys and not fitting:
            hint = "Put what is worth keeping under properties." if key == "traits" else None
            raise keys[key].error(f"{key} says nothing where the type is {kind}", hint)


def _check_consents_once(keys: MappingOf[str, YamlNode]) -> None:
    """Of two ways to say what was agreed to, one would get lost."""
    if "consents" in keys and "context" in keys:
        for name, node in keys["context"].mapping().items():
            if name.split(".")[0] == "consent":
                raise node.error("consents are named already", "Put it under consents.")


def _record(keys: MappingOf[str, YamlNode], top: YamlNode, kind: RowType) -> tuple[tuple[Pick, ...], Pick | None]:
    if "record" not in keys:
        if kind is RowType.IDENTIFY:
            raise top.child("record").error("this key is missing", "Name the column that numbers the records: {id: …}.")
        return (), None
    node = keys["record"]
    said = node.mapping(("id", "version"))
    columns = _several(_needed(said, node, "id", "Name the column that numbers the records."))
    return columns, _column(said["version"]) if "version" in said else None


def _identifiers(node: YamlNode, namespaces: Namespaces) -> tuple[tuple[str, Pick], ...]:
    known = [namespace.name for namespace in namespaces]
    found = [(name, pick) for name, child in node.mapping(known).items() for pick in _several(child)]
    if not found:
        raise node.error("no identifier is named", suggestion("", known))
    return tuple(found)


def _group(node: YamlNode) -> dict[str, Pick]:
    return {name: _pick(child) for name, child in node.mapping().items()}


def _consents(node: YamlNode) -> dict[str, Pick]:
    found = {}
    for purpose, child in node.mapping().items():
        if purpose_of(purpose) is None:
            raise child.error("this is no purpose", f"Name it in 1 to {LONGEST_PURPOSE} characters, as in marketing.")
        pick = _pick(child)
        if pick.kind not in {None, Kind.FLAG}:
            raise child.child("as").error("a consent is given or not", "Leave this out: it is read as a flag.")
        if pick.value is not None and flag_of(pick.value) is None:
            said = yaml_file.shown(pick.value)
            raise child.child("value").error(f'"{said}" is neither yes nor no', "Write yes or no.")
        found[purpose] = replace(pick, kind=Kind.FLAG)
    return found


def _several(node: YamlNode) -> tuple[Pick, ...]:
    """One column or a list of them."""
    return tuple(map(_pick, node.items())) if node.is_list else (_pick(node),)


def _column(node: YamlNode) -> Pick:
    """A column by its name alone."""
    name = node.text().strip()
    if not name:
        raise node.error("the column has no name")
    return Pick(node, name)


def _pick(node: YamlNode) -> Pick:
    if not node.is_mapping:
        return _column(node)
    keys = node.mapping(PICK_KEYS)
    if ("column" in keys) == ("value" in keys):
        raise node.error("it takes either a column or a value", "Write {column: NAME}, or {value: TEXT}.")
    if "value" in keys:
        if len(keys) > 1:
            raise node.error("a value is taken as it is", "Leave the other keys out.")
        return Pick(node, None, keys["value"].text())
    kind = keys["as"].choice(Kind) if "as" in keys else None
    return Pick(
        node,
        _column(keys["column"]).column,
        None,
        kind,
        _format(keys["format"]) if "format" in keys else None,
        _zone(keys["timezone"]) if "timezone" in keys else None,
    )


def _format(node: YamlNode) -> str:
    said = node.text()
    if said not in EPOCHS and "%" not in said:
        hint = f"Write it as in %d.%m.%Y %H:%M, or {' or '.join(EPOCHS)}; leave it out for ISO 8601."
        raise node.error(f'"{yaml_file.shown(said)}" is no format of times', hint)
    try:
        datetime.strptime(SOME_TIME.strftime(said), said)  # noqa: DTZ007 (only whether it can be read counts)
    except (ValueError, re.error) as error:
        raise node.error(f'"{yaml_file.shown(said)}" is no format of times', f"{error}.") from error
    return said


def _zone(node: YamlNode) -> tzinfo:
    said = node.text()
    try:
        return ZoneInfo(said)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise node.error(
            f'"{yaml_file.shown(said)}" is no time zone that is known here',
            "Name one as in Europe/Berlin or UTC; where none is known, install tzdata.",
        ) from None
