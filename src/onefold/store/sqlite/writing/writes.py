"""Writing what stitching changed. Nothing is written that did not change: SQLite rewrites the index entries of every
column that a statement names, so columns that seldom change have statements of their own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import apsw

from onefold.model.changes import ChangeSet, Decision
from onefold.model.events import Event
from onefold.model.identifiers import IdentifierKey
from onefold.model.sources import Source
from onefold.store.feed_kinds import CLAIMS_CHANGE, CONSENTS_CHANGE, MOVE_CHANGE, SUBJECT_CHANGE
from onefold.store.kept import Kept
from onefold.store.sqlite.rows import json_bytes, numbers

NEW_IDENTIFIER: Final = (
    "INSERT INTO identifiers (number, public, namespace, value, customer, joined, generic, seen, one, apart, "
    "first_ms, last_ms, touched_first_ms, touched_last_ms) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?, ?, ?, ?)"
)
CHANGED_IDENTIFIER: Final = (
    "UPDATE identifiers SET joined = ?2, generic = ?3, seen = CAST(?4 AS TEXT), one = ?5, apart = ?6, first_ms = ?7, "
    "last_ms = ?8, touched_first_ms = ?9, touched_last_ms = ?10 WHERE number = ?1"
)
MOVED: Final = "UPDATE identifiers SET customer = ?2 WHERE number = ?1"
NEW_CUSTOMER: Final = (
    "INSERT INTO customers (key, anchor, anchor_priority, size, apart, counts, whole) "
    "VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT))"
)
CHANGED_CUSTOMER: Final = (
    "UPDATE customers SET anchor = ?2, anchor_priority = ?3, size = ?4, apart = ?5, counts = CAST(?6 AS TEXT), "
    "whole = CAST(?7 AS TEXT) WHERE key = ?1"
)
DROPPED_CUSTOMERS: Final = "DELETE FROM customers WHERE key IN (SELECT value FROM carray(?))"
NEW_LINK: Final = "INSERT INTO links (pair, mark, rank, seen) VALUES (?, ?, ?, CAST(? AS TEXT))"
SEEN_LINK: Final = "UPDATE links SET seen = CAST(?2 AS TEXT) WHERE pair = ?1"
MARKED_LINK: Final = "UPDATE links SET mark = ?2, rank = ?3, seen = CAST(?4 AS TEXT) WHERE pair = ?1"
TOUCHPOINT: Final = (
    "INSERT INTO touchpoints (number, message, content, message_id, source, at_ms, received_ms, type, name, channel, "
    "campaign, revenue, currency, subject, device, identifiers, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT))"
)
NEW_SUBJECT: Final = "UPDATE touchpoints SET subject = ?2 WHERE number = ?1"
JUDGED: Final = "INSERT INTO judgements (number, same, a, b, author, reason, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)"
RETRACTED: Final = "UPDATE judgements SET retracted_ms = ?2, retracted_by = ?3, retracted_reason = ?4 WHERE number = ?1"
DECISION: Final = (
    "INSERT INTO decisions (seq, at_ms, kind, reason, customers, identifiers, link, judgement, messages) "
    "VALUES (?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?)"
)
ABOUT: Final = "INSERT INTO decisions_about (identifier, seq) VALUES (?, ?)"
CHANGE: Final = "INSERT INTO changes (seq, kind, identifier, customer, was, touchpoint) VALUES (?, ?, ?, ?, ?, ?)"


def write_identifiers(
    connection: apsw.Connection, changes: ChangeSet, public: Callable[[IdentifierKey], bytes]
) -> None:
    """Identifiers that are new, that changed, that moved. `public` makes the bytes of their public ids."""
    encode = json_bytes
    if changes.new_identifiers:
        connection.executemany(
            NEW_IDENTIFIER,
            [
                (i.id, public(i.key), i.key[0], i.key[1], i.customer, i.joined, i.generic,
                 None if i.seen is None else encode(i.seen), i.one, i.apart,
                 i.first_ms, i.last_ms, i.touched_first_ms, i.touched_last_ms)
                for i in changes.new_identifiers
            ],
        )  # fmt: skip
    if changes.changed_identifiers:
        rows = [
            (i.id, i.joined, i.generic, None if i.seen is None else encode(i.seen), i.one, i.apart,
             i.first_ms, i.last_ms, i.touched_first_ms, i.touched_last_ms)
            for i in changes.changed_identifiers
        ]  # fmt: skip
        rows.sort()
        connection.executemany(CHANGED_IDENTIFIER, rows)
    moved = sorted((move.identifier, move.customer) for move in changes.moves if move.was)
    if moved:
        connection.executemany(MOVED, moved)


def write_customers(connection: apsw.Connection, changes: ChangeSet) -> None:
    """Customers that are new, that changed, that have nobody any more."""
    encode = json_bytes
    for statement, customers in (
        (NEW_CUSTOMER, changes.new_customers),
        (CHANGED_CUSTOMER, changes.changed_customers),
    ):
        if customers:
            rows = [
                (c.key, c.anchor, c.anchor_priority, c.size, c.apart, encode(c.counts), encode(c.whole))
                for c in customers
            ]
            rows.sort()
            connection.executemany(statement, rows)
    if changes.dropped_customers:
        connection.execute(DROPPED_CUSTOMERS, (numbers(changes.dropped_customers),)).fetchall()


def write_links(connection: apsw.Connection, changes: ChangeSet) -> None:
    """Links that are new, that were seen again, that were decided anew."""
    encode = json_bytes
    for statement, links in ((NEW_LINK, changes.new_links), (MARKED_LINK, changes.marked_links)):
        if links:
            decided = [(link.a << 32 | link.b, link.mark, link.rank, encode(link.seen)) for link in links]
            decided.sort()
            connection.executemany(statement, decided)
    if changes.seen_links:
        seen = [(link.a << 32 | link.b, encode(link.seen)) for link in changes.seen_links]
        seen.sort()
        connection.executemany(SEEN_LINK, seen)


def write_touchpoints(
    connection: apsw.Connection,
    kept: Sequence[Kept],
    operators: Mapping[IdentifierKey, int],
    source_number: Callable[[Source], int],
    seq: int,
) -> int:
    """The touchpoints, numbered from `seq` + 1 on; -> the last number."""
    encode = json_bytes
    sources = {event.source: 0 for event, _ in kept}
    for source in sources:
        sources[source] = source_number(source)
    rows = []
    for event, place in kept:
        seq += 1
        named = place.identifiers
        device = None if event.device is None else named[event.identifiers.index(event.device)]
        if event.operators:
            named += tuple(-operators[key] for key in event.operators)
        rows.append(
            (seq, event.message, event.content, event.message_id, sources[event.source], event.at_ms,
             event.received_ms, event.type, event.name, event.channel, event.campaign, event.revenue, event.currency,
             place.subject, device, encode(named), event.body)
        )  # fmt: skip
    if rows:
        connection.executemany(TOUCHPOINT, rows)
    return seq


def write_subjects(connection: apsw.Connection, subjects: Mapping[int, int]) -> None:
    """Touchpoints that have another subject now."""
    if subjects:
        connection.executemany(NEW_SUBJECT, sorted(subjects.items()))


def write_judgements(connection: apsw.Connection, changes: ChangeSet) -> None:
    """A judgement made, or taken back."""
    if (judged := changes.judged) is not None:
        row = (judged.number, judged.same, judged.a, judged.b, judged.author, judged.reason, judged.at_ms)
        connection.execute(JUDGED, row)
    if (back := changes.retracted) is not None:
        connection.execute(RETRACTED, (back.number, back.at_ms, back.author, back.reason))


def write_decisions(
    connection: apsw.Connection, decisions: Sequence[Decision], events: Sequence[Event], at_ms: int, seq: int
) -> int:
    """The ledger's lines, numbered from `seq` + 1 on, and whom they are about; -> the last number."""
    if not decisions:
        return seq
    encode = json_bytes
    rows, about = [], []
    for d in decisions:
        seq += 1
        messages = b"".join([events[position].message for position in d.causes])
        rows.append(
            (
                seq,
                at_ms,
                d.kind.value,
                d.reason,
                encode(d.customers),
                encode(d.identifiers),
                d.link,
                d.judgement,
                messages,
            )
        )
        about += [(identifier, seq) for identifier in {*d.identifiers, *d.customers}]
    about.sort()
    connection.executemany(DECISION, rows)
    connection.executemany(ABOUT, about)
    return seq


def write_feed(
    connection: apsw.Connection, changes: ChangeSet, claimed: Iterable[int], consented: Iterable[int], seq: int
) -> int:
    """What else stands in the change feed, numbered from `seq` + 1 on; -> the last number.

    Args:
        claimed, consented: identifiers whose claims, whose consents changed.
    """
    told: list[tuple[int, int, int | None, int | None, int | None]] = [
        (MOVE_CHANGE, move.identifier, move.customer, move.was, None) for move in changes.moves
    ]
    told += [(CLAIMS_CHANGE, identifier, None, None, None) for identifier in claimed]
    told += [(CONSENTS_CHANGE, identifier, None, None, None) for identifier in consented]
    told += [(SUBJECT_CHANGE, subject, None, None, number) for number, subject in changes.subjects.items()]
    if told:
        connection.executemany(CHANGE, [(number, *line) for number, line in enumerate(told, seq + 1)])
    return seq + len(told)
