"""A first mapping, made from the names of columns and what stands in them: it can be used as it is."""

from collections.abc import Sequence
from datetime import date

import pytest

from onefold.errors import OnefoldError
from onefold.ingest.decode import Decoded
from onefold.ingest.tables.csv_form import Decimal
from onefold.ingest.tables.mapping import Kind, Mapping, RowType
from onefold.ingest.tables.rows import Row, RowDecoder
from onefold.ingest.tables.suggest import suggest
from tests.ingest.events import decoder, keys, namespaces
from tests.ingest.tables.building import CRM, mapping_of

TODAY = date(2026, 3, 9)


def suggested(columns: Sequence[str], *rows: Sequence[object], delimiter: str | None = ",") -> str:
    return suggest(columns, rows, namespaces(), source="crm", delimiter=delimiter, today=TODAY)


def identifiers(mapping: Mapping) -> dict[str, list[str | None]]:
    found: dict[str, list[str | None]] = {}
    for name, pick in mapping.identifiers:
        found.setdefault(name, []).append(pick.column)
    return found


def test_a_table_of_people_becomes_records_of_the_crm() -> None:
    columns = ["Customer ID", "First Name", "Email", "Mobile Phone", "Newsletter", "Points", "Updated At"]
    row = ["C-1", "Ann", "ann@example.com", "+442079460182", "yes", "12", "2026-03-01T09:30:00Z"]
    text = suggested(columns, row, ["C-2", "Ben", "ben@example.com", "", "no", "5", "2026-03-02T09:30:00Z"])
    mapping = mapping_of(text)
    assert mapping.type is RowType.IDENTIFY
    assert identifiers(mapping) == {"crm_id": ["Customer ID"], "email": ["Email"], "phone": ["Mobile Phone"]}
    assert [pick.column for pick in mapping.record] == ["Customer ID"]
    assert mapping.timestamp.column == "Updated At"
    assert list(mapping.groups["traits"]) == ["email", "phone", "first_name", "newsletter", "points"]
    assert mapping.groups["traits"]["newsletter"].kind is Kind.FLAG
    assert mapping.groups["traits"]["points"].kind is Kind.NUMBER
    made = RowDecoder(mapping, columns, decoder(), CRM)(Row(row))
    assert isinstance(made, Decoded)
    assert made.warnings == ()
    assert made.event.identifiers == keys("crm_id:C-1", "email:ann@example.com", "phone:+442079460182")
    assert "ann@example.com" not in text, "no value of the table stands in its mapping"


def test_a_table_in_another_language_and_notation_is_understood() -> None:
    columns = ["Kundennr.", "Vorname", "Nachname", "E-Mail-Adresse", "Geburtsdatum", "Umsatz", "Geändert am"]
    text = suggested(
        columns,
        ["0017", "Änne", "Groß", "aenne@example.com", "17.04.1980", "1.234,50", "25.03.2026 09:30"],
        ["0018", "Bert", "Klein", "bert@example.com", "01.02.1999", "12,00", "26.03.2026 10:00"],
        delimiter=";",
    )
    mapping = mapping_of(text)
    assert identifiers(mapping) == {"crm_id": ["Kundennr."], "email": ["E-Mail-Adresse"]}
    assert mapping.timestamp.format == "%d.%m.%Y %H:%M"
    assert "timezone" in text
    traits = mapping.groups["traits"]
    assert list(traits) == ["email", "first_name", "last_name", "birthday", "umsatz"]
    assert (traits["birthday"].kind, traits["birthday"].format) == (Kind.TIME, "%d.%m.%Y")
    assert (traits["umsatz"].kind, mapping.csv.decimal, mapping.csv.delimiter) == (Kind.NUMBER, Decimal.COMMA, ";")


def test_a_table_of_what_happened_becomes_track_events() -> None:
    columns = ["order_id", "event", "user_id", "amount", "currency", "time"]
    text = suggested(columns, ["o-1", "Order Completed", "u-1", "12.50", "EUR", "2026-03-01T09:30:00Z"])
    mapping = mapping_of(text)
    assert (mapping.type, mapping.fields["event"].column) == (RowType.TRACK, "event")
    assert [pick.column for pick in mapping.record] == ["order_id"]
    assert mapping.groups["properties"]["revenue"].column == "amount"
    assert "timezone" not in text, "these times name theirs"


def test_days_and_months_that_may_be_taken_for_each_other_are_asked_about() -> None:
    assert "# or is the month first?" in suggested(["id", "updated"], ["1", "01/02/2026"], ["2", "03/04/2026"])
    sure = suggested(["id", "updated"], ["1", "01/02/2026"], ["2", "03/24/2026"])
    assert "%m/%d/%Y" in sure
    assert "first?" not in sure


def test_without_a_time_all_rows_are_of_the_day_of_the_export() -> None:
    mapping = mapping_of(suggested(["crm id", "name"], ["1", "Ann"]))
    assert (mapping.timestamp.column, mapping.timestamp.value) == (None, "2026-03-09")


def test_a_column_of_addresses_is_known_by_what_stands_in_it() -> None:
    mapping = mapping_of(suggested(["id", "contact"], ["1", "ann@example.com"], ["2", "ben@example.com"]))
    assert identifiers(mapping) == {"email": ["contact"]}


def test_what_only_numbers_the_rows_is_left_to_people_to_judge() -> None:
    """Two tables begin at 1: taken for numbers of one CRM, they would make one customer of strangers."""
    text = suggested(["id", "email"], ["1", "ann@example.com"], ["2", "ben@example.com"])
    assert "\n  # crm_id: id  # if these are numbers of your CRM, and of no other table\n" in text
    mapping = mapping_of(text)
    assert identifiers(mapping) == {"email": ["email"]}
    assert [pick.column for pick in mapping.record] == ["id"]


def test_those_who_serve_customers_are_not_taken_for_them() -> None:
    columns = ["crm_id", "email", "Account Owner", "Contact at ours", "staff id"]
    rows = [
        [str(n), f"p{n}@example.com", f"owner{n}@shop.example", f"desk{n % 2}@shop.example", "s-1"] for n in range(4)
    ]
    mapping = mapping_of(suggested(columns, *rows))
    assert identifiers(mapping) == {"crm_id": ["crm_id"], "email": ["email"], "staff_id": ["staff id"]}


@pytest.mark.parametrize(
    "texts", [["Ann Keller", "Ben Miller", "Cem", "Dora"], ["gold", "silver", "gold", "gold", "gold"]]
)
def test_names_and_kinds_of_customers_are_no_numbers_of_theirs(texts: list[str]) -> None:
    rows = [[str(place), text] for place, text in enumerate(texts)]
    assert identifiers(mapping_of(suggested(["crm_id", "customer"], *rows))) == {"crm_id": ["crm_id"]}


def test_several_columns_may_hold_what_one_person_is_known_by() -> None:
    mapping = mapping_of(suggested(["customer no", "E-Mail", "email address"], ["1", "a@example.com", "b@example.com"]))
    assert identifiers(mapping)["email"] == ["E-Mail", "email address"]


def test_what_has_leading_zeros_is_no_number() -> None:
    mapping = mapping_of(suggested(["customer no", "postcode"], ["1", "01067"], ["2", "80331"]))
    assert mapping.groups["traits"]["postcode"].kind is None


def test_names_that_yaml_would_take_for_something_else_are_quoted_and_bad_ones_left_out() -> None:
    columns = ["crm_id", "a: b", "#tag", "- x", "", "twice", "twice", "line\nbreak", "yes", "{x}", "Größe (cm)"]
    mapping = mapping_of(suggested(columns, [*"123456789", "10", "11"]))
    assert {pick.column for pick in mapping.groups["traits"].values()} == {
        *("a: b", "#tag", "- x", "yes", "{x}", "Größe (cm)")
    }


@pytest.mark.parametrize(
    ("columns", "field"), [(["shoe size", "shop"], "identifiers"), (["email", "plan"], "record.id")]
)
def test_what_cannot_be_guessed_is_left_for_people_to_say(columns: list[str], field: str) -> None:
    text = suggested(columns, ["a@example.com", "x"], ["a@example.com", "y"], ["a@example.com", "y"])
    with pytest.raises(OnefoldError) as caught:
        mapping_of(text)
    assert field in {caught.value.field, "identifiers"}
    assert "name " in text


def test_a_table_without_rows_is_told_by_its_columns_alone() -> None:
    text = suggested(["crm_id", "email"])
    assert "  crm_id: crm_id\n  email: email\n" in text
