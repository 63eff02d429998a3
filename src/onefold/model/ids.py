"""Public ids: opaque, prefixed, the same for ever, such as `cus_` and 26 digits.

Ids of identifiers, and of the customers named by them, are made of a keyed hash: nobody can guess an e-mail address
from an id, or an id from an address. Ids of decisions, judgements and segments are made of their number.

The digits are Crockford's base32 (https://www.crockford.com/base32.html), lower case, most significant first: 26 for
16 bytes, 13 for 8. Reading takes both cases, I and L for 1, and O for 0, as people copy them; writing has one form.
"""

from hashlib import blake2b
from typing import Final, NamedTuple

from onefold.errors import OnefoldError
from onefold.model.identifiers import IdentifierKey

DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
HASH_BYTES: Final = 16
NUMBER_BYTES: Final = 8

# How many bytes the ids of each prefix hold.
BYTES_OF: Final = {
    "cus": HASH_BYTES,
    "idn": HASH_BYTES,
    "tp": HASH_BYTES,
    "dec": NUMBER_BYTES,
    "jdg": NUMBER_BYTES,
    "seg": NUMBER_BYTES,
}

_DIGITS_OF: Final = {HASH_BYTES: 26, NUMBER_BYTES: 13}
_PAIRS: Final = tuple(high + low for high in DIGITS for low in DIGITS)
_HASH_SHIFTS: Final = tuple(range(120, -1, -10))
_NUMBER_SHIFTS: Final = tuple(range(50, -1, -10))
# int() reads base 32 in the digits 0-9a-v. What is no digit of ours becomes "!", as int() would take a "+" or a "_".
_BASE_32: Final = "0123456789abcdefghijklmnopqrstuv"
_READ: Final = str.maketrans(
    dict.fromkeys(map(chr, range(128)), "!")
    | dict(zip(DIGITS, _BASE_32, strict=True))
    | dict(zip(DIGITS.upper(), _BASE_32, strict=True))
    | dict(zip("iIlLoO", "111100", strict=True))
)


class PublicId(NamedTuple):
    """What a public id says: a key of `BYTES_OF`, and so many bytes."""

    prefix: str
    data: bytes

    @property
    def number(self) -> int:
        """The number that an id of a decision, a judgement or a segment is made of."""
        return int.from_bytes(self.data, "big")


class PublicIds:
    """Makes the bytes that the public ids of identifiers and customers are written from."""

    def __init__(self, secret: bytes) -> None:
        """`secret`: 16 to 64 random bytes, drawn once per store, else ValueError. Another secret gives other ids."""
        if not 16 <= len(secret) <= blake2b.MAX_KEY_SIZE:
            raise ValueError(f"the secret has {len(secret)} bytes, not 16 to {blake2b.MAX_KEY_SIZE}")
        self._keyed: Final = blake2b(key=secret, digest_size=HASH_BYTES)

    def digest(self, key: IdentifierKey) -> bytes:
        """16 bytes that stand for an identifier: keyed BLAKE2b-128 of its namespace, a NUL and its value in UTF-8."""
        keyed = self._keyed.copy()
        keyed.update(f"{key[0]}\0{key[1]}".encode())
        return keyed.digest()


def encode(prefix: str, data: bytes) -> str:
    """The id made of a 16-byte hash. Raises ValueError for another number of bytes."""
    if len(data) != HASH_BYTES:
        raise ValueError(f"an id is made of {HASH_BYTES} bytes, not {len(data)}")
    number = int.from_bytes(data, "big")
    return f"{prefix}_{''.join([_PAIRS[number >> shift & 1023] for shift in _HASH_SHIFTS])}"


def encode_number(prefix: str, number: int) -> str:
    """The id made of a number from 0 to 2^64 - 1. Raises ValueError for any other."""
    if not 0 <= number < 1 << 8 * NUMBER_BYTES:
        raise ValueError(f"no id is made of the number {number}")
    return f"{prefix}_{DIGITS[number >> 60]}{''.join([_PAIRS[number >> shift & 1023] for shift in _NUMBER_SHIFTS])}"


def decode(text: str) -> PublicId:
    """The prefix and the bytes of an id. Raises OnefoldError `query.bad_reference` for what is none."""
    prefix, _, digits = text.partition("_")
    prefix = prefix.lower()
    size = BYTES_OF.get(prefix)
    if size is None:
        raise _bad(text, f"Ids begin with {', '.join(f'{known}_' for known in BYTES_OF)}.")
    if len(digits) != _DIGITS_OF[size]:
        raise _bad(text, f"After {prefix}_ come {_DIGITS_OF[size]} digits and letters; here are {len(digits)}.")
    try:
        data = int(digits.translate(_READ) if digits.isascii() else "!", 32).to_bytes(size, "big")
    except (ValueError, OverflowError):
        raise _bad(text, "Copy it as onefold gave it; it is not a text to be put together.") from None
    return PublicId(prefix, data)


def _bad(text: str, hint: str) -> OnefoldError:
    return OnefoldError("query.bad_reference", f"{text[:60]!r} is not an id of onefold", hint, "id")
