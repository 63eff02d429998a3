"""Claims: what was said about people, one value of one trait at a time."""

from typing import Final

import msgspec

from onefold.model.identifiers import IdentifierKey
from onefold.model.sources import Trust

_EXACT_WHOLE: Final = 2**53


class Claim(msgspec.Struct, frozen=True, gc=False):
    """One value of one trait, said of one identifier by one source.

    Attributes:
        identifier: of whom it was said.
        trait: its name, as the sender writes it.
        source: name of the source that said it.
        value_json: the value as `canonical_json` writes it; equal values are equal texts.
        first_ms, last_ms: times of the first and the last event that said it.
        count: how many events said it.
        trust: how far that source is trusted.
    """

    identifier: IdentifierKey
    trait: str
    source: str
    value_json: str
    first_ms: int
    last_ms: int
    count: int
    trust: Trust

    @property
    def value(self) -> object:
        """The value: a JSON text, number, boolean, null, list or object."""
        return msgspec.json.decode(self.value_json)


def canonical_json(value: object) -> str:
    """The one way a decoded JSON value is written: keys in plain order, no spaces, whole numbers without a fraction.

    So 1 and 1.0, between which SDKs do not tell, are one value.
    """
    return msgspec.json.encode(value if type(value) is str else _plain(value), order="deterministic").decode()


def _plain(value: object) -> object:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT_WHOLE:
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
