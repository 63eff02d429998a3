"""How raw values become keys, and which of them identify nobody."""

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.errors import Problem
from onefold.model import namespaces_file
from onefold.model.identifiers import IdentifierKey
from onefold.model.normalise import LONGEST_REMEMBERED, Normaliser
from onefold.schema_files import schema_file

NAMESPACES = namespaces_file.load(schema_file("namespaces.yaml"))
GREAT_BRITAIN = Normaliser(NAMESPACES, "GB")

MISSING = [
    "",
    "   ",
    None,
    "0",
    0,
    0.0,
    -1,
    "-1",
    "null",
    "NULL",
    " None ",
    "undefined",
    "NaN",
    "Unknown",
    "guest",
    "test",
]
MISSING += ["[object Object]", "anonymous", "0000", "0.0", "00:00:00:00:00:00", "00000000-0000-0000-0000-000000000000"]


def value(namespace: str, raw: object) -> str:
    key = GREAT_BRITAIN.key(namespace, raw)
    assert isinstance(key, IdentifierKey), key
    assert key.namespace == namespace
    return key.value


def problem(namespace: str, raw: object) -> Problem:
    key = GREAT_BRITAIN.key(namespace, raw)
    assert isinstance(key, Problem), key
    assert key.field == namespace
    assert key.hint
    return key


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("4711", "4711"),
        ("  4711\n", "4711"),
        ("Ann", "Ann"),
        ("007", "007"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("名前", "名前"),
        (7, "7"),
        (-7, "-7"),
        (7.0, "7"),
        (10**30, "1" + "0" * 30),
        ("x" * 512, "x" * 512),
        (" " * 1000 + "x" * 512 + " ", "x" * 512),
    ],
)
def test_a_plain_identifier_is_trimmed_and_composed(raw: object, normal: str) -> None:
    assert value("user_id", raw) == normal


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        (" Ann@Example.COM ", "ann@example.com"),
        ("ann.smith+shop@mail.example.org", "ann.smith+shop@mail.example.org"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("JÖRG@BÜCHER.example", "jörg@bücher.example"),
        ("jo\u0308rg@example.com", "j\u00f6rg@example.com"),
        ("\u0390@example.com", "\u0390@example.com"),  # whose lower case is three characters, composed again
        ("用户@例子.广告", "用户@例子.广告"),
        ("संपर्क@डाटामेल.भारत", "संपर्क@डाटामेल.भारत"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("x" * 64 + "@example.com", "x" * 64 + "@example.com"),
    ],
)
def test_an_address_is_brought_to_lower_case(raw: str, normal: str) -> None:
    assert value("email", raw) == normalize("NFC", normal)


@pytest.mark.parametrize(
    "raw",
    [
        "ann",
        "ann@",
        "@example.com",
        "ann@example",
        "ann@@example.com",
        "ann@a@example.com",
        "ann smith@example.com",
        "ann@exam ple.com",
        "Ann <ann@example.com>",
        "mailto:ann@example.com",
        "ann@example.com, bob@example.com",
        "ann@.example.com",
        "ann@example..com",
        "ann@example.com.",
        "ann@-example.com",
        "ann@example-.com",
        "ann@\u200bexample.com",
        "x" * 65 + "@example.com",
        "ann@" + "x" * 250 + ".com",
        7,
    ],
)
def test_what_is_no_address_is_malformed(raw: object) -> None:
    found = problem("email", raw)
    assert (found.code, found.message) == ("identifier.malformed", "the value is not an e-mail address")


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("020 7946 0123", "+442079460123"),
        ("(020) 7946-0123", "+442079460123"),
        ("+44 20 7946 0123", "+442079460123"),
        ("+44 (0)20 7946 0123", "+442079460123"),
        ("0044 20 7946 0123", "+442079460123"),
        ("\uff0b44 20 7946 0123", "+442079460123"),
        ("+49 30 901820", "+4930901820"),
        ("+1 555 555 0199", "+15555550199"),
        ("+39 06 698 12345", "+390669812345"),
        (442079460123, "+442079460123"),
    ],
)
def test_a_number_becomes_e164_with_the_country_of_the_default_region(raw: object, normal: str) -> None:
    assert value("phone", raw) == normal


def test_another_default_region_reads_national_numbers_otherwise() -> None:
    assert Normaliser(NAMESPACES, "DE").key("phone", "030 901820") == ("phone", "+4930901820")


@pytest.mark.parametrize(
    "raw", ["12", "call me", "order 020 7946 0123", "+44", "+999 123456789", "+", "1" * 30, "ann@example.com"]
)
def test_what_is_no_number_is_malformed(raw: str) -> None:
    found = problem("phone", raw)
    assert (found.code, found.message) == ("identifier.malformed", "the value is not a telephone number")


def test_a_number_without_its_area_is_malformed() -> None:
    found = Normaliser(NAMESPACES, "US").key("phone", "253-0000")
    assert isinstance(found, Problem)
    assert found.code == "identifier.malformed"


def test_a_number_with_an_extension_is_a_switchboard_and_malformed() -> None:
    assert problem("phone", "+44 20 7946 0123 ext. 12").message == "the value is a telephone number with an extension"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("x" * 513, "longer than 512"),
        ("x" * 10_000_000, "longer than 512"),
        ("\u0958" * 300, "longer than 512"),  # each becomes two characters in NFC
        (10**5000, "longer than 512"),
        ("a\x00b", "control characters"),
        ("a\nb", "control characters"),
        ("é\x85b", "control characters"),
        ("a\x7fb", "control characters"),
        ("\ud800", "half a character"),
        ("ab\udfff", "half a character"),
        (True, "neither text nor a whole number"),
        (7.5, "neither text nor a whole number"),
        (float("nan"), "neither text nor a whole number"),
        (float("inf"), "neither text nor a whole number"),
        (1e300, "neither text nor a whole number"),
        (["a"], "neither text nor a whole number"),
        ({"id": "a"}, "neither text nor a whole number"),
        (b"a", "neither text nor a whole number"),
    ],
    ids=lambda item: repr(item)[:20] if not isinstance(item, int) else "whole number",
)
@pytest.mark.parametrize("namespace", ["user_id", "email", "phone"])
def test_a_value_no_namespace_can_hold_is_malformed(namespace: str, raw: object, says: str) -> None:
    found = problem(namespace, raw)
    assert found.code == "identifier.malformed"
    assert says in found.message


@pytest.mark.parametrize("raw", MISSING)
@pytest.mark.parametrize("namespace", NAMESPACES.by_name)
def test_a_missing_value_turned_into_a_text_is_blocked_everywhere(namespace: str, raw: object) -> None:
    assert problem(namespace, raw).code == "identifier.blocked"


@pytest.mark.parametrize("raw", ["test@example.com", "NoReply@shop.example", "no-reply@shop.example", "Test@"])
def test_addresses_of_nobody_are_blocked_as_addresses_only(raw: str) -> None:
    assert problem("email", raw).code == "identifier.blocked"
    assert value("user_id", raw) == raw


def test_a_blocked_value_is_told_which_pattern_blocks_it() -> None:
    assert problem("email", "TEST@example.com").message == 'the value is blocked by the pattern "test@*"'


def test_a_pattern_also_blocks_what_a_value_is_normalised_to() -> None:
    text = (
        "namespaces:\n  tel:\n    priority: 1\n    kind: contact\n    normalise: phone\n    blocked:\n      - +4420*\n"
    )
    found = Normaliser(namespaces_file.parse(text), "GB").key("tel", "020 7946 0123")
    assert isinstance(found, Problem)
    assert (found.code, found.field) == ("identifier.blocked", "tel")


@pytest.mark.parametrize("raw", ["x" * 600, "ann smith", "a\x00b"])
def test_problems_do_not_repeat_what_may_be_personal(raw: str) -> None:
    found = problem("email", raw)
    assert raw not in f"{found.message} {found.hint}"


def test_an_unknown_namespace_is_answered_with_the_known_ones_and_the_nearest() -> None:
    found = problem("e_mail", "ann@example.com")
    assert found.code == "identifier.unknown_namespace"
    assert found.hint == (
        "Did you mean email? Known are user_id, crm_id, loyalty_card, email, phone, anonymous_id, device_id, staff_id."
    )


def test_a_very_long_namespace_is_not_repeated() -> None:
    found = GREAT_BRITAIN.key("n" * 1_000_000, "x")
    assert isinstance(found, Problem)
    assert len(found.message) < 100


def test_equal_numbers_of_different_types_are_told_apart() -> None:
    assert value("user_id", 1) == "1"
    assert problem("user_id", True).code == "identifier.malformed"
    assert value("user_id", 1.0) == "1"


def test_a_value_too_long_to_be_remembered_is_normalised_alike() -> None:
    local = "x" * 60
    long = f"{local}@{'Y' * 60}.{'Z' * 60}.example"
    assert len(long) > LONGEST_REMEMBERED
    assert value("email", long) == long.casefold()


WORDS = st.text(
    st.sampled_from("aZ9éßẞİıſǰΐᾳΣςKÅ\u0301\u0345\u0307名") | st.characters(categories=["L", "Nd"]), min_size=1
)


@given(st.text(min_size=1))
def test_normalising_a_plain_identifier_twice_changes_nothing(raw: str) -> None:
    once = GREAT_BRITAIN.key("user_id", raw)
    assert isinstance(once, Problem) or GREAT_BRITAIN.key(*once) == once


@given(WORDS, WORDS, WORDS)
def test_normalising_an_address_twice_changes_nothing(local: str, name: str, top: str) -> None:
    once = value("email", f"{local[:15]}@{name}.{top}")
    assert value("email", once) == once


@given(st.integers(10**7, 10**11), st.sampled_from(["+", "0", "(0)", ""]))
def test_normalising_a_number_twice_changes_nothing(number: int, before: str) -> None:
    once = GREAT_BRITAIN.key("phone", f"{before}{number}")
    assert isinstance(once, Problem) or GREAT_BRITAIN.key(*once) == once


@given(st.text(alphabet=st.characters(), max_size=600), st.sampled_from(list(NAMESPACES.by_name)))
def test_every_text_is_an_identifier_or_a_problem(raw: str, namespace: str) -> None:
    key = GREAT_BRITAIN.key(namespace, raw)
    if isinstance(key, IdentifierKey):
        assert 0 < len(key.value) <= 512
        assert key.value == normalize("NFC", key.value.strip())
        key.value.encode()
    else:
        assert key.code in {"identifier.blocked", "identifier.malformed"}
