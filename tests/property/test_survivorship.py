"""Survivorship as it is told in SQL, of all customers at once, is what it is told in Python, of one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from onefold.model.claims import Claim
from onefold.model.identifiers import IdentifierKey
from onefold.model.sources import Trust
from onefold.model.traits import Survivorship, TraitRule, TraitRules, survivor
from onefold.readmodel.database import Database, identity_of
from onefold.readmodel.filling import PROFILES
from onefold.readmodel.place import Place

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
VALUES = ('"a"', '"B"', '"é"', '"\U0001f98a"', '"\ue000"', "7", "10", "true", '["a"]')
NAMES = (("email", "b"), ("email", "B"), ("user_id", "a"), ("phone", "\U0001f98a"))
IDENTIFIERS = [IdentifierKey(*name) for name in NAMES]
FEW = st.integers(1, 3)

CLAIMS = st.lists(
    st.builds(
        lambda identifier, trait, source, value, first_ms, further_ms, count, trust: Claim(
            identifier, trait, source, value, first_ms, first_ms + further_ms, count, trust
        ),
        st.sampled_from(IDENTIFIERS),
        st.sampled_from((*RULES.declared, "other")),
        st.sampled_from(("till", "web", "crm")),
        st.sampled_from(VALUES),
        FEW,
        FEW,
        FEW,
        st.sampled_from(Trust),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda claim: (claim.identifier, claim.trait, claim.source, claim.trust, claim.value_json),
)


@contextmanager
def tables(claims: Sequence[Claim]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read model's tables in which one customer has these claims."""
    opened = Database(Place(threads=1), identity_of(b"secret", RULES), RULES)
    connection = opened.connection
    try:
        connection.executemany(
            "INSERT INTO internal.identifiers VALUES (?, '', ?, ?, 1, false, 0, 0)",
            [[number, *key] for number, key in enumerate(IDENTIFIERS)],
        )
        rows = [
            (
                *(IDENTIFIERS.index(claim.identifier), claim.trait, claim.source, int(claim.trust), claim.value_json),
                *(None, None, claim.first_ms, claim.last_ms, claim.count),
            )
            for claim in claims
        ]
        connection.executemany("INSERT INTO internal.claims VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        yield connection
    finally:
        opened.close()


@given(claims=CLAIMS)
def test_sql_and_python_let_the_same_claim_survive(claims: list[Claim]) -> None:
    with tables(claims) as connection:
        connection.execute(PROFILES.format(among=""))
        rows = connection.execute(
            "SELECT p.trait, i.namespace, i.value, p.source, p.trust, p.value, p.first_ms, p.last_ms, p.count "
            "FROM internal.profiles p JOIN internal.identifiers i ON i.number = p.identifier"
        ).fetchall()
    expected = set()
    for trait in {claim.trait for claim in claims}:
        kept = survivor((claim for claim in claims if claim.trait == trait), RULES[trait])
        said = (kept.source, int(kept.trust), kept.value_json, kept.first_ms, kept.last_ms, kept.count)
        expected.add((trait, *kept.identifier, *said))
    assert len(rows) == len(expected)
    assert set(rows) == expected
