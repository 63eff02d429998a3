"""Change sets by hand: what stitching would write, without stitching.

Times count in minutes from START_MS; an identifier is written as `namespace:value`.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from onefold.model.changes import ChangeSet, Decision, DecisionKind, Move, Placed
from onefold.model.events import Event
from onefold.model.graph import Customer, Identifier, Judgement, Link, Seen
from onefold.model.identifiers import IdentifierKey
from onefold.model.reading import KnownIdentifier
from onefold.model.sources import Source, Trust
from onefold.stitch.needs import ByKey, Customers, Links
from onefold.stitch.rules import INSIDE, NO_TRUST
from onefold.store.base import Store, Transaction
from onefold.store.view import View

START_MS: Final = 1_700_000_000_000
MINUTE_MS: Final = 60_000
SHOP: Final = Source("shop", Trust.SERVER)
WEB: Final = Source("web", Trust.PUBLIC)
PRIORITIES: Final = {"user_id": 1, "email": 4, "phone": 5, "anonymous_id": 8, "device_id": 9}


def at(minute: int) -> int:
    return START_MS + minute * MINUTE_MS


def key(text: str) -> IdentifierKey:
    namespace, _, value = text.partition(":")
    return IdentifierKey(namespace, value)


def message(message_id: str) -> bytes:
    """The 16-byte hash of a message id; here its text, so that a failing test can be read."""
    return message_id.encode().ljust(16, b".")[:16]


def empty() -> ChangeSet:
    return ChangeSet([], [], [], [], [], [], [], [], [], [], {}, [])


class LostError(Exception):
    """What a test raises to have a transaction taken back."""


class Batch:
    """What one transaction is going to write. Rows that are changed belong to the test, as they do to stitching."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        self.changes = empty()
        self.events: list[Event] = []
        self._new: dict[IdentifierKey, Identifier] = {}
        self._identifier = transaction.head.identifier
        self._customer = transaction.head.customer

    # -- rows that are new

    def customer(self, text: str, *more: str, minute: int = 0) -> Customer:
        """A new customer that holds these new identifiers; the first is its anchor."""
        self._customer += 1
        customer = Customer(self._customer, 0, PRIORITIES[key(text).namespace], 0, 0, [1, 0], [-1, -1, 5])
        self.changes.new_customers.append(customer)
        for one in (text, *more):
            self.identifier(one, customer, minute=minute)
        return customer

    def identifier(self, text: str, customer: Customer, *, minute: int = 0) -> Identifier:
        """A new identifier of a customer that is in hand."""
        self._identifier += 1
        first_ms = at(minute)
        new = Identifier(
            self._identifier, key(text), b"", customer.key, -1, NO_TRUST, None, None, 0, first_ms, first_ms, None, None
        )
        customer.anchor = customer.anchor or new.id
        customer.size += 1
        self._new[new.key] = new
        self.changes.new_identifiers.append(new)
        self.changes.moves.append(Move(new.id, customer.key, 0))
        return new

    def link(
        self, weaker: str, stronger: str, *, mark: int = INSIDE, rank: int = 1, seen: Iterable[Seen] | None = None
    ) -> Link:
        a, b = self[weaker].id, self[stronger].id
        link = Link(a, b, mark, rank, list(seen or [Seen(self.source(SHOP), at(0), at(0), 1)]))
        self.changes.new_links.append(link)
        return link

    def judgement(self, a: str, b: str, *, same: bool = True) -> Judgement:
        number = self.transaction.head.judgement + 1
        judged = Judgement(number, same, self[a].id, self[b].id, "ann", "they said so", at(1))
        self.changes.judged = judged
        return judged

    # -- what happened

    def touchpoint(
        self,
        *texts: str,
        minute: int = 0,
        message_id: str = "",
        subject: str | None = None,
        operators: tuple[str, ...] = (),
        traits: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Event:
        """An event of these identifiers, strongest first, placed where its subject is told (else at the first)."""
        message_id = message_id or f"m{self.transaction.head.seq}-{len(self.events)}"
        said = {"properties": properties or {}, "context": {}, "traits": traits or {}}
        body = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        given: dict[str, Any] = {
            "message": message(message_id), "content": b"content.", "message_id": message_id, "source": SHOP,
            "at_ms": at(minute), "received_ms": at(minute) + 5, "type": "track", "name": None,
            "channel": "web", "campaign": None,
            "revenue": None, "currency": None, "device": None, "crowded": False, "alias": None,
        }  # fmt: skip
        event = Event(
            **(given | fields),
            identifiers=tuple(map(key, texts)),
            operators=tuple(map(key, operators)),
            traits=dict(traits or {}),
            body=body.encode(),
        )
        rows = [self[text] for text in texts]
        chosen = self[subject or texts[0]]
        chosen.touched_first_ms = min(event.at_ms, chosen.touched_first_ms or event.at_ms)
        chosen.touched_last_ms = max(event.at_ms, chosen.touched_last_ms or event.at_ms)
        for row in rows:
            row.first_ms, row.last_ms = min(row.first_ms, event.at_ms), max(row.last_ms, event.at_ms)
            self.changed(row)
        self.events.append(event)
        self.changes.placed.append(Placed(tuple(row.id for row in rows), chosen.id))
        return event

    def ambiguous(self, *texts: str) -> Event:
        """An event that is not stored."""
        event = self.touchpoint(*texts)
        self.changes.placed[-1] = None
        return event

    def decision(self, kind: str, customers: Iterable[int], texts: Iterable[str], **fields: Any) -> None:
        numbers = tuple(self[text].id for text in texts)
        reason = fields.pop("reason", "link:server")
        self.changes.decisions.append(Decision(DecisionKind(kind), reason, tuple(customers), numbers, **fields))

    # -- rows that the store has

    def __getitem__(self, text: str) -> Identifier:
        """An identifier, new or stored."""
        asked = key(text)
        if asked not in self._new:
            [self._new[asked]] = self.transaction.answer(ByKey([asked]))
        return self._new[asked]

    def stored_customer(self, number: int) -> Customer:
        found: list[Customer] = self.transaction.answer(Customers([number]))
        return found[0]

    def stored_link(self, weaker: str, stronger: str) -> Link:
        found: list[Link] = self.transaction.answer(Links([self[weaker].id << 32 | self[stronger].id]))
        return found[0]

    def changed(self, row: Identifier) -> None:
        """An identifier that the store has is written again."""
        if not any(row is known for known in (*self.changes.new_identifiers, *self.changes.changed_identifiers)):
            self.changes.changed_identifiers.append(row)

    def move(self, text: str, customer: Customer) -> None:
        """A stored identifier comes to another customer."""
        row = self[text]
        self.changes.moves.append(Move(row.id, customer.key, row.customer))
        row.customer = customer.key

    # -- writing

    def source(self, source: Source) -> int:
        return self.transaction.source_number(source)

    def apply(self, minute: int = 0) -> int:
        return self.transaction.apply(self.changes, self.events, at(minute))


def identifiers(view: View, *texts: str) -> list[KnownIdentifier]:
    """Stored identifiers, as readers see them."""
    found = view.by_key([key(text) for text in texts])
    return [found[key(text)] for text in texts]


def customer_of(view: View, text: str) -> int:
    return identifiers(view, text)[0].customer


def stored(store: Store, *texts: str) -> list[Identifier]:
    """Stored identifiers, as stitching sees them."""
    with store.write() as transaction:
        found = {row.key: row for row in transaction.answer(ByKey([key(text) for text in texts]))}
    return [found[key(text)] for text in texts]
