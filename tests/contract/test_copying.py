"""Copying: every row, to any kind of store, stopped anywhere, and nothing can be told from the original after."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onefold.errors import OnefoldError
from onefold.model.copying import Origin, Progress, Row, RowKind
from onefold.model.saved import MembershipStep, SegmentDraft
from onefold.service import Onefold, copying, judging
from onefold.service.copying import Copied, Step, copy
from onefold.settings import Settings
from onefold.store.base import CopyTarget, Store, clear_dropped
from tests.api.graphql_shop import Shop, key
from tests.contract.stores import NAMESPACES, PAIRS, TRAITS, Place, place_of
from tests.support.filled import NOON_MS, Filler, all_rows, fill, happened, odd

FURTHER = 120
ABOUT = """id firstSeen lastSeen anonymous
    identifiers(first: 50) { edges { cursor node { id namespace value firstSeen lastSeen generic linkedAt } } }
    profile { traits { name value at source identifier { value } others { value count firstAt source } } }
    journey(first: 50) { edges { cursor node { id messageId at receivedAt type name channel retroactive properties
        source subject { value } identifiers { value } device { identifier { id } } } } }
    history(first: 50) { edges { node { id kind reason at customerIds } } }"""
WHY = """query ($a: IdentifierInput!, $b: IdentifierInput!) { why(a: $a, b: $b) { __typename
    ... on Together { chain { a { value } b { value } link { count firstSeen sources { source count } } } }
    ... on Apart { refusal { reason message } refused { a { value } b { value } } } } }"""
EVERYTHING = """{ search(text: "person", first: 50) { edges { cursor node { id } } }
    decisions(first: 50) { edges { cursor node { id seq kind reason judgement { id author retractedAt }
        touchpoints { id } link { count } } } } }"""


@pytest.fixture(params=PAIRS)
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Place, Place]:
    """Where the source is, and where its copy will be."""
    source, copy_of = request.param
    for name in ("source", "copy", "sqlite"):
        (tmp_path / name).mkdir()
    return place_of(source, tmp_path / "source", request), place_of(copy_of, tmp_path / "copy", request)


@pytest.fixture
def source(places: tuple[Place, Place], tmp_path: Path) -> Iterator[Store]:
    """A store with rows of every kind. Most quickly it comes to have them as a copy."""
    place, _ = places
    filled = (place if place.kind == "sqlite" else Place("sqlite", tmp_path / "sqlite")).open()
    fill(filled, NAMESPACES)
    if place.kind != "sqlite":
        copied(filled, place)
        filled.close()
        filled = place.open()
    yield filled
    filled.close()


@pytest.fixture
def place(places: tuple[Place, Place], source: Store) -> Place:
    """Where the copy will be, once the source is there."""
    return places[1]


def copied(source: Store, place: Place, page_rows: int = copying.PAGE_ROWS) -> Copied:
    target = place.open_target()
    try:
        return copy(source, target, lambda _: None, page_rows)
    finally:
        target.close()


def refused(source: Store, place: Place) -> str:
    """The code of the error that it ends with."""
    with pytest.raises(OnefoldError) as raised:
        copied(source, place)
    return raised.value.code


def rows_of(store: Store) -> dict[RowKind, list[Row]]:
    with store.read() as view:
        return all_rows(view)


class StoppedError(Exception):
    """What a copy is stopped by."""


class Stopping:
    """A target that is killed at one of its transactions: just before it or just after."""

    def __init__(self, target: CopyTarget, transactions: int, *, after: bool) -> None:
        """`transactions`: how many it lives through."""
        self.target, self.left, self.after = target, transactions, after
        self.describe, self.close = target.describe, target.close
        self.origin, self.rows, self.progress = target.origin, target.rows, target.progress

    def _around(self, transaction: Any) -> Any:
        if self.left == 0 and not self.after:
            raise StoppedError
        done = transaction()
        if self.left == 0:
            raise StoppedError
        self.left -= 1
        return done

    def begin(self, origin: Origin) -> Progress:
        begun: Progress = self._around(lambda: self.target.begin(origin))
        return begun

    def take(self, rows: list[Row], before: Progress, after: Progress) -> None:
        self._around(lambda: self.target.take(rows, before, after))

    def complete(self, progress: Progress) -> None:
        self._around(lambda: self.target.complete(progress))


def stopped(source: Store, place: Place, transactions: int, *, after: bool = False, page_rows: int = 100) -> bool:
    """Copy until the process dies; -> whether it did."""
    target = Stopping(place.open_target(), transactions, after=after)
    try:
        copy(source, target, lambda _: None, page_rows)
    except StoppedError:
        return True
    finally:
        target.close()
    return False


# -- what is there


def test_there_are_rows_of_every_kind_to_copy(source: Store) -> None:
    assert all(rows_of(source).values())


@pytest.mark.parametrize("page", [1, 7, 100_000])
def test_rows_are_read_in_pages_of_any_size(source: Store, page: int) -> None:
    with source.read() as view:
        assert all_rows(view, page) == all_rows(view)


def test_a_copy_has_every_row_and_the_secret(source: Store, place: Place) -> None:
    done = copied(source, place, 100)
    copy_of = place.open()
    assert copy_of.secret == source.secret
    expected = rows_of(source)
    assert rows_of(copy_of) == expected
    assert done.rows == {kind: len(rows) for kind, rows in expected.items()}
    assert (done.resumed, done.anew, done.already) == (False, False, False)
    with source.read() as view, copy_of.read() as copied_view:
        assert copied_view.origin() == view.origin()
        assert copied_view.counts() == view.counts()
        assert copied_view.head() == view.head()
    copy_of.close()


def test_a_copy_answers_what_the_source_answers(source: Store, place: Place) -> None:
    copied(source, place)
    copy_of = place.open()
    with source.read() as view, copy_of.read() as copied_view:
        most, customers = view.head().identifier, list(range(1, view.head().customer + 1))
        numbers = list(range(1, most + 1))
        for ask in (
            lambda v: v.by_number(numbers),
            lambda v: v.customers(customers),
            lambda v: v.members(customers),
            lambda v: v.links(numbers, 1_000),
            lambda v: v.refused_links(customers, 1_000),
            lambda v: v.linked_at(numbers),
            lambda v: {key: sorted(map(repr, claims)) for key, claims in v.claims(customers).items()},
            lambda v: v.judgements(numbers),
            lambda v: v.decisions(customers, None, 1_000),
            lambda v: v.feed(0, 100_000),
            lambda v: v.feed(0, 100_000, numbers[:9]),
            lambda v: v.rejects(100),
            lambda v: v.segments_by_number(range(9)),
            lambda v: v.segment_members(range(9), 1_000),
            lambda v: v.segments_of(numbers),
            lambda v: v.membership_log(None, 0, 1_000),
            lambda v: [v.search(text, 1_000) for text in ("person", "cookie 1", "name 5", "🦊", "us", "clerk")],
        ):
            assert ask(copied_view) == ask(view)
    copy_of.close()


def asked(store: Store) -> Any:
    """What GraphQL answers about everybody there is."""
    with Onefold(store, NAMESPACES, TRAITS, Settings()) as onefold:
        shop = Shop(onefold)
        customers = [shop.customer(f"user_id:user {number}", ABOUT) for number in range(14)]
        for customer in customers:
            for trait in customer["profile"]["traits"]:
                trait["others"].sort(key=repr)
        whys = [shop.ask(WHY, a=key("email:family3@example.com"), b=key(f"user_id:user {n}")) for n in (6, 7)]
        return customers, whys, shop.ask(EVERYTHING)


def test_graphql_answers_the_same_about_a_copy(source: Store, place: Place) -> None:
    copied(source, place)
    copy_of = place.open()
    customers, whys, everything = asked(source)
    assert all(customer["journey"]["edges"] for customer in customers)
    assert {why["why"]["__typename"] for why in whys} == {"Together", "Apart"}
    assert asked(copy_of) == (customers, whys, everything)
    copy_of.close()


def test_both_go_on_alike_when_the_same_happens_to_them(
    source: Store, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "now_ms", lambda: NOON_MS)
    copied(source, place)
    copy_of = place.open()
    for store in (source, copy_of):
        filler = Filler(store, NAMESPACES)
        told = happened(500 + FURTHER)[500 - FURTHER :]
        became = [outcome.status.value for outcome in filler.send(told)]
        assert became == ["duplicate"] * FURTHER + ["accepted"] * FURTHER
        judgement = filler.judge("same", "user_id:user 1", "user_id:user 8")
        filler.send([odd(200, userId="user 1", type="identify", traits={"name": "New", "plan": "gold"}), odd(201)])
        filler.retract(judgement)
    expected = rows_of(source)
    found = rows_of(copy_of)
    # How a commit numbers its claims, and its lines of the ledger among each other, is for the store to say.
    for rows in (found, expected):
        for kind in (RowKind.CLAIMS, RowKind.DECISIONS):
            rows[kind] = sorted((row[1:] for row in rows[kind]), key=repr)
    assert found == expected
    copy_of.close()


# -- stopped and resumed


@pytest.mark.parametrize("after", [False, True], ids=["before a commit", "after a commit"])
def test_a_copy_that_was_stopped_anywhere_goes_on_where_it_was(source: Store, place: Place, after: bool) -> None:
    deaths = 0
    while stopped(source, place, transactions=1 if not after else 0, after=after):
        deaths += 1
        assert deaths < 100
    expected = rows_of(source)
    assert deaths > 20
    copy_of = place.open()
    assert rows_of(copy_of) == expected
    copy_of.close()


def test_a_resumed_copy_writes_no_row_twice(source: Store, place: Place) -> None:
    steps: list[Step] = []
    assert stopped(source, place, transactions=9)
    target = place.open_target()
    before = target.progress()
    assert before is not None
    done = copy(source, target, steps.append, 100)
    target.close()
    assert done.resumed
    first = steps[0]
    assert (first.kind, first.comparing) == (before.kind, False)
    assert first.count == min(before.tally(before.kind).count + 100, done.rows[before.kind])


def test_an_unfinished_copy_opens_for_nobody(source: Store, place: Place) -> None:
    stopped(source, place, transactions=5)
    for read_only in (False, True):
        with pytest.raises(OnefoldError) as raised:
            place.open(read_only=read_only)
        assert raised.value.code == "store.unfinished_copy"
        assert "onefold copy" in (raised.value.hint or "")


def test_a_copy_of_an_older_state_is_begun_anew(source: Store, place: Place) -> None:
    stopped(source, place, transactions=15)
    Filler(source, NAMESPACES).send(happened(500 + FURTHER)[500:])
    done = copied(source, place)
    assert (done.resumed, done.anew) == (False, True)
    copy_of = place.open()
    assert rows_of(copy_of) == rows_of(source)
    copy_of.close()


def test_rejects_and_sources_that_came_meanwhile_make_it_another_state(source: Store, place: Place) -> None:
    stopped(source, place, transactions=15)
    Filler(source, NAMESPACES).send([odd(300)])
    assert copied(source, place).anew


def keep_one_more(store: Store) -> None:
    """A step that leaves everything as it was but its own number."""
    with store.write() as transaction:
        lease = transaction.take_lease("segments", "a process", NOON_MS, 1)
        assert lease is not None
        [segment, _] = transaction.segments()
        assert transaction.keep(lease, [MembershipStep(segment, 7, NOON_MS + 2)])


def test_a_segment_that_was_kept_meanwhile_makes_it_another_state(source: Store, place: Place) -> None:
    stopped(source, place, transactions=15)
    keep_one_more(source)
    assert copied(source, place).anew
    copy_of = place.open()
    assert rows_of(copy_of) == rows_of(source)
    copy_of.close()


def test_members_are_kept_in_a_copy_as_in_the_source_and_leases_are_not_copied(source: Store, place: Place) -> None:
    copied(source, place)
    copy_of = place.open()
    with copy_of.write() as transaction:
        taken = transaction.take_lease("segments", "another", NOON_MS, 1)
        assert taken is not None
        assert taken.token == 1
        transaction.end_lease(taken)
    for store in (source, copy_of):
        keep_one_more(store)
        clear_dropped(store)
        with store.write() as transaction:
            transaction.add_segment(SegmentDraft("new", "{}"), NOON_MS)
    assert rows_of(copy_of) == rows_of(source)
    copy_of.close()


def test_copying_again_what_is_copied_changes_nothing(source: Store, place: Place) -> None:
    first = copied(source, place)
    again = copied(source, place)
    assert again.already
    assert again.rows == first.rows


# -- what is refused


@pytest.mark.parametrize("event", [odd(1, userId="somebody"), odd(1)], ids=["an event", "a reject"])
def test_a_target_that_holds_anything_is_refused_and_left_as_it_is(
    source: Store, place: Place, event: dict[str, Any]
) -> None:
    other = place.open()
    Filler(other, NAMESPACES).send([event])
    before = rows_of(other)
    assert any(before.values())
    other.close()
    assert refused(source, place) == "copy.target_not_empty"
    other = place.open()
    assert rows_of(other) == before
    other.close()


def test_a_copy_that_has_gone_on_since_is_refused(source: Store, place: Place) -> None:
    copied(source, place)
    copy_of = place.open()
    Filler(copy_of, NAMESPACES).send([odd(1_000, userId="somebody")])
    copy_of.close()
    assert refused(source, place) == "copy.target_not_empty"


def test_an_unfinished_copy_of_another_store_is_refused(source: Store, place: Place, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Place("sqlite", tmp_path / "other").open()
    Filler(other, NAMESPACES).send(happened(FURTHER))
    stopped(other, place, transactions=3)
    other.close()
    assert refused(source, place) == "copy.target_not_empty"


def test_a_copy_that_another_fills_too_is_left_to_one_of_them(source: Store, place: Place) -> None:
    steps: list[Step] = []

    def overtake(step: Step) -> None:
        steps.append(step)
        if len(steps) == 3:
            assert copied(source, place).resumed

    target = place.open_target()
    with pytest.raises(OnefoldError) as raised:
        copy(source, target, overtake, 100)
    assert raised.value.code == "store.busy"
    target.close()
    copy_of = place.open()
    assert rows_of(copy_of) == rows_of(source)
    copy_of.close()


class Lossy(Stopping):
    """A target that loses the last row of a kind."""

    def take(self, rows: list[Row], before: Progress, after: Progress) -> None:
        self.target.take(rows[:-1] if after.kind is RowKind.LINKS else rows, before, after)


def test_a_copy_that_lacks_a_row_is_found_out_and_made_anew(source: Store, place: Place) -> None:
    target = Lossy(place.open_target(), 1_000, after=False)
    with pytest.raises(OnefoldError) as raised:
        copy(source, target, lambda _: None)
    target.close()
    assert raised.value.code == "copy.differs"
    assert "links" in raised.value.message
    copied(source, place)
    copy_of = place.open()
    assert rows_of(copy_of) == rows_of(source)
    copy_of.close()


def test_long_rows_come_in_smaller_transactions(source: Store, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "PAGE_BYTES", 20_000)
    steps: list[Step] = []
    target = place.open_target()
    copy(source, target, steps.append)
    target.close()
    written = [step.count for step in steps if step.kind is RowKind.TOUCHPOINTS and not step.comparing]
    assert len(written) > 4
    assert written == sorted(set(written)), "each adds something"


def test_an_empty_store_is_copied_too(places: tuple[Place, Place]) -> None:
    source = places[0].open()
    done = copied(source, places[1])
    assert set(done.rows.values()) == {0}
    copy_of = places[1].open()
    assert copy_of.secret == source.secret
    copy_of.close()
    source.close()
