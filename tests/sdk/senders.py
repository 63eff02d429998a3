"""The SDKs, unmodified: each makes the same calls, and says what it was told went wrong."""

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import rudderstack.analytics.client as rudder
import segment.analytics.client as segment

from tests.sdk import browser
from tests.sdk.packages import packages
from tests.support.server import SECONDS, until
from tests.support.tools import needed

Call = Mapping[str, Any]
"""A call in the words of the events: `type`, `userId`, `properties`, …"""
Arrived = Callable[[], bool]
"""Whether all that is sent has arrived."""


class To(NamedTuple):
    """Where to send: the URL of onefold, the write key, and of a page that sends its origin."""

    url: str
    key: str
    origin: str


class Send(Protocol):
    """Has an SDK make calls, and waits until they are delivered; -> what the SDK says went wrong."""

    def __call__(self, to: To, calls: Sequence[Call], arrived: Arrived) -> list[str]: ...


class Sdk(NamedTuple):
    """An SDK, and what is peculiar to it.

    Attributes:
        paths: where it sends to. kind: the content type that it names. gzip: whether it compresses.
        page_channel: of a page; RudderStack's SDKs for servers say themselves that all they send comes from a server.
        public: whether it runs in a page, so that everybody can read its key.
        refuses_large: whether it does not even send an event of more than 32 KB.
    """

    send: Send
    paths: frozenset[str] = frozenset({"/v1/batch"})
    kind: str = "application/json"
    gzip: bool = False
    page_channel: str = "web"
    public: bool = False
    refuses_large: bool = False


PYTHON_NAMES = {
    "userId": "user_id",
    "anonymousId": "anonymous_id",
    "groupId": "group_id",
    "previousId": "previous_id",
}


def python(client: Callable[..., Any]) -> Send:
    """SDKs for Python: Segment's, and RudderStack's, which has grown out of it."""

    def send(to: To, calls: Sequence[Call], arrived: Arrived) -> list[str]:
        errors: list[str] = []
        sdk = client(to.key, host=to.url, gzip=True, upload_interval=0.1, on_error=lambda e, _: errors.append(str(e)))
        for call in calls:
            arguments = {PYTHON_NAMES.get(name, name): value for name, value in call.items() if name != "type"}
            try:
                assert getattr(sdk, call["type"])(**arguments)[0]
            except RuntimeError as error:
                errors.append(str(error)[:80])
            time.sleep(0.002)  # whoever makes calls does so one after the other
        sdk.flush()
        sdk.join()
        return errors

    return send


def node(sdk: str) -> Send:
    """SDKs for Node, in a process of its own."""

    def send(to: To, calls: Sequence[Call], arrived: Arrived) -> list[str]:
        said = json.dumps({"sdk": sdk, "host": to.url, "key": to.key, "calls": calls})
        done = subprocess.run(
            [needed("node", "apt-get install nodejs npm"), packages().parent / "send.mjs"],
            input=said,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        errors: list[str] = json.loads(done.stdout)["errors"]
        return errors

    return send


def page(strategy: Mapping[str, Any]) -> Send:
    """Segment's SDK for browsers, in a page."""

    def send(to: To, calls: Sequence[Call], arrived: Arrived) -> list[str]:
        with browser.opened(to.origin) as page:
            said = {"key": to.key, "host": to.url.removeprefix("http://"), "strategy": strategy, "calls": list(calls)}
            page.evaluate(browser.MAKE, said)
            until(arrived, "what the page sends has arrived")
            errors: list[str] = page.evaluate("window.failures")
            return errors

    return send


SDKS: dict[str, Sdk] = {
    "segment-analytics-python": Sdk(python(segment.Client), gzip=True, refuses_large=True),
    "rudder-sdk-python": Sdk(python(rudder.Client), gzip=True, page_channel="server"),
    "@segment/analytics-node": Sdk(node("segment")),
    "@rudderstack/rudder-sdk-node": Sdk(
        node("rudder"), kind="application/x-www-form-urlencoded", gzip=True, page_channel="server"
    ),
    "@segment/analytics-next": Sdk(
        page(browser.ONE_BY_ONE), frozenset(f"/v1/{letter}" for letter in "pitga"), "text/plain", public=True
    ),
    "@segment/analytics-next in batches": Sdk(
        page(browser.IN_BATCHES), frozenset({"/v1/b"}), "text/plain", public=True
    ),
}
