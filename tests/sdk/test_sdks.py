"""Every SDK, unmodified, sends to a running onefold with a key of its own: nothing is lost, nothing is doubled."""

import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from onefold.keys import Key, KeyTrust, Scope, hash_of
from onefold.settings import Settings
from onefold.wiring import build
from tests.sdk.reading import all_of, customer, identifiers, journey, traits
from tests.sdk.senders import SDKS, Call, Sdk
from tests.sdk.serving import InProcess, in_process
from tests.support.server import SECONDS, until

pytestmark = pytest.mark.slow

READER, SENDER = "the-secret-of-a-reader", "the-secret-of-a-sender"
KEYS = (
    Key(name="reader", hash=hash_of(READER), trust=KeyTrust.SERVER, scopes=(Scope.READ,)),
    Key(name="sender", hash=hash_of(SENDER), trust=KeyTrust.SERVER, scopes=(Scope.TRACK, Scope.STEWARD)),
)


@pytest.fixture(params=SDKS)
def sdk(request: pytest.FixtureRequest) -> Sdk:
    return SDKS[request.param]


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[InProcess]:
    """onefold on a new store, with keys."""
    chosen = Settings(store=f"sqlite:///{folder}/onefold.db", keys=KEYS, **settings)
    with build(chosen) as service, in_process(service, READER) as onefold:
        yield onefold


@pytest.fixture
def onefold(tmp_path: Path) -> Iterator[InProcess]:
    with running(tmp_path) as onefold:
        yield onefold


def send(sdk: Sdk, onefold: InProcess, calls: Sequence[Call], arrives: int | None = None) -> list[str]:
    """Have the SDK send, until so many events, all if not told, are the one user's."""
    who = next(call["userId"] for call in calls if "userId" in call)
    wanted = len(calls) if arrives is None else arrives
    errors = sdk.send(onefold.url, SENDER, calls, lambda: len(all_of(onefold, who)) >= wanted)
    assert {(answer.path, answer.kind, answer.encoding) for answer in onefold.answers} == {
        (path, sdk.kind, "gzip" if sdk.gzip else "") for path in sdk.paths
    }
    return errors


def test_what_it_sends_is_stitched_and_read_back(sdk: Sdk, onefold: InProcess) -> None:
    cookie, other = str(uuid.uuid4()), str(uuid.uuid4())
    email = "Ann@Example.com"
    calls: list[Call] = [
        {"type": "page", "anonymousId": cookie, "name": "Home", "properties": {"path": "/"}},
        {"type": "identify", "userId": "ann", "anonymousId": cookie, "traits": {"email": email, "plan": "gold"}},
        {"type": "track", "userId": "ann", "event": "Ordered", "properties": {"revenue": 39.9, "currency": "eur"}},
        {"type": "group", "userId": "ann", "groupId": "acme", "traits": {"email": "info@acme.example"}},
        {"type": "alias", "previousId": other, "userId": "ann"},
        {"type": "alias", "previousId": "old-ann", "userId": "ann"},
    ]
    assert send(sdk, onefold, calls) == []
    found = customer(onefold, f"anonymous_id:{cookie}")
    for same in ("user_id:ann", "user_id:old-ann", f"anonymous_id:{other}", f"email:{email.lower()}"):
        assert customer(onefold, same) == found
    assert identifiers(found) == {
        "user_id:ann",
        "user_id:old-ann",
        f"anonymous_id:{cookie}",
        f"anonymous_id:{other}",
        f"email:{email.lower()}",
    }
    assert traits(found) == {"email": email, "plan": "gold"}
    steps = journey(found)
    assert [(step["type"], step["name"], step["retroactive"]) for step in steps] == [
        ("page", "Home", True),
        ("identify", None, False),
        ("track", "Ordered", False),
        ("group", None, False),
        ("alias", None, False),
        ("alias", None, False),
    ]
    page, _, order, *_ = steps
    assert (page["properties"]["path"], page["channel"], page["source"]) == ("/", sdk.page_channel, "sender")
    assert (order["revenue"], order["currency"]) == ("39.9", "EUR")
    assert onefold.rejects() == []


def numbered(*numbers: int) -> list[Call]:
    return [{"type": "track", "userId": "busy", "event": "Seen", "properties": {"n": n}} for n in numbers]


def test_many_events_arrive_once_each(sdk: Sdk, onefold: InProcess) -> None:
    assert send(sdk, onefold, numbered(*range(250))) == []
    found = all_of(onefold, "busy")
    assert sorted(step["properties"]["n"] for step in found) == list(range(250))
    assert len({step["messageId"] for step in found}) == 250


def test_told_to_come_back_later_it_does_and_loses_nothing(sdk: Sdk, tmp_path: Path) -> None:
    with running(tmp_path, queue_size=50, batch_size=50, max_events_per_batch=50) as onefold:
        errors: list[str] = []
        sending = threading.Thread(target=lambda: errors.extend(send(sdk, onefold, numbered(*range(5)))))
        with onefold.no_room():
            sending.start()
            until(lambda: 429 in {answer.status for answer in onefold.answers}, "it is told to come back later")
        sending.join(SECONDS)
        assert errors == []
        assert sorted(step["properties"]["n"] for step in all_of(onefold, "busy")) == list(range(5))
        assert Counter(answer.status for answer in onefold.answers).keys() == {200, 429}


def test_an_event_that_is_too_large_takes_nothing_with_it(sdk: Sdk, onefold: InProcess) -> None:
    first, large, last = numbered(1, 2, 3)
    calls = [first, {**large, "properties": {"n": 2, "text": "x" * 40_000}}, last]
    errors = send(sdk, onefold, calls, arrives=2)
    assert sorted(step["properties"]["n"] for step in all_of(onefold, "busy")) == [1, 3]
    if sdk.refuses_large:
        assert len(errors) == 1
        assert onefold.rejects() == []
    else:
        assert errors == []
        assert onefold.rejects() == ["event.too_large"]
