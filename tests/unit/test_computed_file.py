"""What the file of computed traits says, and what it answers to a mistake (tests/golden/bad_computed)."""

import pytest

from onefold.errors import OnefoldError
from onefold.model import computed_file
from onefold.model.computed import Column, ComputedTrait, Kind, Property
from onefold.model.reading import PropertyMatch, TouchpointFilter
from onefold.schema_files import schema_file
from tests.mistakes import Mistake, mistakes

ORDERS = "computed:\n  orders: {kind: count, description: Orders.}\n"


@pytest.mark.parametrize("mistake", mistakes("bad_computed"), ids=str)
def test_a_mistake_is_refused_with_its_line_and_its_field(mistake: Mistake) -> None:
    mistake.check(computed_file.load, "computed.invalid")


def test_the_shipped_ones_are_what_the_guide_promises() -> None:
    traits = computed_file.load(schema_file("computed.yaml"))
    orders = TouchpointFilter(names=("Order Completed",))
    assert {name: (trait.kind, trait.of, trait.touchpoints) for name, trait in traits.items()} == {
        "orders": (Kind.COUNT, None, orders),
        "revenue": (Kind.SUM, Column.REVENUE, orders),
        "average_order": (Kind.AVERAGE, Column.REVENUE, orders),
        "days_since_order": (Kind.DAYS_SINCE_LAST, None, orders),
        "touchpoints": (Kind.COUNT, None, TouchpointFilter()),
        "sessions": (Kind.SESSIONS, None, TouchpointFilter()),
        "first_channel": (Kind.FIRST, Column.CHANNEL, TouchpointFilter()),
        "last_channel": (Kind.LAST, Column.CHANNEL, TouchpointFilter()),
        "first_campaign": (Kind.FIRST, Column.CAMPAIGN, TouchpointFilter()),
        "days_since_first": (Kind.DAYS_SINCE_FIRST, None, TouchpointFilter()),
        "days_since_last": (Kind.DAYS_SINCE_LAST, None, TouchpointFilter()),
    }


def test_the_examples_in_the_shipped_file_can_be_used() -> None:
    text = schema_file("computed.yaml").read_text()
    kept, _, examples = text.partition("  # Your own, for example:\n")
    assert examples
    traits = computed_file.parse(kept + examples.replace("  # ", "  ").replace("  #\n", "\n"))
    assert traits["coupons_used"].of == Property("coupon")
    assert traits["spring_revenue"].currency == "EUR"
    assert traits["spring_revenue"].touchpoints == TouchpointFilter(
        names=("Order Completed",),
        campaigns=("spring",),
        after_ms=1_772_323_200_000,
        before_ms=1_780_272_000_000,
    )


def test_every_key_is_read() -> None:
    traits = computed_file.parse(
        ORDERS + "  mine:\n    kind: average\n    of: revenue\n    currency: CHF\n    description: ' Mine. '\n"
        "    touchpoints:\n      types: [track]\n      names: [A, 'B']\n      channels: [web]\n"
        "      campaigns: [spring]\n"
        "      properties: {a: 1, b: 1.5, c: true, d: null, e: yes, f: '1', g: 2026-01-01, h: -0}\n"
        "      after: 1970-01-01T01:00:00+01:00\n      before: 1970-01-02\n"
    )
    assert traits["mine"] == ComputedTrait(
        name="mine",
        kind=Kind.AVERAGE,
        of=Column.REVENUE,
        currency="CHF",
        description="Mine.",
        touchpoints=TouchpointFilter(
            types=("track",),
            names=("A", "B"),
            channels=("web",),
            campaigns=("spring",),
            properties=tuple(
                PropertyMatch(name, value)
                for name, value in zip("abcdefgh", (1, 1.5, True, None, "yes", "1", "2026-01-01", 0), strict=True)
            ),
            after_ms=0,
            before_ms=86_400_000,
        ),
    )
    assert [type(match.value) for match in traits["mine"].touchpoints.properties[:3]] == [int, float, bool]


def test_there_may_be_200_traits_and_100_choices() -> None:
    many = "".join(f"  t{number}: {{kind: count, description: T.}}\n" for number in range(200))
    with pytest.raises(OnefoldError, match=r"there are 201 traits; there may be 200"):
        computed_file.parse(ORDERS + many)
    names = ", ".join(f"n{number}" for number in range(101))
    with pytest.raises(OnefoldError, match=r"101 are listed; there may be 100"):
        computed_file.parse(ORDERS + f"  m: {{kind: count, description: M., touchpoints: {{names: [{names}]}}}}\n")


@pytest.mark.parametrize(
    ("declared", "by_currency", "nothing", "rolling", "is_json"),
    [
        ("kind: sum, of: revenue", True, 0, False, False),
        ("kind: sum, of: revenue, currency: EUR", False, 0, False, False),
        ("kind: average, of: properties.total", True, None, False, False),
        ("kind: sum, of: properties.total, currency: EUR", False, 0, False, False),
        ("kind: distinct, of: properties.total", False, 0, False, False),
        ("kind: average, of: properties.points", False, None, False, False),
        ("kind: first, of: channel", False, None, False, False),
        ("kind: last, of: properties.points", False, None, False, True),
        ("kind: distinct, of: properties.points", False, 0, False, False),
        ("kind: days_since_last", False, None, True, False),
        ("kind: sessions", False, 0, False, False),
    ],
)
def test_a_trait_tells_what_to_expect_of_its_values(
    declared: str, by_currency: bool, nothing: int | None, rolling: bool, is_json: bool
) -> None:
    trait = computed_file.parse(ORDERS + f"  mine: {{{declared}, description: Mine.}}\n")["mine"]
    assert (trait.by_currency, trait.nothing, trait.rolling, trait.is_json) == (by_currency, nothing, rolling, is_json)
