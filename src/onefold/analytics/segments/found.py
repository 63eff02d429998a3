"""What was found of one customer where a condition was looked at."""

from decimal import Decimal
from typing import TypeAlias

import msgspec

from onefold.model.identifiers import IdentifierKey
from onefold.model.segments import SegmentRule


class TraitFound(msgspec.Struct, frozen=True):
    """The value of a trait (decoded JSON), and the claim it is from: who said it of which identifier, when last."""

    value: object
    source: str
    at_ms: int
    identifier: IdentifierKey


class ComputedFound(msgspec.Struct, frozen=True):
    """The value of a computed trait: a number, a text, or decoded JSON; None: it has none. `currency`: of money."""

    value: object
    currency: str | None = None


class BehaviourFound(msgspec.Struct, frozen=True):
    """What the touchpoints that count come to.

    Attributes:
        times: how many they are. first_ms, last_ms: when the first and the last was; None where there is none.
        sum, average, distinct: where the test asks for them; in `currency` if they are of money. None: not asked for,
            or no average, where there is nothing to take it of.
    """

    times: int
    first_ms: int | None
    last_ms: int | None
    sum: Decimal | None = None
    average: Decimal | None = None
    distinct: int | None = None
    currency: str | None = None


class Step(msgspec.Struct, frozen=True):
    """A touchpoint of a sequence: its public id (`tp_…`), and when it was."""

    id: str
    at_ms: int


class SequenceFound(msgspec.Struct, frozen=True):
    """The first match of a sequence that holds, by its end.

    Where none does, `steps` is how far it came: the longest beginning of the steps that is there at all, in whatever
    time; `breach` is what must not have followed, where all steps are there in time.
    """

    steps: tuple[Step, ...]
    breach: Step | None = None


class IdentifiersFound(msgspec.Struct, frozen=True):
    """The identifiers held of that namespace: how many, and at most ten of them."""

    count: int
    identifiers: tuple[IdentifierKey, ...]


class ConsentFound(msgspec.Struct, frozen=True):
    """The statement about a purpose that counts."""

    given: bool
    at_ms: int
    source: str
    identifier: IdentifierKey


Found: TypeAlias = TraitFound | ComputedFound | BehaviourFound | SequenceFound | IdentifiersFound | ConsentFound


class Explained(msgspec.Struct, frozen=True):
    """A condition, and why it holds of one customer or does not.

    Attributes:
        path: its place in the rule, as `rule.all[1]`; within another segment, as `seg_…:rule`.
        found: of tests; None for all, any, not and in, and where there is nothing at all.
        conditions: what stands within it: of all, any and not their rules, of `in` the other segment's rule.
    """

    path: str
    rule: SegmentRule
    holds: bool
    found: Found | None = None
    conditions: tuple["Explained", ...] = ()
