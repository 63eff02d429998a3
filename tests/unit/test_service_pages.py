"""Pages and cursors: what is written is read again, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.errors import OnefoldError
from onefold.service.journeys import Ask
from onefold.service.pages import HITS, JOURNEY, LEDGER, LINKS, MEMBERS, Cursors, checked_size

ALL = [JOURNEY, MEMBERS, LINKS, HITS, LEDGER]
NUMBERS = st.integers(0, 2**63 - 1)


@given(st.tuples(NUMBERS, NUMBERS))
def test_a_cursor_is_read_as_it_was_written(position: tuple[int, int]) -> None:
    for cursors in (JOURNEY, MEMBERS, HITS):
        assert cursors.read(cursors.write(position)) == position
    for cursors in (LINKS, LEDGER):
        assert cursors.read(cursors.write(position[:1])) == position[:1]


def refusal_of(cursors: Cursors, text: str) -> str | None:
    try:
        position = cursors.read(text)
    except OnefoldError as error:
        return error.code
    return None if position and all(0 <= number < 2**63 for number in position) else "read as nonsense"


@given(st.one_of(st.text(), st.from_regex(r"[tilsd][0-9a-fx]{0,18}(-[0-9a-f]{0,18}){0,2}\n?")))
def test_any_text_is_read_or_refused_and_nothing_else_happens(text: str) -> None:
    for cursors in ALL:
        assert refusal_of(cursors, text) in (None, "query.bad_cursor")


@pytest.mark.parametrize("cursors", ALL)
def test_the_cursor_of_one_list_is_none_of_another(cursors: Cursors) -> None:
    position = (1,) if cursors in (LINKS, LEDGER) else (1, 2)
    for other in ALL:
        if other is not cursors:
            with pytest.raises(OnefoldError, match=r"query\.bad_cursor"):
                other.read(cursors.write(position))


def test_no_cursor_is_no_position() -> None:
    assert JOURNEY.read(None) is None


@pytest.mark.parametrize(("size", "code"), [(-1, "query.invalid"), (501, "query.page_too_large")])
def test_a_page_size_out_of_bounds_is_refused(size: int, code: str) -> None:
    with pytest.raises(OnefoldError) as raised:
        checked_size(size, 500, "last")
    assert (raised.value.code, raised.value.field) == (code, "last")
    assert checked_size(0, 500) == 0
    assert checked_size(500, 500) == 500


@pytest.mark.parametrize(
    ("ask", "towards_older", "start", "stop"),
    [
        (Ask(first=1, after="t5-1"), True, (5, 1), None),
        (Ask(last=1, before="t5-1"), False, (5, 1), None),
        (Ask(first=1, after="t5-1", before="t2-1"), True, (5, 1), (2, 1)),
        (Ask(last=1, after="t5-1", before="t2-1"), False, (2, 1), (5, 1)),
        (Ask(first=1, newest_first=False), False, None, None),
        (Ask(last=1, newest_first=False), True, None, None),
    ],
)
def test_a_journey_is_read_from_where_the_page_lies(
    ask: Ask, towards_older: bool, start: tuple[int, int] | None, stop: tuple[int, int] | None
) -> None:
    assert (ask.towards_older, ask.start, ask.stop) == (towards_older, start, stop)
