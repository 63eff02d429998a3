"""What a filter's properties let through in SQL, held against plain Python, for every pair of odd values."""

import json
from decimal import Decimal
from itertools import product
from typing import Any

import duckdb
import pytest

from onefold.model.reading import PropertyMatch, TouchpointFilter
from onefold.readmodel.touchpoints import Parameters, condition, property_json, property_number
from tests.oracle.segments import Touchpoint, number_of, passes, same

TEXTS = [
    "",
    "1",
    "red",
    "Red",
    "rot'; DROP TABLE t; --",
    '"',
    "\\",
    "é\u0001\u001f\u007f/",
    "a\0b",
    "true",
    "null",
    "1.0",
]
NUMBERS = [0, 1, 1.0, -1, 1.5, 5.0000000001, 2**53, 2**53 + 1, 2.0**53, 1e15, 10**15, 1e21, 10**21, 2**63, 2**64, 1e300,
           -(2**63) - 1, 0.1, 1e-7, 123456789012345.1234567891]  # fmt: skip
SCALARS: list[Any] = [None, True, False, *TEXTS, *NUMBERS]
VALUES: list[Any] = [*SCALARS, [1], {"a": 1}, ["red"]]
NAMES = [
    "size",
    "",
    "a.b",
    'a"b',
    "a/b",
    "a~b",
    "a~1b",
    "it's",
    "\\",
    "ü",
    "*",
    "$",
    "0",
    "properties",
    "x\0y",
    "?",
    "$p1",
]


def asked(of: str, parameters: Parameters, rows: list[dict[str, Any]]) -> list[Any]:
    """What an expression comes to for touchpoints with these properties."""
    bodies = [json.dumps({"properties": row, "context": {}}, ensure_ascii=False) for row in rows]
    found = duckdb.connect().execute(
        f"SELECT {of} FROM (SELECT unnest($bodies) AS body) t", {"bodies": bodies, **parameters.values}
    )
    return [value for (value,) in found.fetchall()]


@pytest.mark.parametrize("wanted", SCALARS, ids=repr)
def test_a_property_matches_what_is_equal_in_json(wanted: Any) -> None:
    rows = [{"size": value} for value in VALUES] + [{}, {"other": wanted}]
    filter_ = TouchpointFilter(properties=(PropertyMatch("size", wanted),))
    parameters = Parameters()
    found = asked(condition(filter_, parameters.bind), parameters, rows)
    assert found == [passes(Touchpoint(0, 1, properties=row), filter_) for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_a_property_is_found_by_any_name(name: str) -> None:
    parameters = Parameters()
    filter_ = TouchpointFilter(properties=(PropertyMatch(name, "yes"),))
    rows = [{other: "yes"} for other in NAMES]
    assert asked(condition(filter_, parameters.bind), parameters, rows) == [other == name for other in NAMES]


def test_numbers_have_nine_decimals_and_fifteen_digits() -> None:
    parameters = Parameters()
    found = asked(property_number("size", parameters.bind), parameters, [{"size": value} for value in VALUES])
    assert found == [number_of(value) for value in VALUES]
    assert sum(value is not None for value in found) > 8
    assert Decimal("5.0") in found


def test_values_that_are_equal_are_one_value() -> None:
    values = [value for value in VALUES if value is not None and not (isinstance(value, float) and value >= 1e15)]
    parameters = Parameters()
    found = asked(property_json("size", parameters.bind), parameters, [{"size": value} for value in values])
    for (a, said_a), (b, said_b) in product(zip(values, found, strict=True), repeat=2):
        assert (said_a == said_b) == same(a, b), (a, b)
