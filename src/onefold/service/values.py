"""What the use cases answer with, where `onefold.model.reading` has no word for it. All of it is plain and frozen."""

from typing import TypeAlias

import msgspec

from onefold.errors import Problem
from onefold.model.claims import Claim
from onefold.model.consents import Consent
from onefold.model.graph import Judgement
from onefold.model.identifiers import IdentifierKey
from onefold.model.reading import (
    Counts,
    KnownCustomer,
    KnownIdentifier,
    KnownLink,
    LedgerLine,
    SearchHit,
    Touchpoint,
)
from onefold.model.saved import SavedSegment
from onefold.model.sources import Trust

Reference: TypeAlias = str | IdentifierKey
"""How a customer is named: by a public id, or by one of its identifiers, not yet normalised."""


class Found(msgspec.Struct, frozen=True):
    """A customer that was asked for. `requested_id`: the id it was asked by, when that is not its current one."""

    customer: KnownCustomer
    requested_id: str | None = None


Node: TypeAlias = Found | KnownIdentifier | Touchpoint | LedgerLine | Judgement | SavedSegment
"""Whatever has a public id."""


class Resolution(msgspec.Struct, frozen=True):
    """Whose an identifier is.

    Attributes:
        identifier: normalised; as it was given when that is impossible.
        customer: of a generic one, one that holds nothing else, unless it was judged to. None when no event named it,
            and of an operator's.
        generic: it was seen with too many to tell them apart, and joins nobody.
        problem: why it can be no identifier at all.
    """

    identifier: IdentifierKey
    customer: KnownCustomer | None = None
    generic: bool = False
    problem: Problem | None = None


class SourceEvidence(msgspec.Struct, frozen=True, gc=False):
    """What one source saw of a link."""

    source: str
    trust: Trust
    first_ms: int
    last_ms: int
    count: int

    @property
    def trusted(self) -> bool:
        """Whether nobody outside can speak in its name."""
        return self.trust is Trust.SERVER


class Evidence(msgspec.Struct, frozen=True):
    """A link with its ends, `a` the weaker and `b` the stronger, and what each source saw of it."""

    link: KnownLink
    a: KnownIdentifier
    b: KnownIdentifier
    sources: tuple[SourceEvidence, ...]

    @property
    def first_ms(self) -> int:
        """When the two were first seen together."""
        return min(seen.first_ms for seen in self.link.seen)

    @property
    def last_ms(self) -> int:
        """When the two were last seen together."""
        return max(seen.last_ms for seen in self.link.seen)

    @property
    def count(self) -> int:
        """In how many events the two were seen together."""
        return sum(seen.count for seen in self.link.seen)


class Refusal(msgspec.Struct, frozen=True):
    """Why a link does not join: the reason code, what it means here, and what would change it."""

    reason: str
    message: str
    hint: str


class Linkage(msgspec.Struct, frozen=True):
    """Since when a touchpoint is known to be its customer's; `retroactive`: it happened before."""

    linked_at_ms: int
    retroactive: bool


class Survivor(msgspec.Struct, frozen=True):
    """A trait's value in a profile: the claim it was taken from, and the others, the newest first."""

    claim: Claim
    others: tuple[Claim, ...]


class StandingConsent(msgspec.Struct, frozen=True):
    """What counts for one purpose of a customer, and what was last said of its other identifiers, the newest first."""

    consent: Consent
    others: tuple[Consent, ...]


class Hit(msgspec.Struct, frozen=True):
    """A customer that a search found, and where."""

    customer: KnownCustomer
    place: SearchHit


class Step(msgspec.Struct, frozen=True):
    """From one identifier to the next in a chain: by the evidence of a link, by a judgement, or both."""

    a: IdentifierKey
    b: IdentifierKey
    evidence: Evidence | None
    judgement: Judgement | None


class Together(msgspec.Struct, frozen=True):
    """Two identifiers are one customer; `chain`: the strongest way from the one to the other."""

    a: IdentifierKey
    b: IdentifierKey
    customer: KnownCustomer
    chain: tuple[Step, ...]


class Apart(msgspec.Struct, frozen=True):
    """Two identifiers are different customers although something connects them.

    Attributes:
        customers: of a, of b.
        refusal: of the first of `refused`; or of the judgement that keeps them apart.
        refused: the links that would join them; by way of a third customer, one link from each.
        judgements: those that say the two customers are different.
    """

    a: IdentifierKey
    b: IdentifierKey
    customers: tuple[KnownCustomer, KnownCustomer]
    refusal: Refusal
    refused: tuple[Evidence, ...]
    judgements: tuple[Judgement, ...]


class NeverSeen(msgspec.Struct, frozen=True):
    """Nothing connects two identifiers; `unknown`: those of them that no event has named."""

    a: IdentifierKey
    b: IdentifierKey
    unknown: tuple[IdentifierKey, ...]


Explanation: TypeAlias = Together | Apart | NeverSeen


class Neighbourhood(msgspec.Struct, frozen=True):
    """Identifiers, nearest first, all links between them, and whether some were left out."""

    identifiers: tuple[KnownIdentifier, ...]
    links: tuple[Evidence, ...]
    truncated: bool


class Status(msgspec.Struct, frozen=True):
    """How much the store holds, where it stands and what serves it."""

    version: str
    store: str
    seq: int
    counts: Counts


class Judged(msgspec.Struct, frozen=True):
    """What a judgement, or its retraction, did.

    Attributes:
        number: of the judgement; None when it was refused, then `problem` says why.
        joined: keys of the customers that others became part of.
        split: keys of the customers that one fell into.
    """

    number: int | None = None
    joined: tuple[int, ...] = ()
    split: tuple[int, ...] = ()
    problem: Problem | None = None
