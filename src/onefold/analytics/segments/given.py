"""A piece of a rule as somebody gave it, which knows where it stands.

Every reading method raises OnefoldError `segment.invalid` with the place as its field: `rule.all[1].trait.above`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from onefold.errors import OnefoldError
from onefold.model.segments import MOST_VALUES
from onefold.model.yaml_file import shown, suggestion

CODE: Final = "segment.invalid"
LONGEST_TEXT: Final = 4_096
AMOUNT_BELOW: Final = 10**15
AMOUNT_DECIMALS: Final = 9
_GREATEST_WHOLE: Final = 2**64 - 1
_DEEPEST_VALUE: Final = 20
_LATEST_MS: Final = 253_402_300_799_999


@dataclass(frozen=True, slots=True)
class Given:
    """A decoded JSON value, and its place."""

    value: object
    path: str

    def error(self, mistake: str, hint: str | None = None) -> OnefoldError:
        """The error to raise for a mistake made here; `mistake` is a sentence without a full stop."""
        return OnefoldError(CODE, f"{self.path}: {mistake}", hint, self.path)

    def keys(self, known: Collection[str]) -> dict[str, "Given"]:
        """What is given by its keys; null says that a key is not given."""
        if not isinstance(self.value, dict):
            raise self.error(f"expected keys with values, found {_found(self.value)}", f"Known are {', '.join(known)}.")
        for key in self.value:
            if not isinstance(key, str) or key not in known:
                raise self.error(f'"{shown(str(key))}" is not a key that is known here', suggestion(str(key), known))
        return {key: Given(self.value[key], f"{self.path}.{key}") for key in known if self.value.get(key) is not None}

    def items(self, most: int = MOST_VALUES) -> list["Given"]:
        """The items of a list."""
        if not isinstance(self.value, list | tuple):
            raise self.error(f"expected a list, found {_found(self.value)}")
        if len(self.value) > most:
            raise self.error(f"the list has {len(self.value)} items, more than {most}")
        return [Given(item, f"{self.path}[{index}]") for index, item in enumerate(self.value)]

    def text(self) -> str:
        """A text of at most 4,096 characters."""
        if not isinstance(self.value, str):
            raise self.error(f"expected a text, found {_found(self.value)}", "Put it in quotes if it is one.")
        if len(self.value) > LONGEST_TEXT:
            raise self.error(f"the text is longer than {LONGEST_TEXT:,} characters")
        _check_characters(self, self.value)
        return self.value

    def name(self) -> str:
        """A text that is not empty."""
        text = self.text()
        if not text.strip():
            raise self.error("the name is empty")
        return text

    def texts(self) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(item.text() for item in self.items())

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.error(f"expected true or false, found {_found(self.value)}")
        return self.value

    def whole(self, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        value = self.value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(f"expected a whole number, found {_found(self.value)}")
        if not least <= value <= most:
            raise self.error(f"{shown(str(value))} is out of range", f"It may be from {least} to {most}.")
        return value

    def number(self) -> int | float:
        """A finite number; whole numbers of more than 64 bits become the nearest that JSON readers agree on."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(f"expected a number, found {_found(value)}")
        try:
            nearest = float(value)
        except OverflowError:
            nearest = float("inf")
        if nearest - nearest != 0:
            raise self.error("the number is out of range", "JSON numbers go up to 1.7e308.")
        return value if isinstance(value, int) and abs(value) <= _GREATEST_WHOLE else nearest

    def amount(self) -> Decimal:
        """A number with at most nine decimals, smaller than 10^15."""
        amount = Decimal(repr(self.number()))
        if abs(amount) >= AMOUNT_BELOW:
            raise self.error("the number is out of range", "It has at most 15 digits before its point.")
        exponent = amount.normalize().as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -AMOUNT_DECIMALS:
            raise self.error("the number has more than nine decimals", "Sums are kept in nine decimals.")
        return amount

    def scalar(self) -> str | int | float | bool:
        """A text, a number, true or false."""
        if isinstance(self.value, bool):
            return self.value
        if isinstance(self.value, str):
            return self.text()
        if isinstance(self.value, int | float):
            return self.number()
        raise self.error(f"expected a text, a number, true or false, found {_found(self.value)}")

    def json(self, depth: int = 0) -> object:
        """Any JSON value; null only within a list or an object, `depth` of which stand around it."""
        if self.value is None and not depth:
            raise self.error("null is not a value", "Ask with exists: false for what is not there.")
        if depth > _DEEPEST_VALUE:
            raise self.error("the value nests too deep")
        match self.value:
            case None:
                return None
            case dict() as keys:
                names = [Given(key, self.path).text() for key in keys]
                return {name: Given(keys[name], f"{self.path}.{name}").json(depth + 1) for name in names}
            case list() | tuple():
                return [item.json(depth + 1) for item in self.items()]
        return self.scalar()

    def moment_ms(self) -> int:
        """A time: ISO 8601 (UTC where it names no zone), or milliseconds since 1970."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return self.whole(0, _LATEST_MS)
        text = self.text()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise self.error(f'"{shown(text)}" is not a time', "Write ISO 8601, as 2026-03-01T09:30:00Z.") from None
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(zoned.timestamp() * 1000)


def _check_characters(given: Given, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise given.error("the text holds half a character", "Look for a wrong encoding.") from None


def _found(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{shown(value)}"'
        case int() | float():
            return f"the number {shown(str(value))}"
        case list() | tuple():
            return "a list"
    return "keys with values"
