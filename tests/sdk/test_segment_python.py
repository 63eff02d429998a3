"""The real segment-analytics-python, unmodified, sends to a running onefold without keys, all that it can."""

import json
import math
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from segment.analytics.client import Client

from tests.contract.stores import KINDS
from tests.sdk.reading import all_of, customer, identifiers, journey, traits
from tests.sdk.serving import Served, served
from tests.support.neo4j_server import wiped

RESOLVE = "query ($who: [IdentifierInput!]!) { resolve(identifiers: $who) { customer { id } } }"


@pytest.fixture(scope="module", params=KINDS)
def onefold(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    store = {} if request.param == "sqlite" else {"store": wiped(request.getfixturevalue("neo4j_database"))}
    with served(tmp_path_factory.mktemp("served"), **store) as running:
        yield running


class Sdk:
    """A client of the SDK, and what it was told went wrong."""

    def __init__(self, onefold: Served, **options: Any) -> None:
        self.errors: list[Exception] = []
        self.client = Client(
            "any-key",
            host=onefold.url,
            on_error=lambda error, _: self.errors.append(error),
            **{"upload_interval": 0.1} | options,
        )

    def send(self, *calls: Callable[[Client], Any]) -> None:
        """Make these calls, in one batch, and wait until they are sent."""
        for call in calls:
            accepted, _ = call(self.client)
            assert accepted
        self.client.flush()
        self.client.join()


def ago(**units: float) -> datetime:
    return datetime.now(tz=UTC) - timedelta(**units)


@pytest.mark.parametrize("compressed", [False, True])
def test_what_the_sdk_sends_is_stitched_and_read_back(onefold: Served, compressed: bool) -> None:
    who, cookie = f"ann-{compressed}", str(uuid.uuid4())
    sdk = Sdk(onefold, gzip=compressed)
    email = f"{who}@Example.com"
    sdk.send(
        lambda c: c.page(anonymous_id=cookie, name="Home", category="Shop", timestamp=ago(hours=3)),
        lambda c: c.screen(anonymous_id=cookie, name="Welcome", timestamp=ago(hours=2)),
        lambda c: c.identify(who, {"email": email, "plan": "gold", "age": None}, anonymous_id=cookie),
        lambda c: c.track(who, "Order Completed", {"revenue": 39.9, "currency": "eur"}),
        lambda c: c.group(who, "acme", {"name": "Acme", "email": "info@acme.example"}),
    )
    assert sdk.errors == []
    found = customer(onefold, f"anonymous_id:{cookie}")
    assert found == customer(onefold, f"user_id:{who}")
    assert identifiers(found) == {f"user_id:{who}", f"anonymous_id:{cookie}", f"email:{email.lower()}"}
    assert traits(found) == {"email": email, "plan": "gold"}
    steps = journey(found)
    assert [(step["type"], step["name"], step["channel"], step["retroactive"]) for step in steps] == [
        ("page", "Home", "web", True),
        ("screen", "Welcome", "app", True),
        ("identify", None, "server", False),
        ("track", "Order Completed", "server", False),
        ("group", None, "server", False),
    ]
    assert steps[0]["properties"] == {"category": "Shop"}
    assert (steps[3]["revenue"], steps[3]["currency"]) == ("39.9", "EUR")
    [nobody] = onefold.ask(RESOLVE, who=[{"namespace": "email", "value": "info@acme.example"}])["resolve"]
    assert nobody["customer"] is None


def test_a_nan_that_the_sdk_sends_costs_that_value_and_nothing_else(onefold: Served) -> None:
    sdk = Sdk(onefold)
    sdk.send(
        lambda c: c.track("before-dot", "Seen"),
        lambda c: c.identify("dot", {"score": math.nan, "best": math.inf, "plan": "gold"}),
        lambda c: c.track("after-dot", "Seen"),
    )
    assert sdk.errors == []
    assert traits(customer(onefold, "user_id:dot")) == {"plan": "gold"}
    for other in ("before-dot", "after-dot"):
        assert [step["name"] for step in journey(customer(onefold, f"user_id:{other}"))] == ["Seen"]


def test_an_alias_joins_a_cookie_or_an_account_to_another(onefold: Served) -> None:
    cookie = str(uuid.uuid4())
    sdk = Sdk(onefold)
    sdk.send(
        lambda c: c.track("old-bea", "Seen"),
        lambda c: c.page(anonymous_id=cookie, name="Home"),
        lambda c: c.alias(cookie, "bea"),
        lambda c: c.alias("old-bea", "bea"),
    )
    assert sdk.errors == []
    found = customer(onefold, "user_id:bea")
    assert identifiers(found) == {"user_id:bea", "user_id:old-bea", f"anonymous_id:{cookie}"}
    assert sorted(step["type"] for step in journey(found)) == ["alias", "alias", "page", "track"]


def test_ids_may_be_numbers_and_an_event_without_a_usable_one_sinks_no_other(onefold: Served) -> None:
    sdk = Sdk(onefold)
    sdk.send(
        lambda c: c.track(7, "Seen"),
        lambda c: c.track("null", "Lost"),
        lambda c: c.track(anonymous_id=True, event="Lost"),
        lambda c: c.track(8, "Seen"),
    )
    assert sdk.errors == []
    assert [len(journey(customer(onefold, f"user_id:{number}"))) for number in (7, 8)] == [1, 1]


def test_sending_the_same_again_changes_nothing(onefold: Served) -> None:
    message, when = str(uuid.uuid4()), ago(minutes=1)
    for _ in range(2):
        Sdk(onefold).send(lambda c: c.track("again", "Seen", timestamp=when, message_id=message))
    assert [step["messageId"] for step in journey(customer(onefold, "user_id:again"))] == [message]


def test_a_thousand_events_arrive(onefold: Served) -> None:
    sdk = Sdk(onefold)
    sdk.send(*(lambda c, n=n: c.track("busy", "Seen", {"n": n}) for n in range(1_000)))
    assert sdk.errors == []
    assert len(all_of(onefold, "busy")) == 1_000


def test_a_body_that_is_too_large_is_answered_while_it_is_still_sent(onefold: Served) -> None:
    status, answer = onefold.post("/v1/batch", b'{"batch": [' + b" " * 10_000_000 + b"]}")
    assert (status, answer["code"]) == (413, "body.too_large")


def test_the_answer_names_what_became_of_each_event(onefold: Served) -> None:
    events = [{"type": "track", "event": "Seen", "userId": "raw", "messageId": "r-1"}, {"type": "track"}]
    status, answer = onefold.post("/v1/batch", json.dumps({"batch": events}).encode())
    assert status == 200
    assert [result["status"] for result in answer["results"]] == ["accepted", "rejected"]
