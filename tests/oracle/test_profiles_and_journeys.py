"""Ids, journeys and profiles of the oracle, on evidence small enough to follow by hand."""

import pytest

from tests.oracle.journeys import linked_at
from tests.oracle.profiles import KEPT_VALUES, Survivorship, claims, profiles
from tests.oracle.told import NOW_MS, Told, identifier


class TestIdsAndJourneys:
    def test_the_anchor_is_the_strongest_and_of_equals_the_one_met_first(self) -> None:
        told = Told()
        told.saw("email:z", "phone:p")
        told.saw("email:b", "email:a", "crm_id:c", at=-5)
        told.saw("email:z", "email:a", at=-9)
        assert set(told.customers()) == {"crm_id:c"}
        told = Told()
        told.saw("email:z")
        told.saw("email:b", "email:a")
        told.saw("email:z", "email:a", at=-9)
        assert set(told.customers()) == {"email:z"}
        told = Told()
        told.saw("email:b", "email:a")
        assert set(told.customers()) == {"email:a"}

    def test_linked_at_is_the_first_sight_of_something_stronger_by_any_source(self) -> None:
        told = Told()
        told.saw("anonymous_id:x", at=1)
        told.saw("anonymous_id:x", "user_id:b", at=2)
        told.saw("anonymous_id:x", "user_id:a", at=5)
        told.saw("anonymous_id:x", "email:j", at=4, public=True)
        told.saw("anonymous_id:x", "email:j", at=6)
        told.saw("anonymous_id:x", at=4)
        told.saw("user_id:a", "email:j", at=9)
        told.judge("same", "anonymous_id:x", "user_id:a")
        stitched = told.stitched()
        met = linked_at(told.evidence, stitched)
        assert met == {identifier("anonymous_id:x"): NOW_MS + 4, identifier("email:j"): NOW_MS + 9}
        journey = [(t.at_ms - NOW_MS, t.retroactive) for t in told.journey("user_id:a")]
        assert journey == [(1, True), (4, False), (4, True), (5, False), (6, True), (9, False)]


class TestProfiles:
    @pytest.mark.parametrize(
        ("rule", "value"),
        [
            (Survivorship("newest"), '"c"'),
            (Survivorship("oldest"), '"a"'),
            (Survivorship("most_frequent"), '"b"'),
            (Survivorship("source_order", ("web", "crm")), '"d"'),
            (Survivorship("source_order", ("fax",)), '"c"'),
        ],
    )
    def test_each_rule_takes_its_value_from_all_the_customers_identifiers(self, rule: Survivorship, value: str) -> None:
        told = Told()
        told.saw("user_id:a", "email:j", at=0)
        for at, city in ((1, "a"), (2, "b"), (5, "a")):
            told.saw("email:j", at=at, traits={"city": city}, source="crm")
        for at in (3, 4):
            told.saw("user_id:a", at=at, traits={"city": "b"}, source="till")
        told.saw("user_id:a", at=6, traits={"city": "d"}, source="web", public=True)
        told.saw("user_id:a", "email:j", at=7, traits={"city": "c"}, source="crm")
        profile = profiles(told.evidence, told.stitched(), {"city": rule})[identifier("user_id:a")]
        assert profile["city"].value == value

    @pytest.mark.parametrize("rule", ["newest", "oldest", "most_frequent"])
    def test_a_server_s_word_counts_before_what_pages_said(self, rule: str) -> None:
        told = Told()
        told.saw("user_id:a", at=3, traits={"city": "b"}, source="till")
        for at in (1, 2, 9):
            told.saw("user_id:a", at=at, traits={"city": "a", "plan": "x"}, source="web", public=True)
        survivorship = Survivorship(rule)  # type: ignore[arg-type]
        rules = {"city": survivorship, "plan": survivorship}
        profile = profiles(told.evidence, told.stitched(), rules)[identifier("user_id:a")]
        assert (profile["city"].value, profile["plan"].value) == ('"b"', '"x"')

    @pytest.mark.parametrize("rule", ["newest", "oldest", "most_frequent"])
    def test_ties_go_to_the_smaller_value(self, rule: str) -> None:
        told = Told()
        for value, source in (("b", "crm"), ("a", "till"), ("c", "crm")):
            told.saw("user_id:a", at=1, traits={"city": value}, source=source)
        survivorship = Survivorship(rule)  # type: ignore[arg-type]
        profile = profiles(told.evidence, told.stitched(), {"city": survivorship})[identifier("user_id:a")]
        assert profile["city"].value == '"a"'

    def test_claims_hang_on_the_strongest_identifier_that_is_no_operator_even_a_generic_one(self) -> None:
        told = Told()
        for person in "abcdef":
            told.saw(f"user_id:{person}", "email:info")
        told.saw("staff_id:s", "email:info", "phone:p", traits={"city": "a"})
        assert "email:info" in told.generic()
        assert told.subjects()[-1] == "phone:p"
        assert [claim.identifier for claim in claims(told.evidence)] == [identifier("email:info")]

    def test_the_newest_values_of_a_trait_are_kept(self) -> None:
        told = Told()
        for k in range(KEPT_VALUES + 2):
            told.saw("user_id:a", at=k, traits={"city": k})
        told.saw("user_id:a", at=0, traits={"city": 0}, source="crm")
        assert {claim.value for claim in claims(told.evidence)} == {"0", *map(str, range(2, KEPT_VALUES + 2))}
