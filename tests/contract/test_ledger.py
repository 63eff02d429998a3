"""Reading the ledger, the change feed and the totals."""

from typing import Any

import pytest

from onefold.model.changes import DecisionKind, Retraction
from onefold.model.reading import Counts, FeedKind, FeedLine, LedgerLine
from onefold.store.base import Store
from tests.contract.building import Batch, at, identifiers, message


@pytest.fixture
def told(store: Store) -> Store:
    """Three commits: two customers; they join; one of a third is refused."""
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann", "email:a@x.de")
        batch.customer("anonymous_id:x")
        batch.touchpoint("user_id:ann", "email:a@x.de", message_id="one")
        batch.touchpoint("anonymous_id:x", message_id="two", traits={"plan": "pro"})
        batch.apply(minute=1)
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.touchpoint("user_id:ann", message_id="three")
        batch.touchpoint("user_id:ann", "anonymous_id:x", message_id="four")
        pair = batch["anonymous_id:x"].id << 32 | batch["user_id:ann"].id
        anchors = [batch["user_id:ann"].id, batch["anonymous_id:x"].id]
        batch.decision("joined", anchors, ["anonymous_id:x", "user_id:ann"], link=pair, causes=(0, 1))
        batch.move("anonymous_id:x", batch.stored_customer(1))
        batch.changes.dropped_customers.append(2)
        batch.apply(minute=2)
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:bob")
        batch.touchpoint("user_id:bob", "anonymous_id:x", message_id="five")
        anchors = [batch["user_id:ann"].id, batch["user_id:bob"].id]
        ends = ["anonymous_id:x", "user_id:bob"]
        batch.decision("refused", anchors, ends, reason="limit:user_id", causes=(0,))
        batch.decision("generic", [batch["email:a@x.de"].id], ["email:a@x.de"], reason="generic")
        batch.apply(minute=3)
    return store


def test_ledger_lines_say_what_was_decided_when_and_by_which_messages(told: Store) -> None:
    with told.read() as view:
        ann, email, x = identifiers(view, "user_id:ann", "email:a@x.de", "anonymous_id:x")
        [line] = view.decisions(None, [DecisionKind.JOINED], 10)[0]
        assert line == LedgerLine(
            line.seq, at(2), DecisionKind.JOINED, "link:server", (ann.number, x.number), (x.number, ann.number),
            x.number << 32 | ann.number, None, (message("three"), message("four")),
        )  # fmt: skip
        assert view.decisions_by_seq([line.seq, line.seq + 1]) == {line.seq: line}
        [generic] = view.decisions(None, [DecisionKind.GENERIC], 10)[0]
        assert (generic.customers, generic.link, generic.messages) == ((email.number,), None, ())


def kinds(lines: dict[int, list[LedgerLine]]) -> dict[int, list[str]]:
    return {key: [line.kind.value for line in found] for key, found in lines.items()}


def test_the_whole_ledger_is_read_newest_first(told: Store) -> None:
    with told.read() as view:
        assert kinds(view.decisions(None, None, 10)) == {0: ["generic", "refused", "joined"]}
        newest = view.decisions(None, None, 2)[0]
        assert [line.kind.value for line in newest] == ["generic", "refused"]
        assert kinds(view.decisions(None, None, 10, before=newest[-1].seq)) == {0: ["joined"]}
        some = [DecisionKind.JOINED, DecisionKind.REFUSED, DecisionKind.SPLIT]
        assert kinds(view.decisions(None, some, 10)) == {0: ["refused", "joined"]}
        assert kinds(view.decisions(None, some, 1)) == {0: ["refused"]}
        assert kinds(view.decisions(None, some, 10, before=newest[-1].seq)) == {0: ["joined"]}
        assert view.decisions(None, [DecisionKind.RETRACTED], 10) == {}
        assert view.decisions(None, [], 10) == {}


def test_the_ledger_of_a_customer_is_what_names_any_of_its_identifiers(told: Store) -> None:
    with told.read() as view:
        ann, bob = (found.customer for found in identifiers(view, "user_id:ann", "user_id:bob"))
        assert kinds(view.decisions([ann, bob, 99], None, 10)) == {
            ann: ["generic", "refused", "joined"],
            bob: ["refused"],
        }
        assert kinds(view.decisions([ann, bob], None, 1)) == {ann: ["generic"], bob: ["refused"]}
        assert kinds(view.decisions([ann], [DecisionKind.JOINED, DecisionKind.REFUSED], 1)) == {ann: ["refused"]}
        before = view.decisions([ann], None, 2)[ann][-1].seq
        assert kinds(view.decisions([ann], None, 10, before=before)) == {ann: ["joined"]}
        assert view.decisions([], None, 10) == {}


def test_the_feed_tells_each_change_in_order(told: Store) -> None:
    with told.read() as view:
        ann, email, x, bob = (
            found.number for found in identifiers(view, "user_id:ann", "email:a@x.de", "anonymous_id:x", "user_id:bob")
        )
        lines = view.feed(0, 100)

    def moved(seq: int, minute: int, identifier: int, customer: int, was: int) -> FeedLine:
        return FeedLine(seq, at(minute), FeedKind.IDENTIFIER, identifier=identifier, customer=customer, was=was)

    def touched(seq: int, minute: int) -> FeedLine:
        return FeedLine(seq, at(minute), FeedKind.TOUCHPOINT, touchpoint=seq)

    def decided(seq: int, minute: int) -> FeedLine:
        return FeedLine(seq, at(minute), FeedKind.DECISION, decision=seq)

    assert lines == [
        touched(1, 1), touched(2, 1),
        moved(3, 1, ann, 1, 0), moved(4, 1, email, 1, 0), moved(5, 1, x, 2, 0),
        FeedLine(6, at(1), FeedKind.CLAIMS, identifier=x),
        touched(7, 2), touched(8, 2), decided(9, 2), moved(10, 2, x, 1, 2),
        touched(11, 3), decided(12, 3), decided(13, 3), moved(14, 3, bob, 3, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_the_feed_is_read_in_pages(told: Store, limit: int) -> None:
    with told.read() as view:
        everything, found, after = view.feed(0, 100), [], 0
        while lines := view.feed(after, limit):
            assert len(lines) <= limit
            found += lines
            after = lines[-1].seq
        assert found == everything
        assert view.feed(view.head().seq, 10) == []


def test_the_feed_about_identifiers_is_what_touches_decides_or_changes_them(told: Store) -> None:
    with told.read() as view:
        ann, x, bob = (found.number for found in identifiers(view, "user_id:ann", "anonymous_id:x", "user_id:bob"))
        about: dict[str, Any] = {"identifiers": [x]}
        assert [line.seq for line in view.feed(0, 100, **about)] == [2, 5, 6, 9, 10, 12]
        assert [line.seq for line in view.feed(5, 2, **about)] == [6, 9]
        assert [line.seq for line in view.feed(0, 100, identifiers=[x, bob])] == [2, 5, 6, 9, 10, 11, 12, 14]
        assert [line.seq for line in view.feed(0, 100, identifiers=[ann])] == [1, 3, 7, 8, 9, 12], "12: as an anchor"
        assert view.feed(0, 100, identifiers=[]) == []


def test_claims_of_an_identifier_change_once_a_commit(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        batch.touchpoint("user_id:ann", traits={"a": 1, "b": 2})
        batch.touchpoint("user_id:ann", traits={"a": 3})
        batch.apply()
    with store.read() as view:
        assert [line.kind for line in view.feed(0, 100)].count(FeedKind.CLAIMS) == 1


def test_what_a_store_holds_is_counted(told: Store) -> None:
    with told.write() as transaction:
        batch = Batch(transaction)
        batch.link("anonymous_id:x", "user_id:ann")
        batch.touchpoint("user_id:ann", operators=("staff_id:kim",))
        batch.apply()
    with told.read() as view:
        assert view.counts() == Counts(customers=2, identifiers=5, links=1, touchpoints=6, decisions=3, rejects=0)


def test_a_judgement_is_told_in_the_ledger(store: Store) -> None:
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:a", "user_id:b")
        judged = batch.judgement("user_id:a", "user_id:b")
        batch.decision("judged", [1], ["user_id:a", "user_id:b"], judgement=judged.number)
        batch.apply()
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.changes.retracted = Retraction(judged.number, "bob", "a slip", at(2))
        batch.decision("retracted", [1], ["user_id:a", "user_id:b"], judgement=judged.number)
        batch.apply()
    with store.read() as view:
        assert [line.judgement for line in view.decisions([1], None, 10)[1]] == [1, 1]
        [taken_back] = view.judgements_by_number([judged.number]).values()
    assert (taken_back.retracted_ms, taken_back.retracted_by, taken_back.retracted_reason) == (at(2), "bob", "a slip")
