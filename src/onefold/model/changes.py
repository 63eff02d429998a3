"""What a batch or a judgement changes: values a store applies as they are, deciding nothing."""

from enum import StrEnum

import msgspec

from onefold.model.graph import Customer, Identifier, Judgement, Link


class DecisionKind(StrEnum):
    """The kinds of lines in the ledger."""

    JOINED = "joined"
    SPLIT = "split"
    REFUSED = "refused"
    RELEASED = "released"
    GENERIC = "generic"
    JUDGED = "judged"
    RETRACTED = "retracted"


class Decision(msgspec.Struct, frozen=True, gc=False):
    """One line of the ledger, before it has its sequence number. Identifiers and customers are named by identifier
    numbers, so that no personal data stays in it.

    Attributes:
        reason: a reason code: for refusals the rule (`limit:user_id`), for joins what the link is (`link:server`), ….
        customers: anchors of the customers concerned; of a join the one that remains first, of a split likewise.
        identifiers: that it is about: the ends of the link, or the generic one.
        link: the link that decided it (`Link.pair`); judgement: the judgement's number.
        causes: positions in the batch of the observations that brought it about.
    """

    kind: DecisionKind
    reason: str
    customers: tuple[int, ...]
    identifiers: tuple[int, ...]
    link: int | None = None
    judgement: int | None = None
    causes: tuple[int, ...] = ()


class Placed(msgspec.Struct, frozen=True, gc=False):
    """Where an observation went: its identifiers' numbers, strongest first, and the one that is its subject."""

    identifiers: tuple[int, ...]
    subject: int


class Move(msgspec.Struct, frozen=True, gc=False):
    """An identifier that belongs to another customer than before; `was` is 0 for a new identifier."""

    identifier: int
    customer: int
    was: int


class Retraction(msgspec.Struct, frozen=True, gc=False):
    """A judgement taken back."""

    number: int
    author: str
    reason: str
    at_ms: int


class ChangeSet(msgspec.Struct, gc=False):
    """All that a transaction has to write so that the store holds what the rules say of all evidence so far.

    Rows are written as they are. An identifier or customer stands in one list only; `moves` names the identifiers
    whose `customer` changed (new ones included), and only theirs need that column written.

    Attributes:
        placed: one per observation of the batch; None where its identifiers are ambiguous: nothing of it counts.
        seen_links: only their evidence changed; marked_links: their mark or rank too.
        subjects: touchpoint number -> number of its new subject.
    """

    placed: list[Placed | None]
    new_identifiers: list[Identifier]
    changed_identifiers: list[Identifier]
    moves: list[Move]
    new_customers: list[Customer]
    changed_customers: list[Customer]
    dropped_customers: list[int]
    new_links: list[Link]
    seen_links: list[Link]
    marked_links: list[Link]
    subjects: dict[int, int]
    decisions: list[Decision]
    judged: Judgement | None = None
    retracted: Retraction | None = None
