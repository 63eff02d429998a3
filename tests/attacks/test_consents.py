"""Whoever has the key of the shop's pages forges consents. What that can do is bounded: no date makes them stand before
a word that comes later, or before one that is newer than they claim to be."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from onefold.ingest.pipeline import now_ms
from tests.api.graphql_shop import Json, Shop
from tests.api.graphql_shop import key as identifier
from tests.contract.stores import Place
from tests.support.keyed import SHOP, WEB, Asking, keyed

VERA: Final = "user_id:vera"
EMAIL: Final = "email:vera@example.com"
STATE: Final = """query ($by: IdentifierInput!) { customer(by: {identifier: $by}) {
    consents { purpose given at source trusted } } }"""
RECORD: Final = "mutation ($input: ConsentInput!) { recordConsent(input: $input) { problem { code field } } }"
Forge = Callable[[Asking, bool, str | None], None]
"""Says with the pages' key whether Vera agreed to marketing, and when."""


def iso(before: timedelta) -> str:
    """So long ago; ahead if negative."""
    return (datetime.now(UTC) - before).isoformat()


def event(message: str, at: str | None, given: bool, kind: str = "track", **said: Any) -> Json:
    when = {"timestamp": at} if at else {}
    agreed = {"consent": {"marketing": given}}
    return {"type": kind, "event": "Chose", "messageId": message, **when, "context": agreed, **said}


def accepted(results: Sequence[Json]) -> None:
    assert {result["status"] for result in results} == {"accepted"}, results


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with keyed(Place("sqlite", tmp_path), [WEB, SHOP]) as shop:
        known = {"type": "identify", "messageId": "v0", "userId": "vera", "traits": {"email": "vera@example.com"}}
        accepted(Asking(shop, "shop").batch(known))
        yield shop


@pytest.fixture
def office(shop: Shop) -> Asking:
    return Asking(shop, "shop")


@pytest.fixture
def mallory(shop: Shop) -> Asking:
    return Asking(shop, "web")


def by_event(web: Asking, given: bool, at: str | None) -> None:
    accepted(web.batch(event(f"a-{given}-{at}", at, given, userId="vera")))


def by_her_address(web: Asking, given: bool, at: str | None) -> None:
    accepted(web.batch(event(f"b-{given}-{at}", at, given, "identify", traits={"email": "vera@example.com"})))


def by_mutation(web: Asking, given: bool, at: str | None) -> None:
    said = {"identifier": identifier(VERA), "purpose": "marketing", "given": given, **({"at": at} if at else {})}
    assert web.ask(RECORD, input=said)["recordConsent"] == {"problem": None}


def by_a_clock_that_runs_slow(web: Asking, given: bool, at: str | None) -> None:
    """`sentAt` corrects the clock: a sender that claims to be a day behind moves its events a day ahead."""
    sent_at = iso(timedelta(hours=23))
    body = {"batch": [event(f"c-{given}-{at}", at, given, userId="vera")], "sentAt": sent_at}
    accepted(web.http.post("/v1/batch", json=body, headers=web.headers).json()["results"])


FORGED: Final[list[Forge]] = [by_event, by_her_address, by_mutation, by_a_clock_that_runs_slow]


def marketing(office: Asking) -> Json | None:
    """What counts."""
    found = office.ask(STATE, by=identifier(VERA))["customer"]["consents"]
    return next((row for row in found if row["purpose"] == "marketing"), None)


def at_ms(row: Json | None) -> float:
    assert row is not None
    return datetime.fromisoformat(row["at"]).timestamp() * 1_000


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
def test_nobody_gives_consent_ahead_of_time_so_that_a_withdrawal_does_not_count(
    office: Asking, mallory: Asking, forge: Forge
) -> None:
    for ahead in (timedelta(minutes=-5), timedelta(hours=-23)):
        forge(mallory, True, iso(ahead))
        assert at_ms(marketing(office)) <= now_ms()
    accepted(office.batch(event("v1", None, False, userId="vera")))
    withdrawn = marketing(office)
    assert withdrawn is not None
    assert (withdrawn["given"], withdrawn["source"]) == (False, "shop")


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
def test_nobody_withdraws_ahead_of_time_so_that_a_consent_does_not_count(
    office: Asking, mallory: Asking, forge: Forge
) -> None:
    forge(mallory, False, iso(timedelta(hours=-23)))
    accepted(office.batch(event("v1", iso(timedelta(seconds=-1)), True, userId="vera")))
    given = marketing(office)
    assert given is not None
    assert (given["given"], given["source"], given["trusted"]) == (True, "shop", True)


@pytest.mark.parametrize("forge", [by_event, by_her_address, by_mutation], ids=lambda forge: forge.__name__)
def test_nobody_dates_consent_back_before_all_that_was_said(office: Asking, mallory: Asking, forge: Forge) -> None:
    """It stands behind all that was said since, as if it had come late."""
    accepted(office.batch(event("v1", iso(timedelta(days=2)), False, userId="vera")))
    for at in ("1970-01-02T00:00:00Z", "2001-01-01T00:00:00Z", iso(timedelta(days=3))):
        forge(mallory, True, at)
    counts = marketing(office)
    assert counts is not None
    assert (counts["given"], counts["source"]) == (False, "shop")


def test_what_a_telephone_sends_days_later_does_not_undo_what_was_said_meanwhile(
    office: Asking, mallory: Asking
) -> None:
    """Agreed to on Monday without a network, withdrawn by e-mail on Tuesday, sent on Thursday."""
    accepted(office.batch(event("v1", iso(timedelta(days=2)), False, userId="vera")))
    by_event(mallory, True, iso(timedelta(days=3)))
    counts = marketing(office)
    assert counts is not None
    assert counts["given"] is False


def test_at_the_same_moment_nobody_gives_what_somebody_withdrew(office: Asking, mallory: Asking) -> None:
    at = iso(timedelta(hours=1))
    accepted(office.batch(event("v1", at, False, userId="vera")))
    by_event(mallory, True, at)
    by_mutation(mallory, True, at)
    counts = marketing(office)
    assert counts is not None
    assert counts["given"] is False


def test_a_forged_word_is_shown_with_its_source_and_gone_with_the_next_of_the_shop_s(
    office: Asking, mallory: Asking
) -> None:
    """What cannot be kept from forgers: a page says now what its visitor chose, and so does whoever has its key."""
    accepted(office.batch(event("v1", iso(timedelta(hours=1)), False, userId="vera")))
    by_her_address(mallory, True, None)
    forged = marketing(office)
    assert forged is not None
    assert (forged["given"], forged["source"], forged["trusted"]) == (True, "web", False)
    accepted(office.batch(event("v2", None, False, userId="vera")))
    counts = marketing(office)
    assert counts is not None
    assert (counts["given"], counts["source"]) == (False, "shop")


def test_a_message_id_that_is_used_in_advance_keeps_no_withdrawal_out(office: Asking, mallory: Asking) -> None:
    accepted(mallory.batch(event("v1", None, True, userId="vera")))
    accepted(office.batch(event("v1", None, False, userId="vera")))
    counts = marketing(office)
    assert counts is not None
    assert counts["given"] is False


def test_consents_that_name_two_people_are_nobody_s(office: Asking, mallory: Asking) -> None:
    both = [identifier(VERA), identifier("user_id:mallory")]
    (result,) = mallory.batch(event("a1", None, True, identifiers=both))
    assert (result["status"], result["code"]) == ("rejected", "event.ambiguous")
    assert marketing(office) is None


def test_what_is_said_of_somebody_else_stays_theirs(office: Asking, mallory: Asking) -> None:
    """Mallory's own consents do not become Vera's, whatever they are sent with."""
    accepted(
        mallory.batch(
            event("a1", None, True, userId="mallory", context={
                "consent": {"marketing": True}, "traits": {"email": "vera@example.com"}}),
            event("a2", None, True, "group", groupId="vera", userId="mallory", traits={"email": "vera@example.com"}),
        )
    )  # fmt: skip
    assert marketing(office) is None


def test_many_purposes_of_a_forger_hide_none_that_was_withdrawn(office: Asking, mallory: Asking) -> None:
    accepted(office.batch(event("v1", None, False, userId="vera")))
    for number in range(20):
        forged = {f"purpose {number}-{k}": True for k in range(60)}
        accepted(mallory.batch(event(f"a{number}", None, True, userId="vera", context={"consent": forged})))
    counts = marketing(office)
    assert counts is not None
    assert counts["given"] is False
    assert len(office.ask(STATE, by=identifier(EMAIL))["customer"]["consents"]) == 1 + 20 * 50
