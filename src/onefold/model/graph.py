"""The identity graph as a store holds it: the rows that stitching reads and writes.

These are working values: whoever asks a store for them inside a write transaction owns them and may change them.
Ranks, marks and bounds are explained in `onefold.stitch.ranks` and `onefold.stitch.rules`.
"""

import msgspec

from onefold.model.identifiers import IdentifierKey
from onefold.model.ids import encode_number


class Identifier(msgspec.Struct, gc=False):
    """One identifier.

    Attributes:
        id: the store's number for it. Numbers grow in order of first arrival: the smaller is the elder.
        public: 16 bytes, the keyed hash that its public ids are made of.
        customer: key of its customer; 0 for an identifier of kind `operator`, which has none.
        joined: a bound: at every rank above it, it is in one group with its customer's core. The core is one of them:
            the anchor when the customer was last settled, and after a join that of the larger side.
        generic: its links of this trust or a worse one are refused as generic; NO_TRUST: none is.
        seen: values (judged classes) of each stronger limited namespace it was seen with, by source trust:
            [namespace 0 by server, namespace 0 by all, namespace 1 by server, …], strongest namespace first; None: no
            value of any.
        one: smallest number of the identifiers judged to be one with it; None: it stands for itself.
        apart: how many standing judgements `different` name it.
        first_ms, last_ms: time of the first and last touchpoint that carries it.
        touched_first_ms, touched_last_ms: bounds of the times of touchpoints whose subject it is or was; None: never.
    """

    id: int
    key: IdentifierKey
    public: bytes
    customer: int
    joined: int
    generic: int
    seen: list[int] | None
    one: int | None
    apart: int
    first_ms: int
    last_ms: int
    touched_first_ms: int | None
    touched_last_ms: int | None


class Customer(msgspec.Struct, gc=False):
    """What follows from a customer's set of identifiers. `key` is internal; the public id is its anchor's.

    Attributes:
        anchor: number of its strongest, eldest identifier; anchor_priority: of that one's namespace.
        size: how many identifiers it holds; apart: how many of them are named by judgements `different`.
        counts: judged classes held of each counted namespace (`Rules.counted`).
        whole: bounds: at every rank above whole[rule], the core's group holds all that counts for that rule.
    """

    key: int
    anchor: int
    anchor_priority: int
    size: int
    apart: int
    counts: list[int]
    whole: list[int]


class Seen(msgspec.Struct, gc=False, array_like=True):
    """What one source saw of a link. As JSON it is [source, first_ms, last_ms, count]."""

    source: int
    first_ms: int
    last_ms: int
    count: int


class Link(msgspec.Struct, gc=False):
    """The evidence that two identifiers were seen together; one row a pair.

    Attributes:
        a: number of the weaker end (of the younger, within one namespace); b: of the stronger.
        mark: why it was last turned down (`onefold.stitch.rules`), INSIDE if it was not.
        rank: its place in the order of links as last decided; None: not yet decided.
        seen: by source, in order of first arrival.
    """

    a: int
    b: int
    mark: int
    rank: int | None
    seen: list[Seen]

    @property
    def pair(self) -> int:
        """One number for the pair: what stores key links by."""
        return self.a << 32 | self.b


class Judgement(msgspec.Struct, frozen=True, gc=False):
    """A person's or system's word on two identifiers.

    `number` makes its public id; retracted_ms, retracted_by, retracted_reason: None while it stands.
    """

    number: int
    same: bool
    a: int
    b: int
    author: str
    reason: str
    at_ms: int
    retracted_ms: int | None = None
    retracted_by: str | None = None
    retracted_reason: str | None = None

    @property
    def public_id(self) -> str:
        """As doors name it: `jdg_…`."""
        return encode_number("jdg", self.number)


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One event as stitching sees it. `keys`: strongest first, distinct, never operators. `at_ms`: of the event,
    `evidence_ms`: what its evidence is dated. `source`: the store's number for it. `crowded`: see `Event.crowded`."""

    keys: tuple[IdentifierKey, ...]
    at_ms: int
    evidence_ms: int
    source: int
    crowded: bool = False
