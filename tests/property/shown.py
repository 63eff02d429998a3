"""What a real store shows of some evidence, beside what the oracle says of it. All of it is read through one view."""

import json
from collections.abc import Mapping
from typing import Final

from onefold.model.claims import canonical_json
from onefold.model.events import Event as StoredEvent
from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import PublicIds, encode
from onefold.model.normalise import Normaliser
from onefold.model.reading import JourneyPage, KnownIdentifier, Touchpoint
from onefold.model.sources import Source, Trust
from onefold.model.traits import Survivorship, TraitRule, TraitRules
from onefold.service import consents as service_consents
from onefold.service import evidence as service_evidence
from onefold.service import journeys as service_journeys
from onefold.service import profiles as service_profiles
from onefold.service.reading import Means, Reading
from onefold.stitch.rules import Rules
from onefold.store.view import View
from tests.oracle.consents import consents
from tests.oracle.evidence import Event, Evidence, Identifier, Pair
from tests.oracle.journeys import journeys, linked_at
from tests.oracle.profiles import profiles
from tests.oracle.stitching import stitch
from tests.property.agreement import same
from tests.property.playing import key_of
from tests.property.strategies import TRAITS

PAGE: Final = 3
SEARCHED: Final = "name"
TRAIT_RULES: Final = TraitRules(
    {
        name: TraitRule(Survivorship(rule.rule), rule.sources, searchable=name == SEARCHED)
        for name, rule in TRAITS.items()
    }
)


def means(rules: Rules) -> Means:
    return Means(rules, Normaliser(rules.namespaces, "GB"), TRAIT_RULES, 1_000)


def stored_event(event: Event, evidence: Evidence) -> StoredEvent:
    """The oracle's event as decoding makes it."""
    rules, linking = evidence.rules, evidence.linking(event)
    held = [name for name, _ in linking]
    devices = [i for i in linking if i[0] == "device_id"]
    return StoredEvent(
        message=message_of(event),
        content=b"\0" * 8,
        message_id=event.message_id,
        source=Source(event.source, Trust(event.trust)),
        at_ms=event.at_ms,
        received_ms=event.received_ms,
        type="identify" if event.traits else "track",
        name=None,
        channel="web",
        campaign=None,
        revenue=None,
        currency=None,
        identifiers=tuple(map(key_of, linking)),
        operators=tuple(key_of(i) for i in event.identifiers if rules[i[0]].kind == "operator"),
        device=key_of(devices[0]) if devices else None,
        crowded=any(held.count(name) > (rules[name].limit or len(held)) for name in held),
        alias=None,
        traits=dict(event.traits),
        body=b"{}",
        consents=dict(event.consents),
    )


def message_of(event: Event) -> bytes:
    """Its message hash; here the text, so that a failure can be read."""
    return ":".join(event.key).encode().ljust(16, b".")


Shown = dict[str, object]
"""What is shown, part by part; equal before a judgement and after it was taken back."""


class Look:
    """One view of a store."""

    def __init__(self, view: View, rules: Rules, secret: bytes) -> None:
        """`secret`: the store's."""
        self.view, self.secret = view, secret
        self.reading = Reading(view, means(rules))

    def all_known(self) -> dict[int, KnownIdentifier]:
        """Every identifier but operators."""
        most = self.view.head().identifier
        return {n: row for n, row in self.view.by_number(range(1, most + 1)).items() if row.customer}

    def shown(self) -> Shown:
        """Customers by public id with their members, refusals, generic identifiers, journeys, profiles,
        consents."""
        known = self.all_known()
        keys = sorted({row.customer for row in known.values()})
        customers = self.view.customers(keys)
        members = self.view.members(keys)
        claims = service_profiles.profiles(self.reading, keys)
        return {
            "members": {customers[k].public_id: {plain(row.key) for row in members[k]} for k in keys},
            "sizes": {customers[k].public_id: customers[k].size for k in keys},
            "refusals": self.refusals(known),
            "generic": {plain(row.key): row.generic_from for row in known.values()},
            "linked_at": {plain(known[n].key): at_ms for n, at_ms in self.view.linked_at(list(known)).items()},
            "journeys": {
                customers[k].public_id: [self.happened(t, known) for t in self.journey(k, newest_first=False)]
                for k in keys
            },
            "profiles": {
                customers[k].public_id: {
                    trait: (plain(s.claim.identifier), s.claim.source, s.claim.value_json)
                    for trait, s in profile.items()
                }
                for k, profile in zip(keys, claims, strict=True)
            },
            "consents": {
                customers[k].public_id: {
                    purpose: (s.consent.given, s.consent.at_ms, plain(s.consent.identifier), s.consent.source)
                    for purpose, s in standing.items()
                }
                for k, standing in zip(keys, service_consents.consents(self.reading, keys), strict=True)
            },
        }

    def refusals(self, known: Mapping[int, KnownIdentifier]) -> dict[Pair, str]:
        """Refused links as doors show them, from both ends the same."""
        found = {link.pair: link for rows in self.view.links(list(known), 1_000).values() for link in rows}
        shown = service_evidence.evidence(self.reading, list(found.values()))
        refused: dict[Pair, str] = {}
        for link, refusal in zip(shown, service_evidence.refusals(self.reading, shown), strict=True):
            if refusal is not None:
                first, second = sorted((plain(link.a.key), plain(link.b.key)))
                refused[first, second] = refusal.reason
        return refused

    def journey(self, customer: int, *, newest_first: bool) -> list[Touchpoint]:
        """All of a journey, page by page."""
        found: list[Touchpoint] = []
        while True:
            beyond = (found[-1].at_ms, found[-1].number) if found else None
            page = self.view.journeys([customer], JourneyPage(PAGE, newest_first, beyond)).get(customer, [])
            found += page
            if len(page) < PAGE:
                return found

    def happened(self, touchpoint: Touchpoint, known: Mapping[int, KnownIdentifier]) -> tuple[object, ...]:
        [linkage] = service_journeys.linkages(self.reading, [touchpoint])
        return touchpoint.message, touchpoint.at_ms, plain(known[touchpoint.subject].key), linkage.retroactive

    def check(self, evidence: Evidence) -> None:
        """Everything shown is what the oracle says."""
        shown, expected = self.shown(), foretold(evidence, self.secret)
        for part, found in shown.items():
            assert isinstance(found, dict)
            right = expected[part]
            assert isinstance(right, dict)
            same(part, found, right)
        self.check_ways_in()

    def check_ways_in(self) -> None:
        """Journeys read the same from both ends; every identifier is found by key, by id and by its value; so is every
        searchable claim."""
        known = self.all_known()
        by_key = self.view.by_key([row.key for row in known.values()])
        assert by_key == {row.key: row for row in known.values()}
        by_public = self.view.by_public([row.public for row in known.values()])
        assert by_public == {row.public: row for row in known.values()}
        for customer in {row.customer for row in known.values()}:
            forward = self.journey(customer, newest_first=False)
            assert forward == self.journey(customer, newest_first=True)[::-1]
        for row in known.values():
            hits = self.view.search(row.key.value, 1_000)
            found = [(hit.identifier, hit.customer) for hit in hits if hit.attribute == row.key.namespace]
            assert (row.number, row.customer) in found, f"search does not find {row.key}"


def plain(key: IdentifierKey) -> Identifier:
    return key.namespace, key.value


def foretold(evidence: Evidence, secret: bytes) -> Shown:
    """What `Look.shown` has to show."""
    stitched, ids = stitch(evidence), PublicIds(secret)

    def public_id(anchor: Identifier) -> str:
        return encode("cus", ids.digest(key_of(anchor)))

    members: dict[str, set[Identifier]] = {}
    for identifier, anchor in stitched.customers.items():
        members.setdefault(public_id(anchor), set()).add(identifier)
    arrival = {key: place for place, key in enumerate(evidence.events)}
    refusals = {
        pair: reason
        for pair, reason in stitched.refusals.items()
        if stitched.customers[pair[0]] != stitched.customers[pair[1]]
    }
    return {
        "members": members,
        "sizes": {anchor: len(group) for anchor, group in members.items()},
        "refusals": refusals,
        "generic": {
            i: 0 if i in stitched.generic[0] else 1 if i in stitched.generic[1] else 2 for i in stitched.customers
        },
        "linked_at": linked_at(evidence, stitched),
        "journeys": {
            public_id(anchor): [
                (message_of(evidence.events[t.key]), t.at_ms, t.subject, t.retroactive)
                for t in sorted(happened, key=lambda t: (t.at_ms, arrival[t.key]))
            ]
            for anchor, happened in journeys(evidence, stitched).items()
        },
        "profiles": {
            public_id(anchor): {
                trait: (claim.identifier, claim.source, canonical_json(json.loads(claim.value)))
                for trait, claim in profile.items()
            }
            for anchor, profile in profiles(evidence, stitched, TRAITS).items()
        },
        "consents": {
            public_id(anchor): {purpose: tuple(counts) for purpose, counts in standing.items()}
            for anchor, standing in consents(evidence, stitched).items()
        },
    }
