"""Reads what an event earned."""

import re
from decimal import Decimal
from typing import Final

from onefold.errors import Problem

MOST_WHOLE_DIGITS: Final = 15
MOST_DECIMALS: Final = 18

_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


def revenue_of(properties: dict[str, object], warnings: list[Problem]) -> str | None:
    """`properties.revenue`, else `properties.total`, as a plain decimal number; None with a warning if it is none."""
    field = "revenue"
    said = properties.get(field)
    if said is None:
        field = "total"
        said = properties.get(field)
        if said is None:
            return None
    if type(said) is int and abs(said) < 10**MOST_WHOLE_DIGITS:
        return str(said)
    plain = _plain(said)
    if plain is None:
        warnings.append(
            Problem(
                "event.value_dropped",
                f"properties.{field} is not an amount and was not counted as revenue",
                "Send a plain number, as 12.50, and the currency in properties.currency.",
                f"properties.{field}",
            )
        )
    return plain


def _plain(said: object) -> str | None:
    if type(said) is float:
        text = repr(said)
        # repr writes a plain number unless it is very large or small.
        if "e" not in text and abs(said) < 10**MOST_WHOLE_DIGITS:
            return text.removesuffix(".0")
    elif type(said) is str:
        text = said.strip()
    else:
        return None
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    if number.adjusted() >= MOST_WHOLE_DIGITS or not isinstance(exponent, int) or exponent < -MOST_DECIMALS:
        return None
    return f"{number:f}"


def currency_of(properties: dict[str, object], warnings: list[Problem]) -> str | None:
    """`properties.currency` in upper case; None with a warning when it is not of three letters."""
    said = properties.get("currency")
    if said is None:
        return None
    currency = said.strip().upper() if isinstance(said, str) else ""
    if _CURRENCY.fullmatch(currency):
        return currency
    warnings.append(
        Problem(
            "event.value_dropped",
            "properties.currency is not a currency and was not counted",
            "Send the three letters of ISO 4217, as EUR.",
            "properties.currency",
        )
    )
    return None
