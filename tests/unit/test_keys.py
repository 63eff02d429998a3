"""Keys as settings declare them: what is kept of them, and that no message repeats a secret."""

import hmac
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onefold import keys
from onefold.errors import OnefoldError
from onefold.keys import Key, KeyTrust, Scope, declared, find, hash_of, new_secret
from onefold.settings import Settings, load_keys, load_settings
from tests.tables import ROOT

SECRET = "a-secret-of-the-shop-0123"
SHOP: dict[str, Any] = {"name": "shop", "key": SECRET, "trust": "server", "scopes": ["track"]}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An onefold.toml of whoever runs the tests must not count."""
    monkeypatch.chdir(tmp_path)


def refusal(*rows: object) -> OnefoldError:
    with pytest.raises(OnefoldError) as caught:
        Settings(keys=declared(list(rows), "here"))
    assert caught.value.code == "settings.invalid"
    assert caught.value.hint
    return caught.value


def a_key(name: str, secret: str = SECRET) -> Key:
    return Key(name=name, hash=hash_of(secret), trust=KeyTrust.SERVER, scopes=(Scope.TRACK,))


def test_a_key_is_kept_by_its_hash_however_it_is_declared() -> None:
    (plain,) = declared([SHOP], "here")
    (hashed,) = declared([{**SHOP, "key": None, "hash": hash_of(SECRET)}], "here")
    assert plain == hashed == a_key("shop")
    assert SECRET not in repr(msgspec.structs.asdict(plain))
    assert plain.hash not in repr(Settings(keys=(plain,)))


def test_a_new_secret_is_unlike_every_other_and_can_be_declared() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    for secret in made:
        assert find(declared([{**SHOP, "key": secret}], "here"), secret) is not None


def test_a_key_is_found_by_its_secret_alone() -> None:
    known = [a_key("one", "a" * 16), a_key("two", "b" * 16), a_key("three", "c" * 16)]
    assert [key and key.name for key in (find(known, text * 16) for text in "abcd")] == ["one", "two", "three", None]
    for other in ("", "a" * 15, "a" * 17, known[0].hash, "\ud800"):
        assert find(known, other) is None


def test_looking_for_a_key_compares_with_every_one_whichever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    compare = hmac.compare_digest

    def counted(one: str, other: str) -> bool:
        compared.append(len(one))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    known = [a_key(str(number), str(number) * 16) for number in range(5)]
    for secret in ("0" * 16, "4" * 16, "unknown", "x" * 10_000):
        compared.clear()
        find(known, secret)
        assert compared == [len(known[0].hash)] * 5


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a shop"}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"key": None}, "hash"),
        ({"hash": hash_of(SECRET)}, "hash"),
        ({"key": None, "hash": "sha256:beef"}, "hash"),
        ({"key": "too short"}, "key"),
        ({"key": "with a blank in the midst"}, "key"),
        ({"scopes": []}, "scopes"),
        ({"trust": "public", "scopes": ["track", "read"]}, "scopes"),
        ({"trust": "public", "scopes": ["steward"]}, "scopes"),
        ({"trust": "public", "scopes": ["admin"]}, "scopes"),
        ({"origins": ["shop.example"]}, "origins"),
        ({"origins": ["https://shop.example/path"]}, "origins"),
        ({"origins": ["https://shop.example, https://x.example"]}, "origins"),
        ({"scopes": ["write"]}, "keys"),
        ({"trust": "friend"}, "keys"),
        ({"scope": "track"}, "keys"),
        ({"trust": None}, "keys"),
    ],
)
def test_what_cannot_be_a_key_is_refused_with_what_is_wrong(change: dict[str, object], field: str) -> None:
    assert refusal({**SHOP, **change}).field == field


@pytest.mark.parametrize("rows", ["shop", {"shop": SHOP}, 7, None])
def test_keys_are_a_list(rows: object) -> None:
    with pytest.raises(OnefoldError, match=r"here is no list of keys"):
        declared(rows, "here")


@pytest.mark.parametrize("part", ["name", "hash", "trust", "scopes", "origins", "kye"])
@pytest.mark.parametrize("secret", ["ofk_0123456789abcdefghjkmnpqrstvwxyz", 'it\'s "secret"', "hush hush " * 5])
def test_a_secret_at_the_wrong_place_is_not_repeated(part: str, secret: str) -> None:
    row = {**SHOP, part: [secret] if part in {"scopes", "origins"} else secret}
    error = refusal(row)
    assert secret not in f"{error.problem} {error!r} {error.__cause__!r}"
    too_short = refusal({**SHOP, "key": "hush"})
    assert "hush" not in f"{too_short.problem}"


def test_nobody_has_two_names_and_no_name_stands_for_two() -> None:
    assert refusal(SHOP, {**SHOP, "key": "b" * 16}).message == "two keys have the name shop"
    assert refusal(SHOP, {**SHOP, "name": "web"}).message == "shop and web are one key"


def test_keys_come_from_the_file_or_from_the_variable_which_wins() -> None:
    Path("onefold.toml").write_text(
        f'port = 1\n[[keys]]\nname = "shop"\nkey = "{SECRET}"\ntrust = "public"\nscopes = ["track"]\n'
    )
    (shop,) = load_settings(variables={}).keys
    assert (shop.name, shop.trust, shop.scopes) == ("shop", KeyTrust.PUBLIC, (Scope.TRACK,))
    variable = {"ONEFOLD_KEYS": msgspec.json.encode([{**SHOP, "name": "crm"}]).decode()}
    settings = load_settings(variables=variable)
    assert ([key.name for key in settings.keys], settings.port) == (["crm"], 1)
    assert load_keys(None, variable) == settings.keys
    assert load_settings(variables={"ONEFOLD_KEYS": "[]"}).keys == ()


@pytest.mark.parametrize("text", ["", "shop", f'["{SECRET}"]', f'[{{"key": "{SECRET}"}}]', f'"{SECRET}', "[" * 100_000])
def test_a_variable_that_is_not_json_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(OnefoldError) as caught:
        load_settings(variables={"ONEFOLD_KEYS": text})
    assert caught.value.code == "settings.invalid"
    assert "ONEFOLD_KEYS" in caught.value.message
    assert SECRET not in f"{caught.value.problem}"


def test_a_file_that_is_not_toml_is_not_repeated() -> None:
    Path("onefold.toml").write_text(f'[[keys]]\nname = "shop"\nkey = {SECRET}\n')
    with pytest.raises(OnefoldError) as caught:
        load_settings(variables={})
    assert SECRET not in f"{caught.value.problem}"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "shop.example"])
def test_with_a_key_onefold_may_listen_anywhere_and_without_is_told_what_to_add(host: str) -> None:
    assert Settings(host=host, keys=(a_key("shop"),)).host == host
    with pytest.raises(OnefoldError) as caught:
        Settings(host=host)
    assert caught.value.field == "host"
    line = keys.EXAMPLE.replace("sha256:…", hash_of(SECRET))
    assert keys.EXAMPLE in (caught.value.hint or "")
    Path("onefold.toml").write_text(f'host = "{host}"\n{line}\n')
    assert load_settings(variables={}).host == host


def test_no_setting_lets_every_page_ask_with_every_key() -> None:
    with pytest.raises(OnefoldError, match="every web page"):
        Settings(allowed_origins=("*",))
    assert Settings(keys=declared([{**SHOP, "origins": ["*"]}], "here")).keys


def test_the_documented_example_is_read() -> None:
    example = (ROOT / "docs" / "keys.md").read_text().split("```toml\n")[1].split("```")[0]
    Path("onefold.toml").write_text(example)
    (shop,) = load_settings(variables={}).keys
    assert keys.table(shop) == example


def test_the_documented_scopes_are_those_there_are() -> None:
    told = (ROOT / "docs" / "keys.md").read_text().split("| scope | what it allows |\n")[1].split("\n\n")[0]
    assert [line.split("`")[1] for line in told.splitlines()[1:]] == list(Scope)
