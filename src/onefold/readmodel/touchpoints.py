"""Touchpoints in questions to the read model: which of them a filter lets through, and what their properties say.

Everything here is a piece of SQL over a row of `internal.touchpoints`. Values never stand in it: `bind` takes each, and
gives the placeholder for it.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from onefold.model.reading import PropertyMatch, TouchpointFilter

Bind: TypeAlias = Callable[[Any], str]
"""Keeps a value and gives the placeholder (`$p3`) that stands for it."""

NUMBERS: Final = "('BIGINT', 'UBIGINT', 'DOUBLE')"
"""What DuckDB calls the types of JSON numbers."""
GREATEST: Final = 10**15
"""Numbers in properties are smaller than this, or are none: so that no sum of them can overflow."""
LARGEST_EXACT: Final = 2**63 - 1
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
    if not values:
        return "false"
    return f"coalesce({column} IN ({', '.join(map(bind, values))}), false)"


def _matches(wanted: PropertyMatch, bind: Bind, row: str) -> str:
    """Types are compared too: a text is no number, and null is not the same as a property that is not there."""
    path, value = bind(pointer(wanted.name)), wanted.value
    kind, text = f"json_type({row}.body, {path})", f"json_extract_string({row}.body, {path})"
    match value:
        case None:
            return f"coalesce({kind} = 'NULL', false)"
        case bool():
            return f"coalesce({kind} = 'BOOLEAN' AND {text} = {bind('true' if value else 'false')}, false)"
        case str():
            return f"coalesce({kind} = 'VARCHAR' AND {text} = {bind(value)}, false)"
    if isinstance(value, int) and abs(value) <= LARGEST_EXACT:
        equal = (
            f"CASE WHEN {kind} = 'DOUBLE' THEN TRY_CAST(TRY_CAST({text} AS DOUBLE) AS DECIMAL(38, 9)) = {bind(value)} "
            f"ELSE TRY_CAST({text} AS HUGEINT) = {bind(value)} END"
        )
    else:
        equal = f"TRY_CAST({text} AS DOUBLE) = {bind(float(value))}"
    return f"coalesce({kind} IN {NUMBERS} AND {equal}, false)"


def property_json(name: str, bind: Bind, row: str = "t") -> str:
    """A top-level property of the touchpoint `row` as compact JSON text; null when it is not there, or is null."""
    path = bind(pointer(name))
    return (
        f"CASE WHEN json_type({row}.body, {path}) <> 'NULL' THEN CAST(json_extract({row}.body, {path}) AS VARCHAR) END"
    )


def property_number(name: str, bind: Bind, row: str = "t") -> str:
    """A top-level property of the touchpoint `row` as DECIMAL(38, 9), rounded; null when it is no JSON number, or has
    more than 15 digits before its point."""
    path = bind(pointer(name))
    number = f"TRY_CAST(json_extract_string({row}.body, {path}) AS DECIMAL(38, 9))"
    return f"CASE WHEN json_type({row}.body, {path}) IN {NUMBERS} AND abs({number}) < {GREATEST} THEN {number} END"


def pointer(name: str) -> str:
    """Where a top-level property stands in the body: a JSON pointer (RFC 6901)."""
    return "/properties/" + name.replace("~", "~0").replace("/", "~1")
