"""Every SDK, unmodified, sends to a running onefold with a key of its own: nothing is lost, nothing is doubled."""

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from onefold.keys import Key, KeyTrust, Scope, hash_of
from onefold.settings import Settings
from onefold.wiring import build
from tests.sdk.browser import shop
from tests.sdk.reading import all_of, customer, identifiers, journey, traits
from tests.sdk.senders import SDKS, Call, Sdk, To
from tests.sdk.serving import InProcess, in_process
from tests.support.server import SECONDS, until

pytestmark = pytest.mark.slow

READER, SENDER = "the-secret-of-a-reader", "the-secret-of-a-sender"


@pytest.fixture(params=SDKS)
def sdk(request: pytest.FixtureRequest) -> Sdk:
    return SDKS[request.param]


@pytest.fixture
def origin(sdk: Sdk) -> Iterator[str]:
    """Of the page that sends, if one does."""
    with shop() if sdk.public else nullcontext("") as origin:
        yield origin


@contextmanager
def running(folder: Path, origin: str, **settings: Any) -> Iterator[InProcess]:
    """onefold on a new store, with keys: a page's key may do no more than send, and from that page only."""
    trust, more = (KeyTrust.PUBLIC, ()) if origin else (KeyTrust.SERVER, (Scope.STEWARD,))
    keys = (
        Key(name="reader", hash=hash_of(READER), trust=KeyTrust.SERVER, scopes=(Scope.READ,)),
        Key(
            name="sender",
            hash=hash_of(SENDER),
            trust=trust,
            scopes=(Scope.TRACK, *more),
            origins=(origin,) if origin else (),
        ),
    )
    chosen = Settings(store=f"sqlite:///{folder}/onefold.db", keys=keys, **settings)
    with build(chosen) as service, in_process(service, READER) as onefold:
        yield onefold


@pytest.fixture
def onefold(tmp_path: Path, origin: str) -> Iterator[InProcess]:
    with running(tmp_path, origin) as onefold:
        yield onefold


def send(sdk: Sdk, onefold: InProcess, origin: str, calls: Sequence[Call], but: int = 0, again: int = 0) -> list[str]:
    """Have the SDK send, until all events, `but` for so many, are the one user's, and some have come `again`."""
    who = next(call["userId"] for call in calls if "userId" in call)
    wanted = len(calls) - but

    def arrived() -> bool:
        return len(all_of(onefold, who)) >= wanted and onefold.duplicates >= again

    errors = sdk.send(To(onefold.url, SENDER, origin), calls, arrived)
    assert arrived()
    assert {(answer.kind, answer.encoding) for answer in onefold.answers} == {(sdk.kind, "gzip" if sdk.gzip else "")}
    assert {answer.path for answer in onefold.answers} <= sdk.paths
    return errors


def test_what_it_sends_is_stitched_and_read_back(sdk: Sdk, onefold: InProcess, origin: str) -> None:
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
    assert send(sdk, onefold, origin, calls, but=sdk.public) == []
    found = customer(onefold, f"anonymous_id:{cookie}")
    known = {"user_id:ann", f"anonymous_id:{cookie}", f"anonymous_id:{other}", f"email:{email.lower()}"}
    steps = [("page", "Home", True), ("identify", None, False), ("track", "Ordered", False), ("group", None, False)]
    steps.append(("alias", None, False))
    if sdk.public:
        assert onefold.rejects() == ["event.ambiguous"], "whose key everybody can read may not judge"
    else:
        assert onefold.rejects() == []
        known.add("user_id:old-ann")
        steps.append(("alias", None, False))
    assert identifiers(found) == known
    assert all(customer(onefold, same) == found for same in known)
    assert traits(found) == {"email": email, "plan": "gold"}
    assert [(step["type"], step["name"], step["retroactive"]) for step in journey(found)] == steps
    page, _, order, *_ = journey(found)
    assert (page["properties"]["path"], page["channel"], page["source"]) == ("/", sdk.page_channel, "sender")
    assert (order["revenue"], order["currency"]) == ("39.9", "EUR")
    assert {answer.path for answer in onefold.answers} == sdk.paths


def numbered(*numbers: int) -> list[Call]:
    return [{"type": "track", "userId": "busy", "event": "Seen", "properties": {"n": n}} for n in numbers]


def test_many_events_arrive_once_each(sdk: Sdk, onefold: InProcess, origin: str) -> None:
    assert send(sdk, onefold, origin, numbered(*range(250))) == []
    found = all_of(onefold, "busy")
    assert sorted(step["properties"]["n"] for step in found) == list(range(250))
    assert len({step["messageId"] for step in found}) == 250


def test_told_to_come_back_later_it_does_and_loses_nothing(sdk: Sdk, tmp_path: Path, origin: str) -> None:
    with running(tmp_path, origin, queue_size=50, batch_size=50, max_events_per_batch=50) as onefold:
        errors: list[str] = []
        sending = threading.Thread(target=lambda: errors.extend(send(sdk, onefold, origin, numbered(*range(5)))))
        with onefold.no_room():
            sending.start()
            until(lambda: 429 in {answer.status for answer in onefold.answers}, "it is told to come back later")
        sending.join(SECONDS)
        assert errors == []
        assert sorted(step["properties"]["n"] for step in all_of(onefold, "busy")) == list(range(5))
        assert {answer.status for answer in onefold.answers} == {200, 429}


def test_an_answer_that_got_lost_doubles_nothing(sdk: Sdk, onefold: InProcess, origin: str) -> None:
    onefold.lose_an_answer()
    assert send(sdk, onefold, origin, numbered(*range(5)), again=1) == []
    assert sorted(step["properties"]["n"] for step in all_of(onefold, "busy")) == list(range(5))


def test_an_event_that_is_too_large_takes_nothing_with_it(sdk: Sdk, onefold: InProcess, origin: str) -> None:
    first, large, last = numbered(1, 2, 3)
    calls = [first, {**large, "properties": {"n": 2, "text": "x" * 40_000}}, last]
    errors = send(sdk, onefold, origin, calls, but=1)
    assert sorted(step["properties"]["n"] for step in all_of(onefold, "busy")) == [1, 3]
    if sdk.refuses_large:
        assert len(errors) == 1
        assert onefold.rejects() == []
    else:
        assert errors == []
        assert onefold.rejects() == ["event.too_large"]
