"""The use cases on a real store, as the command line calls them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.errors import OnefoldError
from onefold.model import namespaces_file, traits
from onefold.model.identifiers import IdentifierKey
from onefold.schema_files import schema_file
from onefold.service import Onefold, journeys, profiles
from onefold.service.evidence import explained, refused_links
from onefold.service.explaining import why
from onefold.service.journeys import Ask
from onefold.service.values import Apart, Together
from onefold.settings import Settings
from onefold.stitch.rules import Rules
from onefold.store.sqlite.open import open_sqlite

NAMESPACES = namespaces_file.load(schema_file("namespaces.yaml"))
TRAITS = traits.load(schema_file("traits.yaml"))
RULES = Rules(NAMESPACES)


@pytest.fixture
def onefold(tmp_path: Path) -> Iterator[Onefold]:
    store = open_sqlite(tmp_path / "shop.db", NAMESPACES, TRAITS)
    with Onefold(store, NAMESPACES, TRAITS, Settings(max_events_per_batch=50)) as onefold:
        yield onefold
    store.close()


def key(text: str) -> IdentifierKey:
    namespace, _, value = text.partition(":")
    return IdentifierKey(namespace, value)


def seen(message: str, minute: int, *identifiers: str, **more: object) -> bytes:
    said = {
        "type": "track",
        "event": "Visit",
        "messageId": message,
        "timestamp": f"2026-03-01T00:{minute:02d}:00Z",
        "identifiers": [{"namespace": key(text).namespace, "value": key(text).value} for text in identifiers],
    }
    return json.dumps(said | more).encode()


def test_what_was_handed_in_is_read_when_its_future_is_done(onefold: Onefold) -> None:
    outcomes = onefold.submit(
        [seen("m1", 1, "user_id:ann", "anonymous_id:x"), seen("m2", 2, "anonymous_id:x")]
    ).result()
    assert [outcome.status for outcome in outcomes] == ["accepted", "accepted"]
    with onefold.read() as reading:
        found = reading.customer(key("user_id:ann")).customer
        (page,) = journeys.pages(reading, [found.key], Ask())
        assert [touchpoint.message_id for touchpoint in page.items] == ["m2", "m1"]
        (linkage, _) = journeys.linkages(reading, page.items)
        assert (linkage.retroactive, linkage.linked_at_ms) == (False, page.items[1].at_ms)
        assert reading.customer(found.public_id).requested_id is None


def test_a_reading_does_not_see_what_is_written_after_it_was_opened(onefold: Onefold) -> None:
    onefold.submit([seen("m1", 1, "user_id:ann")]).result()
    with onefold.read() as reading:
        before = onefold.status(reading)
        onefold.submit([seen("m2", 2, "user_id:bob")]).result()
        assert onefold.status(reading) == before
        assert reading.resolve([key("user_id:bob")])[0].customer is None
    with onefold.read() as reading:
        assert reading.resolve([key("user_id:bob")])[0].customer is not None


def test_more_events_than_a_batch_may_have_are_refused_whole(onefold: Onefold) -> None:
    with pytest.raises(OnefoldError, match=r"body\.too_large"):
        onefold.submit([seen(f"m{number}", 1, "user_id:ann") for number in range(51)])
    with onefold.read() as reading:
        assert onefold.status(reading).counts.touchpoints == 0


def test_after_it_is_closed_nothing_is_taken_and_everything_is_read(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "shop.db", NAMESPACES, TRAITS)
    with Onefold(store, NAMESPACES, TRAITS, Settings()) as onefold:
        waiting = onefold.submit([seen("m1", 1, "user_id:ann")])
    assert waiting.result()[0].status == "accepted"
    with pytest.raises(OnefoldError, match=r"ingest\.stopping"):
        onefold.submit([seen("m2", 1, "user_id:ann")])
    with pytest.raises(OnefoldError, match=r"ingest\.stopping"):
        onefold.judge(same=True, a=key("user_id:ann"), b=key("user_id:bob"), reason="x")
    with onefold.read() as reading:
        assert onefold.status(reading).counts.touchpoints == 1
    store.close()


def test_a_judgement_answers_with_who_came_together_and_who_fell_apart(onefold: Onefold) -> None:
    onefold.submit(
        [seen("m1", 1, "user_id:ann"), seen("m2", 2, "user_id:anne"), seen("m3", 3, "user_id:anna")]
    ).result()
    onefold.judge(same=True, a=key("user_id:ann"), b=key("user_id:anne"), reason="married")
    judged = onefold.judge(same=True, a=key("user_id:anne"), b=key("user_id:anna"), reason="again")
    with onefold.read() as reading:
        ann = reading.customer(key("user_id:ann")).customer
        assert (judged.joined, judged.split) == ((ann.key,), ())
        explanation = why(reading, key("user_id:ann"), key("user_id:anna"))
    assert isinstance(explanation, Together)
    assert [step.judgement.reason for step in explanation.chain if step.judgement] == ["married", "again"]


@pytest.mark.parametrize("reason", ["x" * 2_001, "", " \n"])
def test_a_reason_has_a_beginning_and_an_end(onefold: Onefold, reason: str) -> None:
    judged = onefold.judge(same=True, a=key("user_id:ann"), b=key("user_id:anne"), reason=reason)
    assert judged.problem
    assert (judged.number, judged.problem.code, judged.problem.field) == (None, "query.invalid", "reason")


def test_two_customers_too_large_to_be_read_whole_are_explained_by_the_same_links(
    onefold: Onefold, monkeypatch: pytest.MonkeyPatch
) -> None:
    onefold.submit(
        [
            seen("m1", 1, "user_id:ann", "email:j@example.com", "anonymous_id:x"),
            seen("m2", 2, "user_id:bob", "email:j@example.com"),
            seen("m3", 3, "user_id:bob", "anonymous_id:x"),
        ]
    ).result()
    with onefold.read() as reading:
        whole = why(reading, key("user_id:bob"), key("email:j@example.com"))
        monkeypatch.setattr("onefold.service.explaining.READ_WHOLE", 0)
        assert why(reading, key("user_id:bob"), key("email:j@example.com")) == whole
        from_the_cookie = why(reading, key("anonymous_id:x"), key("user_id:bob"))
    assert isinstance(whole, Apart)
    assert isinstance(from_the_cookie, Apart)
    assert [shown.a.key.value for shown in from_the_cookie.refused] == ["x", "j@example.com"]
    ends = [(shown.a.key.value, shown.b.key.value) for shown in whole.refused]
    assert ends == [("j@example.com", "bob"), ("x", "bob")]


def test_pages_of_many_customers_are_each_their_own(onefold: Onefold) -> None:
    onefold.submit([seen(f"m{n}", n, f"user_id:u{n % 3}", f"anonymous_id:x{n}") for n in range(9)]).result()
    with onefold.read() as reading:
        keys = [reading.customer(key(f"user_id:u{n}")).customer.key for n in range(3)]
        pages = journeys.pages(reading, keys, Ask(first=2))
        assert [[t.message_id for t in page.items] for page in pages] == [["m6", "m3"], ["m7", "m4"], ["m8", "m5"]]
        members = profiles.identifiers(reading, keys, 2)
        assert [[i.key.value for i in page.items] for page in members] == [["u0", "x0"], ["u1", "x1"], ["u2", "x2"]]
        assert [page.items for page in refused_links(reading, keys, 2)] == [(), (), ()]


@pytest.mark.parametrize("mark", range(1, RULES.size_mark + 1))
def test_every_reason_is_explained_in_words(mark: int) -> None:
    refusal = explained(RULES, RULES.reason(mark), ["email"])
    assert refusal.reason == RULES.reason(mark)
    assert refusal.message.endswith(".")
    assert refusal.hint.endswith(".")
    assert refusal.reason.partition(":")[2] in refusal.message
