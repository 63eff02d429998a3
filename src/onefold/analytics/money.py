"""Amounts of money, exact, each in its own currency."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec


class Money(msgspec.Struct, frozen=True):
    """What something brought in. `amount`: a plain decimal number; `currency`: None where nobody named it."""

    amount: str
    currency: str | None


def money(amounts: Mapping[str | None, Decimal]) -> tuple[Money, ...]:
    """Amounts by currency, in plain order, that without a currency last."""
    order = sorted(amounts, key=lambda currency: (currency is None, currency or ""))
    return tuple(Money(plain(amounts[currency]), currency) for currency in order)


def plain(number: Decimal) -> str:
    """A decimal number without an exponent and without zeros at its end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
