"""A page that is not ours, in a real browser, cannot send events: not by a script, and not by a form."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.keys import Key, KeyTrust, Scope, hash_of
from onefold.settings import Settings
from onefold.wiring import build
from tests.sdk.browser import opened, shop
from tests.sdk.serving import InProcess, in_process
from tests.support.server import until

pytestmark = pytest.mark.slow

SECRET = "the-secret-of-a-page"
BY_SCRIPT = """
([url, body, kind]) => fetch(url, { method: "post", headers: { "content-type": kind }, body })
  .then((answer) => answer.status, () => "nothing")
"""
BY_FORM = """
([url, body]) => {
  const form = document.createElement("form");
  const field = document.createElement("input");
  const [name, value] = body.split(/=(.*)/);
  Object.assign(form, { method: "post", action: url, enctype: "text/plain" });
  Object.assign(field, { type: "hidden", name, value });
  form.append(field);
  document.body.append(form);
  form.submit();
}
"""


@pytest.fixture
def ours() -> Iterator[str]:
    with shop() as origin:
        yield origin


@pytest.fixture
def foreign() -> Iterator[str]:
    with shop() as origin:
        yield origin


@pytest.fixture(params=["by a key", "without keys"])
def onefold(request: pytest.FixtureRequest, tmp_path: Path, ours: str, foreign: str) -> Iterator[InProcess]:
    """onefold that takes events from our page. Where there are keys, the foreign page has one of its own."""
    by_key = request.param == "by a key"
    chosen = Settings(
        store=f"sqlite:///{tmp_path}/onefold.db",
        keys=(key("ours", SECRET, ours), key("theirs", "another-secret-of-a-page", foreign)) if by_key else (),
        allowed_origins=() if by_key else (ours,),
    )
    with build(chosen) as service, in_process(service) as onefold:
        yield onefold


def key(name: str, secret: str, origin: str) -> Key:
    return Key(name=name, hash=hash_of(secret), trust=KeyTrust.PUBLIC, scopes=(Scope.TRACK,), origins=(origin,))


def stored(onefold: InProcess) -> int:
    with onefold.service.read() as reading:
        return reading.view.counts().touchpoints


def test_only_our_page_can_send(onefold: InProcess, ours: str, foreign: str) -> None:
    # The key is in the body, as a request that a browser sends without asking beforehand has no headers of its own.
    event = {"userId": "ann", "event": "a=b", "writeKey": SECRET}
    url, body = f"{onefold.url}/v1/t", json.dumps(event)
    with opened(foreign) as page:
        for kind in ("text/plain", "application/json"):
            assert page.evaluate(BY_SCRIPT, [url, body, kind]) in {"nothing", 403}
        page.evaluate(BY_FORM, [url, body])
        until(lambda: len(onefold.answers) >= 2, "script and form were answered")
    assert {answer.status for answer in onefold.answers} == {403}
    assert stored(onefold) == 0
    with opened(ours) as page:
        assert page.evaluate(BY_SCRIPT, [url, body, "text/plain"]) == 200
        assert page.evaluate(BY_SCRIPT, [url, body, "application/json"]) == 200
    assert stored(onefold) == 2
