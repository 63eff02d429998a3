"""From a change set to the lists of rows that the writing statement takes, one list for each of its blocks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from onefold.model.changes import ChangeSet, Decision
from onefold.model.events import Event
from onefold.model.graph import Customer, Identifier, Link
from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import encode_number
from onefold.model.sources import Source, Trust
from onefold.stitch.rules import NO_TRUST
from onefold.store.feed_kinds import CLAIMS_CHANGE, CONSENTS_CHANGE, MOVE_CHANGE, SUBJECT_CHANGE
from onefold.store.folding import claimed_text, indexed
from onefold.store.kept import NOBODY, Kept, Said
from onefold.store.neo4j.rows import searched_text
from onefold.store.neo4j.writing.known import Known
from onefold.store.neo4j.writing.names import Names
from onefold.store.searched import Searched

Rows = dict[str, list[Any]]
"""Rows by the name of the list in `$p`."""

_YES: Final = [1]
_NO: Final[list[int]] = []
"""A label is set for each member of such a list."""


def identifier_rows(changes: ChangeSet, known: Known, devices: frozenset[str]) -> Rows:
    """Identifiers and customers that are new, identifiers that changed or moved. `devices`: the namespaces whose
    identifiers are devices."""
    held: dict[int, list[Any]] = {customer.key: [] for customer in changes.new_customers}
    elsewhere: list[Any] = []
    for new in changes.new_identifiers:
        public_id = known.public[new.id] = known.names.identifier(new.key)
        held.get(new.customer, elsewhere).append(
            [new.id, public_id, new.key.namespace, new.key.value, new.customer, *_kept_of(new),
             indexed(new.key.value), _YES if new.key.namespace in devices else _NO]
        )  # fmt: skip
    return {
        "customers": [
            [customer.key, _customer_id(known.public.get(customer.anchor)), *_follows_of(customer), held[customer.key]]
            for customer in changes.new_customers
        ],
        "identifiers": elsewhere,
        "changed_identifiers": [[changed.id, *_kept_of(changed)] for changed in changes.changed_identifiers],
        "moved": [[move.identifier, move.customer] for move in changes.moves if move.was],
        **_labels(changes, known),
    }


def _kept_of(identifier: Identifier) -> tuple[Any, ...]:
    """What stitching keeps of an identifier."""
    return (
        identifier.joined, identifier.generic, identifier.seen, identifier.one, identifier.apart, identifier.first_ms,
        identifier.last_ms, identifier.touched_first_ms, identifier.touched_last_ms,
    )  # fmt: skip


def _labels(changes: ChangeSet, known: Known) -> Rows:
    """Which identifiers become generic, and which stop being so."""
    labels: Rows = {"generic": [], "ordinary": []}
    for new in changes.new_identifiers:
        if new.generic <= Trust.PUBLIC:
            labels["generic"].append(new.id)
    for changed in changes.changed_identifiers:
        was = known.generic.get(changed.id)
        now_generic = changed.generic <= Trust.PUBLIC
        if was is None or now_generic != (was <= Trust.PUBLIC):
            labels["generic" if now_generic else "ordinary"].append(changed.id)
    known.generic.update((row.id, row.generic) for row in (*changes.new_identifiers, *changes.changed_identifiers))
    return labels


def customer_rows(changes: ChangeSet, known: Known) -> Rows:
    """Customers that changed, and those that are gone. `anchored`: those whose id has to be looked up."""
    anchored = [[c.key, c.anchor] for c in changes.new_customers if c.anchor not in known.public]
    anchored += [[c.key, c.anchor] for c in changes.changed_customers if known.anchors.get(c.key) != c.anchor]
    known.anchors.update((c.key, c.anchor) for c in (*changes.new_customers, *changes.changed_customers))
    return {
        "changed_customers": [[customer.key, *_follows_of(customer)] for customer in changes.changed_customers],
        "anchored": anchored,
        "dropped": changes.dropped_customers,
    }


def _follows_of(customer: Customer) -> tuple[Any, ...]:
    """What follows from a customer's identifiers."""
    return (
        customer.anchor, customer.anchor_priority, customer.size, customer.apart, customer.counts, customer.whole
    )  # fmt: skip


def _customer_id(anchor: str | None) -> str | None:
    """A customer's public id, from that of its anchor."""
    return None if anchor is None else f"cus{anchor[3:]}"


def link_rows(changes: ChangeSet) -> Rows:
    """Links that are new, that were seen again, that were decided anew."""
    return {
        "new_links": [[*_link(link), link.a, link.b] for link in changes.new_links],
        "seen_links": [_link(link) for link in changes.seen_links],
        "marked_links": [_link(link) for link in changes.marked_links],
    }


def _link(link: Link) -> list[Any]:
    seen = link.seen
    if len(seen) == 1:
        [one] = seen
        return [
            link.pair, link.mark, link.rank, [one.source], one.first_ms, one.last_ms, one.count,
            [one.source, one.first_ms, one.last_ms, one.count],
        ]  # fmt: skip
    return [
        link.pair,
        link.mark,
        link.rank,
        [one.source for one in seen],
        min([one.first_ms for one in seen]),
        max([one.last_ms for one in seen]),
        sum([one.count for one in seen]),
        [number for one in seen for number in (one.source, one.first_ms, one.last_ms, one.count)],
    ]


def touchpoint_rows(
    kept: Sequence[Kept],
    operators: Mapping[IdentifierKey, int],
    source_number: Callable[[Source], int],
    names: Names,
    seq: int,
) -> Rows:
    """The touchpoints, numbered from `seq` + 1 on, those that came through a device apart."""
    sources = {event.source: 0 for event, _ in kept}
    for source in sources:
        sources[source] = source_number(source)
    alone: list[Any] = []
    with_device: list[Any] = []
    for number, (event, place) in enumerate(kept, seq + 1):
        named = [*place.identifiers]
        device = None if event.device is None else named[event.identifiers.index(event.device)]
        if event.operators:
            named += [-operators[key] for key in event.operators]
        (alone if device is None else with_device).append(
            [number, names.touchpoint(event.message), event.content.hex(), event.message_id, sources[event.source],
             event.at_ms, event.received_ms, event.type, event.name, event.channel, event.campaign, event.revenue,
             event.currency, place.subject, device, named, event.body.decode()]
        )  # fmt: skip
    return {"touchpoints": alone, "device_touchpoints": with_device}


def operator_rows(
    seen: Mapping[IdentifierKey, tuple[int, int]], known: Mapping[IdentifierKey, int], last: int, names: Names
) -> tuple[dict[IdentifierKey, int], Rows]:
    """When each operator was seen; -> their numbers, and rows. New ones are numbered from `last` + 1 on."""
    new = {key: number for number, key in enumerate((key for key in seen if key not in known), last + 1)}
    rows: Rows = {
        "new_operators": [
            [number, names.identifier(key), *key, NOBODY, 0, NO_TRUST, 0, *seen[key]] for key, number in new.items()
        ],
        "seen_operators": [[number, *seen[key]] for key, number in known.items()],
    }
    return {**known, **new}, rows


def claim_rows(said: Iterable[Said], searched: Searched, last: int) -> list[Any]:
    """One row for each value of a trait that a source said of an identifier, numbered from `last` + 1 on."""
    counted: dict[tuple[int, str, int, int], list[Any]] = {}
    for identifier, trait, source, digest, value, at_ms in said:
        key = identifier, trait, source, digest
        row = counted.get(key)
        if row is None:
            text = claimed_text(trait, value, searched)
            folded = None if text is None else searched_text(text)
            counted[key] = [*key, last + len(counted) + 1, value, at_ms, at_ms, 1, folded]
        else:  # they come in the order of time
            row[7] = at_ms
            row[8] += 1
    return list(counted.values())


def judgement_rows(changes: ChangeSet) -> Rows:
    """A judgement made, or taken back."""
    made, back = changes.judged, changes.retracted
    return {
        "judged": []
        if made is None
        else [[made.number, made.public_id, made.same, made.a, made.b, made.author, made.reason, made.at_ms]],
        "retracted": [] if back is None else [[back.number, back.at_ms, back.author, back.reason]],
    }


def decision_rows(
    decisions: Sequence[Decision], events: Sequence[Event], names: Names, at_ms: int, seq: int
) -> list[Any]:
    """The ledger's lines, numbered from `seq` + 1 on, and whom they are about."""
    return [
        [number, encode_number("dec", number), at_ms, d.kind.value, d.reason, [*d.customers], [*d.identifiers], d.link,
         d.judgement, [names.touchpoint(events[position].message) for position in d.causes],
         list({*d.identifiers, *d.customers})]
        for number, d in enumerate(decisions, seq + 1)
    ]  # fmt: skip


def feed_rows(changes: ChangeSet, claimed: Iterable[int], consented: Iterable[int], seq: int) -> list[Any]:
    """What else stands in the change feed, numbered from `seq` + 1 on.

    Args:
        claimed, consented: identifiers whose claims, whose consents changed.
    """
    told: list[list[int | None]] = [
        [MOVE_CHANGE, move.identifier, move.customer, move.was, None] for move in changes.moves
    ]
    told += [[CLAIMS_CHANGE, identifier, None, None, None] for identifier in claimed]
    told += [[CONSENTS_CHANGE, identifier, None, None, None] for identifier in consented]
    told += [[SUBJECT_CHANGE, subject, None, None, number] for number, subject in changes.subjects.items()]
    return [[number, *line] for number, line in enumerate(told, seq + 1)]
