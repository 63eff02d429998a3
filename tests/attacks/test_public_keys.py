"""Whoever has the key of the shop's pages forges events. Whom the shop knows stays who she was: her id, her
identifiers, her profile, her journey.

The pages' key is `web`; the shop itself speaks with a secret one. The attacker is Mallory, who is known too.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from onefold.ingest.pipeline import now_ms
from onefold.keys import Scope
from onefold.model.events import DAY_MS
from tests.api.graphql_shop import Json, Shop
from tests.api.graphql_shop import key as identifier
from tests.contract.stores import Place
from tests.support.keyed import SHOP, WEB, Asking, key, keyed, secret_of

VERA: Final = ("user_id:vera", "email:vera@example.com", "phone:+12015550123", "anonymous_id:veras-browser")
BEFORE: Final = "2024-05-01T12:00:00Z"
EMAIL: Final = {"traits": {"email": "vera@example.com"}}


def event(message: str, kind: str = "track", at: str | None = BEFORE, **said: Any) -> Json:
    return {"type": kind, "event": "Visit", "messageId": message, **({"timestamp": at} if at else {}), **said}


HISTORY: Final = [
    event("v1", "page", anonymousId="veras-browser", name="Home"),
    event("v2", "identify", userId="vera", anonymousId="veras-browser", traits={
        "email": "vera@example.com", "phone": "+12015550123", "name": "Vera", "plan": "gold", "city": "Bonn"}),
    event("v3", userId="vera", properties={"revenue": 30, "currency": "EUR"}),
    event("v4", context=EMAIL),
    event("v5", userId="vera", context=EMAIL),
]  # fmt: skip
"""What the shop's server told of Vera."""

STATE: Final = """query ($by: IdentifierInput!) { customer(by: {identifier: $by}) {
    id anonymous profile { traits { name value source identifier { value } } } } }"""
JOURNEY: Final = """query ($by: IdentifierInput!, $after: String) { customer(by: {identifier: $by}) {
    journey(first: 500, after: $after) { pageInfo { hasNextPage endCursor }
        edges { node { source messageId subject { value } } } } } }"""


def state(office: Asking, who: str) -> Json:
    """What the shop sees of a customer: id, profile, and what the shop told of her."""
    found: Json = office.ask(STATE, by=identifier(who))["customer"]
    told = [node for node in journey(office, who) if node["source"] != "web"]
    found["journey"] = sorted((node["messageId"], node["subject"]["value"]) for node in told)
    return found


def journey(office: Asking, who: str) -> Iterator[Json]:
    """All of a customer's touchpoints."""
    after, more = None, True
    while more:
        page = office.ask(JOURNEY, by=identifier(who), after=after)["customer"]["journey"]
        yield from (edge["node"] for edge in page["edges"])
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]


def customers(office: Asking, whom: Sequence[str]) -> list[str | None]:
    """The id of each identifier's customer."""
    query = "query ($of: [IdentifierInput!]!) { resolve(identifiers: $of) { customer { id } } }"
    found = office.ask(query, of=[identifier(who) for who in whom])["resolve"]
    return [row["customer"] and row["customer"]["id"] for row in found]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with keyed(Place("sqlite", tmp_path), [WEB, SHOP, key("crm", Scope.TRACK)]) as shop:
        office = Asking(shop, "shop")
        accepted(office.batch(*HISTORY, event("m1", userId="mallory", context={"traits": {"email": "m@example.com"}})))
        yield shop


@pytest.fixture
def office(shop: Shop) -> Asking:
    return Asking(shop, "shop")


@pytest.fixture
def mallory(shop: Shop) -> Asking:
    return Asking(shop, "web")


def accepted(results: Sequence[Json]) -> None:
    assert {result["status"] for result in results} == {"accepted"}, results


Attack = Callable[[Asking], None]


def back_dates(web: Asking) -> None:
    """Events from long before anything else that is known."""
    for number, at in enumerate(("1970-01-02T00:00:00Z", "1999-01-01T00:00:00Z", "2024-04-30T00:00:00Z")):
        accepted(web.batch(
            event(f"a{number}", at=at, userId="mallory", context=EMAIL),
            event(f"b{number}", at=at, userId="mallory", anonymousId="veras-browser"),
            event(f"c{number}", "identify", at, userId="mallory", traits={"phone": "+12015550123", "name": "M"}),
            event(f"d{number}", "identify", at, anonymousId="evil", traits={"email": "vera@example.com", "city": "X"}),
        ))  # fmt: skip


def claims_her_email(web: Asking) -> None:
    """Logged in as himself, and without."""
    accepted(web.batch(
        event("a1", "identify", None, userId="mallory", traits={"email": "VERA@example.com", "name": "Mallory"}),
        event("a2", "identify", None, anonymousId="evil", traits={"email": "vera@example.com", "name": "Mallory"}),
        event("a3", "group", None, anonymousId="evil", groupId="vera", traits={"email": "vera@example.com"}),
        event("a4", at=None, userId="mallory", identifiers=[identifier("email:vera@example.com")]),
    ))  # fmt: skip


def speaks_as_her(web: Asking) -> None:
    """With her own user id: a page where she is logged in says the same."""
    traits = {"name": "Mallory", "plan": "none", "city": "Nowhere", "email": "mallory@example.net"}
    for number in range(60):
        accepted(web.batch(event(f"a{number}", "identify", None, userId="vera", traits={**traits, "plan": number})))


def sends_many_user_ids_with_her_email(web: Asking) -> None:
    """A few more than her e-mail, her phone and her browser may be seen with."""
    for number in range(21):
        accepted(web.batch(
            event(f"a{number}", at=None, userId=f"forged-{number}", context=EMAIL),
            event(f"b{number}", at=None, userId=f"forged-{number}", anonymousId="veras-browser"),
            event(f"c{number}", at=None, userId=f"forged-{number}", context={"traits": {"phone": "+12015550123"}}),
        ))  # fmt: skip


def sends_many_of_everything_with_her_user_id(web: Asking) -> None:
    """More e-mails and phones than a customer may have."""
    for number in range(12):
        traits = {"email": f"forged-{number}@example.net", "phone": f"+1201555{1000 + number}"}
        accepted(web.batch(event(f"a{number}", at=None, userId="vera", context={"traits": traits})))


def aliases_her_user_id(web: Asking) -> None:
    """In both directions, and with all that an alias may name."""
    results = web.batch(
        event("a1", "alias", None, userId="mallory", previousId="vera"),
        event("a2", "alias", None, userId="vera", previousId="mallory"),
        event("a3", "alias", None, userId="mallory", anonymousId="veras-browser", previousId="veras-browser"),
        event("a4", "alias", None, userId="mallory", previousId="vera@example.com"),
    )
    assert [result["status"] for result in results[:2]] == ["rejected", "rejected"]
    assert {result["code"] for result in results[:2]} == {"event.ambiguous"}


def reuses_message_ids(web: Asking) -> None:
    """The ids of what the shop told, and of what it will tell."""
    accepted(web.batch(*(event(f"v{number}", at=None, userId="mallory", context=EMAIL) for number in range(1, 12))))
    again = web.batch(event("v1", at=None, userId="vera", context=EMAIL))
    assert [(result["status"], result["code"]) for result in again] == [("duplicate", "event.message_id_reused")]


def floods_with_cookies(web: Asking) -> None:
    """More browsers than a customer may have."""
    for begin in range(0, 1_200, 200):
        accepted(web.batch(*(
            event(f"a{number}", at=None, anonymousId=f"flood-{number}", context=EMAIL)
            for number in range(begin, begin + 200)
        )))  # fmt: skip


def glues_people_together(web: Asking) -> None:
    """One event with all that is known of both, and chains over cookies and devices."""
    (result,) = web.batch(event("a0", identifiers=[identifier("user_id:vera"), identifier("user_id:mallory")]))
    assert (result["status"], result["code"]) == ("rejected", "event.ambiguous")
    accepted(web.batch(
        event("a1", at=None, userId="vera", anonymousId="bridge"),
        event("a2", at=None, userId="mallory", anonymousId="bridge"),
        event("a3", at=None, userId="vera", context={"device": {"id": "tablet"}}),
        event("a4", at=None, userId="mallory", context={"device": {"id": "tablet"}}),
        event("a5", at=None, anonymousId="veras-browser", context={"traits": {"email": "m@example.com"}}),
        event("a6", at=None, context={"traits": {"email": "m@example.com", "phone": "+12015550123"}}),
    ))  # fmt: skip


ATTACKS: Final[list[Attack]] = [
    back_dates, claims_her_email, speaks_as_her, sends_many_user_ids_with_her_email,
    sends_many_of_everything_with_her_user_id, aliases_her_user_id, reuses_message_ids, floods_with_cookies,
    glues_people_together,
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_whom_the_shop_knows_stays_who_she_was(office: Asking, mallory: Asking, attack: Attack) -> None:
    before, vera = state(office, VERA[0]), customers(office, VERA)
    others = customers(office, ["user_id:mallory", "email:m@example.com"])
    assert len(set(vera)) == 1
    attack(mallory)
    assert customers(office, VERA) == vera
    assert state(office, VERA[0]) == before
    assert customers(office, ["user_id:mallory", "email:m@example.com"]) == others
    goes_on(office, vera)


def goes_on(office: Asking, vera: Sequence[str | None]) -> None:
    """What the shop tells of her afterwards is hers too, as if nothing had been."""
    accepted(office.batch(
        event("v10", at=None, userId="vera", anonymousId="veras-phone"),
        event("v11", "identify", None, userId="vera", context={"traits": {"email": "vera@work.example"}},
              traits={"plan": "platinum"}),
    ))  # fmt: skip
    assert set(customers(office, [*VERA, "anonymous_id:veras-phone", "email:vera@work.example"])) == set(vera)
    after = state(office, VERA[0])
    assert {trait["name"]: trait["value"] for trait in after["profile"]["traits"]}["plan"] == "platinum"
    assert {name for name, _ in after["journey"]} == {"v1", "v2", "v3", "v4", "v5", "v10", "v11"}


def test_all_of_it_at_once_is_no_worse(office: Asking, mallory: Asking, shop: Shop) -> None:
    before, vera = state(office, VERA[0]), customers(office, VERA)
    for attack in ATTACKS:
        attack(_Renamed(shop, attack.__name__))
    assert customers(office, VERA) == vera
    assert state(office, VERA[0]) == before
    goes_on(office, vera)


class _Renamed(Asking):
    """Whoever attacks with message ids of its own."""

    def __init__(self, shop: Shop, prefix: str) -> None:
        super().__init__(shop, "web")
        self._prefix: Final = prefix

    def batch(self, *events: Json) -> list[Json]:
        return super().batch(*({**sent, "messageId": f"{self._prefix}-{sent['messageId']}"} for sent in events))


# -- whom only the pages told of


BY_PAGES: Final = (
    event("w1", at=None, userId="wim", anonymousId="wims-browser"),
    event("w2", at=None, userId="wim", context={"traits": {"email": "wim@example.com"}}),
)


def test_who_is_known_by_pages_alone_keeps_what_was_seen_a_day_before(
    office: Asking, mallory: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    wim = ["user_id:wim", "email:wim@example.com", "anonymous_id:wims-browser"]
    with monkeypatch.context() as patch:
        patch.setattr("onefold.service.onefold.now_ms", lambda: now_ms() - DAY_MS)
        accepted(mallory.batch(*BY_PAGES))
    before = customers(office, wim)
    assert len(set(before)) == 1
    email = {"traits": {"email": "wim@example.com"}}
    for number, at in enumerate(("1970-01-02T00:00:00Z", "2024-05-01T12:00:00Z", None)):
        accepted(mallory.batch(
            event(f"a{number}", at=at, userId="mallory", context=email),
            event(f"b{number}", at=at, userId="mallory", anonymousId="wims-browser"),
        ))  # fmt: skip
    assert customers(office, wim) == before
    assert customers(office, ["user_id:mallory"]) != before[:1]


def test_nobody_learns_from_what_is_taken_whom_the_shop_judged_to_be_one(office: Asking, mallory: Asking) -> None:
    accepted(office.batch(event("m2", userId="moll")))
    (alias,) = office.batch(event("m3", "alias", userId="mallory", previousId="moll"))
    assert alias["status"] == "accepted"
    assert len(set(customers(office, ["user_id:mallory", "user_id:moll"]))) == 1

    def told(message: str, other: str) -> list[Json]:
        both = [identifier(f"user_id:{who}") for who in ("mallory", other)]
        return mallory.batch(
            event(message, at=None, identifiers=both),
            event(message, "alias", None, userId="mallory", previousId=other),
        )

    assert told("a1", "moll") == told("a1", "vera")


def test_a_message_id_that_is_used_under_a_secret_key_s_name_takes_none_of_its_own(shop: Shop, office: Asking) -> None:
    """An image in a mail has a key in its address, which whoever reads the mail can send again."""
    forged = event("v20", at=None, userId="mallory", writeKey=secret_of("shop"))
    answer = shop.http.get("/v1/pixel.gif", params={"data": json.dumps(forged)})
    assert answer.headers["x-onefold"] == "key.forbidden"
    accepted(office.batch(event("v20", at=None, userId="vera")))
    assert ("v20", "vera") in state(office, VERA[0])["journey"]


def test_a_secret_key_without_steward_judges_nobody(shop: Shop, office: Asking) -> None:
    vera = customers(office, VERA)
    (result,) = Asking(shop, "crm").batch(event("a1", "alias", None, userId="mallory", previousId="vera"))
    assert (result["status"], result["code"]) == ("rejected", "event.ambiguous")
    assert "judge" in result["hint"]
    assert customers(office, VERA) == vera
