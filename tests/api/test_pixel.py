"""`GET /v1/pixel.gif`: an event in an address; whatever becomes of it, people see an image."""

import base64
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from onefold.api.graphql.sockets.door import Sockets
from onefold.api.keyring import Keyring
from onefold.api.pixel import GIF, PATH, RESULT
from onefold.api.waiting import Waiting
from onefold.errors import OnefoldError
from onefold.keys import Scope
from onefold.model.reading import Touchpoint
from onefold.model.sources import Trust
from onefold.settings import Settings
from onefold.store.passing import PassingError
from tests.api.graphql_shop import Shop, opened
from tests.contract.stores import Place
from tests.ingest.events import sent
from tests.ingest.stored import touchpoints
from tests.support.keyed import SHOP, WEB, bearer, key, keyed, secret_of
from tests.tables import ROOT

OPENED = sent(event="Email Opened", messageId="open-1", channel="email", timestamp=None)
READER = key("reader", Scope.READ)


def base64_of(event: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps(event).encode()).decode()


def get(shop: Shop, query: str, **headers: str) -> str:
    """-> what became of the event; the image is looked at on the way."""
    answer = shop.http.get(f"{PATH}?{query}", headers=headers)
    assert (answer.status_code, answer.content) == (200, GIF)
    assert answer.headers["content-type"] == "image/gif"
    assert "no-store" in answer.headers["cache-control"]
    return answer.headers[RESULT]


def sent_by(shop: Shop, event: dict[str, Any], **headers: str) -> str:
    return get(shop, urlencode({"data": base64_of(event)}), **headers)


def stored(shop: Shop) -> list[Touchpoint]:
    return touchpoints(shop.onefold._store)


def names(shop: Shop) -> list[str]:
    return [touchpoint.message_id for touchpoint in stored(shop)]


def rejects(shop: Shop) -> list[tuple[str, bytes]]:
    with shop.onefold.read() as reading:
        return [(reject.code, reject.body) for reject in reading.view.rejects(10)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(Place("sqlite", tmp_path)) as shop:
        yield shop


@pytest.fixture
def with_keys(tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "keyed").mkdir()
    with keyed(Place("sqlite", tmp_path / "keyed"), [WEB, SHOP, READER]) as shop:
        yield shop


def test_an_address_brings_an_event(shop: Shop) -> None:
    assert sent_by(shop, OPENED) == "accepted"
    [touchpoint] = stored(shop)
    assert (touchpoint.message_id, touchpoint.name, touchpoint.channel) == ("open-1", "Email Opened", "email")
    assert sent_by(shop, OPENED) == "duplicate"


def test_the_address_that_is_documented_brings_an_event(shop: Shop) -> None:
    [query] = re.findall(r'src="https://[^/]+/v1/pixel\.gif\?(\S+)"', (ROOT / "docs" / "events.md").read_text())
    assert get(shop, query) == "accepted"
    assert [touchpoint.name for touchpoint in stored(shop)] == ["Email Opened"]


def test_an_event_without_a_message_id_counts_each_time(shop: Shop) -> None:
    for _ in range(2):
        assert sent_by(shop, {**OPENED, "messageId": None}) == "accepted"
    assert len(names(shop)) == 2


@pytest.mark.parametrize("way", ["padded", "unpadded", "URL-safe", "plus left as it is", "plain"])
def test_an_event_may_be_written_in_any_of_these_ways(shop: Shop, way: str) -> None:
    event = {**OPENED, "properties": {"subject": "¿Qué? ~~~ ÿÿÿ >>>"}}
    packed = base64.b64encode(json.dumps(event, ensure_ascii=False).encode()).decode()
    assert set("+/=") <= set(packed)
    data = {
        "padded": quote(packed, safe=""),
        "unpadded": quote(packed.rstrip("="), safe=""),
        "URL-safe": packed.replace("+", "-").replace("/", "_").rstrip("="),
        "plus left as it is": packed,
        "plain": quote(json.dumps(event)),
    }[way]
    assert get(shop, f"data={data}") == "accepted"
    assert "¿Qué? ~~~ ÿÿÿ >>>".encode() in stored(shop)[0].body


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "event.invalid"),
        ("data=", "event.invalid"),
        ("data=nonsense", "event.invalid"),
        ("data=%00%ff%fe", "event.invalid"),
        ("data=" + quote('{"type": "track"}'), "event.no_identifier"),
        ("data=" + quote("[" * 5_000), "event.invalid"),
        ("data=" + quote(json.dumps({**OPENED, "timestamp": "1960-01-01"})), "event.time_out_of_range"),
        ("data=" + quote(json.dumps({**OPENED, "properties": {"x": "x" * 40_000}})), "event.too_large"),
    ],
)  # fmt: skip
def test_what_is_rejected_is_an_image_too_and_in_the_reject_log(shop: Shop, query: str, code: str) -> None:
    assert get(shop, query) == f"rejected {code}"
    assert [reject for reject, _ in rejects(shop)] == [code]
    assert names(shop) == []


def test_the_reject_log_has_what_was_sent(shop: Shop) -> None:
    get(shop, "data=nonsense")
    get(shop, urlencode({"data": base64_of({"type": "track", "event": "x"})}))
    assert {body for _, body in rejects(shop)} == {b"nonsense", b'{"type": "track", "event": "x"}'}


def test_asking_whether_it_is_there_counts_nothing(shop: Shop) -> None:
    answer = shop.http.head(f"{PATH}?{urlencode({'data': base64_of(OPENED)})}")
    assert answer.status_code == 200
    assert names(shop) == []


def test_a_pixel_is_never_trusted_more_than_a_browser(shop: Shop, with_keys: Shop) -> None:
    sent_by(with_keys, OPENED, **bearer("shop"))
    sent_by(shop, OPENED)
    for one in (shop, with_keys):
        with one.onefold.read() as reading:
            assert {source.trust for source in reading.view.sources().values()} == {Trust.PUBLIC}


def test_an_alias_by_pixel_judges_nobody(with_keys: Shop) -> None:
    alias = {"type": "alias", "userId": "b", "previousId": "a", "messageId": "m"}
    for user in "ab":
        sent_by(with_keys, {**OPENED, "messageId": user, "userId": user}, **bearer("shop"))
    assert sent_by(with_keys, alias, **bearer("shop")).startswith("rejected event.ambiguous")


def test_a_secret_key_in_an_address_is_refused_and_whoever_runs_onefold_is_told_once(
    with_keys: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """Mails, proxies and logs keep addresses."""
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert sent_by(with_keys, {**OPENED, "writeKey": secret_of("shop")}) == "key.forbidden"
            assert (
                get(with_keys, urlencode({"data": base64_of(OPENED), "writeKey": secret_of("shop")})) == "key.forbidden"
            )
    assert (names(with_keys), rejects(with_keys)) == ([], [])
    assert [record.getMessage() for record in caplog.records] == [
        "the key shop is to be kept secret, and stands in the address of a pixel: revoke it"
    ]


@pytest.mark.parametrize("where", ["in the event", "in the address"])
def test_a_key_stands_in_the_event_or_in_the_address(with_keys: Shop, where: str) -> None:
    if where == "in the event":
        said = sent_by(with_keys, {**OPENED, "writeKey": secret_of("web")})
    else:
        said = get(with_keys, urlencode({"data": base64_of(OPENED), "writeKey": secret_of("web")}))
    assert said == "accepted"
    assert [touchpoint.source for touchpoint in stored(with_keys)]


def test_the_reject_log_does_not_have_the_key(with_keys: Shop) -> None:
    for more in ({}, {"writeKey": secret_of("web")}):
        event = {"type": "track", "writeKey": secret_of("web")}
        assert get(with_keys, urlencode({"data": base64_of(event), **more})) == "rejected event.no_identifier"
    assert len(rejects(with_keys)) == 2
    assert all(secret_of("web").encode() not in body for _, body in rejects(with_keys))


@pytest.mark.parametrize(
    ("secret", "code"),
    [(None, "key.missing"), ("no such key", "key.unknown"), (secret_of("reader"), "key.forbidden"), (7, "key.missing")],
)
def test_whoever_has_no_key_that_tracks_leaves_nothing_behind(with_keys: Shop, secret: object, code: str) -> None:
    assert sent_by(with_keys, {**OPENED, "writeKey": secret}) == code
    assert get(with_keys, "data=nonsense") == "key.missing"
    assert (names(with_keys), rejects(with_keys)) == ([], [])


def test_without_keys_no_foreign_page_sends_what_its_visitor_did_not_mean_to(shop: Shop) -> None:
    foreign = {"sec-fetch-site": "cross-site", "referer": "https://evil.example/page"}
    assert sent_by(shop, OPENED, **foreign) == "request.forbidden_origin"
    assert sent_by(shop, OPENED, **(foreign | {"sec-fetch-site": "same-site"})) == "request.forbidden_origin"
    assert sent_by(shop, OPENED, **{"sec-fetch-site": "cross-site"}) == "request.forbidden_origin"
    assert names(shop) == []
    assert sent_by(shop, OPENED, **{"sec-fetch-site": "same-origin"}) == "accepted"


def test_a_page_that_the_settings_name_may_have_the_pixel_in_it(tmp_path: Path) -> None:
    with opened(Place("sqlite", tmp_path), allowed_origins=("http://localhost:3000",)) as shop:
        page = {"sec-fetch-site": "same-site", "referer": "http://localhost:3000/news?x=1"}
        assert sent_by(shop, OPENED, **page) == "accepted"


def test_a_store_that_fails_shows_an_image_too_and_is_told_of(
    shop: Shop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OnefoldError("ingest.queue_full", "10000 events are waiting")

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    for failure, code in ((full, "ingest.queue_full"), (broken, "internal")):
        monkeypatch.setattr("onefold.service.Onefold.submit_sent", failure)
        with caplog.at_level(logging.WARNING):
            assert sent_by(shop, OPENED) == code
        assert "a pixel's event was not taken" in caplog.text
        caplog.clear()


def test_an_image_is_seen_before_the_store_is_there() -> None:
    from starlette.testclient import TestClient

    why = PassingError("store.unavailable", "the store does not answer")
    waiting = Waiting(Settings(), lambda: pytest.fail("it is not opened"), why, Sockets(1), Keyring(Settings()))
    answer = TestClient(waiting, base_url="http://127.0.0.1:8470").get(f"{PATH}?data=x")
    assert (answer.status_code, answer.content, answer.headers[RESULT]) == (200, GIF, "store.unavailable")
