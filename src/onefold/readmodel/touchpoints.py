"""Touchpoints in questions to the read model: which of them a filter lets through, and what their properties say.

Everything here is a piece of SQL over a row of `internal.touchpoints`. Values never stand in it: `bind` takes each, and
gives the placeholder for it.
"""

import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from onefold.model.reading import PropertyMatch, TouchpointFilter

Bind: TypeAlias = Callable[[Any], str]
"""Keeps a value and gives the placeholder (`$p3`) that stands for it."""

JOURNEYS: Final = (
    "SELECT i.customer, t.* FROM internal.touchpoints t JOIN internal.identifiers i ON i.number = t.subject "
    "WHERE i.customer <> 0"
)
PLACE: Final = "CAST(t.at_ms AS HUGEINT) * 18446744073709551616 + t.number"
"""The place of the touchpoint `t` in its journey, (at_ms, number), as one number."""


class Parameters:
    """The values of one statement's parameters, by name: `bind` for pieces of SQL, `values` for DuckDB."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        """None yet."""
        self.values: Final[dict[str, Any]] = {}

    def bind(self, value: Any) -> str:
        """Keep a value; -> its placeholder."""
        name = f"p{len(self.values) + 1}"
        self.values[name] = value
        return f"${name}"


def journeys(among: str | None = None) -> str:
    """Every touchpoint and whose it is, in parentheses: the columns of `internal.touchpoints`, and `customer`.

    `among`: a relation with a column `customer`, by its name or as a query in parentheses: only these customers'.
    """
    only = "" if among is None else f" AND i.customer IN (SELECT customer FROM {among})"
    return f"({JOURNEYS}{only})"


def literal(value: object) -> str:
    """A text or a number as it stands in SQL: the `bind` of a view, which has no parameters."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"CAST('{value!r}' AS DOUBLE)" if isinstance(value, float) else str(value)


def condition(wanted: TouchpointFilter, bind: Bind, row: str = "t") -> str:
    """Whether a filter lets the touchpoint `row` through. Never null. An empty list lets nothing through."""
    asked = [
        _any(f"{row}.{column}", values, bind)
        for column, values in (
            ("type", wanted.types),
            ("name", wanted.names),
            ("channel", wanted.channels),
            ("campaign", wanted.campaigns),
        )
        if values is not None
    ]
    if wanted.after_ms is not None:
        asked.append(f"{row}.at_ms >= {bind(wanted.after_ms)}")
    if wanted.before_ms is not None:
        asked.append(f"{row}.at_ms < {bind(wanted.before_ms)}")
    asked += [_matches(match, bind, row) for match in wanted.properties]
    return " AND ".join(asked) if asked else "true"


def _any(column: str, values: tuple[str, ...], bind: Bind) -> str:
    """As a scan of the column can look for them itself, which it does not inside a function."""
    if not values:
        return "false"
    return f"({column} IN ({', '.join(map(bind, values))}) AND {column} IS NOT NULL)"


def _matches(wanted: PropertyMatch, bind: Bind, row: str) -> str:
    """Types are compared too: a text is no number, and null is not the same as a property that is not there."""
    said, value = _said(wanted.name, bind, row), wanted.value
    match value:
        case None:
            return f"coalesce({said} = 'null', false)"
        case bool():
            return f"coalesce({said} = '{'true' if value else 'false'}', false)"
        case str():
            # However the text is written in JSON, letters and digits stand for themselves: looking for them is cheap.
            first = f"contains({row}.body, {bind(value)}) AND " if value.isascii() and value.isalnum() else ""
            return f"({first}coalesce({said} = CAST(to_json(CAST({bind(value)} AS VARCHAR)) AS VARCHAR), false))"
    return f"coalesce({_equals(said, value, bind)}, false)"


def _equals(said: str, value: float, bind: Bind) -> str:
    """Exactly: whole numbers by their digits, others, which have a point or an exponent, as doubles."""
    told = []
    if isinstance(value, int) or value.is_integer():
        told.append(f"{said} = {bind(str(int(value)))}")
    nearest = _double(value)
    if nearest == value:
        told.append(f"(TRY_CAST({said} AS DOUBLE) = {bind(nearest)} AND ({said} LIKE '%.%' OR {said} LIKE '%e%'))")
    return " OR ".join(told)


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _said(name: str, bind: Bind, row: str) -> str:
    """A top-level property of the touchpoint `row` as JSON text; null when it is not there."""
    return f"CAST(json_extract({row}.body, {bind(pointer(name))}) AS VARCHAR)"


def property_json(name: str, bind: Bind, row: str = "t") -> str:
    """A top-level property of the touchpoint `row` as compact JSON text, 1.0 as 1; null when it is not there, or is
    null."""
    return f"regexp_replace(nullif({_said(name, bind, row)}, 'null'), '\\.0$', '')"


def property_number(name: str, bind: Bind, row: str = "t") -> str:
    """A top-level property of the touchpoint `row` as a DECIMAL of nine decimals, rounded; null when it is no JSON
    number, or has more than 15 digits before its point: so no sum of them overflows."""
    return f"TRY_CAST({_said(name, bind, row)} AS DECIMAL(24, 9))"


def pointer(name: str) -> str:
    """Where a top-level property stands in the body: a JSON pointer (RFC 6901)."""
    return "/properties/" + name.replace("~", "~0").replace("/", "~1")
