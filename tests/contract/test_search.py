"""Searching: one thing on every store."""

from typing import Any

import pytest

from onefold.model.reading import SearchHit
from onefold.model.traits import TraitRule, TraitRules
from onefold.store.base import Store
from onefold.store.view import View
from tests.contract.building import Batch, identifiers
from tests.contract.stores import Place

VALUES: dict[str, dict[str, Any]] = {
    "user_id:Ann-77": {},
    "email:anna.müller@beispiel.de": {"name": "Anna MÜLLER", "plan": "annual"},
    "email:joe@x.de": {"name": "Jöe Strauß", "company": 'Ann & "Sons"'},
    "anonymous_id:77-annex": {"name": 77, "firstName": "Zoë"},
}
MANY = 1_500
"""Enough that stores which index in steps have indexed some and not yet the rest."""


@pytest.fixture(params=[0, MANY])
def filled(store: Store, request: pytest.FixtureRequest) -> Store:
    """The values alone, or followed by many others."""
    with store.write() as transaction:
        batch = Batch(transaction)
        for text, traits in VALUES.items():
            batch.customer(text)
            batch.touchpoint(text, traits=traits, operators=("staff_id:annegret",))
        batch.apply()
    with store.write() as transaction:
        batch = Batch(transaction)
        if request.param:
            batch.customer(*(f"device_id:x{number}" for number in range(request.param)))
            others = {f"t{number}": number for number in range(request.param)}
            batch.touchpoint("device_id:x0", traits={"username": "late riser"} | others)
        batch.apply()
    return store


def values(view: View, text: str) -> list[str]:
    return [hit.value for hit in view.search(text, 100)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann", ["Ann-77", "anna.müller@beispiel.de", "77-annex", "Anna MÜLLER", 'Ann & "Sons"']),
        ("NNA", ["anna.müller@beispiel.de", "Anna MÜLLER"]),
        ("muller", ["anna.müller@beispiel.de", "Anna MÜLLER"]),
        ("Mu\u0308LLER", ["anna.müller@beispiel.de", "Anna MÜLLER"]),
        ("strauss", ["Jöe Strauß"]),
        ("@X.DE", ["joe@x.de"]),
        ('"sons"', ['Ann & "Sons"']),
        ("an", ["Ann-77", "anna.müller@beispiel.de", "Anna MÜLLER", 'Ann & "Sons"']),
        ("77", ["77-annex"]),
        ("7", ["77-annex"]),
        ("J", ["joe@x.de", "Jöe Strauß"]),
        ("zo", ["Zoë"]),
        ("ë", []),
        ("annual", []),
        ("annegret", []),
        ("nowhere", []),
        ("", []),
        ("\u0308", []),
        ("ann*", []),
        ("ann OR joe", []),
        ("\x02an", ["Ann-77", "anna.müller@beispiel.de", "Anna MÜLLER", 'Ann & "Sons"']),
        ("an\0", []),
        ("ann\ud800", []),
    ],
)
def test_a_text_is_found_inside_values_and_a_short_one_where_they_begin(
    filled: Store, text: str, expected: list[str]
) -> None:
    with filled.read() as view:
        assert values(view, text) == expected


def test_hits_say_what_was_found_where(filled: Store) -> None:
    with filled.read() as view:
        [joe] = identifiers(view, "email:joe@x.de")
        address, name, company = view.search("jo", 10)[0], view.search("joe", 10)[1], view.search("sons", 10)[0]
        assert address == SearchHit(0, joe.number, joe.number, joe.customer, "email", "joe@x.de")
        assert name == SearchHit(1, name.number, joe.number, joe.customer, "trait:name", "Jöe Strauß")
        assert company.attribute == "trait:company"


@pytest.mark.parametrize("text", ["ann", "an", "x", "x12"])
@pytest.mark.parametrize("limit", [1, 2, 1_000])
def test_hits_come_in_pages(filled: Store, text: str, limit: int) -> None:
    with filled.read() as view:
        everything = view.search(text, 10_000)
        found: list[SearchHit] = []
        after = None
        while (hits := view.search(text, limit, after)) and len(found) < 50:
            assert len(hits) <= limit
            found += hits
            after = (hits[-1].kind, hits[-1].number)
        assert found == everything[: len(found)]
        assert len(found) == len(everything) or len(found) >= 50
        assert [(hit.kind, hit.number) for hit in everything] == sorted({(hit.kind, hit.number) for hit in everything})


def test_the_newest_are_found_too(filled: Store) -> None:
    with filled.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:brandnew")
        batch.touchpoint("user_id:brandnew", traits={"name": "Brand New"})
        batch.apply()
    with filled.read() as view:
        assert values(view, "brand") == ["brandnew", "Brand New"]
        assert values(view, "b") == ["brandnew", "Brand New"]


def test_hits_name_the_customer_of_today(filled: Store) -> None:
    with filled.write() as transaction:
        batch = Batch(transaction)
        other = batch.customer("user_id:new")
        batch.move("email:joe@x.de", other)
        batch.apply()
    with filled.read() as view:
        assert {hit.customer for hit in view.search("joe", 10)} == {other.key}


def test_other_traits_are_searched_when_the_rules_change(place: Place) -> None:
    store = place.open()
    with store.write() as transaction:
        batch = Batch(transaction)
        batch.customer("user_id:ann")
        for number in range(600):
            batch.touchpoint(
                "user_id:ann", message_id=f"m{number}", traits={"colour": f"c{number}", "name": f"n{number}"}
            )
        batch.touchpoint("user_id:ann", minute=1, traits={"colour": "turquoise", "name": "Tamara"})
        batch.apply()
    store.close()

    store = place.open(TraitRules({"colour": TraitRule(searchable=True)}))
    with store.read() as view:
        assert values(view, "turq") == ["turquoise"]
        assert values(view, "tamara") == []
    store.close()

    store = place.open(TraitRules({"name": TraitRule(searchable=False)}, TraitRule(searchable=True)))
    with store.read() as view:
        assert values(view, "turq") == ["turquoise"]
        assert values(view, "tamara") == []
    store.close()


def test_texts_of_any_length_are_kept_and_found_by_how_they_begin(store: Store) -> None:
    said = {"n" * 20_000: "short", "name": "Zürich " * 4_600, "firstName": "ŉ" * 15_000}
    for number in range(2):
        with store.write() as transaction:
            batch = Batch(transaction)
            if not number:
                batch.customer("user_id:ann")
            batch.touchpoint("user_id:ann", message_id=f"{number}", traits=said)
            batch.apply()
    with store.read() as view:
        found = {(claim.trait, claim.value, claim.count) for claim in view.claims([1])[1]}
        assert found == {(name, value, 2) for name, value in said.items()}
        assert [hit.attribute for hit in view.search("zurich zurich", 10)] == ["trait:name"]
        assert [hit.attribute for hit in view.search("\u02bcn\u02bcn", 10)] == ["trait:firstName"]
