"""How calls fail: one line, a code, a hint, an exit code that tells the kind, and never a traceback."""

import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest

from onefold.cli.app import run
from onefold.cli.call import Access
from onefold.errors import CODES
from onefold.settings import Settings
from onefold.wiring import Wired
from tests.cli.conftest import Run

FAILURES = {
    "call.invalid": ["customer", "user_id:u-1001", "--limit", "0"],
    "customer.not_found": ["customer", "cus_" + "0" * 26],
    "identifier.not_found": ["customer", "email:nobody@example.com"],
    "identifier.unknown_namespace": ["customer", "mail:ann@example.com"],
    "identifier.malformed": ["why", "email:nonsense", "user_id:u-1001"],
    "judgement.not_found": ["retract", "jdg_0000000000009", "--reason", "why not"],
    "judgement.unknown_identifier": ["judge", "same", "user_id:u-1001", "user_id:nobody", "--reason", "why not"],
    "query.bad_reference": ["resolve", "ann@example.com"],
    "query.invalid": ["search", " "],
    "settings.invalid": ["serve", "--host", "0.0.0.0"],
    "store.unavailable": ["status", "--store", "sqlite:///nowhere.db"],
    "store.unknown_scheme": ["status", "--store", "postgres://user:secret@host/db"],
    "store.unwritable": ["init", "--store", "sqlite:///no/such/folder.db"],
}


@pytest.mark.parametrize("code", FAILURES)
def test_a_failure_is_one_line_with_its_code_and_the_documented_exit(told: Run, code: str) -> None:
    ended = told(*FAILURES[code])
    assert ended.err.startswith(f"{code}: ")
    assert ended.err.count("\n") == 1
    assert ended.out == ""
    assert ended.code == CODES[code].exit


@pytest.mark.parametrize("code", FAILURES)
def test_for_programs_a_failure_is_an_object(told: Run, code: str) -> None:
    ended = told(*FAILURES[code], "--json")
    assert ended.error["code"] == code
    assert set(ended.error) == {"code", "message", "hint", "field"}
    assert ended.code == CODES[code].exit


def test_a_contradicting_judgement_is_a_conflict(told: Run) -> None:
    pair = ["user_id:u-1003", "user_id:u-1004", "--reason", "met them"]
    assert told("judge", "different", *pair).code == 0
    ended = told("judge", "same", *pair)
    assert ended.err.startswith("judgement.contradicts: ")
    assert ended.code == CODES["judgement.contradicts"].exit


def test_passwords_in_the_url_of_a_store_are_not_repeated(told: Run) -> None:
    ended = told(*FAILURES["store.unknown_scheme"])
    assert "secret" not in ended.err
    assert "sqlite" in ended.err


def test_a_port_that_is_taken_is_an_error_that_says_what_to_do(told: Run) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        ended = told("serve", "--port", port)
    assert ended.err.startswith(f"settings.invalid: onefold cannot listen on 127.0.0.1, port {port}: ")
    assert "--port" in ended.err
    assert ended.code == CODES["settings.invalid"].exit


@pytest.mark.parametrize("url", ["sqlite://shop.db", "sqlite:///", "sqlite:shop.db"])
def test_a_url_that_names_no_file_is_an_error_that_says_how_to_write_one(onefold: Run, url: str) -> None:
    ended = onefold("init", "--store", url)
    assert ended.err.startswith("settings.invalid: ")
    assert "sqlite:///shop.db" in ended.err


def test_a_url_without_a_scheme_is_an_error_that_says_which_there_are(onefold: Run) -> None:
    ended = onefold("init", "--store", "shop.db")
    assert ended.err.startswith("store.unknown_scheme: ")
    assert "sqlite:///" in ended.err


def test_a_file_of_another_program_is_left_alone(onefold: Run, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "onefold.db") as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = (tmp_path / "onefold.db").read_bytes()
    for arguments in (["status"], ["init"], ["import", "-"]):
        ended = onefold(*arguments)
        assert ended.err.startswith("store.not_ours: ")
        assert ended.code == CODES["store.not_ours"].exit
    assert (tmp_path / "onefold.db").read_bytes() == before


@pytest.mark.parametrize("arguments", [["status"], ["search", "ann"], ["judge", "same", "a:1", "a:2", "--reason", "r"]])
def test_commands_that_need_a_store_do_not_make_one(onefold: Run, tmp_path: Path, arguments: list[str]) -> None:
    ended = onefold(*arguments)
    assert ended.err.startswith("store.unavailable: ")
    assert "onefold init" in ended.err
    assert list(tmp_path.iterdir()) == []


WRONG_CALLS = [
    (["bogus"], None, "no such command 'bogus'"),
    (["resolve"], None, "missing argument 'IDENTIFIER…'"),
    (["why", "email:a@example.com"], "b", "missing argument 'B'"),
    (["status", "--bogus"], None, "no such option: --bogus"),
    (["customer", "user_id:x", "--limit", "0"], "limit", "--limit is 0"),
    (["customer", "user_id:x", "--limit", "10001"], "limit", "--limit is 10001"),
    (["customer", "user_id:x", "--limit", "many"], "limit", "invalid value for '--limit'"),
    (["rejects", "--limit", "10001"], "limit", "--limit is 10001"),
    (["search", "ann", "--limit", "0"], "limit", "--limit is 0"),
    (["search", "ann", "--limit", "501"], "limit", "--limit is 501"),
    (["import", "nowhere.jsonl"], "file", "nowhere.jsonl cannot be read"),
    (["import", "-", "--source", " "], "source", "--source is empty"),
    (["judge", "maybe", "user_id:a", "user_id:b", "--reason", "r"], "verdict", "'maybe' is not a verdict"),
    (["judge", "same", "user_id:a", "user_id:b", "--reason", ""], "reason", "--reason is empty"),
    (["judge", "same", "user_id:a", "user_id:b", "--reason", "r", "--author", ""], "author", "--author is empty"),
    (["retract", "jdg_0000000000001", "--reason", "  "], "reason", "--reason is empty"),
]


@pytest.mark.parametrize(("arguments", "field", "message"), WRONG_CALLS, ids=lambda value: str(value)[:40])
def test_a_wrong_call_ends_with_two_and_one_line(
    told: Run, arguments: list[str], field: str | None, message: str
) -> None:
    ended = told(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("call.invalid: ")
    assert message in ended.err
    assert ended.err.endswith(")\n")
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(("arguments", "field", "message"), WRONG_CALLS, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("first", [True, False])
def test_for_programs_a_wrong_call_is_an_object_wherever_json_stands(
    told: Run, arguments: list[str], field: str | None, message: str, first: bool
) -> None:
    ended = told("--json", *arguments) if first else told(*arguments, "--json")
    assert (ended.code, ended.out) == (2, "")
    assert ended.error["code"] == "call.invalid"
    assert message in ended.error["message"]
    assert ended.error["hint"]
    if field:
        assert ended.error["field"] == field


def test_what_is_called_without_anything_says_what_there_is(onefold: Run) -> None:
    ended = onefold()
    assert (ended.code, ended.err) == (0, "")
    assert "Usage: onefold" in ended.out


def test_what_follows_two_dashes_is_no_option(told: Run) -> None:
    assert told("resolve", "--", "--json").err.startswith("query.bad_reference: ")


class Broken(Wired):
    """Has a bug."""

    def open(self, settings: Settings, access: Access) -> NoReturn:
        raise RuntimeError("this cannot happen")


def test_a_bug_is_one_line_that_says_how_to_show_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Broken(), ["status"]) == CODES["internal"].exit
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("internal: RuntimeError: this cannot happen (")
    assert err.count("\n") == 1
    with pytest.raises(RuntimeError, match="this cannot happen"):
        run(Broken(), ["--traceback", "status"])
