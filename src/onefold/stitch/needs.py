"""What stitching asks of a store: values that it yields, each with the type of the answer it is sent.

Whoever drives the generator loads what is asked for inside the same write transaction. Rows that the store does not
have are simply missing from the answer. An answer shows the store as it was when the transaction began; stitching
itself knows what it has changed since. Rows in answers are the generator's to change.
"""

from collections.abc import Sequence

import msgspec

from onefold.model.identifiers import IdentifierKey


class ByKey(msgspec.Struct, frozen=True):
    """Identifiers by namespace and value. Answer: list[Identifier], any order."""

    keys: Sequence[IdentifierKey]


class ByNumber(msgspec.Struct, frozen=True):
    """Identifiers by number. Answer: list[Identifier]."""

    numbers: Sequence[int]


class Customers(msgspec.Struct, frozen=True):
    """Customers by key. Answer: list[Customer]."""

    keys: Sequence[int]


class Members(msgspec.Struct, frozen=True):
    """All identifiers of these customers. Answer: list[Identifier]."""

    customers: Sequence[int]


class Links(msgspec.Struct, frozen=True):
    """Links by pair (`Link.pair`). Answer: list[Link]."""

    pairs: Sequence[int]


class LinksOf(msgspec.Struct, frozen=True):
    """Every link that touches these identifiers, at either end. Answer: list[Link]."""

    identifiers: Sequence[int]


class InsideOf(msgspec.Struct, frozen=True):
    """The links that touch these identifiers at either end and are marked INSIDE. Answer: list[Link]."""

    identifiers: Sequence[int]


class RefusedBelow(msgspec.Struct, frozen=True):
    """The links marked otherwise than INSIDE or GENERIC whose weaker end is one of these. Answer: list[Link]."""

    identifiers: Sequence[int]


class HoldRefused(msgspec.Struct, frozen=True):
    """Which of these are the stronger end of links of which of these marks. Answer: list[tuple[identifier, mark]]."""

    identifiers: Sequence[int]
    marks: Sequence[int]


class RefusedAbove(msgspec.Struct, frozen=True):
    """Links of this mark whose stronger end is `identifier`, with low <= rank <= high, and after the pair `after` at
    rank `low`; the first `limit` in order of (rank, pair). Answer: list[Link]."""

    identifier: int
    mark: int
    low: int
    high: int
    after: int
    limit: int


class Ones(msgspec.Struct, frozen=True):
    """Identifiers of these judged classes (`Identifier.one`). Answer: list[Identifier]."""

    roots: Sequence[int]


class Judgements(msgspec.Struct, frozen=True):
    """Standing judgements that name any of these identifiers. Answer: list[Judgement]."""

    identifiers: Sequence[int]


class TouchpointsBy(msgspec.Struct, frozen=True):
    """Touchpoints whose subject is one of these. Answer:
    list[tuple[number, subject, at_ms, identifier numbers without the operators]]."""

    subjects: Sequence[int]


Need = (
    ByKey
    | ByNumber
    | Customers
    | Members
    | Links
    | LinksOf
    | InsideOf
    | RefusedBelow
    | HoldRefused
    | RefusedAbove
    | Ones
    | Judgements
    | TouchpointsBy
)
