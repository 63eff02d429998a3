"""What stores keep of consents: the newest statement of each identifier and purpose, whatever order and batches.

The worked cases stand in tests/golden/consents: steps, and what then counts of whose word.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from onefold.model.consents import Consent, by_purpose
from onefold.model.copying import COLUMNS, RowKind
from onefold.model.reading import FeedKind, FeedLine
from onefold.model.sources import Source, Trust
from onefold.store.base import Store, Transaction
from tests.contract.building import SHOP, WEB, Batch, LostError, at, customer_of, key
from tests.contract.stores import NAMESPACES
from tests.support.filled import NOON_MS, Filler, Wire

CASES: Final = sorted((Path(__file__).parents[1] / "golden" / "consents").glob("*.yaml"))
BACKWARDS: Final = slice(None, None, -1)
Statement = tuple[str, str, bool, int, Source]
"""Of whom, what for, whether, at which minute, who says so."""


def state(store: Store, *statements: Statement) -> None:
    """One commit; who is not known yet becomes a customer."""
    with store.write() as transaction:
        told(transaction, statements)


def told(transaction: Transaction, statements: Sequence[Statement]) -> None:
    batch = Batch(transaction)
    for who, purpose, given, minute, source in statements:
        if not known(batch, who):
            batch.customer(who, minute=minute)
        batch.touchpoint(who, minute=minute, source=source, received_ms=at(1_000), consents={purpose: given})
    batch.apply()


def known(batch: Batch, who: str) -> bool:
    try:
        return batch[who] is not None
    except ValueError:
        return False


def said(store: Store, *whose: str) -> dict[str, Any]:
    """(given, minute, source) by identifier and purpose."""
    with store.read() as view:
        customers = {who: customer_of(view, who) for who in whose}
        found = view.consents(list(customers.values()))
    rows = [row for customer in set(customers.values()) for row in found.get(customer, [])]
    return {
        f"{row.identifier.namespace}:{row.identifier.value} {row.purpose}": (row.given, minute_of(row), row.source)
        for row in rows
    }


def minute_of(row: Consent) -> int:
    return (row.at_ms - at(0)) // (at(1) - at(0))


def rows_of(store: Store) -> list[dict[str, Any]]:
    with store.read() as view:
        rows = view.rows(RowKind.CONSENTS, 0, 1_000)
    return [dict(zip(COLUMNS[RowKind.CONSENTS], row, strict=True)) for row in rows]


def feed(store: Store, after: int = 0) -> list[FeedLine]:
    with store.read() as view:
        return [line for line in view.feed(after, 1_000) if line.kind is FeedKind.CONSENTS]


# -- what is kept


def test_one_row_is_kept_of_each_identifier_and_purpose(store: Store) -> None:
    state(store, ("user_id:a", "news", True, 1, SHOP), ("user_id:a", "ads", True, 2, WEB))
    state(store, ("user_id:b", "news", False, 3, SHOP), ("user_id:a", "news", False, 4, WEB))
    assert said(store, "user_id:a", "user_id:b") == {
        "user_id:a news": (False, 4, "web"),
        "user_id:a ads": (True, 2, "web"),
        "user_id:b news": (False, 3, "shop"),
    }
    numbers = [row["number"] for row in rows_of(store)]
    assert numbers == [1, 2, 3]
    assert {row["given"] for row in rows_of(store)} == {0, 1}


def test_consents_say_how_far_their_source_is_trusted(store: Store) -> None:
    state(store, ("user_id:a", "news", True, 1, SHOP), ("user_id:a", "ads", True, 2, WEB))
    with store.read() as view:
        [rows] = view.consents([customer_of(view, "user_id:a")]).values()
    assert {row.purpose: (row.source, row.trust) for row in rows} == {
        "news": ("shop", Trust.SERVER),
        "ads": ("web", Trust.PUBLIC),
    }
    assert all(row.identifier == key("user_id:a") for row in rows)


def test_who_said_nothing_has_no_consents(store: Store) -> None:
    state(store, ("user_id:a", "news", True, 1, SHOP))
    with store.write() as transaction:
        Batch(transaction).customer("user_id:b")
    with store.read() as view:
        assert view.consents([]) == {}
        assert view.consents([99, 1 << 80, -1]) == {}


TOLD: Final[list[Statement]] = [
    ("user_id:a", "news", True, 2, SHOP),
    ("user_id:a", "news", False, 2, SHOP),
    ("user_id:a", "news", True, 1, WEB),
    ("user_id:a", "ads", True, 3, WEB),
    ("user_id:a", "ads", True, 3, SHOP),
]
COUNTS: Final = {"user_id:a news": (False, 2, "shop"), "user_id:a ads": (True, 3, "shop")}


@pytest.mark.parametrize("most", [1, 2, 5])
def test_no_order_and_no_batches_change_what_is_kept(store: Store, most: int) -> None:
    for number, order in enumerate(permutations(TOLD)):
        if number % (7 if most > 1 else 11):
            continue
        who = f"user_id:{number}-{most}"
        statements = [(who, *rest) for _, *rest in order]
        for start in range(0, len(statements), most):
            state(store, *statements[start : start + most])  # type: ignore[arg-type]  # mypy takes them for shorter
        assert said(store, who) == {about.replace("user_id:a", who): counts for about, counts in COUNTS.items()}


def test_of_two_sources_that_say_the_same_at_once_the_more_trusted_is_named_then_the_first_in_plain_order(
    store: Store,
) -> None:
    till = Source("a till", Trust.SERVER)
    for who, order in (("user_id:a", (WEB, SHOP, till)), ("user_id:b", (till, SHOP, WEB))):
        for source in order:
            state(store, (who, "news", True, 1, source))
        assert said(store, who) == {f"{who} news": (True, 1, "a till")}


def test_a_transaction_that_raises_has_kept_nothing(store: Store) -> None:
    state(store, ("user_id:a", "news", True, 1, SHOP))

    def fail() -> None:
        with store.write() as transaction:
            told(transaction, [("user_id:a", "news", False, 2, SHOP), ("user_id:a", "ads", True, 2, SHOP)])
            raise LostError

    with pytest.raises(LostError):
        fail()
    assert said(store, "user_id:a") == {"user_id:a news": (True, 1, "shop")}


def test_what_one_change_set_kept_the_next_of_the_same_transaction_knows(store: Store) -> None:
    with store.write() as transaction:
        told(transaction, [("user_id:a", "news", True, 2, SHOP)])
        told(transaction, [("user_id:a", "news", False, 1, SHOP), ("user_id:a", "ads", True, 1, SHOP)])
        told(transaction, [("user_id:a", "news", False, 3, SHOP)])
    assert said(store, "user_id:a") == {"user_id:a news": (False, 3, "shop"), "user_id:a ads": (True, 1, "shop")}
    assert [row["number"] for row in rows_of(store)] == [1, 2]


# -- the change feed


def test_a_change_is_a_line_of_the_feed_for_each_identifier(store: Store) -> None:
    state(
        store,
        ("user_id:a", "news", True, 1, SHOP),
        ("user_id:a", "ads", True, 1, SHOP),
        ("user_id:b", "news", True, 1, SHOP),
    )
    with store.read() as view:
        numbers = {row["identifier"] for row in rows_of(store)}
        assert len(numbers) == 2
        assert feed(store) == view_feed_of(feed(store), numbers)
        [number] = [row["identifier"] for row in rows_of(store) if row["purpose"] == "ads"]
        about = [line for line in view.feed(0, 100, [number]) if line.kind is FeedKind.CONSENTS]
        assert [line.identifier for line in about] == [number]


def view_feed_of(lines: Iterable[FeedLine], numbers: set[int]) -> list[FeedLine]:
    """One line for each of these, with nothing but the identifier."""
    made = [FeedLine(line.seq, line.at_ms, FeedKind.CONSENTS, identifier=line.identifier) for line in lines]
    assert {line.identifier for line in made} == numbers
    assert len(made) == len(numbers)
    return made


def test_what_changes_nothing_is_no_line(store: Store) -> None:
    state(store, ("user_id:a", "news", False, 5, SHOP))
    [first] = feed(store)
    state(store, ("user_id:a", "news", True, 4, SHOP), ("user_id:a", "news", True, 5, SHOP))
    state(store, ("user_id:a", "news", False, 5, SHOP))
    state(store, ("user_id:a", "news", False, 5, WEB))
    assert feed(store) == [first]
    state(store, ("user_id:a", "news", False, 6, WEB))
    assert len(feed(store)) == 2


def test_consents_count_among_nothing_that_is_counted(store: Store) -> None:
    state(store, ("user_id:a", "news", True, 1, SHOP))
    with store.read() as view:
        counts = view.counts()
    assert (counts.customers, counts.identifiers, counts.touchpoints, counts.decisions) == (1, 1, 1, 0)


# -- worked cases


class Played:
    """A worked case on a store."""

    def __init__(self, store: Store) -> None:
        self.store: Final = store
        self.filler: Final = Filler(store, NAMESPACES)
        self._sent = 0

    def play(self, steps: Sequence[Mapping[str, Any]], size: int) -> None:
        """The events, in batches of this size; then the judgements."""
        events = [self.event(step) for step in steps if "at" in step]
        for start in range(0, len(events), size):
            assert {outcome.status for outcome in self.filler.send(events[start : start + size])} == {"accepted"}
        for step in steps:
            for verdict in {"same", "different"} & step.keys():
                self.filler.judge(verdict, *step[verdict])

    def event(self, step: Mapping[str, Any]) -> Wire:
        self._sent += 1
        moment = datetime.fromtimestamp(NOON_MS / 1000, UTC) - timedelta(hours=100 - step["at"])
        identifiers = [dict(zip(("namespace", "value"), text.split(":", 1), strict=True)) for text in step["of"]]
        return {
            "type": "track", "event": "Chose", "messageId": f"m{self._sent}", "timestamp": moment.isoformat(),
            "identifiers": identifiers, "context": {"consent": step.get("says", {})},
        }  # fmt: skip

    def check(self, expected: Mapping[str, Mapping[str, list[Any]]]) -> None:
        """Of each customer, named by an identifier, what counts for each purpose and of whom it was said."""
        for who, purposes in expected.items():
            with self.store.read() as view:
                customer = customer_of(view, who)
                found = by_purpose(view.consents([customer]).get(customer, []))
            counts = {purpose: rows[0] for purpose, rows in found.items()}
            shown = {p: [c.given, f"{c.identifier.namespace}:{c.identifier.value}"] for p, c in counts.items()}
            assert shown == purposes, who


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_worked_case(store: Store, path: Path, size: int, backwards: bool) -> None:
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    played = Played(store)
    played.play(case["steps"][BACKWARDS] if backwards else case["steps"], size)
    played.check(case["counts"])
    played.play(case.get("then", []), size)
    played.check(case.get("counts then", {}))


def test_a_judgement_taken_back_leaves_what_counted_before(store: Store) -> None:
    case = yaml.safe_load((CASES[0].parent / "judged-different.yaml").read_text(encoding="utf-8"))
    played = Played(store)
    played.play(case["steps"], 100)
    number = played.filler.judge("different", *case["then"][0]["different"])
    played.check(case["counts then"])
    played.filler.retract(number)
    played.check(case["counts"])
