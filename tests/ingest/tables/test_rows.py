"""Rows become events: records with their versions, cells as what they are read as."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from onefold.errors import OnefoldError
from onefold.ingest.decode import Rejected
from tests.ingest.events import keys
from tests.ingest.tables.building import LEAST, codes, decode, event_of, row_decoder

DAY_MS = 1_772_323_200_000
"""2026-03-01T00:00:00Z."""
TRAIT = LEAST + "traits:\n  x: "


def trait(cell: object, pick: str = "{column: x}") -> Any:
    return event_of(TRAIT + pick, no="7", changed="2026-03-01", x=cell).event.traits.get("x")


def test_a_row_is_an_event_with_its_record_and_version_as_message_id() -> None:
    event = event_of(
        LEAST.replace("{id: no}", "{id: no, version: rev}") + "channel: {value: crm}\n",
        no="K-7",
        rev="3",
        changed="2026-03-01",
    ).event
    assert (event.type, event.message_id, event.at_ms, event.channel) == ("identify", "K-7@3", DAY_MS, "crm")
    assert event.identifiers == keys("crm_id:K-7")
    assert event.source.name == "crm"


def test_a_version_is_the_time_of_the_row_unless_a_column_is_named() -> None:
    assert event_of(LEAST, no="K-7", changed="2026-03-01").event.message_id == "K-7@2026-03-01"


def test_without_any_version_it_is_a_hash_of_what_the_row_says_and_its_time_is_the_export_s() -> None:
    text = "record: {id: no}\ntimestamp: {value: 2026-03-0%d}\nidentifiers: {crm_id: no}\ntraits: {plan: plan}\n"
    first, again, other = (
        event_of(text % day, no="K-7", plan=plan).event for day, plan in ((1, "a"), (2, "a"), (2, "b"))
    )
    assert first.message == again.message != other.message
    assert first.content == again.content, "the same record in a later export is no conflict"
    assert (first.at_ms, again.at_ms) == (DAY_MS, DAY_MS + 86_400_000)


def test_a_record_may_be_numbered_by_several_columns_whose_values_never_run_together() -> None:
    text = LEAST.replace("{id: no}", "{id: [shop, no]}")
    ids = [
        event_of(text, shop=shop, no=no, changed="2026-03-01").event.message_id
        for shop, no in (("a", "b"), ("a|b", "c"), ("a", "b|c"), ("a\\", "b"), ("a\\|b", "c"))
    ]
    assert len(set(ids)) == 5
    assert ids[0] == "a|b@2026-03-01"


def test_a_row_of_what_happened_has_no_version_unless_one_is_named() -> None:
    text = "type: track\n" + LEAST
    assert event_of(text, no="o-1", changed="2026-03-01").event.message_id == "o-1"


def test_a_row_without_its_number_is_told_from_others_by_what_it_says() -> None:
    text = "type: track\nrecord: {id: order}\n" + LEAST.partition("\n")[2]
    one, other = (event_of(text, order="", no=no, changed="2026-03-01").event.message_id for no in "78")
    assert one != other
    assert one.startswith("content-")


@pytest.mark.parametrize("cell", ["", "  ", None, "-", float("nan")])
def test_a_cell_that_says_nothing_claims_nothing(cell: object) -> None:
    event = event_of(TRAIT + "{column: x}\nnulls: ['-']", no="7", changed="2026-03-01", x=cell).event
    assert event.traits == {}


def test_texts_stay_texts() -> None:
    assert [trait(text) for text in ("007", "1,5", " yes ", "1e3")] == ["007", "1,5", "yes", "1e3"]
    assert event_of(LEAST, no="007", changed="2026-03-01").event.identifiers == keys("crm_id:007")


def test_values_with_a_type_keep_it() -> None:
    assert [trait(value) for value in (7, 7.5, True, ["a", None], {"b": date(2026, 3, 1)})] == [
        *(7, 7.5, True),
        ["a", None],
        {"b": "2026-03-01"},
    ]
    assert trait(Decimal("12.50")) == "12.50"
    assert trait(b"caf\xc3\xa9") == "café"
    assert event_of(LEAST, no=12.0, changed="2026-03-01").event.message_id == "12@2026-03-01"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("12", 12), ("-1.5", -1.5), ("1,234", 1234), ("1,234,567.25", 1_234_567.25), ("12'000", 12000)),
        *(("1 234", 1234), ("007", 7), ("2e3", 2000.0), ("1,5", None), ("12 EUR", None), ("1.2.3", None)),
        *(("inf", None), ("1e400", None), ("٣", None)),
    ],
)
def test_a_number_is_read_as_it_is_written_with_points(text: str, number: float | None) -> None:
    assert trait(text, "{column: x, as: number}") == number


@pytest.mark.parametrize(("text", "number"), [("1.234,50", 1234.5), ("12,5", 12.5), ("1.234", 1234), ("1.5", None)])
def test_a_number_is_read_as_it_is_written_with_commas(text: str, number: float | None) -> None:
    assert trait(text, "{column: x, as: number}\ncsv: {decimal: ','}") == number


@pytest.mark.parametrize(
    ("text", "flag"), [("Yes", True), ("ja", True), ("0", False), ("nein", False), ("maybe", None)]
)
def test_a_flag_is_yes_or_no(text: str, flag: bool | None) -> None:
    assert trait(text, "{column: x, as: flag}") is flag


def test_what_cannot_be_read_is_dropped_and_warned_of_and_the_rest_counts() -> None:
    made = event_of(TRAIT + "{column: x, as: number}", no="7", changed="2026-03-01", x="twelve")
    assert codes(made.warnings) == [("event.value_dropped", "traits.x")]
    assert made.event.traits == {}


@pytest.mark.parametrize(
    ("cell", "pick"),
    [
        ("2026-03-01T09:30:00+01:00", "changed"),
        ("01.03.2026 09:30", '{column: changed, format: "%d.%m.%Y %H:%M", timezone: Europe/Berlin}'),
        ("2026-03-01 09:30", "{column: changed, timezone: Europe/Berlin}"),
        ("2026-03-01 08:30", "changed"),
        ("1772353800", "{column: changed, format: seconds}"),
        (1772353800, "changed"),
        ("1772353800000", "{column: changed, format: milliseconds}"),
        (datetime(2026, 3, 1, 8, 30, tzinfo=UTC), "changed"),
        (datetime(2026, 3, 1, 9, 30), "{column: changed, timezone: Europe/Berlin}"),  # noqa: DTZ001
    ],
)
def test_a_time_is_read_as_it_is_written(cell: object, pick: str) -> None:
    text = LEAST.replace("timestamp: changed", f"timestamp: {pick}")
    assert event_of(text, no="7", changed=cell).event.at_ms == DAY_MS + 8 * 3_600_000 + 30 * 60_000


@pytest.mark.parametrize("cell", ["yesterday", "", "31.02.2026"])
def test_a_row_without_a_time_is_rejected_alone(cell: str) -> None:
    made = decode(LEAST.replace("changed", '{column: changed, format: "%d.%m.%Y"}'), no="7", changed=cell)
    assert isinstance(made, Rejected)
    assert (made.problem.code, made.problem.field) == ("event.invalid", "timestamp")


def test_what_is_no_text_at_all_is_dropped_and_the_rest_counts() -> None:
    made = event_of(TRAIT + "{column: x}", no="7", changed="2026-03-01", x="caf\udce9")
    assert codes(made.warnings) == [("event.value_dropped", "traits.x")]


def test_context_may_hold_values_inside_of_others() -> None:
    event = event_of(
        "type: track\n" + LEAST + "context: {campaign.name: utm, campaign.source: src}\n",
        no="7",
        changed="2026-03-01",
        utm="spring",
        src="mail",
    ).event
    assert event.campaign == "spring"
    assert b'"source":"mail"' in event.body


CONSENTS = LEAST + "consents: {marketing: {column: news}, profiling: ads}\n"


@pytest.mark.parametrize(
    ("news", "ads", "agreed"),
    [
        ("yes", "no", {"marketing": True, "profiling": False}),
        ("Ja", "", {"marketing": True}),
        (False, True, {"marketing": False, "profiling": True}),
        ("", None, {}),
    ],
)
def test_a_row_says_what_was_agreed_to_by_purpose(news: object, ads: object, agreed: dict[str, bool]) -> None:
    made = event_of(CONSENTS, no="7", changed="2026-03-01", news=news, ads=ads)
    assert (made.event.consents, made.warnings) == (agreed, ())


def test_what_is_neither_yes_nor_no_is_no_consent() -> None:
    made = event_of(CONSENTS, no="7", changed="2026-03-01", news="perhaps", ads="yes")
    assert made.event.consents == {"profiling": True}
    assert codes(made.warnings) == [("event.value_dropped", "consents.marketing")]


def test_all_rows_may_have_agreed_to_the_same() -> None:
    text = LEAST + "consents: {newsletter.weekly: {value: yes}}\ncontext: {locale: {value: de}}\n"
    made = event_of(text, no="7", changed="2026-03-01")
    assert made.event.consents == {"newsletter.weekly": True}
    assert b'"locale":"de"' in made.event.body


def test_a_consent_withdrawn_is_another_version_of_the_row() -> None:
    text = CONSENTS.replace("timestamp: changed", "timestamp: {value: 2026-03-31}")
    before, after = (event_of(text, no="7", news=said, ads="no").event for said in ("yes", "no"))
    assert before.message != after.message


def test_columns_that_are_not_there_are_told_with_their_line_and_what_was_likely_meant() -> None:
    with pytest.raises(OnefoldError, match='line 2: timestamp: the table has no column "changed"') as caught:
        row_decoder(LEAST, "no", "change")
    assert caught.value.code == "mapping.invalid"
    assert "Did you mean change?" in (caught.value.hint or "")


def test_a_name_that_two_columns_have_is_refused() -> None:
    with pytest.raises(OnefoldError, match='2 columns "no"'):
        row_decoder(LEAST, "no", "changed", "no")
