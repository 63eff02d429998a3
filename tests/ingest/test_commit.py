"""What becomes of a batch: each event's outcome, and what the store then holds."""

import logging
from typing import Any

import pytest

from onefold.errors import OnefoldError
from onefold.ingest.commit import Status, commit_batch, commit_each
from onefold.ingest.decode import Decoded, Rejected
from onefold.model.events import DAY_MS
from onefold.model.graph import Judgement
from onefold.model.sources import Source
from onefold.stitch.judging import judge
from onefold.stitch.rules import Rules
from onefold.store.base import Store, drive
from onefold.store.sqlite.store import SqliteStore
from tests.ingest.events import BROWSER, LOCAL, NOON_MS, RECEIVED_MS, decode, keys, sent
from tests.ingest.stored import Poisoned, customers, message_ids, statuses, touchpoints

NOW_MS = RECEIVED_MS + 10
ANN, ANNIE, BEA = keys("user_id:ann", "user_id:annie", "user_id:bea")
TWO_USERS: dict[str, Any] = {"identifiers": [{"namespace": "user_id", "value": "bea"}]}


def item(source: Source = LOCAL, **fields: Any) -> Decoded | Rejected:
    return decode(sent(**fields), source)


def numbered(count: int, **fields: Any) -> list[Decoded | Rejected]:
    return [item(messageId=f"n-{n}", **fields) for n in range(count)]


def rejects(store: Store) -> list[tuple[str, str, bytes]]:
    """Source, code and body of the rejected events, in the order in which they were."""
    with store.read() as view:
        return [(reject.source, reject.code, reject.body) for reject in reversed(view.rejects(100))]


def test_each_item_has_its_outcome_in_order(store: SqliteStore, rules: Rules) -> None:
    batch = [
        item(messageId="a", anonymousId="null"),
        item(messageId="b", userId=None),
        item(messageId="a"),
        item(messageId="c", timestamp=None),
    ]
    outcomes = commit_batch(store, rules, batch, NOW_MS)
    assert statuses(outcomes) == ["accepted", "rejected", "duplicate", "accepted"]
    assert [outcome.message_id for outcome in outcomes] == ["a", "b", "a", "c"]
    assert [warning.field for warning in outcomes[0].warnings] == ["anonymousId"]
    assert outcomes[1].problem is not None
    assert outcomes[1].problem.code == "event.no_identifier"
    assert message_ids(store) == ["a", "c"]
    with store.read() as view:
        subject = view.by_key([ANN])[ANN].number
        assert [outcome.subject for outcome in outcomes] == [subject, None, None, subject]
        found = view.touchpoints([outcome.message for outcome in outcomes if outcome.message])
        assert sorted(touchpoint.message_id for touchpoint in found.values()) == ["a", "c"]


def test_what_was_rejected_is_in_the_reject_log_as_it_was_sent(store: SqliteStore, rules: Rules) -> None:
    broken = decode(b'{"type": ' + b"x" * 10_000, BROWSER)
    commit_batch(store, rules, [item(), broken, item(messageId="b", **TWO_USERS)], NOW_MS)
    (source, code, body), (_, ambiguous, whole) = rejects(store)
    assert (source, code, body) == ("browser", "event.invalid", b'{"type": ' + b"x" * (4_096 - 9))
    assert (ambiguous, whole) == ("event.ambiguous", item(messageId="b", **TWO_USERS).raw)


def test_the_same_event_again_is_a_duplicate_in_a_batch_and_across_batches(store: SqliteStore, rules: Rules) -> None:
    first = commit_batch(store, rules, [item(), item()], NOW_MS)
    again = commit_batch(store, rules, [item()], NOW_MS)
    assert statuses(first + again) == ["accepted", "duplicate", "duplicate"]
    assert [outcome.problem for outcome in first + again] == [None, None, None]
    assert {outcome.message for outcome in first + again} == {first[0].message}
    assert message_ids(store) == ["m-1"]


def test_a_message_id_used_again_with_other_content_is_told_and_the_first_event_stays(
    store: SqliteStore, rules: Rules
) -> None:
    commit_batch(store, rules, [item(event="First")], NOW_MS)
    within = commit_batch(store, rules, [item(messageId="n", event="First"), item(messageId="n")], NOW_MS)
    across = commit_batch(store, rules, [item(event="Second")], NOW_MS)
    for outcome in (within[1], across[0]):
        assert outcome.status is Status.DUPLICATE
        assert outcome.problem is not None
        assert (outcome.problem.code, outcome.problem.field) == ("event.message_id_reused", "messageId")
    assert [touchpoint.name for touchpoint in touchpoints(store)] == ["First", "First"]


def test_a_message_id_counts_within_its_source_only(store: SqliteStore, rules: Rules) -> None:
    outcomes = commit_batch(store, rules, [item(), item(BROWSER, event="Other")], NOW_MS)
    assert statuses(outcomes) == ["accepted", "accepted"]


def test_two_users_in_one_event_are_rejected_and_named(store: SqliteStore, rules: Rules) -> None:
    batch = [item(messageId="a"), item(messageId="b", **TWO_USERS), item(messageId="c", userId="bea")]
    outcomes = commit_batch(store, rules, batch, NOW_MS)
    assert statuses(outcomes) == ["accepted", "rejected", "accepted"]
    problem = outcomes[1].problem
    assert problem is not None
    assert (problem.code, problem.field) == ("event.ambiguous", "user_id")
    assert message_ids(store) == ["a", "c"]
    assert len(set(customers(store, ANN, BEA))) == 2


def test_a_rejected_message_id_is_not_remembered(store: SqliteStore, rules: Rules) -> None:
    crowd, alone = item(messageId="x", **TWO_USERS), item(messageId="x")
    assert statuses(commit_batch(store, rules, [crowd], NOW_MS)) == ["rejected"]
    outcomes = commit_batch(store, rules, [crowd, alone, alone], NOW_MS)
    assert statuses(outcomes) == ["rejected", "accepted", "duplicate"]


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_the_outcomes_do_not_depend_on_where_batches_begin(store: SqliteStore, rules: Rules, size: int) -> None:
    events = [
        item(messageId="x", **TWO_USERS),
        item(messageId="x"),
        item(messageId="y", type="alias", userId="ann", previousId="bea"),
        item(messageId="x", **TWO_USERS),
        item(messageId="z", **TWO_USERS),
        item(messageId="z"),
    ]
    batches = [events[begin : begin + size] for begin in range(0, len(events), size)]
    outcomes = [outcome for batch in batches for outcome in commit_batch(store, rules, batch, NOW_MS)]
    assert statuses(outcomes) == ["rejected", "accepted", "accepted", "duplicate", "accepted", "duplicate"]


# -- alias


def alias(message_id: str = "alias", **fields: Any) -> Decoded | Rejected:
    return item(**{"messageId": message_id, "type": "alias", "previousId": "annie"} | fields)


def standing(store: Store) -> list[tuple[str, str, int]]:
    with store.read() as view:
        numbers = [known.number for known in view.by_key([ANN, ANNIE]).values()]
        return [(j.author, j.reason, j.at_ms) for j in view.judgements(numbers)]


@pytest.mark.parametrize(
    "history",
    [
        [alias()],
        [item(messageId="1"), item(messageId="2", userId="annie"), alias()],
        [item(messageId="1"), alias(), item(messageId="2", userId="annie")],
        [item(messageId="2", userId="annie"), alias(), item(messageId="1")],
        [alias(), item(messageId="1"), item(messageId="2", userId="annie")],
    ],
)
def test_an_alias_makes_two_user_ids_one_customer_whenever_it_comes(
    store: SqliteStore, rules: Rules, history: list[Decoded | Rejected]
) -> None:
    outcomes = commit_batch(store, rules, history, NOW_MS)
    assert set(statuses(outcomes)) == {"accepted"}
    assert len(set(customers(store, ANN, ANNIE))) == 1
    assert sorted(message_ids(store)) == sorted(str(one.message_id) for one in history)
    assert standing(store) == [("local", "alias event alias", RECEIVED_MS - 5_000)]


@pytest.mark.parametrize("alias_first", [True, False])
def test_an_alias_is_a_sighting_of_whom_it_renames_whenever_it_comes(
    store: SqliteStore, rules: Rules, alias_first: bool
) -> None:
    early, late = alias(timestamp="2026-02-28T12:00:00Z"), item(messageId="2", userId="annie")
    for one in (early, late) if alias_first else (late, early):
        commit_batch(store, rules, [one], NOW_MS)
    with store.read() as view:
        known = view.by_key([ANNIE])[ANNIE]
    assert (known.first_ms, known.last_ms) == (NOON_MS - DAY_MS, NOON_MS)


def test_an_alias_said_again_is_one_judgement(store: SqliteStore, rules: Rules) -> None:
    commit_batch(store, rules, [alias("1"), alias("2"), alias("1")], NOW_MS)
    commit_batch(store, rules, [alias("3")], NOW_MS)
    assert message_ids(store) == ["1", "2", "3"]
    assert len(standing(store)) == 1


def test_an_alias_against_a_judgement_is_stored_and_warned_of(store: SqliteStore, rules: Rules) -> None:
    commit_batch(store, rules, [item(messageId="1"), item(messageId="2", userId="annie")], NOW_MS)
    judge_different(store, rules)
    [outcome] = commit_batch(store, rules, [alias()], NOW_MS)
    assert outcome.status is Status.ACCEPTED
    assert [(warning.code, warning.field) for warning in outcome.warnings] == [("judgement.contradicts", "previousId")]
    assert len(set(customers(store, ANN, ANNIE))) == 2


def judge_different(store: Store, rules: Rules) -> None:
    with store.write() as transaction:
        said = Judgement(1, False, 0, 0, "ann", "I know both", NOW_MS)
        steps = judge(rules, transaction.trusts(), said, (ANN, ANNIE), last_customer=transaction.head.customer)
        changes = drive(steps, transaction)
        assert not hasattr(changes, "code")
        transaction.apply(changes, [], NOW_MS)


def test_an_alias_that_may_not_judge_is_refused_by_the_limit(store: SqliteStore, rules: Rules) -> None:
    public = decode(sent(type="alias", previousId="annie"), BROWSER)
    [outcome] = commit_batch(store, rules, [public], NOW_MS)
    assert outcome.problem is not None
    assert outcome.problem.code == "event.ambiguous"
    assert outcome.problem.hint is not None
    assert "may not judge" in outcome.problem.hint
    assert message_ids(store) == []


def test_an_alias_that_is_rejected_judges_nothing(store: SqliteStore, rules: Rules) -> None:
    cards = [{"namespace": "crm_id", "value": value} for value in ("1", "2")]
    assert statuses(commit_batch(store, rules, [alias(identifiers=cards)], NOW_MS)) == ["rejected"]
    with store.read() as view:
        assert view.by_key([ANN, ANNIE]) == {}


# -- when something goes wrong


def test_an_event_that_breaks_onefold_is_rejected_alone(
    store: SqliteStore, rules: Rules, caplog: pytest.LogCaptureFixture
) -> None:
    batch = numbered(100)
    batch[37] = item(messageId="poison", event="Poison")
    poisoned = Poisoned(store, "Poison")
    with caplog.at_level(logging.ERROR):
        outcomes = commit_each(poisoned, rules, batch, NOW_MS)
    assert statuses(outcomes) == ["accepted"] * 37 + ["rejected"] + ["accepted"] * 62
    assert outcomes[37].problem is not None
    assert outcomes[37].problem.code == "internal"
    assert message_ids(store) == [f"n-{n}" for n in range(100) if n != 37]
    assert rejects(store) == [("local", "internal", batch[37].raw)]
    assert "ZeroDivisionError" in caplog.text
    assert len(poisoned.commits) < 10, "the others go in as few commits as can be"


def test_a_store_that_fails_takes_nothing_of_the_batch(store: SqliteStore, rules: Rules) -> None:
    store.close()
    with pytest.raises(OnefoldError) as caught:
        commit_each(store, rules, numbered(3), NOW_MS)
    assert caught.value.code == "store.unavailable"
