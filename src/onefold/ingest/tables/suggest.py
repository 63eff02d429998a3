"""Writes a first mapping for a table, from the names of its columns and what stands in its first rows.

It is a guess, for people to look through. No value of the table stands in it: mappings are kept with code.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Final

from onefold.ingest.tables import words
from onefold.ingest.tables.cells import plain
from onefold.ingest.tables.csv_form import TAB, Decimal
from onefold.ingest.tables.guesses import DAY_FIRST, MONTH_FIRST, Looks, decimal_of, looks, time_formats
from onefold.ingest.tables.words import snake, word_of
from onefold.model.namespaces import Kind, Namespace, Namespaces

LOOKED_AT: Final = 1_000
"""Rows."""
_BARE: Final = re.compile(r"[^\W\d_][\w .-]*(?<![ .-])")
_CONTACTS: Final = ("email", "phone")
_ZONE: Final = "times that name no zone are taken as UTC, unless you add timezone: Europe/Berlin"


class Column:
    """A column as the first rows show it.

    Attributes:
        name: as the table has it. word: its letters and digits.
        formats: in which its texts are times. zoned: whether these times name their zone.
        complete: whether every row has one of its own.
    """

    def __init__(self, name: str, cells: Sequence[object]) -> None:
        """What the cells say, those that say nothing left out."""
        self.name: Final = name
        self.word: Final = word_of(name)
        said = (plain(cell) for cell in cells)
        self.texts: Final = [text for value in said if value is not None and (text := str(value).strip())]
        self.typed: Final = any(isinstance(cell, bool | int | float) for cell in cells)
        self.formats: Final = time_formats(self.texts)
        self.zoned: Final = self.formats in (["seconds"], ["milliseconds"]) or (
            self.formats == [None] and all(datetime.fromisoformat(text).tzinfo for text in self.texts)
        )
        self.complete: Final = len(set(self.texts)) == len(cells) > 0


def suggest(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    namespaces: Namespaces,
    *,
    source: str,
    delimiter: str | None,
    today: date,
) -> str:
    """A mapping file.

    Args:
        columns: their names. rows: the first ones.
        source: who says it. delimiter: what parts the columns of a CSV file, None for another.
        today: the time of rows of which no column tells one.
    """
    held = list(rows)
    known = [Column(name, [row[place] for row in held]) for place, name in enumerate(columns)]
    usable = [column for column in known if column.name.isprintable() and list(columns).count(column.name) == 1]
    left_out = [column.name for column in known if column not in usable]
    return _Suggestion([column for column in usable if column.name], namespaces, delimiter).text(
        source, today, left_out
    )


class _Suggestion:
    def __init__(self, columns: Sequence[Column], namespaces: Namespaces, delimiter: str | None) -> None:
        self._columns: Final = columns
        self._left: Final = list(columns)
        self._namespaces: Final = namespaces
        self._delimiter: Final = delimiter
        self._numbered: Column | None = None
        self._tracked: Final = any(column.word in words.EVENTS for column in columns)
        told = {decimal_of(column.texts) for column in columns if not column.formats} - {None}
        self._decimal: Final = Decimal.COMMA if told == {Decimal.COMMA} else Decimal.POINT

    def text(self, source: str, today: date, left_out: Sequence[str]) -> str:
        identifiers = self._identifiers()
        lines = [
            "# A first mapping, made of the names of the columns and their first rows: look it through.",
            "# What may stand here is described in docs/importing.md.",
            *(f"# Left out, as its name is nothing, stands twice or cannot be written: {name!r}" for name in left_out),
            f"source: {_quoted(source)}",
            f"type: {'track' if self._tracked else 'identify'}",
            *self._record(identifiers),
            *self._timestamp(today),
            *self._event(),
            "identifiers:"
            if identifiers
            else "identifiers: {}  # no column looks like one: name those that people are known by",
            *self._identifier_lines(identifiers),
            *self._rest(identifiers),
            *self._csv(),
        ]
        return "\n".join(lines) + "\n"

    def _take(self, wanted: Callable[[Column], bool]) -> Column | None:
        """The first column that is left and wanted; it is left no more."""
        found = next(filter(wanted, self._left), None)
        if found is not None:
            self._left.remove(found)
        return found

    def _identifiers(self) -> dict[str, list[Column]]:
        """The columns of each namespace."""
        found: dict[str, list[Column]] = {}
        for namespace in self._namespaces:
            while column := self._take(partial(self._names, namespace)):
                found.setdefault(namespace.name, []).append(column)
        while "email" in self._namespaces and (column := self._take(self._holds_addresses)):
            found.setdefault("email", []).append(column)
        people = self._people()
        if people and not self._tracked and not any(namespace.name in found for namespace in people):
            self._numbered = self._take(lambda column: column.word in words.RECORD_IDS and column.complete)
        return found

    def _names(self, namespace: Namespace, column: Column) -> bool:
        """Whether a column holds identifiers of a namespace. A `customer` may be a number, a name, or a kind."""
        if column.word not in {word_of(namespace.name), *words.NAMESPACES.get(namespace.name, ())}:
            return False
        if namespace.kind is not Kind.PERSON:
            return True
        differ = len(set(column.texts)) * 2 >= len(column.texts)
        return (differ or self._tracked) and not any(" " in text for text in column.texts)

    def _holds_addresses(self, column: Column) -> bool:
        """Whether a column, however it is called, holds e-mail addresses of customers. Those of the people who serve
        them stand in many rows: taken for theirs, they would make one customer of many."""
        if looks(column.texts, self._decimal) is not Looks.EMAIL or any(word in column.word for word in words.SERVING):
            return False
        return len(set(column.texts)) == len(column.texts)

    def _people(self) -> list[Namespace]:
        """The namespaces of persons; a record of the CRM first."""
        people = [namespace for namespace in self._namespaces if namespace.kind is Kind.PERSON]
        return sorted(people, key=lambda namespace: namespace.name != "crm_id")

    def _looks_like_email(self, column: Column) -> bool:
        return looks(column.texts, self._decimal) is Looks.EMAIL

    def _record(self, identifiers: dict[str, list[Column]]) -> list[str]:
        if self._tracked:
            found = self._take(lambda column: column.word in words.ROW_IDS and column.complete)
            return [f"record: {{id: {_quoted(found.name)}}}"] if found else []
        people = [column for namespace in self._people() for column in identifiers.get(namespace.name, ())]
        numbering = [column for column in (*people, *self._columns) if column.complete and not column.formats]
        if numbering:
            return [f"record: {{id: {_quoted(numbering[0].name)}}}"]
        return [
            'record: {id: ""}  # no column has a value of its own in every row: name those that do together, in a list'
        ]

    def _timestamp(self, today: date) -> list[str]:
        order = (*words.HAPPENED, *words.CHANGED) if self._tracked else (*words.CHANGED, *words.HAPPENED)
        timely = [column for column in self._left if column.formats and column.word in order]
        if timely:
            found = min(timely, key=lambda column: order.index(column.word))
            self._left.remove(found)
            return [f"timestamp: {_time(found)}", *([] if found.zoned else [f"# {_ZONE}"])]
        return [
            "# No column says when a row was written, so all are of the day of the export: set it anew for each.",
            f"timestamp: {{value: {today.isoformat()}}}",
        ]

    def _event(self) -> list[str]:
        found = self._take(lambda column: column.word in words.EVENTS) if self._tracked else None
        return [f"event: {_quoted(found.name)}"] if found else []

    def _identifier_lines(self, identifiers: dict[str, list[Column]]) -> list[str]:
        return [
            *self._numbering(),
            *(
                f"  {name}: {_quoted(found[0].name)}"
                if len(found) == 1
                else f"  {name}: [{', '.join(_quoted(column.name) for column in found)}]"
                for name, found in identifiers.items()
            ),
        ]

    def _numbering(self) -> list[str]:
        """What numbers the rows of a table of people may identify them; but if another table begins at 1 too, that
        would make one customer of two."""
        if self._numbered is None:
            return []
        name = self._people()[0].name
        return [
            f"  # {name}: {_quoted(self._numbered.name)}  # if these are numbers of your CRM, and of no other table"
        ]

    def _rest(self, identifiers: dict[str, list[Column]]) -> list[str]:
        """What is neither an identifier nor a time; of a person, how they are reached is worth showing too."""
        held: dict[str, str] = {}
        if not self._tracked:
            held |= {name: _quoted(identifiers[name][0].name) for name in _CONTACTS if name in identifiers}
        known = words.PROPERTIES if self._tracked else words.TRAITS
        for column in self._left:
            name = next((known_as for known_as, named in known.items() if column.word in named), "")
            name = _unused(name or snake(column.name), held)
            held[name] = self._value(column)
        group = "properties" if self._tracked else "traits"
        return [f"{group}:", *(f"  {name}: {said}" for name, said in held.items())] if held else []

    def _value(self, column: Column) -> str:
        """A column, and what its texts are read as."""
        if column.typed:
            return _quoted(column.name)
        if column.formats and column.formats != [None] and column.formats[0] and "%" in column.formats[0]:
            return _time(column, ", as: time")
        kind = looks(column.texts, self._decimal)
        if kind in {Looks.NUMBER, Looks.FLAG}:
            return f"{{column: {_quoted(column.name)}, as: {kind.name.lower()}}}"
        return _quoted(column.name)

    def _csv(self) -> list[str]:
        if self._delimiter is None:
            return []
        said = TAB if self._delimiter == "\t" else json.dumps(self._delimiter)
        decimal = f', decimal: "{self._decimal}"' if self._decimal is Decimal.COMMA else ""
        return [f"csv: {{delimiter: {said}{decimal}}}"]


def _time(column: Column, more: str = "") -> str:
    """A column of times, and how they are written; where days and months may be taken for each other, that too."""
    form = column.formats[0]
    if form is None:
        return _quoted(column.name) if not more else f"{{column: {_quoted(column.name)}{more}}}"
    said = f"{{column: {_quoted(column.name)}{more}, format: {json.dumps(form)}}}"
    doubtful = {_order(found) for found in column.formats} >= {DAY_FIRST, MONTH_FIRST}
    return f"{said}  # or is the month first?" if doubtful else said


def _order(form: str | None) -> tuple[str, ...] | None:
    day = (form or "").partition(" ")[0]
    return next((order for order in (DAY_FIRST, MONTH_FIRST) if day in order), None)


def _unused(name: str, held: Collection[str]) -> str:
    """The name, with a number where it is taken."""
    number = 2
    tried = name
    while tried in held:
        tried = f"{name}_{number}"
        number += 1
    return tried


def _quoted(text: str) -> str:
    """A text as YAML has it: bare where that can be read as nothing else."""
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
