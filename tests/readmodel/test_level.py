"""A read model is level with its store: with rows of every kind, in pages, after everything that may happen."""

import pyarrow as pa
import pytest

from onefold.readmodel import catching_up, filling
from onefold.readmodel.model import ReadModel
from onefold.store import tables
from onefold.store.base import Store
from onefold.store.columns import ColumnKind
from tests.contract.stores import NAMESPACES, Place
from tests.readmodel.models import check, count, reading
from tests.support.filled import Filler, fill, happened, odd

STEP = 20


def test_it_is_level_with_a_store_that_has_rows_of_every_kind(store: Store) -> None:
    fill(store, NAMESPACES)
    with reading(store) as model:
        check(model, store)


def test_it_follows_what_is_written_after_it_was_made(store: Store) -> None:
    with reading(store) as model:
        assert count(model) == 0
        filler = fill(store, NAMESPACES, 200)
        check(model, store)
        clerks = [{"namespace": "staff_id", "value": name} for name in ("clerk 7", "clerk 8")]
        filler.send([odd(900, userId="user 1", anonymousId="a new one", identifiers=clerks)])
        check(model, store)
        number = filler.judge("different", "user_id:user 1", "anonymous_id:a new one")
        check(model, store)
        filler.retract(number)
        check(model, store)


def test_touchpoints_that_get_another_subject_are_moved(store: Store) -> None:
    """An address that six people use is nobody's: its touchpoints are those of the cookies they came with."""
    filler = Filler(store, NAMESPACES)
    address = {"namespace": "email", "value": "info@shop.example"}
    filler.send([odd(n, anonymousId=f"cookie {n}", identifiers=[address]) for n in range(5)])
    with reading(store) as model:
        check(model, store)
        before = subjects(model)
        filler.send([odd(100 + n, userId=f"user {n}", identifiers=[address]) for n in range(7)])
        check(model, store)
        assert before == {"email"}
        assert subjects(model) == {"anonymous_id"}


def subjects(model: ReadModel) -> set[str]:
    """The namespaces of the subjects of the first five touchpoints."""
    with model.ask() as asking:
        rows = asking.rows(
            "SELECT i.namespace FROM internal.touchpoints t JOIN internal.identifiers i ON i.number = t.subject "
            "WHERE t.number <= 5"
        )
    return {namespace for [namespace] in rows}


def test_a_judgement_by_which_an_identifier_is_generic_no_more_is_followed(store: Store) -> None:
    """No event carries it: the ledger names it."""
    filler = Filler(store, NAMESPACES)
    address = {"namespace": "email", "value": "info@shop.example"}
    filler.send([odd(n, userId=f"user {n}", identifiers=[address]) for n in range(6)])
    with reading(store) as model:
        check(model, store)
        assert generic(model) == ["email"]
        number = filler.judge("same", "user_id:user 0", "user_id:user 1")
        check(model, store)
        assert generic(model) == []
        filler.retract(number)
        check(model, store)
        assert generic(model) == ["email"]


def generic(model: ReadModel) -> list[str]:
    with model.ask() as asking:
        return [namespace for [namespace] in asking.rows("SELECT namespace FROM internal.identifiers WHERE generic")]


@pytest.mark.parametrize("seed", [1, 4])
def test_it_follows_a_crowd_step_by_step(store: Store, seed: int) -> None:
    """In it identifiers turn generic, customers join and split, subjects change."""
    told = happened(200, seed, people=6)
    filler = Filler(store, NAMESPACES)
    with reading(store) as model:
        for start in range(0, len(told), STEP):
            filler.send(told[start : start + STEP])
            check(model, store)


def test_what_is_read_in_small_pages_is_the_same(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, most in ((filling, "PAGE_ROWS", 7), (catching_up, "PAGE_ROWS", 7), (catching_up, "PORTION", 3)):
        monkeypatch.setattr(module, name, most)
    filler = fill(store, NAMESPACES, 200)
    with reading(store) as model:
        check(model, store)
        filler.send([odd(900 + n, userId=f"user {n % 7}", anonymousId=f"new {n}") for n in range(30)])
        check(model, store)


def test_who_is_far_behind_reads_touchpoints_in_pages_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catching_up, "FAR", 50)
    filler = fill(store, NAMESPACES, 200)
    with reading(store) as model:
        check(model, store)
        filler.send([odd(900 + n, userId=f"user {n % 7}", anonymousId=f"new {n}") for n in range(60)])
        check(model, store)


def test_what_is_written_while_it_is_made_is_there_too(place: Place) -> None:
    """Each page may be of another state of the store."""
    store, other = place.open(), place.open()
    filler = fill(other, NAMESPACES, 200)
    pages = store.page
    sent = iter(range(10_000))

    def page(*asked: object) -> object:
        found = pages(*asked)  # type: ignore[arg-type]
        number = 2_000 + next(sent)
        named = odd(number, userId=f"user {number % 7}", anonymousId="kiosk", type="identify")
        filler.send([named | {"traits": {"name": f"Name {number}"}}])
        return found

    store.page = page  # type: ignore[method-assign, assignment]
    with reading(store) as model:
        check(model, store)
    assert next(sent) > 5
    store.close()
    other.close()


def test_a_large_event_makes_no_large_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    filler = fill(store, NAMESPACES, 200)
    filler.send([odd(900 + n, userId="user 1", properties={"note": "x" * 20_000}) for n in range(12)])
    if not store.remote:
        monkeypatch.setattr("onefold.store.sqlite.reading.columns.PAGE_BYTES", 50_000)
    with reading(store) as model:
        check(model, store)


def test_large_claims_are_caught_up_in_texts_that_are_not_too_long(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    filler = fill(store, NAMESPACES, 200)
    lengths: list[int] = []
    read = tables.of_lines

    def measured(kind: ColumnKind, lines: bytes) -> pa.Table:
        lengths.extend([len(lines)] if kind is ColumnKind.CLAIMS else [])
        return read(kind, lines)

    if not store.remote:
        monkeypatch.setattr("onefold.store.sqlite.reading.columns.PAGE_BYTES", 50_000)
        monkeypatch.setattr(tables, "of_lines", measured)
    with reading(store) as model:
        check(model, store)
        said = {"type": "identify", "traits": {"note": "x" * 20_000}}
        filler.send([odd(900 + n, userId=f"user {n}", **said) for n in range(12)])
        lengths.clear()
        assert count(model, "claims WHERE length(value) > 20_000") == 12
    assert max(lengths, default=0) < 100_000
    with reading(store) as model:
        check(model, store)


def test_numbers_and_times_are_known_as_such(store: Store) -> None:
    said = {
        "born": "1990-05-01",
        "seen": "2026-03-01T09:30:00.1239+02:00",
        "before": "1969-12-31T23:59:59.9999Z",
        "none": "2026-02-30",
        "text": 'a "quoted" \\ text\n',
        "score": 1e3,
        "tall": 1.75,
        "large": 2**60,
        "flag": True,
        "list": [1, "2026-03-01"],
    }
    Filler(store, NAMESPACES).send([odd(1, userId="ann", type="identify", traits=said)])
    with reading(store) as model:
        check(model, store)
        with model.ask() as asking:
            found = asking.rows("SELECT trait, number, time_ms FROM internal.claims")
    assert {trait for trait, number, _ in found if number is not None} == {"score", "tall", "large"}
    assert {trait for trait, _, time_ms in found if time_ms is not None} == {"born", "seen", "before"}


def test_revenue_is_rounded_half_even_to_nine_decimals(store: Store) -> None:
    filler = fill(store, NAMESPACES, 200)
    said = ["0.0000000005", "0.0000000015", "-0.0000000025", "123456789012345.1234567885", "7", "1e3", "2.50"]
    filler.send([odd(900 + n, userId="user 1", properties={"revenue": text}) for n, text in enumerate(said)])
    with reading(store) as model:
        check(model, store)
        with model.ask() as asking:
            rows = asking.rows(
                "SELECT revenue::VARCHAR FROM internal.touchpoints WHERE message_id LIKE 'odd-9%' ORDER BY message_id"
            )
    assert [text for [text] in rows] == [
        *("0.000000000", "0.000000002", "-0.000000002", "123456789012345.123456788"),
        *("7.000000000", "1000.000000000", "2.500000000"),
    ]
