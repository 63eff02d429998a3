"""A journey worked out by hand (tests/golden/summaries.md), and the corner cases of summing up."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from onefold.analytics import sessions, summaries
from onefold.analytics.computed.asked import values
from onefold.analytics.money import Money, money
from onefold.model import computed_file
from onefold.model.computed import ComputedTrait, ComputedTraits, Kind, Property
from onefold.model.reading import TouchpointFilter
from onefold.readmodel.sessions import view
from onefold.schema_files import schema_file
from tests.support.journeys_in_columns import Tables, owned

GOLDEN: Final = (Path(__file__).parents[1] / "golden/summaries.md").read_text()
TRAITS: Final[ComputedTraits] = computed_file.load(schema_file("computed.yaml"))
ORDERS: Final = TRAITS["orders"].touchpoints
PAUSE_MS: Final = 30 * 60_000
IDENTIFIERS: Final = {"user": 1, "cookie": 2, "tablet": 3, "phone": 4}
ANN, NOBODY, STRANGER = 7, 8, 9


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def time(at_ms: int | None) -> str:
    assert at_ms is not None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(" ", "milliseconds").removesuffix("+00:00")


NOW_MS: Final = ms("2026-03-10 12:00")


def table(title: str) -> list[tuple[str, ...]]:
    """The rows of the table in this section."""
    section = GOLDEN.split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]


def told(number: int, *cells: str) -> dict[str, Any]:
    """A row of the read model, as a line of the table tells it."""
    at, of, kind, name, channel, campaign, revenue, currency, device = cells
    return {
        "number": number,
        "message": b"m",
        "message_id": "m",
        "source": "local",
        "at_ms": ms(at),
        "received_ms": 0,
        "type": kind,
        "name": name or None,
        "channel": channel,
        "campaign": campaign or None,
        "revenue": revenue or None,
        "currency": currency or None,
        "subject": IDENTIFIERS[of],
        "device": IDENTIFIERS[device] if device else None,
        "body": '{"properties": {}, "context": {}, "traits": {}}',
    }


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    tables = Tables()
    yield tables
    tables.connection.close()


@pytest.fixture
def tables(opened: Any) -> Any:
    """What happened; the cookie is Ann's."""
    opened.put("touchpoints", [told(number, *cells) for number, cells in enumerate(table("What happened"), 1)])
    own(opened, cookie=ANN)
    return opened


def own(tables: Tables, cookie: int) -> None:
    owners = {"user": ANN, "cookie": cookie, "tablet": STRANGER, "phone": ANN}
    tables.put("identifiers", [owned(IDENTIFIERS[name], owner) for name, owner in owners.items()])


def amounts(told: tuple[Money, ...]) -> str:
    return ", ".join(f"{amount.amount} {amount.currency or ''}".strip() for amount in told)


def computed(tables: Any, customer: int, names: Any = TRAITS) -> list[tuple[str, ...]]:
    found = values(tables, [TRAITS[name] for name in names], [customer], now_ms=NOW_MS, session_ms=PAUSE_MS)[customer]
    return [(value.trait.name, value.value, value.currency or "") for value in found]


def test_computed_traits_are_those_worked_out_by_hand(tables: Any) -> None:
    assert computed(tables, ANN) == table("Computed traits")


def test_before_the_cookie_was_linked_its_touchpoints_did_not_count(tables: Any) -> None:
    own(tables, cookie=STRANGER)
    right = table("Before the cookie was linked")
    assert computed(tables, ANN, [name for name, *_ in right]) == right
    own(tables, cookie=ANN)
    assert computed(tables, ANN) == table("Computed traits")


def test_sessions_are_those_worked_out_by_hand(tables: Any) -> None:
    found = sessions.pages(tables, [ANN], 10, orders=ORDERS, session_ms=PAUSE_MS)[ANN]
    assert [
        (
            time(row.start_ms),
            time(row.end_ms),
            str(row.touchpoints),
            row.entry,
            row.first_channel,
            row.last_channel,
            row.first_campaign or "",
            "phone" if row.device and row.device.value == f"d{IDENTIFIERS['phone']}" else "",
            str(row.orders),
            amounts(row.revenue),
        )
        for row in found
    ] == table("Sessions")


def test_the_view_for_people_shows_the_same_sessions(tables: Any) -> None:
    ann = {"customer": ANN, "anchor": 1, "id": "cus_ann", "first_ms": 0, "last_ms": 0, "anonymous": False}
    tables.put("customers", [ann])
    tables.rows(view(TouchpointFilter(names=("Order Completed", "it's not")), PAUSE_MS))
    found = tables.rows("SELECT * FROM main.sessions ORDER BY session DESC")
    assert {row[0] for row in found} == {"cus_ann"}
    assert [row[1] for row in found] == [4, 3, 2, 1]
    assert [
        (
            start.isoformat(" ", "milliseconds"),
            end.isoformat(" ", "milliseconds"),
            str(count),
            entry,
            first,
            last,
            campaign or "",
            "phone" if device == f"idn_p{IDENTIFIERS['phone']}" else "",
            str(orders),
            amounts(money({line["currency"]: line["amount"] for line in revenue})),
        )
        for _, _, start, end, count, entry, first, last, campaign, device, orders, revenue in found
    ] == table("Sessions")


def summed_up(tables: Any, customer: int) -> summaries.Summary:
    return summaries.summaries(tables, [customer], orders=ORDERS, session_ms=PAUSE_MS, now_ms=NOW_MS)[customer]


def test_a_summary_is_the_one_worked_out_by_hand(tables: Any) -> None:
    found = summed_up(tables, ANN)
    assert [
        ("touchpoints", str(found.touchpoints)),
        ("sessions", str(found.sessions)),
        ("orders", str(found.orders)),
        ("revenue", amounts(found.revenue)),
        ("first", time(found.first_ms)),
        ("last", time(found.last_ms)),
        ("last order", time(found.last_order_ms)),
        ("first channel", found.first_channel),
        ("last channel", found.last_channel),
        ("first campaign", found.first_campaign),
        (
            "days since first, last, order",
            f"{found.days_since_first}, {found.days_since_last}, {found.days_since_order}",
        ),
        *(
            (
                row.channel,
                ", ".join(
                    filter(None, [f"{row.touchpoints} touchpoints", f"{row.orders} orders", amounts(row.revenue)])
                ),
            )
            for row in found.channels
        ),
    ] == table("Summary")


def test_who_has_no_touchpoint_has_zeros_and_otherwise_nothing(tables: Any) -> None:
    assert summed_up(tables, NOBODY) == summaries.Summary()
    assert computed(tables, NOBODY) == [("orders", "0", ""), ("touchpoints", "0", ""), ("sessions", "0", "")]
    assert sessions.pages(tables, [NOBODY], 10, orders=ORDERS, session_ms=PAUSE_MS) == {NOBODY: []}


def test_nobody_is_asked_about_without_a_statement() -> None:
    nowhere: Any = None
    assert values(nowhere, list(TRAITS.values()), [], now_ms=NOW_MS, session_ms=PAUSE_MS) == {}
    assert values(nowhere, [], [ANN], now_ms=NOW_MS, session_ms=PAUSE_MS) == {ANN: []}
    assert sessions.pages(nowhere, [], 10, orders=ORDERS, session_ms=PAUSE_MS) == {}
    assert summaries.summaries(nowhere, [], orders=ORDERS, session_ms=PAUSE_MS, now_ms=NOW_MS) == {}


def test_a_thousand_touchpoints_of_one_millisecond_are_one_session_from_the_first_to_the_last_stored(
    tables: Any,
) -> None:
    same = [
        ("2026-03-01 12:00:00.000", "user", "track", f"n{number}", f"c{number}", "", "", "", "")
        for number in range(1000)
    ]
    tables.put("touchpoints", [told(number, *cells) for number, cells in reversed(list(enumerate(same, 1)))])
    (session,) = sessions.pages(tables, [ANN], 10, orders=ORDERS, session_ms=PAUSE_MS)[ANN]
    assert (session.touchpoints, session.entry, session.first_channel, session.last_channel) == (
        1000,
        "n0",
        "c0",
        "c999",
    )
    assert summed_up(tables, ANN).sessions == 1


def test_sums_are_exact_however_many_there_are(tables: Any) -> None:
    cents = [("2026-03-01 12:00:00.000", "user", "track", "Order Completed", "web", "", "0.10", "EUR", "")] * 1000
    huge = [
        ("2026-03-01 12:00:00.000", "user", "track", "Order Completed", "web", "", "999999999999999", "USD", "")
    ] * 1000
    tables.put("touchpoints", [told(number, *cells) for number, cells in enumerate([*cents, *huge], 1)])
    assert amounts(summed_up(tables, ANN).revenue) == "100 EUR, 999999999999999000 USD"
    assert computed(tables, ANN, ["revenue"]) == [("revenue", "100", "EUR"), ("revenue", "999999999999999000", "USD")]


def test_a_number_is_the_same_however_it_was_written(tables: Any) -> None:
    sizes = ["1", "1.0", '"1"', "1.5", "null", "1.50"]
    lines = [("2026-03-01 12:00:00.000", "user", "track", "Product Added", "web", "", "", "", "")] * len(sizes)
    rows = [told(number, *cells) for number, cells in enumerate(lines, 1)]
    tables.put(
        "touchpoints",
        [row | {"body": f'{{"properties":{{"size":{size}}}}}'} for row, size in zip(rows, sizes, strict=True)],
    )
    traits = computed_file.parse(
        "computed:\n  orders: {kind: count, description: O.}\n"
        "  sizes: {kind: distinct, of: properties.size, description: S.}\n"
        "  largest: {kind: sum, of: properties.size, description: L.}\n"
        "  last: {kind: last, of: properties.size, description: L.}\n"
    )
    found = values(tables, list(traits.values()), [ANN], now_ms=NOW_MS, session_ms=PAUSE_MS)[ANN]
    assert [value.value for value in found] == ["6", "3", "5", "1.5"]


def test_a_property_is_found_whatever_its_name_is(tables: Any) -> None:
    names = ["a", "", "0", "~1", "~0", "a/b", "/", "$.a", "*", '"', "'", "Größe", "a.b", "[0]", " "]
    body = msgspec.json.encode({"properties": {name: number for number, name in enumerate(names, 1)}}).decode()
    [row] = [told(1, "2026-03-01 12:00:00.000", "user", "track", "Visit", "web", "", "", "", "")]
    tables.put("touchpoints", [row | {"body": body}])
    traits = [ComputedTrait(name="t", kind=Kind.SUM, of=Property(name)) for name in names]
    found = values(tables, traits, [ANN], now_ms=NOW_MS, session_ms=PAUSE_MS)[ANN]
    assert [value.value for value in found] == [str(number) for number in range(1, len(names) + 1)]


@pytest.mark.parametrize(
    ("at", "days"),
    [("2026-03-11 12:00:00.000", 0), ("2026-03-10 12:00:00.000", 0), ("2026-03-09 12:00:00.001", 0),
     ("2026-03-09 12:00:00.000", 1), ("2026-03-08 12:00:00.001", 1)],
)  # fmt: skip
def test_days_are_whole_and_what_is_ahead_of_now_was_none_ago(tables: Any, at: str, days: int) -> None:
    tables.put("touchpoints", [told(1, at, "user", "track", "Order Completed", "web", "", "", "", "")])
    kinds = ("days_since_first", "days_since_last", "days_since_order")
    assert computed(tables, ANN, kinds) == [(kind, str(days), "") for kind in kinds]
    summary = summed_up(tables, ANN)
    assert (summary.days_since_first, summary.days_since_last, summary.days_since_order) == (days, days, days)
