"""A store's rows as plain values, the same from every store: what is carried from one store to another and compared.

What follows from these rows (indexes, search, whom a ledger line is about) is made anew by the store that takes them.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Final, Self, TypeAlias

import msgspec

DIGEST_BYTES: Final = 16
_DIGESTS: Final = 1 << 8 * DIGEST_BYTES

Row: TypeAlias = tuple[Any, ...]
"""One row: a value for each of its kind's COLUMNS, the first of which is its number. Numbers are int, texts (JSON too)
str, flags 0 or 1, hashes bytes, lists of numbers list[int]; None where there is nothing."""


class RowKind(StrEnum):
    """The kinds of rows, in the order in which they are carried."""

    SOURCES = "sources"
    CUSTOMERS = "customers"
    IDENTIFIERS = "identifiers"
    LINKS = "links"
    TOUCHPOINTS = "touchpoints"
    CLAIMS = "claims"
    CONSENTS = "consents"
    JUDGEMENTS = "judgements"
    DECISIONS = "decisions"
    CHANGES = "changes"
    COMMITS = "commits"
    REJECTS = "rejects"
    SEGMENTS = "segments"
    MEMBERS = "members"
    MEMBERSHIPS = "memberships"


def _columns(names: str) -> tuple[str, ...]:
    return tuple(names.split())


COLUMNS: Final[Mapping[RowKind, tuple[str, ...]]] = MappingProxyType(
    {
        RowKind.SOURCES: _columns("number name trust"),
        RowKind.CUSTOMERS: _columns("key anchor anchor_priority size apart counts whole"),
        RowKind.IDENTIFIERS: _columns(
            "number public namespace value customer joined generic seen one apart "
            "first_ms last_ms touched_first_ms touched_last_ms"
        ),
        RowKind.LINKS: _columns("pair mark rank seen"),
        RowKind.TOUCHPOINTS: _columns(
            "number message content message_id source at_ms received_ms type name channel campaign revenue currency "
            "subject device identifiers body"
        ),
        RowKind.CLAIMS: _columns("number identifier trait source hash value first_ms last_ms count"),
        RowKind.CONSENTS: _columns("number identifier purpose given at_ms source"),
        RowKind.JUDGEMENTS: _columns("number same a b author reason at_ms retracted_ms retracted_by retracted_reason"),
        RowKind.DECISIONS: _columns("seq at_ms kind reason customers identifiers link judgement messages"),
        RowKind.CHANGES: _columns("seq kind identifier customer was touchpoint"),
        RowKind.COMMITS: _columns("seq at_ms identifier customer judgement customers links touchpoints decisions"),
        RowKind.REJECTS: _columns("number at_ms source code field message hint body"),
        RowKind.SEGMENTS: _columns(
            "number name rule description require_consent revision created_ms changed_ms deleted_ms "
            "as_of_seq as_of_ms basis count"
        ),
        RowKind.MEMBERS: _columns("pair since_ms"),
        RowKind.MEMBERSHIPS: _columns("number segment anchor entered at_ms cause cause_ref as_of_seq"),
    }
)
"""What a row of each kind holds, by the names that graph_schema/README.md explains. A link's `seen` is one list:
[source, first_ms, last_ms, count, …]; a decision's `messages` are 16 bytes each, one after the other."""


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """A state of a store, told apart from every other state of this and of other stores.

    Attributes:
        secret: the store's. rules: the fingerprint of the namespaces that stitched it.
        commit: its last row of `commits`, None before the first.
        sources, reject, membership: the last numbers given out, which commits do not tell.
        segments: `digest_of` all rows of SEGMENTS: none of their members changes but a line is added to the log.
    """

    secret: bytes
    rules: str
    commit: Row | None
    sources: int
    reject: int
    membership: int = 0
    segments: bytes = b""

    @property
    def empty(self) -> bool:
        """Whether there is nothing in the store."""
        return self.commit is None and not self.sources and not self.reject and not self.segments


class Tally(msgspec.Struct, frozen=True):
    """How many rows, and the sum of their hashes: equal for the same rows in whatever order and portions."""

    count: int = 0
    digest: bytes = bytes(DIGEST_BYTES)

    def plus(self, encoded: Iterable[bytes]) -> Self:
        """With further rows, as `encode_row` makes them."""
        count, total = self.count, int.from_bytes(self.digest, "big")
        for row in encoded:
            count += 1
            total += int.from_bytes(blake2b(row, digest_size=DIGEST_BYTES).digest(), "big")
        return type(self)(count, (total % _DIGESTS).to_bytes(DIGEST_BYTES, "big"))


encode_row: Final = msgspec.msgpack.Encoder().encode
"""A row as bytes: the same for equal rows, whichever store they are from."""


def digest_of(rows: Iterable[Row]) -> bytes:
    """What tells these rows from others; empty for none."""
    encoded = [encode_row(row) for row in rows]
    return Tally().plus(encoded).digest if encoded else b""


class Progress(msgspec.Struct, frozen=True):
    """How far a copy has come; kept in the target with the rows, in the same transaction.

    Attributes:
        origin: what it is a copy of.
        kind, after: all rows of the kinds before it are there, and of this one those with numbers up to `after`.
        tallies: of the rows that are there, as they were read from the source; none of kinds without rows.
    """

    origin: Origin
    kind: RowKind = RowKind.SOURCES
    after: int = 0
    tallies: dict[RowKind, Tally] = {}

    def with_rows(self, kind: RowKind, last: int, encoded: Iterable[bytes]) -> Self:
        """After further rows of a kind, up to the number `last`."""
        return type(self)(self.origin, kind, last, {**self.tallies, kind: self.tally(kind).plus(encoded)})

    def tally(self, kind: RowKind) -> Tally:
        """Of the rows of a kind."""
        return self.tallies.get(kind, Tally())
