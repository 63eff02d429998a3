"""Namespaces as values: their order, what they block, what stitching sees of them."""

from dataclasses import replace
from time import perf_counter

import pytest

from onefold.model.namespaces import Blocked, EventPath, Form, Kind, Namespace, Namespaces, Prefer

USER = Namespace("user_id", 1, Kind.PERSON, limit=1)
EMAIL = Namespace("email", 4, Kind.CONTACT, limit=5, fanout=5, distinguishes=True, form=Form.EMAIL)
COOKIE = Namespace("cookie", 8, Kind.DEVICE)
CLERK = Namespace("clerk", 20, Kind.OPERATOR)


def test_namespaces_come_strongest_first_and_by_name_among_equals() -> None:
    account = replace(USER, name="account")
    assert list(Namespaces((CLERK, USER, COOKIE, account, EMAIL))) == [account, USER, EMAIL, COOKIE, CLERK]


def test_namespaces_are_found_by_name() -> None:
    namespaces = Namespaces((USER, EMAIL))
    assert namespaces["email"] is EMAIL
    assert "email" in namespaces
    assert "phone" not in namespaces
    assert len(namespaces) == 2
    with pytest.raises(KeyError):
        namespaces["phone"]


def test_two_namespaces_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="one name"):
        Namespaces((USER, replace(USER, priority=2)))


def test_the_limited_ones_are_listed_strongest_first() -> None:
    assert Namespaces((COOKIE, EMAIL, USER)).limited == (USER, EMAIL)


def test_devices_are_all_of_their_kind_but_the_cookie_that_anonymous_ids_name() -> None:
    namespaces = Namespaces(
        (
            Namespace("cookie", 4, Kind.DEVICE, paths=(EventPath(("anonymousId",)),)),
            Namespace("phone_id", 3, Kind.DEVICE, paths=(EventPath(("context", "device", "id")),)),
            Namespace("token", 2, Kind.DEVICE),
            Namespace("email", 1, Kind.CONTACT),
        )
    )
    assert [namespace.name for namespace in namespaces.devices] == ["token", "phone_id"]


def test_all_but_operators_link() -> None:
    assert [n.name for n in (USER, EMAIL, COOKIE, CLERK) if n.links] == ["user_id", "email", "cookie"]


@pytest.mark.parametrize(
    "changed",
    [
        replace(EMAIL, name="mail"),
        replace(EMAIL, priority=5),
        replace(EMAIL, limit=6),
        replace(EMAIL, limit=None),
        replace(EMAIL, fanout=6),
        replace(EMAIL, prefer=Prefer.NEWEST),
        replace(EMAIL, distinguishes=False),
        replace(EMAIL, kind=Kind.OPERATOR),
    ],
    ids=["name", "priority", "limit", "no limit", "fanout", "prefer", "distinguishes", "operator"],
)
def test_the_fingerprint_changes_with_every_rule_of_stitching(changed: Namespace) -> None:
    assert Namespaces((USER, changed)).fingerprint != Namespaces((USER, EMAIL)).fingerprint


@pytest.mark.parametrize(
    "changed",
    [
        replace(EMAIL, form=Form.TEXT),
        replace(EMAIL, blocked=Blocked(["x"])),
        replace(EMAIL, paths=(EventPath(("userId",)),)),
        replace(EMAIL, kind=Kind.HOUSEHOLD),
    ],
    ids=["form", "blocked", "paths", "kind"],
)
def test_the_fingerprint_does_not_change_with_what_comes_in(changed: Namespace) -> None:
    assert Namespaces((USER, changed), Blocked(["y"])).fingerprint == Namespaces((USER, EMAIL)).fingerprint


def test_the_fingerprint_does_not_change_with_order_or_operators_and_is_the_same_for_ever() -> None:
    assert Namespaces((USER, EMAIL)).fingerprint == Namespaces((CLERK, EMAIL, USER)).fingerprint
    assert Namespaces((USER, EMAIL)).fingerprint == "b65246ed67a5beebdda672707de49eee"


@pytest.mark.parametrize(
    ("pattern", "blocks", "lets"),
    [
        ("null", ["null", "NULL", "Null"], ["nulls", "a null", "nul", ""]),
        ("[object Object]", ["[object Object]", "[OBJECT object]"], ["o", "object"]),
        ("test@*", ["test@", "TEST@example.com"], ["atest@example.com", "test", "tes@t"]),
        ("*@shop.example", ["@shop.example", "a@SHOP.example"], ["a@shop.example.org", "shop.example"]),
        ("*demo*", ["demo", "ademo", "my demo account"], ["dem o"]),
        ("a*b*a", ["aba", "axxbyya", "abba"], ["ab", "aa", "abab"]),
        ("a*a", ["aa", "aba"], ["a"]),
        ("a.b*", ["a.bc"], ["axbc"]),
        ("[0-]+", ["0", "000-00", "-"], ["", "01", "o"]),
        ("[ab]+", ["ABBA"], ["abc", "[ab]+"]),
        ("strasse", ["STRASSE", "straße"], ["strase"]),
    ],
)
def test_a_pattern_blocks_what_it_says_and_nothing_else(pattern: str, blocks: list[str], lets: list[str]) -> None:
    blocked = Blocked(["something", "else*", pattern])
    assert {value: blocked.match(value) for value in blocks} == dict.fromkeys(blocks, pattern)
    assert {value: blocked.match(value) for value in lets} == dict.fromkeys(lets)


def test_without_patterns_nothing_is_blocked() -> None:
    assert Blocked().match("") is None


@pytest.mark.parametrize("pattern", ["[]+", "[^0]+", "[a-z]+", "[[a]+", "[a]]+", "[\\d]+"])
def test_brackets_take_plain_characters_only(pattern: str) -> None:
    with pytest.raises(ValueError, match="brackets hold plain characters"):
        Blocked([pattern])


def test_what_either_blocks_is_blocked_by_both() -> None:
    both = Blocked(["a"]) | Blocked(["b*"])
    assert (both.match("A"), both.match("bc"), both.match("c")) == ("a", "b*", None)


def test_matching_stays_quick_for_patterns_and_values_made_to_be_slow() -> None:
    blocked = Blocked(["*a" * 60 + "b", "*" + "a*" * 60 + "c"])
    start = perf_counter()
    assert blocked.match("a" * 512) is None
    assert perf_counter() - start < 0.05


def test_a_path_reads_as_the_file_writes_it() -> None:
    assert str(EventPath(("context", "device", "id"))) == "context.device.id"
    assert str(EventPath(("context", "externalIds"), "crm_id")) == "context.externalIds[type=crm_id]"
