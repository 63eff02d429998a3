"""Reading identifiers, customers and what was said of them."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final

from onefold.model.claims import Claim
from onefold.model.consents import Consent
from onefold.model.graph import Judgement
from onefold.model.identifiers import IdentifierKey
from onefold.model.reading import KnownCustomer, KnownIdentifier
from onefold.store.sqlite.reading.snapshot import Snapshot
from onefold.store.sqlite.rows import JUDGEMENT, STANDING, ask, blobs, judgements_of, read_number_tuple

KNOWN: Final = "i.number, i.namespace, i.value, i.public, i.customer, i.generic, i.first_ms, i.last_ms"
BY_PUBLIC: Final = f"SELECT {KNOWN} FROM carray(?) k CROSS JOIN identifiers i ON i.public = k.value"
BY_NUMBER: Final = f"SELECT {KNOWN} FROM carray(?) k CROSS JOIN identifiers i ON i.number = k.value"
MEMBERS: Final = f"SELECT {KNOWN} FROM carray(?) k CROSS JOIN identifiers i ON i.customer = k.value"
# A customer may hold thousands: both times in one pass, and no pass for the names of who is known by the anchor's.
CUSTOMERS: Final = (
    "SELECT c.key, c.anchor, a.public, c.size, (SELECT '[' || min(i.first_ms) || ',' || max(i.last_ms) || ']' "
    "FROM identifiers i WHERE i.customer = c.key), NOT (a.namespace IN ({named}) OR EXISTS "
    "(SELECT 1 FROM identifiers i WHERE i.customer = c.key AND i.namespace IN ({named}))), c.counts, c.apart "
    "FROM carray(?1) k CROSS JOIN customers c ON c.key = k.value CROSS JOIN identifiers a ON a.number = c.anchor"
)
CLAIMS: Final = (
    "SELECT i.customer, i.namespace, i.value, c.trait, c.source, c.value, c.first_ms, c.last_ms, c.count "
    "FROM carray(?) k CROSS JOIN identifiers i ON i.customer = k.value CROSS JOIN claims c ON c.identifier = i.number"
)
CONSENTS: Final = (
    "SELECT i.customer, i.namespace, i.value, c.purpose, c.given, c.at_ms, c.source "
    "FROM carray(?) k CROSS JOIN identifiers i ON i.customer = k.value CROSS JOIN consents c ON c.identifier = i.number"
)
JUDGEMENTS_BY_NUMBER: Final = f"SELECT {JUDGEMENT} FROM carray(?) k CROSS JOIN judgements j ON j.number = k.value"

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
        return {found.public: found for found in _known(ask(self._connection, BY_PUBLIC, blobs(set(publics))))}

    def by_number(self, numbers: Sequence[int]) -> dict[int, KnownIdentifier]:
        """Identifiers by the store's number."""
        return {found.number: found for found in _known(self._ask(BY_NUMBER, numbers))}

    def customers(self, keys: Sequence[int]) -> dict[int, KnownCustomer]:
        """Customers by key."""
        named, read = self._facts.named, read_number_tuple
        statement = CUSTOMERS.format(named=", ".join(f"?{number}" for number in range(2, len(named) + 2)))
        rows = self._ask(statement, keys, *named)
        found: dict[int, KnownCustomer] = {}
        for key, anchor, public, size, times, anonymous, counts, apart in rows:
            first, last = read(times)
            found[key] = KnownCustomer(key, anchor, public, size, first, last, bool(anonymous), read(counts), apart)
        return found

    def members(self, customers: Sequence[int]) -> dict[int, list[KnownIdentifier]]:
        """All identifiers of each customer, the eldest first."""
        found: dict[int, list[KnownIdentifier]] = {}
        for identifier in _known(self._ask(MEMBERS, customers)):
            found.setdefault(identifier.customer, []).append(identifier)
        for held in found.values():  # the index gives them so, but does not promise it; sorting in SQL costs a table
            held.sort(key=_number)
        return found

    def claims(self, customers: Sequence[int]) -> dict[int, list[Claim]]:
        """All claims about the identifiers of each customer."""
        sources = self._known_sources()
        found: dict[int, list[Claim]] = {}
        for customer, namespace, value, trait, number, *said in self._ask(CLAIMS, customers):
            source = sources[number]
            value_json, first_ms, last_ms, count = said
            claim = Claim(
                IdentifierKey(namespace, value), trait, source.name, value_json, first_ms, last_ms, count, source.trust
            )
            found.setdefault(customer, []).append(claim)
        return found

    def consents(self, customers: Sequence[int]) -> dict[int, list[Consent]]:
        """All consents of the identifiers of each customer."""
        sources = self._known_sources()
        found: dict[int, list[Consent]] = {}
        for customer, namespace, value, purpose, given, at_ms, number in self._ask(CONSENTS, customers):
            source = sources[number]
            consent = Consent(IdentifierKey(namespace, value), purpose, bool(given), at_ms, source.name, source.trust)
            found.setdefault(customer, []).append(consent)
        return found

    def judgements(self, identifiers: Sequence[int]) -> list[Judgement]:
        """Standing judgements that name any of these identifiers."""
        return judgements_of(self._ask(STANDING, identifiers))

    def judgements_by_number(self, numbers: Sequence[int]) -> dict[int, Judgement]:
        """Judgements, standing or retracted."""
        return {found.number: found for found in judgements_of(self._ask(JUDGEMENTS_BY_NUMBER, numbers))}


def _known(rows: Iterable[tuple[Any, ...]]) -> list[KnownIdentifier]:
    return [
        KnownIdentifier(number, IdentifierKey(namespace, value), public, customer, generic, first_ms, last_ms)
        for number, namespace, value, public, customer, generic, first_ms, last_ms in rows
    ]
