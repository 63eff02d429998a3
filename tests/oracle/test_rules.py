"""Each rule of the oracle by itself, where the worked cases do not show it."""

from dataclasses import replace

from tests.oracle.evidence import DAY_MS, DEFAULT_RULES, SERVER, Namespace
from tests.oracle.told import Told, unbounded


class TestTheDoor:
    def test_a_message_id_counts_once_within_its_source_and_the_first_stays(self) -> None:
        told = Told()
        assert told.saw("user_id:a", message_id="m", source="till") == "accepted"
        assert told.saw("user_id:b", message_id="m", source="till") == "duplicate"
        assert told.saw("user_id:c", message_id="m", source="crm") == "accepted"
        assert set(told.customers()) == {"user_id:a", "user_id:c"}

    def test_two_values_of_a_limited_namespace_are_refused_unless_judged_the_same(self) -> None:
        told = Told()
        told.saw("user_id:a")
        told.saw("user_id:b")
        assert told.saw("user_id:a", "user_id:b", "email:j", message_id="m") == "event.ambiguous"
        assert not told.judge("same", "user_id:a", "email:j"), "a refused event makes nothing known"
        assert told.judge("same", "user_id:a", "user_id:b")
        assert told.saw("user_id:a", "user_id:b", "email:j", message_id="m") == "accepted", "its id was not remembered"
        assert told.customers() == {"user_id:a": {"user_id:a", "user_id:b", "email:j"}}

    def test_operators_neither_link_nor_are_subjects_nor_customers(self) -> None:
        told = Told()
        told.saw("user_id:a", "staff_id:s")
        told.saw("staff_id:s", "email:j")
        assert told.saw("staff_id:s") == "event.no_identifier"
        assert told.customers() == {"user_id:a": {"user_id:a"}, "email:j": {"email:j"}}
        assert told.refused() == {}
        assert told.subjects() == ["user_id:a", "email:j"]
        assert not told.judge("same", "staff_id:s", "user_id:a")

    def test_back_dating_by_a_public_source_reaches_no_further_than_a_day_before_receipt(self) -> None:
        def owner(*, public: bool) -> set[str]:
            told = Told()
            told.saw("anonymous_id:x", "user_id:thief", at=-3 * DAY_MS, received=5, public=public, source="app")
            told.saw("anonymous_id:x", "user_id:owner", at=-2 * DAY_MS, received=6, public=public, source="app")
            told.saw("anonymous_id:x", "user_id:early", at=-DAY_MS, received=-DAY_MS, public=public, source="web")
            return {anchor for anchor, members in told.customers().items() if "anonymous_id:x" in members}

        assert owner(public=False) == {"user_id:thief"}
        assert owner(public=True) == {"user_id:early"}


class TestGeneric:
    def test_as_many_values_as_the_greater_of_fanout_and_limit_are_still_allowed(self) -> None:
        rules = {"user_id": Namespace(1, limit=3), "email": Namespace(4, fanout=2), "phone": Namespace(5, fanout=4)}
        told = Told(rules)
        for person in "abcd":
            assert told.generic() == set()
            told.saw(f"user_id:{person}", "email:j", "phone:p")
        assert told.generic() == {"email:j"}
        told.saw("user_id:e", "phone:p")
        assert told.generic() == {"email:j", "phone:p"}

    def test_values_judged_the_same_count_once(self) -> None:
        told = Told()
        told.saw("user_id:a", "device_id:d")
        told.saw("user_id:b", "device_id:d")
        assert told.generic() == {"device_id:d"}
        told.judge("same", "user_id:a", "user_id:b")
        assert told.generic() == set()
        assert told.customers() == {"user_id:a": {"user_id:a", "user_id:b", "device_id:d"}}
        told.retract("same", "user_id:a", "user_id:b")
        assert told.generic() == {"device_id:d"}

    def test_forged_events_make_a_device_generic_but_do_not_tear_a_servers_link(self) -> None:
        told = Told()
        told.saw("user_id:a", "device_id:d")
        told.saw("anonymous_id:x", "device_id:d", public=True)
        for forged in "bcd":
            told.saw(f"user_id:{forged}", "device_id:d", public=True)
        assert told.generic() == {"device_id:d"}
        assert told.generic(SERVER) == set()
        assert told.customers()["user_id:a"] == {"user_id:a", "device_id:d"}
        assert told.refused()["anonymous_id:x", "device_id:d"] == "generic"

    def test_weaker_or_unlimited_namespaces_make_nothing_generic(self) -> None:
        told = Told({**DEFAULT_RULES, "phone": replace(DEFAULT_RULES["phone"], limit=None)})
        for k in range(30):
            told.saw("email:j", f"device_id:{k}")
            told.saw("device_id:d", f"phone:{k}")
        assert told.generic() == set()

    def test_the_subject_is_the_strongest_that_is_not_generic_and_else_the_strongest(self) -> None:
        told = Told()
        told.saw("device_id:d", "anonymous_id:x")
        told.saw("device_id:d")
        for person in "abcdef":
            told.saw(f"user_id:{person}", "email:info", "device_id:d")
        told.saw("email:info", "device_id:d")
        told.saw("email:info", "phone:p")
        assert told.generic() == {"email:info", "device_id:d"}
        assert told.subjects()[:2] == ["anonymous_id:x", "device_id:d"]
        assert told.subjects()[-2:] == ["email:info", "phone:p"]

    def test_what_is_generic_by_public_evidence_alone_is_no_subject_either(self) -> None:
        told = Told({**DEFAULT_RULES, "tablet": Namespace(10, kind="device", fanout=5)})
        told.saw("device_id:d", "tablet:t")
        for person in "ab":
            told.saw(f"user_id:{person}", "device_id:d", public=True)
        assert told.generic(SERVER) == set()
        assert told.subjects()[0] == "tablet:t"

    def test_values_of_equal_priority_make_nothing_generic(self) -> None:
        told = Told({"fax": Namespace(5, limit=1, fanout=1), "phone": Namespace(5, limit=1, fanout=1)})
        for k in range(3):
            told.saw("phone:p", f"fax:{k}")
            told.saw("fax:f", f"phone:{k}")
        assert told.generic() == set()

    def test_a_judgement_holds_a_generic_identifier_whose_links_stay_refused(self) -> None:
        told = Told()
        told.saw("user_id:a", "anonymous_id:x", "device_id:d")
        told.saw("user_id:b", "device_id:d")
        told.judge("same", "user_id:a", "device_id:d")
        assert told.customers()["user_id:a"] == {"user_id:a", "anonymous_id:x", "device_id:d"}
        assert told.refused() == {
            ("anonymous_id:x", "device_id:d"): "generic",
            ("device_id:d", "user_id:b"): "generic",
        }


class TestStrength:
    def test_server_evidence_goes_before_public_evidence_whatever_its_age(self) -> None:
        told = Told()
        told.saw("anonymous_id:x", "user_id:a", at=1, public=True)
        told.saw("anonymous_id:x", "user_id:b", at=2)
        assert told.customers()["user_id:b"] == {"user_id:b", "anonymous_id:x"}

    def test_the_age_is_that_of_the_sources_of_the_best_trust_together(self) -> None:
        told = Told()
        told.saw("anonymous_id:x", "user_id:a", at=3, source="crm")
        told.saw("anonymous_id:x", "user_id:b", at=2, source="till")
        told.saw("anonymous_id:x", "user_id:a", at=0, public=True)
        assert "anonymous_id:x" in told.customers()["user_id:b"]
        told.saw("anonymous_id:x", "user_id:a", at=1, source="till")
        assert "anonymous_id:x" in told.customers()["user_id:a"]

    def test_where_the_weaker_end_prefers_the_newest_the_last_seen_wins(self) -> None:
        told = Told({**DEFAULT_RULES, "phone": replace(DEFAULT_RULES["phone"], prefer="newest")})
        told.saw("user_id:a", "phone:p", at=1)
        told.saw("user_id:b", "phone:p", at=5)
        assert "phone:p" in told.customers()["user_id:b"]
        told.saw("user_id:a", "phone:p", at=6)
        assert "phone:p" in told.customers()["user_id:a"]

    def test_a_link_is_as_strong_as_its_weaker_end_then_as_its_stronger_end(self) -> None:
        told = Told()
        told.saw("user_id:a", "anonymous_id:x", at=1)
        told.saw("user_id:b", "anonymous_id:x", at=2)
        told.saw("crm_id:c", "anonymous_id:x", at=0)
        told.saw("crm_id:c", "user_id:b", at=9)
        assert told.customers() == {
            "user_id:a": {"user_id:a", "anonymous_id:x"},
            "user_id:b": {"user_id:b", "crm_id:c"},
        }

    def test_of_two_ends_of_equal_priority_the_second_in_plain_order_is_the_weaker(self) -> None:
        told = Told({"fax": Namespace(5, limit=1), "phone": Namespace(5, prefer="newest")})
        told.saw("fax:f", "phone:p")
        told.saw("fax:g", "phone:p")
        assert {"fax:g", "phone:p"} in told.customers().values()

    def test_equal_links_are_taken_in_plain_order_of_their_identifiers(self) -> None:
        told = Told()
        told.saw("user_id:b", "anonymous_id:x", at=1)
        told.saw("user_id:a", "anonymous_id:y", at=1)
        told.judge("same", "anonymous_id:x", "anonymous_id:y")
        assert told.customers()["user_id:b"] == {"user_id:b", "anonymous_id:x", "anonymous_id:y"}


class TestRefusals:
    def test_the_first_rule_that_is_broken_is_told(self) -> None:
        rules = {
            "user_id": Namespace(1, limit=1),
            "crm_id": Namespace(2, limit=1),
            "email": Namespace(4, distinguishes=True),
            "address": Namespace(6, distinguishes=True),
            "phone": Namespace(7),
        }
        sides = {side: [f"{name}:{side}" for name in rules if name != "phone"] for side in "ab"}

        def reason(told: Told, *names: str) -> str:
            for side in "ab":
                told.saw(*(i for i in sides[side] if i.split(":")[0] in names))
                told.saw(next(i for i in sides[side] if i.split(":")[0] in names), "phone:p")
            if "judged" in names:
                told.judge("different", "user_id:a", "user_id:b")
            (reason,) = told.refused().values()
            return reason

        every = ("user_id", "crm_id", "email", "address")
        assert reason(Told(rules), *every, "judged") == "judged_different"
        assert reason(Told(rules), *every) == "limit:user_id"
        assert reason(Told(rules), *every[1:]) == "limit:crm_id"
        assert reason(Told(rules, size_limit=4), *every[2:]) == "weak_bridge:email"
        assert reason(Told(rules, size_limit=2), *every[3:]) == "weak_bridge:address"
        assert reason(Told(unbounded("user_id", "phone"), size_limit=2), "user_id") == "size_limit"

    def test_a_link_as_strong_as_what_distinguishes_is_no_weak_bridge(self) -> None:
        told = Told()
        told.saw("email:a", "email:b")
        told.saw("email:b", "crm_id:c")
        told.saw("email:d", "crm_id:c")
        assert len(told.customers()) == 1

    def test_no_limit_binds_a_judged_link(self) -> None:
        told = Told(size_limit=2)
        for person in "abc":
            told.saw(f"user_id:{person}", f"email:{person}")
        assert told.judge("same", "user_id:a", "user_id:b")
        assert told.judge("same", "email:a", "user_id:b")
        assert told.customers() == {
            "user_id:a": {"user_id:a", "user_id:b", "email:a"},
            "email:b": {"email:b"},
            "user_id:c": {"user_id:c", "email:c"},
        }
        assert told.refused() == {("email:b", "user_id:b"): "size_limit"}


class TestJudgements:
    def test_a_contradiction_is_refused_through_any_number_of_steps(self) -> None:
        told = Told()
        for person in "abcd":
            told.saw(f"user_id:{person}")
        assert told.judge("same", "user_id:a", "user_id:b")
        assert told.judge("same", "user_id:d", "user_id:c")
        assert told.judge("different", "user_id:b", "user_id:c")
        assert not told.judge("same", "user_id:a", "user_id:d")
        assert not told.judge("different", "user_id:b", "user_id:a")
        assert not told.judge("same", "user_id:a", "user_id:unknown")
        assert not told.judge("same", "user_id:a", "user_id:a")

    def test_a_pair_stays_judged_while_one_judgement_of_it_stands(self) -> None:
        told = Told()
        told.saw("user_id:a")
        told.saw("user_id:b")
        assert told.judge("same", "user_id:a", "user_id:b")
        assert told.judge("same", "user_id:b", "user_id:a")
        assert told.retract("same", "user_id:a", "user_id:b")
        assert len(told.customers()) == 1
        assert told.retract("same", "user_id:a", "user_id:b")
        assert len(told.customers()) == 2
        assert not told.retract("same", "user_id:a", "user_id:b")
