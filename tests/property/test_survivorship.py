"""Survivorship as it is told in SQL, of all customers at once, is what it is told in Python, of one."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.model.claims import Claim
from onefold.model.identifiers import IdentifierKey
from onefold.model.sources import Trust
from onefold.model.traits import Survivorship, TraitRule, TraitRules, survivor
from onefold.readmodel.database import Database, identity_of
from onefold.readmodel.filling import PROFILES
from onefold.readmodel.place import Place

pytestmark = pytest.mark.slow

RULES = TraitRules(
    {
        "newest": TraitRule(Survivorship.NEWEST),
        "oldest": TraitRule(Survivorship.OLDEST),
        "most_frequent": TraitRule(Survivorship.MOST_FREQUENT),
        "source_order": TraitRule(Survivorship.SOURCE_ORDER, ("till", "web")),
    },
    TraitRule(Survivorship.OLDEST),
)
# In the order of code points an emoji comes after the private use area; by UTF-16 units it would come before.
VALUES = ('"a"', '"\U0001f98a"', '"\ue000"', "10")
NAMES = (("email", "b"), ("email", "B"), ("user_id", "a"), ("phone", "\U0001f98a"))
IDENTIFIERS = [IdentifierKey(*name) for name in NAMES]
FEW = st.integers(1, 3)
SLOW = 6
"""How many times fewer examples than a store of dictionaries a database gets."""

CLAIMS = st.lists(
    st.builds(
        lambda identifier, source, value, first_ms, further_ms, count, trust: Claim(
            identifier, "", source, value, first_ms, first_ms + further_ms, count, trust
        ),
        st.sampled_from(IDENTIFIERS),
        st.sampled_from(("till", "web", "crm")),
        st.sampled_from(VALUES),
        FEW,
        FEW,
        FEW,
        st.sampled_from(Trust),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda claim: (claim.identifier, claim.source, claim.trust, claim.value_json),
)
"""Of one trait."""
TRAITS = (*RULES.declared, "other")


Said = list[tuple[str, list[Claim]]]
"""Of each customer: a trait, and the claims about it."""


@contextmanager
def tables(said: Said) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read model's tables in which these claims are made. All customers' identifiers have the same names."""
    opened = Database(Place(threads=1), identity_of(b"secret", RULES), RULES)
    identifiers, claims = [], []
    for customer, (trait, of_one) in enumerate(said, 1):
        first = customer * len(NAMES)
        identifiers += [[first + place, *name, customer] for place, name in enumerate(NAMES)]
        claims += [
            [
                *(first + IDENTIFIERS.index(claim.identifier), trait, claim.source, int(claim.trust)),
                *(claim.value_json, claim.first_ms, claim.last_ms, claim.count),
            ]
            for claim in of_one
        ]
    try:
        insert = "INSERT INTO internal.identifiers VALUES (?, '', ?, ?, ?, false, 0, 0)"
        opened.connection.executemany(insert, identifiers)
        opened.connection.executemany("INSERT INTO internal.claims VALUES (?, ?, ?, ?, ?, NULL, NULL, ?, ?, ?)", claims)
        yield opened.connection
    finally:
        opened.close()


@settings(max_examples=max(settings().max_examples // SLOW, 25))
@given(said=st.lists(st.tuples(st.sampled_from(TRAITS), CLAIMS), min_size=10, max_size=25))
def test_sql_and_python_let_the_same_claim_survive(said: Said) -> None:
    with tables(said) as connection:
        connection.execute(PROFILES.format(among=""))
        rows = connection.execute(
            "SELECT p.customer, p.trait, i.namespace, i.value, p.source, p.trust, p.value, p.first_ms, p.last_ms, "
            "p.count FROM internal.profiles p JOIN internal.identifiers i ON i.number = p.identifier ORDER BY customer"
        ).fetchall()
    expected = []
    for customer, (trait, claims) in enumerate(said, 1):
        kept = survivor(claims, RULES[trait])
        told = (kept.source, int(kept.trust), kept.value_json, kept.first_ms, kept.last_ms, kept.count)
        expected.append((customer, trait, *kept.identifier, *told))
    assert rows == expected
