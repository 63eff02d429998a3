"""Public ids: what they are made of, how they are written and read."""

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.errors import OnefoldError
from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import BYTES_OF, DIGITS, HASH_BYTES, PublicIds, decode, encode, encode_number

SECRET = bytes(range(32))
ANN = IdentifierKey("email", "ann@example.com")

HASHES = st.binary(min_size=16, max_size=16)
NUMBERS = st.integers(0, 2**64 - 1)
LONG_PREFIXES = sorted(prefix for prefix, size in BYTES_OF.items() if size == HASH_BYTES)


def plain_base_32(number: int, digits: int) -> str:
    """The definition, digit by digit: the oracle."""
    return "".join(DIGITS[number // 32**place % 32] for place in reversed(range(digits)))


def refused(text: str) -> OnefoldError:
    with pytest.raises(OnefoldError) as caught:
        decode(text)
    assert caught.value.code == "query.bad_reference"
    assert caught.value.hint
    return caught.value


def test_a_digest_is_the_keyed_hash_of_namespace_and_value() -> None:
    assert PublicIds(SECRET).digest(ANN) == blake2b(b"email\0ann@example.com", key=SECRET, digest_size=16).digest()


def test_a_digest_is_the_same_for_ever() -> None:
    ids = PublicIds(SECRET)
    assert encode("cus", ids.digest(ANN)) == "cus_6byfrf70zh49aad7wpwq39mwc1"
    assert ids.digest(ANN) == ids.digest(IdentifierKey("email", "ann@example.com"))


def test_another_secret_namespace_or_value_gives_another_digest() -> None:
    digests = {
        PublicIds(secret).digest(IdentifierKey(namespace, value))
        for secret in (SECRET, SECRET[1:])
        for namespace in ("email", "user_id")
        for value in ("ann@example.com", "Ann@example.com", "名前")
    }
    assert len(digests) == 12


@pytest.mark.parametrize("size", [0, 15, 65])
def test_a_secret_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"has {size} bytes, not 16 to 64"):
        PublicIds(bytes(size))


@given(HASHES, st.sampled_from(LONG_PREFIXES))
def test_an_id_is_written_in_26_digits_and_read_back(data: bytes, prefix: str) -> None:
    text = encode(prefix, data)
    assert text == f"{prefix}_{plain_base_32(int.from_bytes(data, 'big'), 26)}"
    assert decode(text) == (prefix, data)


@given(NUMBERS, st.sampled_from(["dec", "jdg", "seg"]))
def test_a_number_is_written_in_13_digits_and_read_back(number: int, prefix: str) -> None:
    text = encode_number(prefix, number)
    assert text == f"{prefix}_{plain_base_32(number, 13)}"
    assert decode(text).number == number


@given(st.lists(NUMBERS, min_size=2))
def test_ids_of_numbers_sort_as_the_numbers_do(numbers: list[int]) -> None:
    assert [decode(text).number for text in sorted(encode_number("dec", n) for n in numbers)] == sorted(numbers)


@pytest.mark.parametrize("number", [0, 1, 31, 32, 2**60 - 1, 2**60, 2**64 - 1])
def test_numbers_at_the_edges_are_read_back(number: int) -> None:
    assert decode(encode_number("jdg", number)).number == number


@given(HASHES)
def test_both_cases_and_letters_that_look_like_digits_are_read(data: bytes) -> None:
    text = encode("cus", data)
    digits = text.removeprefix("cus_")
    assert decode(text.upper()) == ("cus", data)
    for one, zero in (("I", "O"), ("l", "o"), ("L", "O"), ("i", "o")):
        assert decode("cus_" + digits.replace("1", one).replace("0", zero)) == ("cus", data)


@given(st.text(alphabet=DIGITS, min_size=26, max_size=26))
def test_an_id_has_one_written_form(digits: str) -> None:
    text = f"idn_{digits}"
    if digits[0] > "7":
        refused(text)
    else:
        assert encode(*decode(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "_",
        "cus",
        "cus_",
        "cus_" + "0" * 25,
        "cus_" + "0" * 27,
        "cus_8" + "0" * 25,  # more than 128 bits
        "dec_g" + "0" * 12,  # more than 64 bits
        "dec_" + "0" * 26,
        "seq_" + "0" * 26,
        "0" * 26,
        " cus_" + "0" * 26,
        "cus_" + "0" * 26 + "\n",
        "cus_" + "0" * 25 + "u",
        "cus_" + "0" * 25 + "!",
        "cus_+" + "0" * 25,
        "cus_-" + "0" * 25,
        "cus_ " + "0" * 25,
        "cus_0_" + "0" * 24,
        "cus_" + "\u0660" * 26,  # digits of another script
        "cus_" + "0" * 25 + "\u212a",  # the Kelvin sign, whose lower case is k
        "ann@example.com",
        "Y3VzXzE=",
        "x" * 1_000_000,
    ],
    ids=lambda text: repr(text)[:32],
)
def test_what_is_no_id_is_refused(text: str) -> None:
    assert len(refused(text).message) < 120


def test_a_refusal_says_what_is_wrong() -> None:
    assert refused("seq_0").hint == "Ids begin with cus_, idn_, tp_, dec_, jdg_, seg_."
    assert refused("cus_0").hint == "After cus_ come 26 digits and letters; here are 1."


@given(st.text(max_size=26).filter(lambda text: not set(text.lower()) <= set(DIGITS + "ilo")))
def test_no_text_breaks_the_reading(text: str) -> None:
    for attempt in (text, f"cus_{text}", f"cus_{text:0>26}", f"dec_{text:0>13}"):
        assert refused(attempt).hint


def test_an_id_is_made_of_16_bytes_or_a_number_of_64_bits() -> None:
    with pytest.raises(ValueError, match="16 bytes, not 8"):
        encode("cus", bytes(8))
    for number in (-1, 2**64):
        with pytest.raises(ValueError, match="no id is made of"):
            encode_number("dec", number)
