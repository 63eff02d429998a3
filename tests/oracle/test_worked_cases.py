"""The worked cases of the design (section 4), word for word, by the default rules."""

from itertools import permutations

from tests.oracle.told import NOW_MS, Told


def test_a_shared_email_stays_with_the_person_it_was_seen_with_first() -> None:
    told = Told()
    told.saw("user_id:a", "email:j")
    told.saw("user_id:b", "email:j")
    assert told.customers() == {"user_id:a": {"user_id:a", "email:j"}, "user_id:b": {"user_id:b"}}
    assert told.refused() == {("email:j", "user_id:b"): "limit:user_id"}


def test_anonymous_pages_become_the_persons_at_once_in_whatever_order_they_arrive() -> None:
    told, reverse = Told(), Told()
    for page in range(30):
        told.saw("anonymous_id:x", at=page)
    assert told.customers() == {"anonymous_id:x": {"anonymous_id:x"}}
    told.saw("anonymous_id:x", "user_id:a", at=30)
    reverse.saw("anonymous_id:x", "user_id:a", at=30, message_id="m31")
    for page in reversed(range(30)):
        reverse.saw("anonymous_id:x", at=page, message_id=f"m{page + 1}")
    assert told.customers() == reverse.customers() == {"user_id:a": {"user_id:a", "anonymous_id:x"}}
    journey = told.journey("user_id:a")
    assert journey == reverse.journey("user_id:a")
    assert len(journey) == 31
    assert all(page.retroactive and page.linked_at_ms == NOW_MS + 30 for page in journey[:30])
    assert not journey[30].retroactive


def test_a_page_on_a_shared_device_belongs_to_the_cookie_that_logs_in_afterwards() -> None:
    told = Told()
    told.saw("device_id:d", "anonymous_id:x1")
    told.saw("user_id:a", "device_id:d", "anonymous_id:x1")
    told.saw("device_id:d", "anonymous_id:x2")
    told.saw("user_id:b", "device_id:d", "anonymous_id:x2")
    assert told.customers() == {
        "user_id:a": {"user_id:a", "anonymous_id:x1"},
        "user_id:b": {"user_id:b", "anonymous_id:x2"},
        "device_id:d": {"device_id:d"},
    }
    assert told.generic() == {"device_id:d"}
    assert [touchpoint.key[1] for touchpoint in told.journey("user_id:b")] == ["m3", "m4"]
    assert [touchpoint.retroactive for touchpoint in told.journey("user_id:b")] == [True, False]


def test_people_judged_different_split_at_the_weakest_link_and_join_again_when_it_is_retracted() -> None:
    told = Told()
    told.saw("crm_id:c", "phone:p")
    told.saw("user_id:a", "email:j")
    told.saw("crm_id:c", "email:j")
    together = told.stitched()
    assert set(told.customers()) == {"user_id:a"}
    assert told.judge("different", "user_id:a", "crm_id:c")
    assert told.customers() == {"user_id:a": {"user_id:a", "email:j"}, "crm_id:c": {"crm_id:c", "phone:p"}}
    assert told.refused() == {("crm_id:c", "email:j"): "judged_different"}
    assert told.retract("different", "user_id:a", "crm_id:c")
    assert told.stitched() == together


def test_an_inbox_turns_generic_at_its_sixth_person_and_lets_go_of_those_it_had_glued_together() -> None:
    told = Told()
    told.saw("loyalty_card:l", "phone:p")
    told.saw("loyalty_card:l", "email:info@shop")
    told.saw("crm_id:c", "email:info@shop")
    for person in "abcde":
        told.saw(f"user_id:{person}", "email:info@shop")
    assert told.customers()["user_id:a"] == {
        "user_id:a",
        "crm_id:c",
        "loyalty_card:l",
        "phone:p",
        "email:info@shop",
    }
    told.saw("user_id:f", "email:info@shop")
    assert told.generic() == {"email:info@shop"}
    assert told.customers()["loyalty_card:l"] == {"loyalty_card:l", "phone:p"}
    assert told.customers()["email:info@shop"] == {"email:info@shop"}
    assert {len(members) for anchor, members in told.customers().items() if anchor != "loyalty_card:l"} == {1}
    assert set(told.refused().values()) == {"generic"}


def test_a_couple_with_one_landline_are_two_customers_and_the_phone_is_the_elders() -> None:
    for order in permutations((("email:hers", 1), ("email:his", 2), ("email:hers", 3))):
        told = Told()
        for email, at in order:
            told.saw(email, "phone:landline", at=at)
        assert told.customers() == {"email:hers": {"email:hers", "phone:landline"}, "email:his": {"email:his"}}
        assert told.refused() == {("email:his", "phone:landline"): "weak_bridge:email"}
