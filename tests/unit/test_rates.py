"""The file of rates between currencies, and every mistake in it by its line."""

from decimal import Decimal

import pytest

from onefold.errors import OnefoldError
from onefold.model import rates
from onefold.model.rates import Rates
from onefold.schema_files import schema_file


def test_rates_are_given_in_the_base_which_is_worth_one() -> None:
    found = rates.parse("base: EUR\nrates:\n  USD: 0.92\n  JPY: 0.00612345\n")
    assert found.base == "EUR"
    assert dict(found.declared) == {"EUR": Decimal(1), "USD": Decimal("0.92"), "JPY": Decimal("0.00612345")}
    assert "USD" in found
    assert "GBP" not in found
    assert None not in found


def test_none_are_declared_at_first() -> None:
    assert rates.load(schema_file("rates.yaml")) == Rates() == rates.parse("rates: {}")
    assert "EUR" not in Rates()


def test_other_rates_have_another_fingerprint() -> None:
    texts = ("rates: {}", "base: EUR", "base: EUR\nrates: {USD: 0.92}", "base: EUR\nrates: {USD: 0.93}", "base: USD")
    assert len({rates.parse(text).fingerprint for text in texts}) == len(texts)
    assert rates.parse(texts[2]).fingerprint == rates.parse("base: EUR\nrates: {USD: 0.920}").fingerprint


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("base: EUR\nrates:\n  usd: 1", "rates.usd", "line 3: rates.usd: \"usd\" is not a currency"),
        ("base: euro", "base", "line 1"),
        ("rates: {USD: 1}", "base", "this key is missing"),
        ("base: EUR\nrates: {USD: 0}", "rates.USD", "0 is out of range"),
        ("base: EUR\nrates: {USD: -1}", "rates.USD", "expected a number"),
        ("base: EUR\nrates: {USD: 1e3}", "rates.USD", "expected a number"),
        ("base: EUR\nrates: {USD: 1000000}", "rates.USD", "out of range"),
        ("base: EUR\nrates: {USD: 0.123456789}", "rates.USD", "out of range"),
        ("base: EUR\nrates: {EUR: 2}", "rates.EUR", "this is the base"),
        ("base: EUR\nrate: {}", "rate", "not a key that is known"),
        ("base: EUR\nrates: [1]", "rates", "expected keys with values"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_line(text: str, field: str, said: str) -> None:
    with pytest.raises(OnefoldError) as raised:
        rates.parse(text)
    assert (raised.value.code, raised.value.field) == ("rates.invalid", field)
    assert said in raised.value.message
