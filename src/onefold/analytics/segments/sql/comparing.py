"""Comparisons of one value, as conditions on a row that holds it. They are never null.

Numbers are compared with numbers, times with times, other texts with other texts by code point, never across.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Final

import msgspec

from onefold.model.claims import canonical_json
from onefold.model.moments import moment_ms
from onefold.model.segments import Bound, Comparison
from onefold.readmodel.touchpoints import Bind

GRAIN: Final = Decimal("1e-9")
GREATEST: Final = Decimal(10) ** 28
"""No sum is as large, so a larger bound says no more than this one."""
ROUNDING: Final = {">": ROUND_FLOOR, ">=": ROUND_CEILING, "<": ROUND_CEILING, "<=": ROUND_FLOOR}


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A value as SQL over one row; an expression is null where the value is of another kind, None: it never is of it.

    Attributes:
        json: as JSON text. canonical: whether it is written as `canonical_json` does.
        number: as a number; exact: which is whole, or a DECIMAL of nine decimals, not a DOUBLE.
        text: as a text. time_ms: as a time; such texts are not compared as texts then.
    """

    json: str | None = None
    canonical: bool = False
    number: str | None = None
    exact: bool = False
    text: str | None = None
    time_ms: str | None = None


def condition(asked: Comparison, value: Value, bind: Bind) -> str:
    """Whether a value that is there meets the comparison."""
    told = [] if asked.exists is not False else ["false"]
    if asked.is_ is not None:
        told.append(_equal(asked.is_, value, bind))
    if asked.is_not is not None:
        told.append(f"NOT {_equal(asked.is_not, value, bind)}")
    if asked.in_ is not None:
        told.append(_any(asked.in_, value, bind))
    if asked.contains is not None:
        told.append(_text("contains({text}, {bound})", asked.contains, value, bind))
    if asked.starts_with is not None:
        told.append(_text("starts_with({text}, {bound})", asked.starts_with, value, bind))
    for sign, bound in bounds(asked):
        told.append(_ordered(value, sign, bound, bind))
    return " AND ".join(told) if told else "true"


def bounds(asked: Comparison) -> list[tuple[str, Bound]]:
    """The orderings asked for, each with its sign."""
    said = ((">", asked.above), (">=", asked.at_least), ("<", asked.below), ("<=", asked.at_most))
    return [(sign, bound) for sign, bound in said if bound is not None]


def met_without(asked: Comparison) -> bool:
    """Whether who has no such value meets it: only `exists: false`, and nothing besides."""
    return asked == Comparison(exists=False)


def met_by_zero(asked: Comparison) -> bool:
    """Whether the number 0 meets it."""
    told = [asked.exists is not False, asked.contains is None, asked.starts_with is None]
    told.append(asked.is_ is None or _is_zero(asked.is_))
    told.append(asked.is_not is None or not _is_zero(asked.is_not))
    told.append(asked.in_ is None or any(map(_is_zero, asked.in_)))
    for sign, bound in bounds(asked):
        told.append(not isinstance(bound, str) and ((bound < 0) if sign[0] == ">" else (bound > 0)))
        if sign in {">=", "<="} and bound == 0:
            told[-1] = True
    return all(told)


def _is_zero(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and value == 0


def _any(wanted: tuple[object, ...], value: Value, bind: Bind) -> str:
    if not wanted:
        return "false"
    if value.json and value.canonical:
        return f"{value.json} IN ({', '.join(bind(canonical_json(item)) for item in wanted)})"
    return f"({' OR '.join(_equal(item, value, bind) for item in wanted)})"


def _equal(wanted: object, value: Value, bind: Bind) -> str:
    if value.json and value.canonical:
        return f"({value.json} = {bind(canonical_json(wanted))})"
    if isinstance(wanted, str):
        return _text("{text} = {bound}", wanted, value, bind)
    if isinstance(wanted, int | float | Decimal) and not isinstance(wanted, bool):
        return _number(value, "=", wanted, bind)
    return f"coalesce({value.json} = {bind(canonical_json(wanted))}, false)" if value.json else "false"


def _ordered(value: Value, sign: str, bound: Bound, bind: Bind) -> str:
    if not isinstance(bound, str):
        return _number(value, sign, bound, bind)
    if value.time_ms is None:
        return _text(f"{{text}} {sign} {{bound}}", bound, value, bind)
    at_ms = moment_ms(bound)
    if at_ms is not None:
        return f"coalesce({value.time_ms} {sign} {bind(at_ms)}, false)"
    return _text(f"CASE WHEN {value.time_ms} IS NULL THEN {{text}} {sign} {{bound}} END", bound, value, bind)


def _text(question: str, bound: str, value: Value, bind: Bind) -> str:
    """`question`: with places for `text` and `bound`."""
    return f"coalesce({question.format(text=value.text, bound=bind(bound))}, false)" if value.text else "false"


def _number(value: Value, sign: str, bound: float | Decimal, bind: Bind) -> str:
    if value.number is None:
        return "false"
    if not value.exact:
        return f"coalesce({value.number} {sign} {bind(float(bound))}, false)"
    exact = max(-GREATEST, min(GREATEST, bound if isinstance(bound, Decimal) else Decimal(repr(bound))))
    grained = in_grains(exact, ROUNDING.get(sign))
    if sign == "=" and exact != grained:
        return "false"
    return f"coalesce({value.number} {sign} CAST({bind(grained)} AS DECIMAL(38, 9)), false)"


def in_grains(number: Decimal, rounding: str | None = None) -> Decimal:
    """The number in nine decimals; rounded half-even if nothing else is said."""
    with localcontext(prec=60):
        return number.quantize(GRAIN, rounding)
