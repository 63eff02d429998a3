"""Saved segments, who is in them, and the log of who came and went: the same from every store."""

from collections.abc import Iterable
from typing import Final

import pytest
from msgspec.structs import replace

from onefold.model.ids import encode_number
from onefold.model.saved import (
    Cause,
    Lease,
    Member,
    MemberChange,
    MembershipChange,
    MembershipStep,
    SavedSegment,
    SegmentDraft,
)
from onefold.store.base import LeaseLostError, Store, clear_dropped
from tests.contract.building import Batch, LostError, at

PEOPLE: Final = 9
NAME: Final = "segments"
BUYERS: Final = SegmentDraft("buyers", '{"did":{"names":["Order"]}}', "Those who bought", "marketing")
LAPSED: Final = SegmentDraft("lapsed ⏳", '{"not":{"in":"buyers"}}')


def people(store: Store, count: int = PEOPLE) -> None:
    """Customers whose anchors are numbered from 1 on."""
    with store.write() as transaction:
        batch = Batch(transaction)
        for number in range(1, count + 1):
            batch.customer(f"user_id:{number}")
        batch.apply()


def add(store: Store, draft: SegmentDraft = BUYERS, minute: int = 0) -> SavedSegment:
    with store.write() as transaction:
        return transaction.add_segment(draft, at(minute))


def lease(store: Store, holder: str = "one", minute: int = 0) -> Lease:
    """The lease, for a minute."""
    with store.write() as transaction:
        taken = transaction.take_lease(NAME, holder, at(minute), 60_000)
    assert taken is not None
    return taken


def into(*anchors: int, minute: int = 1) -> list[MemberChange]:
    return [MemberChange(anchor, entered=True, at_ms=at(minute), cause=Cause.EVENT, cause_ref=77) for anchor in anchors]


def out(*anchors: int, minute: int = 2) -> list[MemberChange]:
    return [MemberChange(anchor, entered=False, at_ms=at(minute), cause=Cause.TIME) for anchor in anchors]


def step(segment: SavedSegment, changes: Iterable[MemberChange] = (), seq: int = 10, **more: object) -> MembershipStep:
    """What the segment becomes as of seq `seq`, minute `seq`."""
    return MembershipStep(segment, seq, at(seq), list(changes), **more)  # type: ignore[arg-type]


def keep(store: Store, *steps: MembershipStep, by: Lease | None = None) -> list[SavedSegment]:
    held = by or lease(store)
    with store.write() as transaction:
        return transaction.keep(held, steps)


def members(store: Store, segment: SavedSegment) -> list[int]:
    with store.read() as view:
        return [member.anchor for member in view.segment_members([segment.number], 1_000).get(segment.number, [])]


def log(store: Store) -> list[MembershipChange]:
    with store.read() as view:
        return view.membership_log(None, 0, 1_000)


def everything(store: Store) -> object:
    with store.read() as view:
        segments = view.segments_by_number(range(20))
        return segments, view.segment_members(range(20), 1_000), view.membership_log(None, 0, 1_000)


# -- what is saved


def test_a_segment_is_what_it_was_saved_as(store: Store) -> None:
    saved = add(store, minute=5)
    assert saved == SavedSegment(
        1, "buyers", BUYERS.rule, "Those who bought", "marketing", 1, at(5), at(5), None, None, None, "", 0
    )
    assert saved.public_id == encode_number("seg", 1)
    bare = add(store, LAPSED, minute=6)
    assert (bare.number, bare.description, bare.require_consent) == (2, None, None)
    with store.read() as view:
        assert view.segments() == [saved, bare]
        assert view.segments_by_number([2, 1, 3, 1 << 63]) == {1: saved, 2: bare}
    with store.write() as transaction:
        assert transaction.segments() == [saved, bare]


def change(store: Store, draft: SegmentDraft, minute: int = 3) -> SavedSegment:
    with store.write() as transaction:
        changed = transaction.change_segment(1, draft, at(minute))
    assert changed is not None
    with store.read() as view:
        assert view.segments() == [changed]
    return changed


def test_another_name_leaves_the_members_right(store: Store) -> None:
    people(store)
    [kept] = keep(store, step(add(store), into(1, 2), basis="traits 1"))
    renamed = change(store, replace(BUYERS, name="customers", description=None))
    assert renamed == replace(kept, name="customers", description=None, changed_ms=at(3))


@pytest.mark.parametrize("draft", [replace(BUYERS, rule="{}"), replace(BUYERS, require_consent=None)])
def test_with_another_rule_the_members_are_right_for_no_state(store: Store, draft: SegmentDraft) -> None:
    people(store)
    [kept] = keep(store, step(add(store), into(1, 2), basis="traits 1"))
    changed = change(store, draft)
    assert changed == replace(
        kept, rule=draft.rule, require_consent=draft.require_consent, changed_ms=at(3), revision=2, as_of_seq=None,
        as_of_ms=None,
    )  # fmt: skip
    assert members(store, changed) == [1, 2], "they are those of the rule before until a step says otherwise"
    assert change(store, BUYERS).revision == 3, "it is not what was kept, though it says the same again"
    assert len(log(store)) == 2


def test_what_is_not_there_is_neither_changed_nor_deleted(store: Store) -> None:
    add(store)
    with store.write() as transaction:
        assert transaction.change_segment(2, BUYERS, at(0)) is None
        assert transaction.drop_segment(2, at(0)) is None
        assert transaction.drop_segment(1, at(0)) is not None
        assert transaction.drop_segment(1, at(0)) is None
        assert transaction.change_segment(1, BUYERS, at(0)) is None


def lose(store: Store, held: Lease, steps: list[MembershipStep]) -> None:
    with store.write() as transaction:
        transaction.add_segment(LAPSED, at(1))
        transaction.keep(held, steps)
        raise LostError


def test_what_is_saved_in_a_transaction_that_is_taken_back_is_not_there(store: Store) -> None:
    people(store)
    saved, held = add(store), lease(store)
    before = everything(store)
    with pytest.raises(LostError):
        lose(store, held, [step(saved, into(1))])
    assert everything(store) == before


# -- steps


def test_a_step_says_who_is_in_since_when_and_why(store: Store) -> None:
    people(store)
    saved = add(store)
    [kept] = keep(store, step(saved, into(3, 1), basis="traits 1"))
    assert kept == replace(saved, as_of_seq=10, as_of_ms=at(10), basis="traits 1", count=2)
    [after] = keep(store, step(kept, [*out(3), *into(2, minute=3)], seq=12))
    assert (after.as_of_seq, after.count) == (12, 2)
    with store.read() as view:
        assert view.segments() == [after]
        assert view.segment_members([1], 10) == {1: [Member(1, 1, at(1)), Member(1, 2, at(3))]}
        assert view.segments_of([1, 2, 3]) == {1: [Member(1, 1, at(1))], 2: [Member(1, 2, at(3))]}
        assert view.last_membership() == 4
    assert log(store) == [
        MembershipChange(1, 1, 3, True, at(1), Cause.EVENT, 77, 10),
        MembershipChange(2, 1, 1, True, at(1), Cause.EVENT, 77, 10),
        MembershipChange(3, 1, 3, False, at(2), Cause.TIME, None, 12),
        MembershipChange(4, 1, 2, True, at(3), Cause.EVENT, 77, 12),
    ]


def test_a_step_from_another_state_than_there_is_changes_nothing(store: Store) -> None:
    people(store)
    saved = add(store)
    [kept] = keep(store, step(saved, into(1)))
    with store.write() as transaction:
        changed = transaction.change_segment(1, replace(BUYERS, rule="{}"), at(3))
    assert changed is not None
    before = everything(store)
    for stale in (saved, kept, replace(changed, revision=1), replace(changed, as_of_seq=10, as_of_ms=at(10))):
        assert keep(store, step(stale, into(2))) == []
    assert everything(store) == before
    [now] = keep(store, step(changed, into(2)))
    for stale in (changed, replace(now, as_of_seq=9), replace(now, as_of_ms=at(11))):
        assert keep(store, step(stale, into(3))) == []
    with store.write() as transaction:
        transaction.drop_segment(1, at(4))
    assert keep(store, step(now, into(3))) == []
    assert [line.anchor for line in log(store)] == [1, 2]


def test_of_several_steps_those_are_written_that_go_on_from_what_is_there(store: Store) -> None:
    people(store)
    one, two, three = add(store), add(store, LAPSED), add(store, replace(LAPSED, name="third"))
    [kept] = keep(store, step(two, into(5)))
    done = keep(store, step(one, into(1, 2)), step(two, into(3)), step(three, into(2)))
    assert [segment.name for segment in done] == ["buyers", "third"]
    with store.read() as view:
        assert view.segments() == [done[0], kept, done[1]]
        assert view.segments_of(range(10)) == {
            1: [Member(1, 1, at(1))],
            2: [Member(1, 2, at(1)), Member(3, 2, at(1))],
            5: [Member(2, 5, at(1))],
        }
    assert [(line.number, line.segment, line.anchor) for line in log(store)] == [
        (1, 2, 5), (2, 1, 1), (3, 1, 2), (4, 3, 2)
    ]  # fmt: skip


def test_what_is_so_already_is_not_said_again(store: Store) -> None:
    people(store)
    [first] = keep(store, step(add(store), into(1)))
    twice = [*into(1, 2, 2, minute=8), *out(4, 4), *into(3), *out(3), *out(1), *into(1, minute=9)]
    [kept] = keep(store, step(first, twice, seq=11))
    assert [(line.anchor, line.entered) for line in log(store)] == [
        (1, True), (2, True), (3, True), (3, False), (1, False), (1, True)
    ]  # fmt: skip
    with store.read() as view:
        assert view.segment_members([1], 10) == {1: [Member(1, 1, at(9)), Member(1, 2, at(8))]}
    assert kept.count == 2


def test_a_step_may_be_told_in_parts(store: Store) -> None:
    people(store)
    saved = add(store)
    [part] = keep(store, step(saved, into(1, 2), last=False, basis="b"))
    assert (part.as_of_seq, part.as_of_ms, part.basis, part.count) == (None, None, "", 2)
    keep(store, step(saved, into(2, 3), last=False))
    assert log(store)[-1].as_of_seq == 10
    [whole] = keep(store, step(saved, into(4), basis="b"))
    assert (whole.as_of_seq, whole.basis, whole.count) == (10, "b", 4)
    assert members(store, saved) == [1, 2, 3, 4]
    assert [line.anchor for line in log(store)] == [1, 2, 3, 4]


def test_a_step_of_nobody_says_that_the_members_are_right(store: Store) -> None:
    people(store)
    [kept] = keep(store, step(add(store), into(1)))
    [later] = keep(store, step(kept, seq=40))
    assert later == replace(kept, as_of_seq=40, as_of_ms=at(40))
    assert keep(store, step(later, seq=40)) == [later]
    assert len(log(store)) == 1


# -- reading


def test_members_are_read_in_pages_of_many_segments(store: Store) -> None:
    people(store)
    one, two = add(store), add(store, LAPSED)
    keep(store, step(one, into(*range(1, 10))), step(two, into(2, 4)))
    with store.read() as view:
        pages = view.segment_members([1, 2, 3, 1 << 63, -1], 3)
        assert {number: [member.anchor for member in page] for number, page in pages.items()} == {
            1: [1, 2, 3],
            2: [2, 4],
        }
        assert [member.anchor for member in view.segment_members([1], 3, 3)[1]] == [4, 5, 6]
        assert [member.anchor for member in view.segment_members([1], 3, 8)[1]] == [9]
        for beyond in (9, 1 << 32, 1 << 63):
            assert view.segment_members([1], 3, beyond) == {}
        assert len(view.segment_members([1], 100, -(1 << 40))[1]) == 9
        assert view.segment_members([], 3) == {}
        assert view.segments_of([]) == {}
        assert view.segments_by_number([]) == {}
        assert view.segments_of([0, -1, 99, 1 << 63, 4]) == {4: [Member(1, 4, at(1)), Member(2, 4, at(1))]}


def test_the_log_is_read_in_pages_of_all_or_of_one_segment(store: Store) -> None:
    people(store)
    one, two = add(store), add(store, LAPSED)
    [kept] = keep(store, step(one, into(1, 2)))
    keep(store, step(two, into(3)), step(kept, out(2), seq=11))
    with store.read() as view:
        assert [line.number for line in view.membership_log(None, 0, 3)] == [1, 2, 3]
        assert [line.number for line in view.membership_log(None, 3, 3)] == [4]
        assert [line.number for line in view.membership_log(1, 0, 2)] == [1, 2]
        assert [line.number for line in view.membership_log(1, 2, 2)] == [4]
        assert [line.number for line in view.membership_log(2, -5, 10)] == [3]
        for segment, after in ((3, 0), (1 << 63, 0), (1, 1 << 63), (None, 1 << 63)):
            assert view.membership_log(segment, after, 10) == []


def test_nothing_is_there_at_first(store: Store) -> None:
    with store.read() as view:
        assert view.segments() == []
        assert view.membership_log(None, 0, 10) == []
        assert view.last_membership() == 0
        assert view.segment_members([1], 5) == {}
        assert view.segments_of([1]) == {}
        assert view.segments_by_number([1]) == {}


# -- deleting


def test_of_a_deleted_segment_the_log_says_that_all_left(store: Store) -> None:
    people(store)
    one, two = add(store), add(store, LAPSED)
    keep(store, step(one, into(1, 2, 3)), step(two, into(1)))
    with store.write() as transaction:
        dropped = transaction.drop_segment(1, at(20))
    assert dropped == replace(
        one, rule="null", description=None, require_consent=None, deleted_ms=at(20), as_of_seq=10, as_of_ms=at(10),
        count=3,
    )  # fmt: skip
    with store.read() as view:
        assert [segment.number for segment in view.segments()] == [2]
        assert view.segments_by_number([1]) == {1: dropped}
        assert view.segment_members([1, 2], 9) == {2: [Member(2, 1, at(1))]}
        assert view.segments_of([1, 2, 3]) == {1: [Member(2, 1, at(1))]}, "at once, whatever is still to be written"
    for cleared in (2, 1, 0):
        with store.write() as transaction:
            assert transaction.clear_dropped(2) == cleared
    assert log(store)[4:] == [
        MembershipChange(number, 1, anchor, False, at(20), Cause.DELETED, None, 10)
        for number, anchor in ((5, 1), (6, 2), (7, 3))
    ]
    with store.read() as view:
        assert view.segments_by_number([1])[1].count == 0


def test_clearing_goes_on_over_several_segments_and_ends(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onefold.store.base.CLEARED_AT_ONCE", 4)
    people(store)
    saved = [add(store, replace(BUYERS, name=f"segment {number}")) for number in range(3)]
    keep(store, *(step(segment, into(*range(1, 4))) for segment in saved))
    with store.write() as transaction:
        for number in (1, 3):
            transaction.drop_segment(number, at(20))
    clear_dropped(store)
    assert [(line.segment, line.anchor) for line in log(store)[9:]] == [(n, a) for n in (1, 3) for a in (1, 2, 3)]
    assert members(store, saved[1]) == [1, 2, 3]
    before = everything(store)
    clear_dropped(store)
    assert everything(store) == before


def test_a_name_is_free_again_and_a_number_never(store: Store) -> None:
    add(store)
    for number in (2, 3):
        with store.write() as transaction:
            transaction.drop_segment(number - 1, at(1))
            assert transaction.segments() == []
            assert transaction.add_segment(BUYERS, at(2)).number == number


# -- leases


def test_one_holds_a_lease_until_its_time_is_over(store: Store) -> None:
    first = lease(store, "one")
    assert first == Lease(NAME, "one", 1, at(1))
    with store.write() as transaction:
        assert transaction.take_lease(NAME, "two", at(1) - 1, 60_000) is None
        assert transaction.take_lease(NAME, "one", at(1) - 1, 60_000) == replace(first, until_ms=at(2) - 1)
        assert transaction.take_lease(NAME, "two", at(1), 60_000) is None, "it was renewed"
        assert transaction.take_lease("another", "two", at(1), 60_000) == Lease("another", "two", 1, at(2))
    second = lease(store, "two", minute=2)
    assert second == Lease(NAME, "two", 2, at(3))
    with store.write() as transaction:
        assert transaction.take_lease(NAME, "one", at(2), 60_000) is None
        assert transaction.take_lease(NAME, "one", at(3), 60_000) == Lease(NAME, "one", 3, at(4))


def test_a_lease_that_was_let_go_of_is_anybodys(store: Store) -> None:
    first = lease(store, "one")
    with store.write() as transaction:
        transaction.end_lease(first)
        assert transaction.take_lease(NAME, "two", at(0), 60_000) == Lease(NAME, "two", 2, at(1))
        transaction.end_lease(first)
        assert transaction.take_lease(NAME, "one", at(0), 60_000) is None, "only its holder lets go of it"


def test_whoever_lost_the_lease_writes_nothing(store: Store) -> None:
    people(store)
    saved, lost = add(store), lease(store, "one")
    lease(store, "two", minute=5)
    before = everything(store)
    for stale in (lost, Lease("another", "one", 1, at(9))):
        with pytest.raises(LeaseLostError), store.write() as transaction:
            transaction.keep(stale, [step(saved, into(1))])
    assert everything(store) == before


def test_a_lease_whose_time_is_over_holds_until_another_takes_it(store: Store) -> None:
    people(store)
    saved, held = add(store), lease(store, "one")
    with store.write() as transaction:
        transaction.end_lease(held)
    assert keep(store, step(saved, into(1)), by=held) != []


# -- others who read and write


def test_nothing_about_segments_moves_the_head_or_the_feed(store: Store) -> None:
    people(store)
    with store.read() as view:
        before = view.head(), view.counts(), view.feed(0, 1_000)
    keep(store, step(add(store), into(1)))
    with store.write() as transaction:
        assert transaction.head == before[0]
        transaction.drop_segment(1, at(1))
    clear_dropped(store)
    with store.read() as view:
        assert (view.head(), view.counts(), view.feed(0, 1_000)) == before
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:next")
        assert batch.apply() == before[0].seq + 1
