"""What a read model holds, beside what its store answers: all of both, in the same form."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from onefold.model.consents import by_purpose
from onefold.model.ids import encode
from onefold.model.moments import moment_ms
from onefold.model.namespaces import Kind, Namespaces
from onefold.model.reading import JourneyPage, Touchpoint
from onefold.model.traits import TraitRules, survivor
from onefold.readmodel.model import Asking
from onefold.store.view import View

ALL: Final = JourneyPage(1_000_000, newest_first=False)
NINE_DECIMALS: Final = Decimal("1e-9")
TABLES: Final = ("touchpoints", "identifiers", "customers", "claims", "consents", "profiles")

Holdings = dict[str, Any]

IDENTIFIER: Final = "i.number, 'idn_' || i.public, i.namespace, i.value, i.customer, i.generic, i.first_ms, i.last_ms"
CUSTOMERS: Final = "SELECT customer, anchor, id, first_ms, last_ms, anonymous FROM internal.customers"
TOUCHPOINT: Final = (
    "t.number, t.message, t.message_id, t.source, t.at_ms, t.received_ms, t.type, t.name, t.channel, t.campaign, "
    "t.revenue, t.currency, t.subject, t.device, t.body"
)
CLAIMS: Final = (
    "SELECT i.customer, i.namespace, i.value, c.trait, c.source, c.trust, c.value, c.number, c.time_ms, c.first_ms, "
    "c.last_ms, c.count FROM internal.claims c JOIN internal.identifiers i ON i.number = c.identifier"
)
PROFILES: Final = (
    "SELECT p.customer, p.trait, i.namespace, i.value, p.source, p.trust, p.value, p.number, p.time_ms, p.first_ms, "
    "p.last_ms, p.count FROM internal.profiles p JOIN internal.identifiers i ON i.number = p.identifier"
)
AGREED: Final = (
    "SELECT a.customer, a.purpose, a.given, a.at_ms, a.source, i.namespace, i.value FROM internal.agreed a "
    "JOIN internal.identifiers i ON i.number = a.identifier"
)


def held(asking: Asking) -> Holdings:
    """What it says of every customer, and of everything."""
    return {
        "seq": asking.as_of_seq,
        "identifiers": dict(_keyed(asking.rows(f"SELECT {IDENTIFIER} FROM internal.identifiers i"))),
        "customers": dict(_keyed(asking.rows(CUSTOMERS))),
        "journeys": _grouped(
            asking.rows(
                f"SELECT i.customer, {TOUCHPOINT} FROM internal.touchpoints t "
                "JOIN internal.identifiers i ON i.number = t.subject ORDER BY t.at_ms, t.number"
            )
        ),
        "claims": sorted(asking.rows(CLAIMS), key=repr),
        "profiles": {row[:2]: row[2:] for row in asking.rows(PROFILES)},
        "agreed": {row[:2]: row[2:] for row in asking.rows(AGREED)},
    }


def answered(view: View, namespaces: Namespaces, traits: TraitRules) -> Holdings:
    """What the store's point reads say of the same."""
    known = view.by_number(range(1, view.head().identifier + 1))
    keys = sorted({row.customer for row in known.values()} - {0})
    members = view.members(keys)
    named = {n.name for n in namespaces if n.kind in (Kind.PERSON, Kind.CONTACT)}
    claims = view.claims(keys)
    said = [(key, claim) for key, of_one in claims.items() for claim in of_one]
    assert {row.customer for row in known.values()} >= members.keys()
    profiles, agreed = {}, {}
    for key, of_one in claims.items():
        for trait in {claim.trait for claim in of_one}:
            kept = survivor((claim for claim in of_one if claim.trait == trait), traits[trait])
            profiles[key, trait] = _claim(kept)
    for key, consents in view.consents(keys).items():
        for purpose, [first, *_] in by_purpose(consents).items():
            agreed[key, purpose] = (first.given, first.at_ms, first.source, *first.identifier)
    customers = view.customers(keys)
    for key in keys:
        assert customers[key].anonymous != any(member.key.namespace in named for member in members[key])
    return {
        "seq": view.head().seq,
        "identifiers": {
            i.number: (i.public_id, *i.key, i.customer, i.generic, i.first_ms, i.last_ms) for i in known.values()
        },
        "customers": {c.key: (c.anchor, c.public_id, c.first_ms, c.last_ms, c.anonymous) for c in customers.values()},
        "journeys": {key: [_touchpoint(t) for t in journey] for key, journey in view.journeys(keys, ALL).items()},
        "claims": sorted(((key, *claim.identifier, claim.trait, *_claim(claim)[2:]) for key, claim in said), key=repr),
        "profiles": profiles,
        "agreed": agreed,
    }


def _claim(claim: Any) -> tuple[Any, ...]:
    value = claim.value
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    time_ms = moment_ms(value) if isinstance(value, str) else None
    return (
        *(*claim.identifier, claim.source, int(claim.trust), claim.value_json, number, time_ms),
        *(claim.first_ms, claim.last_ms, claim.count),
    )


def _touchpoint(t: Touchpoint) -> tuple[Any, ...]:
    revenue = None if t.revenue is None else Decimal(t.revenue).quantize(NINE_DECIMALS, ROUND_HALF_EVEN)
    return (
        *(t.number, t.message, t.message_id, t.source, t.at_ms, t.received_ms, t.type, t.name, t.channel, t.campaign),
        *(revenue, t.currency, t.subject, t.device, t.body.decode()),
    )


def _keyed(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, tuple[Any, ...]]]:
    assert len({row[0] for row in rows}) == len(rows), "each is there once"
    return [(row[0], row[1:]) for row in rows]


def _grouped(rows: Sequence[tuple[Any, ...]]) -> dict[Any, list[tuple[Any, ...]]]:
    found: dict[Any, list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row[1:])
    return found


def contents(asking: Asking) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table, in plain order."""
    return {table: sorted(asking.rows(f"SELECT * FROM internal.{table}"), key=repr) for table in TABLES}


def check_level(asking: Asking, view: View, namespaces: Namespaces, traits: TraitRules) -> None:
    """What it says is what the store says; else the message shows where they differ."""
    found, expected = held(asking), answered(view, namespaces, traits)
    for part, said in expected.items():
        assert found[part] == said, part
    _check_ids(asking)


def _check_ids(asking: Asking) -> None:
    for said, message in asking.rows(
        "SELECT 'tp_' || internal.letters(hex(message)), message FROM internal.touchpoints"
    ):
        assert said == encode("tp", message)
