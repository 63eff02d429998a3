"""What an event says was agreed to: which forms are understood, and what becomes of everything else."""

import json
from typing import Any

import pytest

from onefold.ingest.consents import MOST_PURPOSES, MOST_WARNINGS
from onefold.model.consents import LONGEST_PURPOSE
from onefold.model.events import DAY_MS, EVENT_TYPES
from onefold.model.sources import Source
from tests.ingest.events import BROWSER, LOCAL, NOON_MS, RECEIVED_MS, decode, decoded, decoder, event_of, sent

GIVEN: Any = {"marketing": True, "analytics": False}


def consents(said: object) -> dict[str, bool]:
    return event_of(context={"consent": said}).consents


def warned(said: object) -> list[str | None]:
    """The fields that are warned of; the event is taken all the same."""
    return [warning.field for warning in decoded(sent(context={"consent": said})).warnings]


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_events_of_every_type_carry_consents(kind: str) -> None:
    more = {"alias": {"previousId": "old"}, "group": {"groupId": "g"}}.get(kind, {})
    assert event_of(type=kind, context={"consent": GIVEN}, **more).consents == GIVEN


def test_segment_s_category_preferences_say_the_same() -> None:
    said = {"categoryPreferences": GIVEN, "provider": "a banner"}
    assert consents(said) == GIVEN
    assert warned(said) == []


def test_an_event_without_them_has_none() -> None:
    assert event_of().consents == consents(None) == consents({}) == {}
    assert warned(None) == warned({}) == []


def test_the_touchpoint_keeps_what_was_said() -> None:
    kept = json.loads(event_of(context={"consent": {" marketing ": True, "x": "yes"}}).body)["context"]
    assert kept == {"consent": {"marketing": True}}
    assert json.loads(event_of(context={"consent": {"x": "yes"}}).body)["context"] == {}


def test_a_purpose_is_trimmed_and_in_one_form() -> None:
    assert consents({" e-mail news ": True, "re\u0301clame": False}) == {"e-mail news": True, "r\u00e9clame": False}
    assert consents({"p" * LONGEST_PURPOSE: True}) == {"p" * LONGEST_PURPOSE: True}


def test_two_ways_to_write_one_purpose_withdraw_it_unless_both_give_it() -> None:
    for said in ({"news": True, " news": False}, {"news": False, " news": True}):
        assert consents(said) == {"news": False}
    assert consents({"news": True, "news ": True}) == {"news": True}


@pytest.mark.parametrize("said", ["yes", True, 1, ["marketing"], [{"marketing": True}]])
def test_what_is_no_object_is_dropped_with_a_warning(said: object) -> None:
    assert consents(said) == {}
    assert warned(said) == ["context.consent"]
    assert consents({"categoryPreferences": said}) == {}
    assert warned({"categoryPreferences": said}) == ["context.consent.categoryPreferences"]


@pytest.mark.parametrize("given", ["true", "yes", 1, 0, 1.0, None, [], {}, {"given": True}])
def test_what_is_neither_true_nor_false_is_dropped_and_the_others_count(given: object) -> None:
    assert consents({"marketing": given, "analytics": True}) == {"analytics": True}
    assert warned({"marketing": given, "analytics": True}) == ["context.consent.marketing"]
    assert warned({"categoryPreferences": {"ads": given}}) == ["context.consent.categoryPreferences.ads"]


@pytest.mark.parametrize("purpose", ["", "  ", "p" * (LONGEST_PURPOSE + 1), "a\nb", "a\x00", "\x9f"])
def test_what_is_no_purpose_is_dropped_and_the_others_count(purpose: str) -> None:
    assert consents({purpose: True, "analytics": True}) == {"analytics": True}
    assert warned({purpose: True, "analytics": True}) == ["context.consent"]


def test_half_a_character_in_a_purpose_drops_it_alone() -> None:
    raw = rb'{"type": "page", "userId": "ann", "context": {"consent": {"\ud800x": true, "news": true}}}'
    found = decoded(raw)
    assert found.event.consents == {"news": True}
    assert [warning.field for warning in found.warnings] == ["context.consent"]


def test_of_too_many_purposes_those_that_are_withdrawn_count_first() -> None:
    said = {f"given {k:03}": True for k in range(100)} | {f"withdrawn {k}": False for k in range(10)}
    found = consents(said)
    assert len(found) == MOST_PURPOSES
    assert [purpose for purpose, given in found.items() if not given] == [f"withdrawn {k}" for k in range(10)]
    assert found == consents(dict(reversed(said.items())))
    assert warned(said) == ["context.consent"]


def test_there_are_not_more_warnings_than_anybody_reads() -> None:
    assert len(warned({f"p{k}": None for k in range(1_000)})) == MOST_WARNINGS


def test_a_batch_may_say_it_of_all_its_events_that_do_not_say_otherwise() -> None:
    from onefold.ingest.envelope import open_batch

    own = sent(messageId="m-2", context={"consent": {"news": False}})
    body = {"batch": [sent(), own], "context": {"consent": {"marketing": True}}}
    found = decoder().decode_sent(open_batch(json.dumps(body).encode()), LOCAL, RECEIVED_MS)
    assert [item.event.consents for item in found if hasattr(item, "event")] == [{"marketing": True}, {"news": False}]


@pytest.mark.parametrize("source", [LOCAL, BROWSER])
@pytest.mark.parametrize(
    ("at_ms", "counts_from_ms"),
    [
        (1_000_000_000_000, 1_000_000_000_000),
        (NOON_MS, NOON_MS),
        (RECEIVED_MS + 1, RECEIVED_MS),
        (RECEIVED_MS + DAY_MS, RECEIVED_MS),
    ],
)
def test_what_is_said_may_be_old_but_not_from_tomorrow(at_ms: int, counts_from_ms: int, source: Source) -> None:
    found = decoded(sent(timestamp=at_ms, context={"consent": GIVEN}), source).event
    assert (found.at_ms, found.consent_ms) == (at_ms, counts_from_ms)


def test_other_consents_under_the_same_message_id_are_other_content() -> None:
    one, other = event_of(context={"consent": {"news": True}}), event_of(context={"consent": {"news": False}})
    assert one.message == other.message
    assert one.content != other.content
    assert decode(sent(context={"consent": {"news": True}})).warnings == ()
