"""What the namespaces file says, and what it answers to a mistake: tests/golden/bad_namespaces holds one a file."""

from pathlib import Path

import pytest

from onefold.errors import OnefoldError
from onefold.model import namespaces_file
from onefold.model.namespaces import Blocked, EventPath, Form, Kind, Namespace, Prefer
from onefold.schema_files import schema_file
from tests.mistakes import Mistake, mistakes

LEAST = "namespaces:\n  user_id:\n    priority: 1\n    kind: person\n"


def refusal(text: str) -> OnefoldError:
    with pytest.raises(OnefoldError) as caught:
        namespaces_file.parse(text)
    assert caught.value.code == "namespaces.invalid"
    return caught.value


@pytest.mark.parametrize("mistake", mistakes("bad_namespaces"), ids=str)
def test_a_mistake_is_refused_with_its_line_and_its_field(mistake: Mistake) -> None:
    mistake.check(namespaces_file.load, "namespaces.invalid")


def test_the_defaults_are_those_of_the_design() -> None:
    declared = {
        n.name: (n.priority, n.kind, n.limit, n.fanout, n.distinguishes, n.form)
        for n in namespaces_file.load(schema_file("namespaces.yaml"))
    }
    assert declared == {
        "user_id": (1, Kind.PERSON, 1, 20, False, Form.TEXT),
        "crm_id": (2, Kind.PERSON, 1, 5, False, Form.TEXT),
        "loyalty_card": (3, Kind.PERSON, 1, 5, False, Form.TEXT),
        "email": (4, Kind.CONTACT, 5, 5, True, Form.EMAIL),
        "phone": (5, Kind.CONTACT, 5, 5, False, Form.PHONE),
        "anonymous_id": (8, Kind.DEVICE, 1000, 20, False, Form.TEXT),
        "device_id": (9, Kind.DEVICE, 100, 1, False, Form.TEXT),
        "staff_id": (20, Kind.OPERATOR, None, 20, False, Form.TEXT),
    }


def test_by_default_the_link_seen_first_is_preferred_everywhere() -> None:
    assert {n.prefer for n in namespaces_file.load(schema_file("namespaces.yaml"))} == {Prefer.OLDEST}


def test_by_default_events_carry_identifiers_where_the_segment_spec_puts_them() -> None:
    paths = {n.name: [str(p) for p in n.paths] for n in namespaces_file.load(schema_file("namespaces.yaml"))}
    assert paths == {
        "user_id": ["userId"],
        "crm_id": ["context.externalIds[type=crm_id]"],
        "loyalty_card": ["context.externalIds[type=loyalty_card]"],
        "email": ["traits.email", "context.traits.email"],
        "phone": ["traits.phone", "context.traits.phone"],
        "anonymous_id": ["anonymousId"],
        "device_id": ["context.device.id"],
        "staff_id": ["context.externalIds[type=staff_id]"],
    }


def test_every_key_is_read() -> None:
    text = (
        "blocked:\n  - nobody\n"
        "namespaces:\n  till:\n    priority: 7\n    kind: household\n    limit: 3\n    fanout: 0\n    prefer: newest\n"
        "    distinguishes: yes\n    normalise: email\n    blocked:\n      - x@*\n"
        "    from:\n      - properties.Till Number\n      - context.externalIds[type=till]\n"
    )
    namespaces = namespaces_file.parse(text)
    paths = (EventPath(("properties", "Till Number")), EventPath(("context", "externalIds"), "till"))
    assert namespaces.blocked == Blocked(["nobody"])
    assert list(namespaces) == [
        Namespace("till", 7, Kind.HOUSEHOLD, 3, 0, Prefer.NEWEST, True, Form.EMAIL, Blocked(["x@*"]), paths)
    ]


def test_what_is_left_out_has_its_default() -> None:
    assert list(namespaces_file.parse(LEAST)) == [Namespace("user_id", 1, Kind.PERSON)]


def test_namespaces_of_one_kind_may_share_a_priority() -> None:
    namespaces = namespaces_file.parse(LEAST + "  account:\n    priority: 1\n    kind: person\n")
    assert [n.name for n in namespaces] == ["account", "user_id"]


@pytest.mark.parametrize("word", ["null", "0", "-1", "true", "~", "1e3", "(none)", "n/a"])
def test_a_blocked_word_means_the_same_with_and_without_quotes(word: str) -> None:
    bare, quoted = (namespaces_file.parse(f"blocked:\n  - {item}\n{LEAST}") for item in (word, f'"{word}"'))
    assert bare.blocked.match(word.upper()) == word
    assert bare.blocked == quoted.blocked


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OnefoldError, match=r"nowhere\.yaml cannot be read: No such file") as caught:
        namespaces_file.load(tmp_path / "nowhere.yaml")
    assert caught.value.code == "namespaces.invalid"


def test_bytes_that_are_not_utf_8_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(LEAST.encode() + "  # Käufer\n".encode("latin-1"))
    with pytest.raises(OnefoldError, match=r"latin\.yaml, line 5: this is not UTF-8"):
        namespaces_file.load(path)


def test_a_file_saved_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + LEAST.replace("\n", "\r\n").encode())
    assert namespaces_file.load(path) == namespaces_file.parse(LEAST)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "namespaces.yaml is empty"),
        ("# nothing but a comment\n", "namespaces.yaml is empty"),
        ("#" * 200_001, "longer than 200,000 characters"),
        (LEAST + '    from:\n      - "\\UFFFFFFFF"\n', "line 1: "),
        (LEAST + "\x07", "line 5: a character that YAML does not allow"),
        ("namespaces: " + "[" * 100_000, "line 1: more than 8 levels of nesting"),
        ("namespaces: " + "{a: " * 40_000, "line 1: more than 8 levels of nesting"),
        (LEAST.replace("1", "9" * 5000), "expected a whole number"),
        (LEAST.replace("user_id", "u" * 64), "cannot be the name of a namespace"),
        (LEAST.replace("user_id", "? [a, b]\n  "), "expected a text, found a list"),
    ],
    ids=["empty", "comment", "long", "escape", "bell", "brackets", "braces", "digits", "long name", "list as key"],
)
def test_a_file_no_editor_would_write_is_refused_too(text: str, says: str) -> None:
    assert says in refusal(text).message


def test_long_texts_are_cut_in_messages() -> None:
    assert len(refusal(LEAST.replace("person", "p" * 10_000)).message) < 200
