"""Amounts of money in several currencies: converted to the base, where rates are declared.

Amounts and bounds are rounded to nine decimals once they are converted.
"""

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from onefold.analytics.segments.sql.asked import Asked
from onefold.analytics.segments.sql.comparing import GREATEST, in_grains
from onefold.model.computed import ComputedTrait
from onefold.model.rates import Rates
from onefold.model.segments import MONEY, Comparison, ComputedTest, PropertyTest

ONE: Final = Decimal(1)


def rate_of(test: PropertyTest, rates: Rates) -> Decimal | None:
    """What the test's currency is worth in the base, if amounts in other currencies count too; None: they do not."""
    return rates.declared.get(test.currency) if test.property in MONEY and test.currency else None


def computed_rate(test: ComputedTest, trait: ComputedTrait, rates: Rates) -> Decimal | None:
    """The same of a test of a computed trait."""
    return rates.declared.get(test.currency) if trait.by_currency and test.currency else None


def converted(amount: str, asked: Asked) -> str:
    """What the touchpoint `t` has as `amount` (SQL), in the base; null where its currency has no rate. A product of
    amount and rate has 21 + 17 digits at most."""
    rates = asked.surroundings.rates.declared
    cases = " ".join(
        f"WHEN {asked.bind(code)} THEN CAST({asked.bind(rate)} AS DECIMAL(14, 8))" for code, rate in rates.items()
    )
    return f"CAST(TRY_CAST({amount} AS DECIMAL(24, 9)) * CASE t.currency {cases} END AS DECIMAL(38, 9))"


def in_base(comparison: Comparison, rate: Decimal | None) -> Comparison:
    """The comparison with its numbers converted; as it is without a rate."""
    if rate is None:
        return comparison
    said = {name: getattr(comparison, name) for name in comparison.__struct_fields__}
    return replace(comparison, **{name: _in_base(value, rate) for name, value in said.items()})


def _in_base(value: object, rate: Decimal) -> object:
    match value:
        case tuple():
            return tuple(_in_base(item, rate) for item in value)
        case int() | float() if not isinstance(value, bool):
            number = Decimal(repr(value))
            return number if abs(number) > GREATEST else in_grains(number * rate)
    return value
