"""docs/events.md says what the wire format is."""

import re

from msgspec.structs import fields

from onefold.api.tracking import DOORS
from onefold.ingest.decode import Decoded
from onefold.ingest.split import MOST_LEVELS
from onefold.ingest.wire import WireEvent
from onefold.settings import Settings
from tests.ingest.events import decode, keys
from tests.tables import ROOT, plain, rows

DOCUMENT = (ROOT / "docs" / "events.md").read_text()


def test_the_documented_fields_are_the_ones_that_are_read() -> None:
    documented = [plain(field) for field, _ in rows("events.md", "| field | meaning |")]
    assert documented == [field.encode_name for field in fields(WireEvent)]


def test_the_event_that_is_shown_is_one() -> None:
    shown = re.search(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    assert shown is not None
    found = decode(shown[1].encode())
    assert isinstance(found, Decoded)
    assert found.warnings == ()
    assert found.event.identifiers == keys("user_id:ann", "loyalty_card:L-77", "anonymous_id:web-7c41e0")


def test_the_documented_limits_are_the_ones_that_hold() -> None:
    settings = Settings()
    assert f"{settings.max_event_bytes:,} bytes and {MOST_LEVELS} levels" in DOCUMENT
    assert f"{settings.max_events_per_batch:,} events" in DOCUMENT
    assert f"first {settings.max_batch_bytes:,} bytes" in DOCUMENT
    assert f"{settings.max_body_bytes:,}\n  bytes" in DOCUMENT


def test_the_documented_paths_are_the_ones_that_are_served() -> None:
    documented = [
        path for cell, _ in rows("events.md", "| path | what it takes |") for path in re.findall("/v1/\\w+", cell)
    ]
    assert sorted(documented) == sorted(DOORS)
