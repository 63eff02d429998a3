"""Which texts are times, and which."""

import pytest

from onefold.model.moments import moment_ms

DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01", 0),
        ("1970-01-02", DAY),
        ("1969-12-31", -DAY),
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01T00:00:01.5Z", 1500),
        ("1970-01-01T00:00:00.0019Z", 1),
        ("1970-01-01 01:00", 3_600_000),
        ("1970-01-01t01:00:00z", 3_600_000),
        ("1970-01-01T01:00+01:00", 0),
        ("1970-01-01T01:00:00,25+0100", 250),
        ("1970-01-01T01:00-01", 7_200_000),
        ("0001-01-01T00:00+14:00", -62_135_647_200_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ],
)
def test_a_date_or_a_time_has_its_milliseconds(text: str, ms: int) -> None:
    assert moment_ms(text) == ms


@pytest.mark.parametrize(
    "text", ["", "20260101", "2026", "2026-W01", "2026-13-01", "2026-02-30", "2026-01-01T25:00", "2026-01-01 ",
             "1 March 2026", "２０２６-01-01", "2026-01-01T10"],
)  # fmt: skip
def test_other_texts_are_no_times(text: str) -> None:
    assert moment_ms(text) is None
