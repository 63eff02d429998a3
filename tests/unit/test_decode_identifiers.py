"""Which identifiers an event has, which is its device, and what an alias says."""

import json
from typing import Any

import pytest

from onefold.ingest.decode import Decoded, Rejected
from onefold.model import namespaces_file
from onefold.model.events import Event
from tests.ingest.events import (
    BROWSER,
    LOCAL,
    RECEIVED_MS,
    decode,
    decoded,
    decoder,
    decoder_of,
    event_of,
    keys,
    rejected,
    sent,
    warnings_of,
)

UUID = "b7e2f1d0-5c3a-4e8b-9a61-2f0d7c84e513"


def body_of(event: Event) -> Any:
    return json.loads(event.body)


# -- identifiers


def test_identifiers_are_read_from_every_declared_place_strongest_first() -> None:
    event = event_of(
        type="identify",
        anonymousId="a-1",
        traits={"email": " Ann@Example.com ", "phone": "+44 20 7946 0123"},
        context={"device": {"id": "d-1"}, "externalIds": [{"type": "crm_id", "id": 77, "collection": "users"}]},
        identifiers=[{"namespace": "loyalty_card", "value": "L-9"}],
    )
    assert event.identifiers == keys(
        "user_id:ann",
        "crm_id:77",
        "loyalty_card:L-9",
        "email:ann@example.com",
        "phone:+442079460123",
        "anonymous_id:a-1",
        "device_id:d-1",
    )


def test_traits_in_the_context_identify_on_any_event_but_claim_nothing() -> None:
    event = event_of(context={"traits": {"email": "ann@example.com", "plan": "gold"}})
    assert event.identifiers == keys("user_id:ann", "email:ann@example.com")
    assert event.traits == {}


def test_the_traits_of_a_group_are_not_its_members() -> None:
    event = event_of(type="group", groupId="g-1", traits={"email": "info@acme.example", "name": "Acme"})
    assert event.identifiers == keys("user_id:ann")
    assert event.traits == {}
    assert body_of(event)["traits"] == {"email": "info@acme.example", "name": "Acme"}
    assert body_of(event)["context"] == {"groupId": "g-1"}


def test_a_number_is_an_id_too() -> None:
    assert event_of(userId=7, anonymousId=8.0).identifiers == keys("user_id:7", "anonymous_id:8")


def test_an_identifier_said_twice_is_one() -> None:
    twice = [{"namespace": "user_id", "value": " ann"}, {"namespace": "user_id", "value": "ann"}]
    event = event_of(identifiers=twice)
    assert event.identifiers == keys("user_id:ann")
    assert not event.crowded


@pytest.mark.parametrize("value", ["", "null", "0", "anonymous", "00000000-0000-0000-0000-000000000000"])
def test_a_blocked_value_is_dropped_with_a_warning_and_the_rest_counts(value: str) -> None:
    assert event_of(userId=value, anonymousId="a-1").identifiers == keys("anonymous_id:a-1")
    assert warnings_of(userId=value, anonymousId="a-1") == [("identifier.blocked", "userId")]


@pytest.mark.parametrize("value", [True, [1], {"id": 1}, 1.5, "x" * 513, "line\nbreak"])
def test_a_malformed_value_is_dropped_with_a_warning_that_names_the_field(value: object) -> None:
    assert event_of(userId=value, anonymousId="a-1").identifiers == keys("anonymous_id:a-1")
    assert warnings_of(userId=value, anonymousId="a-1") == [("identifier.malformed", "userId")]


def test_a_warning_names_the_path_and_the_place_in_the_list() -> None:
    said = {
        "context": {"traits": {"email": "no address"}, "externalIds": [{"type": "crm_id", "id": "null"}]},
        "identifiers": [{"namespace": "email", "value": "ann@example.com"}, {"namespace": "phone", "value": "none"}],
    }
    assert sorted(warnings_of(**said)) == [
        ("identifier.blocked", "context.externalIds[type=crm_id]"),
        ("identifier.blocked", "identifiers[1]"),
        ("identifier.malformed", "context.traits.email"),
    ]


def test_what_has_no_value_is_not_worth_a_warning() -> None:
    event = sent(traits={"email": None}, context={"device": None, "externalIds": None})
    assert decoded(event | {"anonymousId": None, "identifiers": None}).warnings == ()


def test_an_event_without_an_identifier_is_rejected_and_told_where_they_go() -> None:
    problem = rejected(sent(userId=None))
    assert problem.code == "event.no_identifier"
    assert problem.hint is not None
    assert "userId, context.externalIds[type=crm_id]" in problem.hint
    assert "anonymousId" in problem.hint
    assert "staff_id" not in problem.hint


def test_an_event_whose_identifiers_were_all_dropped_says_why_each_was() -> None:
    found = decode(sent(userId="null", anonymousId=""))
    assert isinstance(found, Rejected)
    assert found.problem.code == "event.no_identifier"
    assert [warning.field for warning in found.warnings] == ["userId", "anonymousId"]
    assert found.message_id == "m-1"


def test_whoever_served_is_kept_apart_and_is_no_identifier_of_the_customer() -> None:
    staff = {"externalIds": [{"type": "staff_id", "id": "clerk-3"}]}
    event = event_of(context=staff)
    assert event.identifiers == keys("user_id:ann")
    assert event.operators == keys("staff_id:clerk-3")
    assert rejected(sent(userId=None, context=staff)).code == "event.no_identifier"


def test_an_unknown_namespace_rejects_the_event_and_names_the_known_ones() -> None:
    problem = rejected(sent(identifiers=[{"namespace": "e-mail", "value": "ann@example.com"}]))
    assert (problem.code, problem.field) == ("identifier.unknown_namespace", "identifiers[0].namespace")
    assert problem.hint is not None
    assert "Did you mean email?" in problem.hint
    assert "user_id" in problem.hint


def test_an_external_id_of_a_type_that_is_not_declared_is_ignored() -> None:
    assert event_of(context={"externalIds": [{"type": "brazeId", "id": "x"}, "y", {"id": "z"}]}).identifiers == keys(
        "user_id:ann"
    )


def test_twelve_identifiers_are_taken_and_thirteen_are_not() -> None:
    cookies = [{"namespace": "anonymous_id", "value": f"a-{n}"} for n in range(12)]
    assert len(event_of(identifiers=cookies[:11]).identifiers) == 12
    assert len(event_of(identifiers=[*cookies[:11], cookies[0]]).identifiers) == 12, "a repeated one counts once"
    problem = rejected(sent(identifiers=cookies))
    assert (problem.code, problem.field) == ("event.too_many_identifiers", "identifiers")


def test_hundreds_of_identifiers_are_refused_before_they_are_looked_at() -> None:
    found = decode(sent(identifiers=[{"namespace": "phone", "value": f"+4420{n:08}"} for n in range(500)]))
    assert isinstance(found, Rejected)
    assert found.problem.code == "event.too_many_identifiers"
    assert found.warnings == ()


def test_more_values_of_a_namespace_than_its_limit_are_left_to_stitching() -> None:
    assert event_of(identifiers=[{"namespace": "user_id", "value": "bea"}]).crowded
    emails = [{"namespace": "email", "value": f"ann{n}@example.com"} for n in range(6)]
    assert not event_of(identifiers=emails[:5]).crowded
    assert event_of(identifiers=emails).crowded


# -- the device


def test_the_device_is_the_one_the_event_came_through() -> None:
    event = event_of(anonymousId="a-1", context={"device": {"id": "d-1", "type": "ios"}})
    assert event.device == keys("device_id:d-1")[0]
    assert event_of(anonymousId="a-1").device is None, "a cookie is not a device"


def test_any_namespace_of_kind_device_can_name_the_device_and_device_id_is_preferred() -> None:
    declared = namespaces_file.parse(
        """
        namespaces:
          user_id: {priority: 1, kind: person, from: [userId]}
          terminal: {priority: 4, kind: device, from: [properties.terminal]}
          device_id: {priority: 9, kind: device, from: [context.device.id]}
          anonymous_id: {priority: 8, kind: device, from: [anonymousId]}
        """
    )

    def device(**fields: Any) -> object:
        found = decoder_of(declared).decode_event(json.dumps(sent(**fields)).encode(), LOCAL, RECEIVED_MS)
        assert isinstance(found, Decoded)
        return found.event.device

    till = {"terminal": "till-3"}
    assert device(properties=till, anonymousId="a") == keys("terminal:till-3")[0]
    assert device(properties=till, context={"device": {"id": "d-1"}}) == keys("device_id:d-1")[0]


# -- alias


def test_an_alias_of_a_cookie_is_an_event_with_both() -> None:
    for previous, anonymous in ((UUID, None), ("web-7", "web-7")):
        event = event_of(type="alias", previousId=previous, anonymousId=anonymous)
        assert event.identifiers == keys("user_id:ann", f"anonymous_id:{previous}")
        assert event.alias is None


def test_an_alias_of_two_user_ids_by_a_trusted_source_is_a_judgement() -> None:
    event = event_of(type="alias", previousId="annie", anonymousId="a-1")
    assert event.alias == keys("user_id:ann", "user_id:annie")
    assert event.identifiers == keys("user_id:ann", "anonymous_id:a-1")
    assert not event.crowded


def test_an_alias_of_two_user_ids_by_who_may_not_judge_is_evidence_like_any_other() -> None:
    alias = json.dumps(sent(type="alias", previousId="annie")).encode()
    found = decoder().decode_event(alias, LOCAL, RECEIVED_MS, may_judge=False)
    assert isinstance(found, Decoded)
    event = found.event
    assert event.alias is None
    assert event.identifiers == keys("user_id:ann", "user_id:annie")
    assert event.crowded


def test_two_user_ids_by_a_public_source_are_rejected_before_anything_tells_whether_they_are_one() -> None:
    for kind in ("alias", "track"):
        said = sent(type=kind, previousId="annie", identifiers=[{"namespace": "user_id", "value": "annie"}])
        problem = rejected(said, BROWSER)
        assert (problem.code, problem.field) == ("event.ambiguous", "user_id")


def test_an_alias_of_an_id_to_itself_or_of_nothing_says_nothing() -> None:
    assert event_of(type="alias", previousId="ann").alias is None
    assert event_of(type="alias", previousId="null").identifiers == keys("user_id:ann")
    assert rejected(sent(type="alias")).field == "previousId"


def test_an_alias_with_a_third_user_id_is_no_judgement() -> None:
    event = event_of(type="alias", previousId="annie", identifiers=[{"namespace": "user_id", "value": "anna"}])
    assert event.alias is None
    assert event.crowded
