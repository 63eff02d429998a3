"""The one way a claim's value is written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.model.claims import Claim, canonical_json
from onefold.model.identifiers import IdentifierKey
from onefold.model.sources import Trust

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ann", '"Ann"'),
        ("Zoë", '"Zoë"'),
        (7, "7"),
        (7.0, "7"),
        (-0.0, "0"),
        (7.5, "7.5"),
        (1e300, "1e300"),
        (True, "true"),
        (None, "null"),
        ({"b": 1.0, "a": [2.0, {"d": 1, "c": 2}]}, '{"a":[2,{"c":2,"d":1}],"b":1}'),
    ],
)
def test_a_value_has_one_text(value: object, text: str) -> None:
    assert canonical_json(value) == text


@given(JSON_VALUES)
def test_what_json_reads_alike_is_written_alike(value: object) -> None:
    text = canonical_json(value)
    assert canonical_json(json.loads(text)) == text
    assert canonical_json(json.loads(json.dumps(value))) == text


@given(JSON_VALUES)
def test_a_claim_gives_its_value_back(value: object) -> None:
    claim = Claim(IdentifierKey("user_id", "ann"), "plan", "web", canonical_json(value), 1, 1, 1, Trust.SERVER)
    assert claim.value == value
