"""Reading identifiers, customers and what was said of them."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final

from onefold.model.claims import Claim
from onefold.model.consents import Consent
from onefold.model.graph import Judgement
from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import encode
from onefold.model.reading import KnownCustomer, KnownIdentifier
from onefold.store.neo4j.reading.gate import gated
from onefold.store.neo4j.reading.snapshot import Snapshot
from onefold.store.neo4j.rows import JUDGEMENT, Row, judgements_of, public_of

KNOWN: Final = "[i.number, i.namespace, i.value, i.id, i.customer, i.generic, i.first_ms, i.last_ms]"
BY_NUMBER: Final = gated(
    "UNWIND $p.numbers AS n MATCH (i:Identifier) USING INDEX SEEK i:Identifier(number) WHERE n <= i.number <= n "
    f"RETURN collect({KNOWN})"
)
MEMBERS: Final = gated(
    "UNWIND $p.numbers AS n MATCH (i:Identifier {customer: n}) USING INDEX SEEK i:Identifier(customer) "
    f"RETURN collect({KNOWN})"
)
# A customer may hold thousands: one pass over them, without their names for whoever is known by the anchor's.
OWNER: Final = (
    "MATCH (c:Customer) USING INDEX SEEK c:Customer(key) WHERE n <= c.key <= n "
    "WITH c, n, c.anchor AS anchor MATCH (a:Identifier) USING INDEX SEEK a:Identifier(number) "
    "WHERE anchor <= a.number <= anchor WITH c, n, a.namespace IN $p.named AS named CALL (n, named) { "
    "MATCH (i:Identifier {customer: n}) USING INDEX SEEK i:Identifier(customer) RETURN min(i.first_ms) AS first, "
    "max(i.last_ms) AS last, max(CASE WHEN named OR i.namespace IN $p.named THEN 1 ELSE 0 END) AS known } "
    "RETURN collect([c.key, c.anchor, c.id, c.size, first, last, known = 0, c.counts, c.apart])"
)
CUSTOMERS: Final = gated(f"UNWIND $p.numbers AS n {OWNER}")
# Whoever looks an identifier up asks for its customer next: both come in one answer.
BY_ID: Final = gated(
    "CALL () { UNWIND $p.ids AS id MATCH (i:Identifier) USING INDEX SEEK i:Identifier(id) WHERE id <= i.id <= id "
    f"RETURN collect({KNOWN}) AS found, collect(DISTINCT i.customer) AS keys }} "
    f"CALL (keys) {{ UNWIND keys AS n {OWNER} AS owners }} RETURN [found, owners]"
)
CLAIMS: Final = gated(
    "UNWIND $p.numbers AS n MATCH (i:Identifier {customer: n}) USING INDEX SEEK i:Identifier(customer) "
    "MATCH (i)-[:CLAIMS]->(c:Claim) "
    "RETURN collect([n, i.namespace, i.value, c.trait, c.source, c.value, c.first_ms, c.last_ms, c.count])"
)
CONSENTS: Final = gated(
    "UNWIND $p.numbers AS n MATCH (i:Identifier {customer: n}) USING INDEX SEEK i:Identifier(customer) "
    "MATCH (i)-[:CONSENTS]->(c:Consent) "
    "RETURN collect([n, i.namespace, i.value, c.purpose, c.given, c.at_ms, c.source])"
)
STANDING: Final = gated(
    "UNWIND ['a', 'b'] AS side UNWIND $p.numbers AS n CALL (side, n) { "
    "WITH side, n WHERE side = 'a' MATCH (j:Judgement {a: n}) USING INDEX SEEK j:Judgement(a) RETURN j UNION ALL "
    "WITH side, n WHERE side = 'b' MATCH (j:Judgement {b: n}) USING INDEX SEEK j:Judgement(b) RETURN j } "
    f"WITH j WHERE j.retracted_ms IS NULL RETURN collect({JUDGEMENT})"
)
JUDGEMENTS_BY_NUMBER: Final = gated(
    "UNWIND $p.numbers AS n MATCH (j:Judgement) USING INDEX SEEK j:Judgement(number) WHERE n <= j.number <= n "
    f"RETURN collect({JUDGEMENT})"
)

_number: Final = attrgetter("number")


class Identities(Snapshot):
    """Who there is."""

    __slots__ = ()

    def by_key(self, keys: Sequence[IdentifierKey]) -> dict[IdentifierKey, KnownIdentifier]:
        """Identifiers by namespace and value."""
        digest = self._facts.ids.digest
        return {found.key: found for found in self.by_public([digest(key) for key in keys]).values()}

    def by_public(self, publics: Sequence[bytes]) -> dict[bytes, KnownIdentifier]:
        """Identifiers by the 16 bytes of their public ids."""
        if not publics:
            return {}
        ids = sorted({encode("idn", public) for public in publics})
        rows, owners = self._ask(BY_ID, ids=ids, named=self._facts.named)
        self._ahead.update(_customers(owners))
        return {found.public: found for found in _known(rows)}

    def by_number(self, numbers: Sequence[int]) -> dict[int, KnownIdentifier]:
        """Identifiers by the store's number."""
        return {found.number: found for found in _known(self._of(BY_NUMBER, numbers))}

    def customers(self, keys: Sequence[int]) -> dict[int, KnownCustomer]:
        """Customers by key; most were read with the identifiers by which they were found."""
        self._asking.check()
        ahead = self._ahead
        missing = [key for key in keys if key not in ahead]
        found = _customers(self._of(CUSTOMERS, missing, named=self._facts.named))
        return found | {key: ahead[key] for key in keys if key in ahead}

    def members(self, customers: Sequence[int]) -> dict[int, list[KnownIdentifier]]:
        """All identifiers of each customer, the eldest first."""
        found: dict[int, list[KnownIdentifier]] = {}
        for identifier in sorted(_known(self._of(MEMBERS, customers)), key=_number):
            found.setdefault(identifier.customer, []).append(identifier)
        return found

    def claims(self, customers: Sequence[int]) -> dict[int, list[Claim]]:
        """All claims about the identifiers of each customer."""
        rows = self._of(CLAIMS, customers)
        sources = self._named(row[4] for row in rows)
        found: dict[int, list[Claim]] = {}
        for customer, namespace, value, trait, number, *said in rows:
            source = sources[number]
            value_json, first_ms, last_ms, count = said
            claim = Claim(
                IdentifierKey(namespace, value), trait, source.name, value_json, first_ms, last_ms, count, source.trust
            )
            found.setdefault(customer, []).append(claim)
        return found

    def consents(self, customers: Sequence[int]) -> dict[int, list[Consent]]:
        """All consents of the identifiers of each customer."""
        rows = self._of(CONSENTS, customers)
        sources = self._named(row[-1] for row in rows)
        found: dict[int, list[Consent]] = {}
        for customer, namespace, value, purpose, given, at_ms, number in rows:
            source = sources[number]
            consent = Consent(IdentifierKey(namespace, value), purpose, given, at_ms, source.name, source.trust)
            found.setdefault(customer, []).append(consent)
        return found

    def judgements(self, identifiers: Sequence[int]) -> list[Judgement]:
        """Standing judgements that name any of these identifiers."""
        return judgements_of(self._of(STANDING, identifiers))

    def judgements_by_number(self, numbers: Sequence[int]) -> dict[int, Judgement]:
        """Judgements, standing or retracted."""
        return {found.number: found for found in judgements_of(self._of(JUDGEMENTS_BY_NUMBER, numbers))}


def _customers(rows: Iterable[Row]) -> dict[int, KnownCustomer]:
    return {
        key: KnownCustomer(key, anchor, public_of(id_), size, first, last, anonymous, tuple(counts), apart)
        for key, anchor, id_, size, first, last, anonymous, counts, apart in rows
    }


def _known(rows: Iterable[Row]) -> list[KnownIdentifier]:
    public = public_of
    return [
        KnownIdentifier(number, IdentifierKey(namespace, value), public(id_), customer, generic, first_ms, last_ms)
        for number, namespace, value, id_, customer, generic, first_ms, last_ms in rows
    ]
