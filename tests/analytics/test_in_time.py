"""Rules are asked for so long, and no longer."""

import itertools
from collections import deque

import duckdb
import pytest

from onefold.analytics.segments import evaluate, parse
from onefold.analytics.segments.in_time import in_time
from onefold.errors import OnefoldError
from tests.analytics.rule_shop import filled, order, surroundings
from tests.oracle.segments import Person

LONG = "SELECT count(*) FROM range(1_000_000) a, range(1_000_000) b WHERE a.range + b.range = -1"
PEOPLE = [Person([("user_id", str(number))], [order(number, "1", "EUR")]) for number in range(1, 21)]


def test_what_takes_too_long_is_broken_off_and_the_next_question_is_answered() -> None:
    model = filled(*PEOPLE)
    with pytest.raises(OnefoldError) as raised, in_time(model, 0.05):
        model.rows(LONG)
    assert (raised.value.code, raised.value.field) == ("segment.exhausted", "rule")
    with in_time(model, 60):
        assert evaluate.preview(model, parse.rule({"did": {"touchpoint": {}}}), surroundings()).count == 20


def test_it_is_broken_off_however_many_statements_it_takes() -> None:
    model = filled(*PEOPLE)
    short = itertools.repeat("SELECT count(*) FROM range(1_000_000)")
    with pytest.raises(OnefoldError, match="takes longer than"), in_time(model, 0.05):
        deque(map(model.rows, short), maxlen=0)


def test_who_breaks_it_off_for_other_reasons_is_told_so() -> None:
    model = filled(*PEOPLE)
    with pytest.raises(duckdb.InterruptException), in_time(model, 60), model.bounded(0.05):
        model.rows(LONG)


def test_what_takes_too_much_memory_is_told() -> None:
    model = filled(*PEOPLE)
    model.connection.execute("SET memory_limit = '10MB'; SET max_temp_directory_size = '0KB'")
    with pytest.raises(OnefoldError) as raised, in_time(model, 60):
        model.rows("SELECT count(DISTINCT hash(range) || 'x') FROM range(5_000_000)")
    assert (raised.value.code, raised.value.field) == ("segment.exhausted", "rule")
