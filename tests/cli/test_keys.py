"""`onefold key`: made once, shown once, kept as hashes in a file that people write too."""

import errno
import json
import os
from pathlib import Path

import pytest

from onefold.keys import KeyTrust, Scope, find, hash_of
from onefold.settings import load_settings
from tests.cli.conftest import Run
from tests.support.server import run as run_process
from tests.support.server import serving, until

BY_HAND = """# where the shop keeps its customers
store = "sqlite:///shop.db"   # a file
host = "0.0.0.0"

[[keys]]  # the pages
name = "web"
hash = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
trust = "public"
scopes = [
  "track",
]

# the till
[[keys]]
name = "till"
key = "a-key-of-the-till-0123"
trust = "server"
scopes = ["track"]

# the end
"""


def file(folder: Path) -> str:
    return (folder / "onefold.toml").read_text()


def test_a_key_is_shown_once_and_kept_as_its_hash(onefold: Run, tmp_path: Path) -> None:
    made = onefold("key", "new", "shop", "--origins", "https://shop.example, https://www.shop.example")
    secret = made.out.splitlines()[0]
    assert (made.code, made.err) == (0, "")
    assert secret not in file(tmp_path)
    assert (tmp_path / "onefold.toml").stat().st_mode & 0o777 == 0o600
    (key,) = load_settings(tmp_path / "onefold.toml", {}).keys
    assert find([key], secret) == key
    assert (key.name, key.trust, key.scopes) == ("shop", KeyTrust.PUBLIC, (Scope.TRACK,))
    assert key.origins == ("https://shop.example", "https://www.shop.example")
    for command in (("list",), ("list", "--json"), ("new", "shop"), ("revoke", "shop")):
        assert secret not in str(onefold("key", *command))


def test_a_key_may_be_given_trust_and_scopes(onefold: Run, tmp_path: Path) -> None:
    made = onefold("key", "new", "crm", "--trust", "server", "--scopes", "track,read,steward,admin", "--json").json
    (key,) = load_settings(tmp_path / "onefold.toml", {}).keys
    assert (key.trust, set(key.scopes), key.hash) == (KeyTrust.SERVER, set(Scope), hash_of(made["key"]))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("a shop",), "settings.invalid"),
        (("shop", "--scopes", "read"), "settings.invalid"),
        (("shop", "--scopes", "write"), "settings.invalid"),
        (("shop", "--scopes", ""), "settings.invalid"),
        (("shop", "--trust", "friend"), "settings.invalid"),
        (("shop", "--origins", "shop.example"), "settings.invalid"),
        ((), "call.invalid"),
    ],
)
def test_what_cannot_be_a_key_is_not_made(onefold: Run, tmp_path: Path, arguments: tuple[str, ...], code: str) -> None:
    ended = onefold("key", "new", *arguments, "--json")
    assert ended.error["code"] == code
    assert list(tmp_path.iterdir()) == []


def test_keys_are_added_to_a_file_that_people_write_and_taken_out_of_it(onefold: Run, tmp_path: Path) -> None:
    path = tmp_path / "onefold.toml"
    path.write_text(BY_HAND)
    path.chmod(0o640)
    assert onefold("key", "new", "crm", "--trust", "server", "--scopes", "read").code == 0
    assert file(tmp_path).startswith(BY_HAND)
    assert [key["name"] for key in onefold("key", "list", "--json").json] == ["web", "till", "crm"]
    assert path.stat().st_mode & 0o777 == 0o640
    assert onefold("key", "revoke", "crm").code == 0
    assert file(tmp_path).rstrip() == BY_HAND.rstrip()
    assert onefold("key", "revoke", "web").code == 0
    assert file(tmp_path).startswith('# where the shop keeps its customers\nstore = "sqlite:///shop.db"   # a file\n')
    assert '# the till\n[[keys]]\nname = "till"' in file(tmp_path)
    assert "web" not in file(tmp_path)
    assert [key["name"] for key in onefold("key", "list", "--json").json] == ["till"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["onefold.toml"]


def test_a_name_is_taken_once(onefold: Run, tmp_path: Path) -> None:
    onefold("key", "new", "shop")
    before = file(tmp_path)
    assert onefold("key", "new", "shop", "--json").error["code"] == "key.exists"
    assert onefold("key", "revoke", "web", "--json").error["code"] == "key.not_found"
    assert file(tmp_path) == before


def test_a_file_with_keys_in_one_line_is_left_alone(onefold: Run, tmp_path: Path) -> None:
    line = f'keys = [{{ name = "shop", hash = "{hash_of("x")}", trust = "server", scopes = ["track"] }}]\n'
    (tmp_path / "onefold.toml").write_text(line)
    for command in (("new", "web"), ("revoke", "shop")):
        ended = onefold("key", *command, "--json")
        assert (ended.code, ended.error["code"]) == (7, "settings.invalid")
        assert file(tmp_path) == line


def test_a_file_with_a_mistake_is_left_alone(onefold: Run, tmp_path: Path) -> None:
    (tmp_path / "onefold.toml").write_text("port = ")
    assert onefold("key", "new", "web", "--json").error["code"] == "settings.invalid"
    assert file(tmp_path) == "port = "


def test_a_file_that_cannot_be_written_is_left_as_it_is(onefold: Run, tmp_path: Path) -> None:
    (tmp_path / "onefold.toml").write_text(BY_HAND)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", full)
        ended = onefold("key", "new", "crm", "--json")
    assert (ended.error["code"], ended.error["field"]) == ("settings.invalid", "config")
    assert file(tmp_path) == BY_HAND
    assert [entry.name for entry in tmp_path.iterdir()] == ["onefold.toml"]


def full(made: Path, target: Path) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_whose_file_it_is_stays_so(onefold: Run, tmp_path: Path) -> None:
    path = tmp_path / "onefold.toml"
    path.write_text(BY_HAND)
    owner = path.stat().st_uid, path.stat().st_gid
    given: list[tuple[int, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: owner[0] + 1)
        patch.setattr(os, "chown", lambda made, *to: given.append(to))
        assert onefold("key", "new", "crm").code == 0
    assert given == [owner]


def test_the_file_is_the_one_that_counts(onefold: Run, tmp_path: Path) -> None:
    assert onefold("key", "new", "web", "--config", "a.toml").code == 0
    assert onefold("key", "new", "web", variables={"ONEFOLD_CONFIG": "b.toml"}).code == 0
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.toml", "b.toml"]


def test_what_list_prints_may_stand_in_the_variable_which_wins(onefold: Run, tmp_path: Path) -> None:
    onefold("key", "new", "shop")
    variables = {"ONEFOLD_KEYS": onefold("key", "list", "--json").out}
    (tmp_path / "onefold.toml").unlink()
    assert "shop" in onefold("key", "list", variables=variables).out
    for command in (("new", "web"), ("revoke", "shop")):
        ended = onefold("key", *command, "--json", variables=variables)
        assert ended.error["code"] == "settings.invalid"
        assert "ONEFOLD_KEYS is set" in ended.error["message"]
    assert list(tmp_path.iterdir()) == []


def test_without_keys_that_is_said(onefold: Run) -> None:
    assert "there are no keys" in onefold("key", "list").out
    assert onefold("key", "list", "--json").json == []


def test_listening_for_other_machines_without_a_key_is_refused_with_the_line_to_add(
    onefold: Run, tmp_path: Path
) -> None:
    refused = onefold("serve", "--host", "0.0.0.0")
    assert refused.code == 7
    assert 'keys = [{ name = "shop", hash = "sha256:…", trust = "server", scopes = ["track", "read"] }]' in refused.err
    assert list(tmp_path.iterdir()) == []


def test_from_the_first_key_on_a_server_asks_for_one_wherever_it_listens(tmp_path: Path) -> None:
    made = run_process(tmp_path, "key", "new", "crm", "--trust", "server", "--scopes", "track,read", "--json")
    secret = json.loads(made.stdout)["key"]
    with serving(tmp_path, host="0.0.0.0") as server, server.client() as client:
        client.send("POST", "/v1/batch", {"batch": [], "writeKey": secret})
        assert client.receive().status == 200
        client.send("POST", "/v1/batch", {"batch": []})
        assert (client.receive().status, client.get("/healthz").status) == (401, 200)
        headers = {"content-type": "application/json", "authorization": f"Bearer {secret}"}
        client.connection.request("POST", "/graphql", b'{"query": "{ status { seq } }"}', headers)
        assert client.receive().said == {"data": {"status": {"seq": "0"}}}
        assert secret not in server.complaints()
    assert run_process(tmp_path, "key", "revoke", "crm").returncode == 0
    with serving(tmp_path) as server, server.client() as client:
        assert client.ingest([]).status == 200


def test_a_server_that_runs_heeds_keys_that_are_made_and_revoked(tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.client() as client:
        assert client.ingest([]).status == 200
        made = run_process(tmp_path, "key", "new", "crm", "--trust", "server", "--json")
        until(lambda: client.ingest([]).status == 401, "it asks for a key")

        def status() -> int:
            client.send("POST", "/v1/batch", {"batch": [], "writeKey": json.loads(made.stdout)["key"]})
            return client.receive().status

        assert status() == 200
        run_process(tmp_path, "key", "new", "web")
        assert run_process(tmp_path, "key", "revoke", "crm").returncode == 0
        until(lambda: status() == 401, "it takes the key no more")
        assert run_process(tmp_path, "key", "revoke", "web").returncode == 0
        until(lambda: client.ingest([]).status == 401 and "now none" in server.complaints(), "nobody gets in")
        assert client.get("/healthz").status == 200
