"""Keys that are made and revoked while onefold runs."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from onefold.api.app import create_app
from onefold.api.keyring import LOOK_SECONDS, Keyring
from onefold.keys import Key, KeyTrust, Scope, table
from onefold.settings import Settings
from tests.contract.stores import Place
from tests.support.keyed import SHOP, WEB, bearer, key, keyed, secret_of

URL = "ws://127.0.0.1:8470/graphql"
PAGE = "https://desk.example"


class Clock:
    """Stands still until a second passes."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def tick(self) -> None:
        self.now += LOOK_SECONDS


class Ring:
    """A keyring, the file it looks at, and the clock it looks by."""

    def __init__(self, file: Path, *keys: Key) -> None:
        self.file, self.clock = file, Clock()
        self.write(*keys)
        self.ring = Keyring(Settings(keys=keys), file, self.clock)

    def write(self, *keys: Key) -> None:
        """Put a new file in the place of the old one, as `onefold key` does."""
        made = self.file.with_suffix(".new")
        made.write_text("".join(map(table, keys)))
        made.replace(self.file)

    def names(self) -> list[str]:
        """Of the keys a second later."""
        self.clock.tick()
        return [key.name for key in self.ring.known().keys]


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    return Ring(tmp_path / "onefold.toml", SHOP, WEB)


def test_a_changed_file_counts_within_a_second(ring: Ring) -> None:
    assert ring.names() == ["shop", "web"]
    ring.write(SHOP)
    assert [key.name for key in ring.ring.known().keys] == ["shop", "web"], "it is not looked at all the time"
    assert ring.names() == ["shop"]
    ring.write(SHOP, key("till", Scope.TRACK))
    assert ring.names() == ["shop", "till"]


def test_what_changed_after_the_settings_were_read_and_before_the_first_look_counts(tmp_path: Path) -> None:
    ring = Ring(tmp_path / "onefold.toml", SHOP, WEB)
    ring.write(SHOP)
    assert [key.name for key in ring.ring.known().keys] == ["shop"]


def test_a_file_that_stays_is_not_read_again(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ring.names() == ["shop", "web"]
    monkeypatch.setattr("onefold.api.keyring.load_keys", lambda *_: pytest.fail("it was read"))
    assert ring.names() == ["shop", "web"]


@pytest.mark.parametrize("fault", ["no TOML", "another setting is wrong", "two of a name", "gone", "a folder"])
def test_a_broken_file_leaves_the_keys_as_they_were_and_that_is_said_once(
    ring: Ring, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert ring.names() == ["shop", "web"]
    ring.file.unlink()
    if fault == "a folder":
        ring.file.mkdir()
    elif fault != "gone":
        said = {"no TOML": "keys = [", "another setting is wrong": "port = 'x'", "two of a name": table(WEB) * 2}
        ring.file.write_text(said[fault])
    with caplog.at_level(logging.WARNING):
        assert [ring.names() for _ in range(3)] == [["shop", "web"]] * 3
    [record] = caplog.records
    assert record.getMessage().startswith("settings.invalid: ")
    assert record.getMessage().endswith("; the keys stay what they were")
    if fault == "a folder":
        ring.file.rmdir()
    ring.write(WEB)
    assert ring.names() == ["web"], "it is mended"


def test_what_changed_is_logged_without_secrets_or_hashes(ring: Ring, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        ring.names()
        ring.write(SHOP)
        ring.names()
        ring.write()
        ring.names()
    assert [record.getMessage() for record in caplog.records] == [
        f"the keys in {ring.file} have changed: there are now shop",
        f"the keys in {ring.file} have changed: there are now none, and nobody gets in until onefold is started anew",
    ]


def test_the_first_key_closes_the_door_and_the_last_one_does_not_open_it_again(tmp_path: Path) -> None:
    ring = Ring(tmp_path / "onefold.toml")
    ring.file.unlink()
    assert (ring.names(), ring.ring.known().needed) == ([], False)
    ring.write(WEB)
    assert (ring.names(), ring.ring.known().needed) == (["web"], True)
    ring.write()
    assert (ring.names(), ring.ring.known().needed) == ([], True)


# -- over HTTP


@pytest.fixture
def shop(ring: Ring, tmp_path: Path) -> Iterator[TestClient]:
    """A onefold whose keys are those of the ring."""
    with (
        keyed(Place("sqlite", tmp_path), (SHOP, WEB)) as shop,
        TestClient(create_app(shop.onefold, ring=ring.ring), base_url="http://127.0.0.1:8470") as client,
    ):
        yield client


def status(shop: TestClient, name: str | None, **headers: str) -> int:
    own = {} if name is None else bearer(name)
    return shop.post("/v1/batch", json={"batch": []}, headers=own | headers).status_code


def test_whoever_is_revoked_gets_in_nowhere(shop: TestClient, ring: Ring) -> None:
    event = {"type": "track", "event": "x", "userId": "ann"}
    assert status(shop, "web") == 200
    ring.write(SHOP)
    ring.clock.tick()
    assert (status(shop, "web"), status(shop, "shop"), status(shop, None)) == (401, 200, 401)
    assert shop.post("/graphql", json={"query": "{ __typename }"}, headers=bearer("web")).status_code == 401
    assert shop.post("/v1/t", json=event | {"writeKey": secret_of("web")}).status_code == 401
    ring.write()
    ring.clock.tick()
    assert (status(shop, "shop"), status(shop, None)) == (401, 401)


def test_a_key_that_is_made_again_under_its_name_is_another(shop: TestClient, ring: Ring) -> None:
    ring.write(Key(name="web", hash=SHOP.hash, trust=KeyTrust.PUBLIC, scopes=(Scope.TRACK,)))
    ring.clock.tick()
    assert (status(shop, "web"), status(shop, "shop")) == (401, 200)


def test_what_a_key_may_and_for_which_pages_changes_with_it(shop: TestClient, ring: Ring) -> None:
    asking = {"origin": PAGE, "access-control-request-method": "POST"}
    assert status(shop, "shop", origin=PAGE) == shop.options("/v1/batch", headers=asking).status_code == 403
    ring.write(key("shop", Scope.TRACK, origins=[PAGE.upper()]))
    ring.clock.tick()
    assert status(shop, "shop", origin=PAGE) == shop.options("/v1/batch", headers=asking).status_code == 200
    answer = shop.post("/graphql", json={"query": "{ status { seq } }"}, headers=bearer("shop"))
    assert answer.json()["errors"][0]["extensions"]["code"] == "key.forbidden"


def test_a_connection_that_is_open_is_closed_when_its_key_is_revoked(shop: TestClient, ring: Ring) -> None:
    ask: dict[str, Any] = {"type": "subscribe", "id": "1", "payload": {"query": "{ status { seq } }"}}
    with shop.websocket_connect(URL, ["graphql-transport-ws"], headers=bearer("shop")) as session:
        session.send_json({"type": "connection_init"})
        session.send_json(ask)
        assert [session.receive_json()["type"] for _ in range(3)] == ["connection_ack", "next", "complete"]
        ring.write(WEB)
        ring.clock.tick()
        session.send_json(ask)
        with pytest.raises(WebSocketDisconnect) as caught:
            session.receive_json()
    assert (caught.value.code, caught.value.reason) == (4403, "Forbidden: the key is not taken any more")
