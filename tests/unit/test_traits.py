"""Survivorship: which claim gives a trait its value."""

from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.model.claims import Claim, canonical_json
from onefold.model.identifiers import IdentifierKey
from onefold.model.sources import Trust
from onefold.model.traits import Survivorship, TraitRule, survivor

EMAIL = IdentifierKey("email", "ann@example.com")
USER = IdentifierKey("user_id", "ann")
ORDER = TraitRule(Survivorship.SOURCE_ORDER, ("crm", "shop"))
RULES = [TraitRule(survivorship, ORDER.sources) for survivorship in Survivorship]


def claim(  # one claim, of which a test says what matters to it
    value: object,
    first_ms: int = 1,
    last_ms: int = 9,
    count: int = 1,
    source: str = "web",
    of: IdentifierKey = USER,
    trust: Trust = Trust.SERVER,
) -> Claim:
    return Claim(of, "plan", source, canonical_json(value), first_ms, last_ms, count, trust)


def survives(rule: Survivorship | TraitRule, *claims: Claim) -> Claim:
    """The survivor, having seen that it is the same in every order."""
    trait_rule = rule if isinstance(rule, TraitRule) else TraitRule(rule)
    found = {survivor(order, trait_rule) for order in permutations(claims)}
    assert len(found) == 1
    return found.pop()


def test_newest_takes_what_was_said_last() -> None:
    said_long_ago, said_again = claim("gold", first_ms=5, last_ms=6), claim("free", first_ms=1, last_ms=7)
    assert survives(Survivorship.NEWEST, said_long_ago, said_again) == said_again


def test_oldest_takes_what_was_said_first() -> None:
    early, late = claim("gold", first_ms=1, last_ms=9), claim("free", first_ms=2, last_ms=3)
    assert survives(Survivorship.OLDEST, early, late) == early


def test_most_frequent_adds_up_a_value_over_identifiers_and_sources() -> None:
    often_in_one_place = claim("free", count=3)
    here, there = claim("gold", count=2, source="crm"), claim("gold", count=2, of=EMAIL, last_ms=5)
    assert survives(Survivorship.MOST_FREQUENT, often_in_one_place, here, there) == here


def test_most_frequent_counts_events_not_claims() -> None:
    often_in_one_place = claim("free", count=3, last_ms=2)
    here, there = claim("gold", source="crm"), claim("gold", of=EMAIL)
    assert survives(Survivorship.MOST_FREQUENT, often_in_one_place, here, there) == often_in_one_place


def test_most_frequent_takes_the_first_in_plain_order_of_values_said_equally_often() -> None:
    free, gold = claim("free", count=2, last_ms=3), claim("gold", count=2, last_ms=4)
    assert survives(Survivorship.MOST_FREQUENT, gold, free) == free


def test_source_order_believes_the_first_source_that_said_anything() -> None:
    web, shop = claim("free", last_ms=9), claim("gold", last_ms=2, source="shop")
    crm = claim("silver", last_ms=1, source="crm")
    assert survives(ORDER, web, shop) == shop
    assert survives(ORDER, web, shop, crm) == crm


def test_source_order_takes_the_newest_word_of_that_source() -> None:
    old, new = claim("free", last_ms=3, source="crm"), claim("gold", last_ms=4, source="crm", of=EMAIL)
    assert survives(ORDER, old, new) == new


def test_source_order_takes_the_newest_of_all_when_no_listed_source_said_anything() -> None:
    old, new = claim("free", last_ms=3, source="app"), claim("gold", last_ms=4, source="till")
    assert survives(ORDER, old, new) == new


@pytest.mark.parametrize("rule", RULES)
def test_a_tie_goes_to_the_smallest_value_then_to_identifier_and_source(rule: TraitRule) -> None:
    smaller, larger = claim("a", source="z"), claim("b", source="a")
    assert survives(rule, smaller, larger) == smaller
    of_email, of_user, by_app = claim("a", of=EMAIL), claim("a", of=USER), claim("a", of=EMAIL, source="app")
    assert survives(rule, of_email, of_user) == of_email
    assert survives(rule, of_email, of_user, by_app) == by_app


def test_ties_are_settled_by_the_text_of_the_value_whatever_its_type() -> None:
    values = ["gold", 7, None, True, [1], {"a": 1}]
    assert survives(Survivorship.NEWEST, *map(claim, values)).value == "gold"  # a quote sorts before all others


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.survivorship is not Survivorship.SOURCE_ORDER])
def test_no_forged_claim_is_believed_before_a_server_s(rule: TraitRule) -> None:
    true = claim("b", first_ms=4, last_ms=5)
    forged = [claim("a", 1, 9, 50, "web", trust=Trust.PUBLIC), claim("c", 1, 9, 50, "crm", EMAIL, Trust.PUBLIC)]
    assert survives(rule, true, *forged) == true
    assert survives(rule, *forged) == forged[0]


def test_source_order_believes_whom_it_names_and_of_the_others_a_server_first() -> None:
    server, named = claim("b", last_ms=2, source="till"), claim("c", last_ms=1, source="shop", trust=Trust.PUBLIC)
    forged = claim("a", last_ms=9, trust=Trust.PUBLIC)
    assert survives(ORDER, server, forged) == server
    assert survives(ORDER, server, forged, named) == named


def test_without_a_claim_there_is_no_survivor() -> None:
    with pytest.raises(ValueError, match="empty"):
        survivor([], TraitRule())


CLAIMS = st.builds(
    Claim,
    st.sampled_from([EMAIL, USER]),
    st.just("plan"),
    st.sampled_from(["crm", "shop", "web", "app"]),
    st.sampled_from(['"a"', '"b"', "1"]),
    st.integers(1, 3),
    st.integers(4, 6),
    st.integers(1, 3),
    st.sampled_from(Trust),
)


@given(
    st.lists(CLAIMS, min_size=1, unique_by=lambda c: (c.identifier, c.source, c.trust, c.value_json)),
    st.randoms(use_true_random=False),
    st.sampled_from(RULES),
)
def test_the_order_of_the_claims_never_matters(claims: list[Claim], random: Random, rule: TraitRule) -> None:
    shuffled = list(claims)
    random.shuffle(shuffled)
    assert survivor(shuffled, rule) == survivor(claims, rule)
