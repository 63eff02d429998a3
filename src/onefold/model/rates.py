"""Rates between currencies, and `graph_schema/rates.yaml`: what lets amounts of several currencies be added up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Final

from onefold.model import yaml_file
from onefold.model.yaml_file import YamlNode, shown

CODE: Final = "rates.invalid"
KEYS: Final = ("base", "rates")
DECIMALS: Final = 8
BELOW: Final = 1_000_000

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_RATE: Final = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?")


@dataclass(frozen=True, slots=True)
class Rates:
    """What one unit of each currency is worth in the base, whose own rate is 1.

    Attributes:
        base: a currency; None: no rates are declared, and amounts of different currencies are never added up.
        declared: greater than 0 and less than a million, with at most eight decimals; the base is among them.
    """

    base: str | None = None
    declared: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))

    def __contains__(self, currency: str | None) -> bool:
        """Whether amounts of this currency can be converted."""
        return currency in self.declared

    @property
    def fingerprint(self) -> str:
        """A text that differs where the rates do."""
        return ",".join(f"{currency}={rate.normalize()}" for currency, rate in sorted(self.declared.items()))


def load(path: Path) -> Rates:
    """The rates declared in the file at `path`. Raises OnefoldError `rates.invalid`, with the line."""
    return _rates(yaml_file.load(path, CODE))


def parse(text: str, file: str = "rates.yaml") -> Rates:
    """The rates declared in `text`; `file` is its name in messages. Raises OnefoldError `rates.invalid`."""
    return _rates(yaml_file.parse(text, file, CODE))


def _rates(top: YamlNode) -> Rates:
    keys = top.mapping(KEYS)
    nodes = keys["rates"].mapping() if "rates" in keys else {}
    for code, node in nodes.items():
        _check_currency(code, node)
    declared = {code: _rate(node) for code, node in nodes.items()}
    if "base" not in keys:
        if declared:
            raise top.child("base").error("this key is missing", "Name the currency that the rates are given in.")
        return Rates()
    base = keys["base"].text()
    _check_currency(base, keys["base"])
    if declared.get(base, 1) != 1:
        raise nodes[base].error("this is the base, which is worth 1", "Leave it out.")
    return Rates(base, MappingProxyType({base: Decimal(1), **declared}))


def _check_currency(code: str, node: YamlNode) -> None:
    if not _CURRENCY.fullmatch(code):
        raise node.error(f'"{shown(code)}" is not a currency', "Write the three capital letters of ISO 4217, as EUR.")


def _rate(node: YamlNode) -> Decimal:
    text = node.text()
    if not _RATE.fullmatch(text):
        raise node.error(f'expected a number, found "{shown(text)}"', "Write it with a point, as 0.92.")
    rate = Decimal(text).normalize()
    exponent = rate.as_tuple().exponent
    if not 0 < rate < BELOW or not isinstance(exponent, int) or exponent < -DECIMALS:
        raise node.error(
            f"{shown(text)} is out of range", "It is greater than 0, less than a million, and has up to eight decimals."
        )
    return rate
