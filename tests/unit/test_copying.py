"""What a copy carries, and how both sides are compared."""

import random

from hypothesis import given
from hypothesis import strategies as st

from onefold.model.copying import COLUMNS, RowKind, Tally, encode_row
from tests.docs.test_graph_schema_readme import stored

FOLLOWS = {
    "meta": {"name", "value"},
    "decisions_about": {"identifier", "seq"},
    "identifier_search": {"value"},
    "trait_search": {"value"},
    "links": {"a", "b"},
    "members": {"segment", "anchor"},
    "leases": {"name", "holder", "token", "until_ms"},
}
"""What a store makes anew of what is carried, or knows about itself and who writes to it."""

NUMBERS = st.integers(-(1 << 63), (1 << 63) - 1)
ROWS = st.lists(st.tuples(NUMBERS, st.text(), st.none() | st.binary(), st.lists(NUMBERS)))


def test_every_column_of_every_table_is_carried_or_follows() -> None:
    tables = {table: columns - FOLLOWS.get(table, set()) for table, columns in stored().items()}
    carried = {kind.value: set(COLUMNS[kind]) for kind in RowKind}
    assert {table: columns for table, columns in tables.items() if columns} == carried


@given(ROWS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_a_tally_is_the_same_for_the_same_rows_in_whatever_order_and_portions(
    rows: list[tuple[object, ...]], dice: random.Random, size: int
) -> None:
    encoded = [encode_row(row) for row in rows]
    whole = Tally().plus(encoded)
    dice.shuffle(encoded)
    parts = Tally()
    for start in range(0, len(encoded), size):
        parts = parts.plus(encoded[start : start + size])
    assert parts == whole
    assert whole.count == len(rows)


@given(ROWS.filter(bool), st.data())
def test_a_tally_tells_one_row_too_few_too_many_or_another(rows: list[tuple[object, ...]], data: st.DataObject) -> None:
    encoded = [encode_row(row) for row in rows]
    place = data.draw(st.integers(0, len(rows) - 1))
    other = [*encoded[:place], encode_row((*rows[place], 0)), *encoded[place + 1 :]]
    without = encoded[:place] + encoded[place + 1 :]
    assert len({Tally().plus(them) for them in (encoded, other, without, [*encoded, encoded[place]])}) == 4
