"""Brings identifiers to the one form they are compared in, and turns down what identifies nobody.

Normalising twice changes nothing. A value that is turned down is an expected outcome: a `Problem` with the code
`identifier.blocked`, `identifier.malformed` or `identifier.unknown_namespace`. Problems do not quote the value, which
may be personal.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache, partial
from typing import Final
from unicodedata import normalize

import msgspec
import phonenumbers

from onefold.errors import Problem
from onefold.model.identifiers import IdentifierKey
from onefold.model.namespaces import Form, Namespace, Namespaces

MOST_CHARACTERS: Final = 512
LONGEST_LOCAL_PART: Final = 64
LONGEST_DOMAIN: Final = 253

# Parsing a telephone number takes some 50 times as long as looking it up, so more of them are remembered. Values longer
# than this are rare; remembering them would let a sender fill the memory.
REMEMBERED: Final = {Form.TEXT: 8_192, Form.EMAIL: 8_192, Form.PHONE: 32_768}
LONGEST_REMEMBERED: Final = 128

_EXACT_WHOLE: Final = 2**53
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_APART: Final = r'\s@<>()\[\],;:"\\'
_EDGE: Final = rf"[^{_APART}./_-]"
_LABEL: Final = rf"{_EDGE}(?:[^{_APART}./_]*{_EDGE})?"
_ADDRESS: Final = re.compile(rf"([^{_APART}]+)@({_LABEL}(?:\.{_LABEL})+)")

# The parser would skip words in front of a number, and take "order 4711 4711 47" for one.
_BEGINS_NUMBER: Final = re.compile(r"[+\uff0b(\d]")

_malformed = partial(Problem, "identifier.malformed")
_TOO_LONG: Final = _malformed(f"the value is longer than {MOST_CHARACTERS} characters", "Send the identifier alone.")
_NOT_TEXT: Final = _malformed("the value is neither text nor a whole number", "Send the identifier as a text.")
_UNPRINTABLE: Final = _malformed(
    "the value holds control characters or half a character", "Look for line breaks, tabs, or a wrong encoding."
)
_NO_ADDRESS: Final = _malformed("the value is not an e-mail address", "Send it as ann@example.com, without a name.")
_NO_NUMBER: Final = _malformed(
    "the value is not a telephone number", "Send it with + and its country, as in +44 20 7946 0123."
)
_EXTENSION: Final = _malformed(
    "the value is a telephone number with an extension", "A switchboard identifies nobody; send direct numbers only."
)
_EMPTY: Final = Problem("identifier.blocked", "the value is empty", "Leave the identifier out when there is none.")


class Normaliser:
    """Makes keys of raw values. One instance serves a process, from any thread.

    What was normalised lately is remembered, in bounded tables.
    """

    def __init__(self, namespaces: Namespaces, default_region: str) -> None:
        """Telephone numbers without a country are read as those of `default_region` (ISO 3166, such as GB)."""
        self._makers: Final = {
            namespace.name: _key_maker(namespace, namespaces, default_region) for namespace in namespaces
        }

    def key(self, namespace: str, raw: object) -> IdentifierKey | Problem:
        """The identifier that `raw` stands for in `namespace`, or why it is none.

        A whole number counts as its digits, and so does 7.0: exports write account numbers that way. Null counts as
        empty. Other numbers, booleans, lists and objects are malformed. The problem's field is the name of the
        namespace; a caller that knows where in the event the value stood puts that in its place.
        """
        maker = self._makers.get(namespace)
        if maker is None:
            return self._unknown(namespace)
        text = raw if type(raw) is str else _text(raw)
        if isinstance(text, Problem):
            return msgspec.structs.replace(text, field=namespace)
        return maker(text)

    def _unknown(self, namespace: str) -> Problem:
        near = get_close_matches(namespace[:MOST_CHARACTERS].lower(), self._makers, n=1)
        return Problem(
            "identifier.unknown_namespace",
            f"no namespace is called {namespace[:60]!r}",
            (f"Did you mean {near[0]}? " if near else "") + f"Known are {', '.join(self._makers)}.",
            namespace[:60],
        )


def _key_maker(namespace: Namespace, namespaces: Namespaces, region: str) -> Callable[[str], IdentifierKey | Problem]:
    """The function from a text to a key of `namespace`, with its memory."""
    name = namespace.name
    blocked = namespaces.blocked | namespace.blocked
    forms: dict[Form, Callable[[str], str | Problem]] = {
        Form.TEXT: lambda text: text,
        Form.EMAIL: _email,
        Form.PHONE: partial(_phone, region=region),
    }
    form = forms[namespace.form]

    def make(raw: str) -> IdentifierKey | Problem:
        text = _clean(raw)
        if isinstance(text, Problem):
            return msgspec.structs.replace(text, field=name)
        if pattern := blocked.match(text):
            return _blocked(name, pattern)
        value = form(text)
        if isinstance(value, Problem):
            return msgspec.structs.replace(value, field=name)
        if value != text and (pattern := blocked.match(value)):
            return _blocked(name, pattern)
        return IdentifierKey(name, value)

    remembered = lru_cache(maxsize=REMEMBERED[namespace.form])(make)
    return lambda raw: remembered(raw) if len(raw) <= LONGEST_REMEMBERED else make(raw)


def _text(raw: object) -> str | Problem:
    """A value that is not a text, as a text."""
    if raw is None:
        return _EMPTY
    if isinstance(raw, str):
        return str(raw)
    if isinstance(raw, float) and abs(raw) <= _EXACT_WHOLE and raw.is_integer():
        return str(int(raw))
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw) if abs(raw) < 10**MOST_CHARACTERS else _TOO_LONG
    return _NOT_TEXT


def _clean(raw: str) -> str | Problem:
    """Trimmed, in NFC, of at most 512 characters, none of which is a control character or a surrogate."""
    text = raw.strip()
    if not text:
        return _EMPTY
    if len(text) > MOST_CHARACTERS:
        return _TOO_LONG
    if text.isascii():
        return text if text.isprintable() else _UNPRINTABLE
    if _FORBIDDEN.search(text):
        return _UNPRINTABLE
    text = normalize("NFC", text)
    return text if len(text) <= MOST_CHARACTERS else _TOO_LONG


def _blocked(name: str, pattern: str) -> Problem:
    return Problem(
        "identifier.blocked",
        f'the value is blocked by the pattern "{pattern}"',
        "Leave the identifier out when there is none.",
        name,
    )


def _email(text: str) -> str | Problem:
    """An address, in lower case. Its syntax is checked as mail servers take it, not as far as the standard goes."""
    address = text.casefold() if text.isascii() else normalize("NFC", text.casefold())
    found = _ADDRESS.fullmatch(address)
    if not found or not address.isprintable() or len(found[1]) > LONGEST_LOCAL_PART or len(found[2]) > LONGEST_DOMAIN:
        return _NO_ADDRESS
    return address


def _phone(text: str, region: str) -> str | Problem:
    """E.164. A number of a possible length will do: which ranges are in use changes with each release of the tables."""
    if not _BEGINS_NUMBER.match(text):
        return _NO_NUMBER
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return _NO_NUMBER
    if number.extension:
        return _EXTENSION
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return _NO_NUMBER
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
