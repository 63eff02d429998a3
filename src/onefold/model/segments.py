"""The rules of segments: a tree of conditions on one customer, as frozen values.

`all`, `any` and `not` are its branches; the leaves are tests of traits, computed traits, behaviour, sequences of
touchpoints, identifiers held, consent, and membership in another segment. docs/segments.md says what each means.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

from onefold.model.reading import TouchpointFilter

DEEPEST: Final = 10
"""How many levels a rule may have: a test alone is one, each all, any and not around it one more."""
MOST_CONDITIONS: Final = 200
"""How many conditions a rule may have in all: branches, tests and steps of sequences."""
MOST_NESTED: Final = 20
"""How many segments may stand within one another, and `MOST_IN_ALL` how many conditions they may have together."""
MOST_IN_ALL: Final = 200
MOST_STEPS: Final = 10
"""How many steps a sequence may have."""
MOST_VALUES: Final = 1_000
"""How many values one list of a rule may have, such as the names of a filter."""
LONGEST_DAYS: Final = 36_500
"""How many days a window may have."""
REVENUE: Final = "revenue"
"""The property that stands for a touchpoint's own revenue."""
MONEY: Final = frozenset({REVENUE, "total"})
"""Properties that are amounts of money: revenue, and what it is read from where there is none."""


Bound: TypeAlias = int | float | Decimal | str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of one value: all that is given must hold, and at least one is given. None: not given.

    Values are JSON values but null. `above`, `at_least`, `below` and `at_most` are numbers or texts. A Decimal stands
    for a number that was converted from another currency.
    """

    is_: object | None = None
    is_not: object | None = None
    in_: tuple[object, ...] | None = None
    contains: str | None = None
    starts_with: str | None = None
    above: Bound | None = None
    at_least: Bound | None = None
    below: Bound | None = None
    at_most: Bound | None = None
    exists: bool | None = None


class TraitTest(msgspec.Struct, frozen=True):
    """The value of a trait in the profile. A customer without the trait fails every test but `exists: false`."""

    name: str
    comparison: Comparison


class ComputedTest(msgspec.Struct, frozen=True):
    """The value of a computed trait, such as `orders`, by its name without the prefix `computed.`.

    `currency`: three capital letters, for a trait that has a value in each currency."""

    name: str
    comparison: Comparison
    currency: str | None = None


class CountTest(msgspec.Struct, frozen=True, kw_only=True):
    """How many touchpoints: all that is given must hold, and at least one is given."""

    at_least: int | None = None
    at_most: int | None = None
    is_: int | None = None


class PropertyTest(msgspec.Struct, frozen=True, kw_only=True):
    """A number made of one property of the touchpoints; at least one bound is given, both are inclusive.

    `property`: a top-level property, or `revenue` for what a touchpoint earned; `currency`: three capital letters.
    """

    property: str
    currency: str | None = None
    at_least: Decimal | None = None
    at_most: Decimal | None = None


class LastDays(msgspec.Struct, frozen=True):
    """A rolling window: touchpoints later than `days` times 24 hours before now."""

    days: int


class Between(msgspec.Struct, frozen=True, kw_only=True):
    """A fixed window: after_ms is inclusive, before_ms exclusive; at least one is given."""

    after_ms: int | None = None
    before_ms: int | None = None


Window: TypeAlias = LastDays | Between


class BehaviourTest(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer did: touchpoints of the filter within the window. All given must hold; none given: at least once.

    `distinct`: how many different values the property has.
    """

    touchpoint: TouchpointFilter
    times: CountTest | None = None
    sum: PropertyTest | None = None
    average: PropertyTest | None = None
    distinct: PropertyTest | None = None
    within: Window | None = None


class SequenceTest(msgspec.Struct, frozen=True, kw_only=True):
    """One touchpoint after another, in strictly growing (at_ms, number): there is a match of the steps such that

    from its first to its last step pass at most `within_days`, and no touchpoint of `not_followed_by` comes after its
    last step (within `within_days` of it, if given)."""

    steps: tuple[TouchpointFilter, ...]
    within_days: int | None = None
    not_followed_by: TouchpointFilter | None = None


class IdentifierTest(msgspec.Struct, frozen=True):
    """Holds an identifier of the namespace; if `value` is given, that one. The value is compared as normalised."""

    namespace: str
    value: str | None = None


class ConsentTest(msgspec.Struct, frozen=True):
    """Has given consent for the purpose, and not withdrawn it since."""

    purpose: str


class InSegment(msgspec.Struct, frozen=True):
    """Is met by those who meet the rule of another segment: its id, `seg_…`."""

    id: str


class All(msgspec.Struct, frozen=True):
    """Every one of the rules holds; there is at least one."""

    rules: tuple["SegmentRule", ...]


class Any(msgspec.Struct, frozen=True):
    """At least one of the rules holds; there is at least one."""

    rules: tuple["SegmentRule", ...]


class Not(msgspec.Struct, frozen=True):
    """The rule does not hold."""

    rule: "SegmentRule"


SegmentRule: TypeAlias = (
    All | Any | Not | TraitTest | ComputedTest | BehaviourTest | SequenceTest | IdentifierTest | ConsentTest | InSegment
)


def requiring(rule: SegmentRule, purpose: str | None) -> SegmentRule:
    """The rule, and consent for a purpose if one is named."""
    return rule if purpose is None else All((rule, ConsentTest(purpose)))


def walk(rule: SegmentRule, path: str = "rule") -> Iterator[tuple[str, SegmentRule]]:
    """Every condition of a rule with its path, a branch before what hangs on it: `rule.all[1].not`."""
    yield path, rule
    match rule:
        case All(rules):
            for index, inner in enumerate(rules):
                yield from walk(inner, f"{path}.all[{index}]")
        case Any(rules):
            for index, inner in enumerate(rules):
                yield from walk(inner, f"{path}.any[{index}]")
        case Not(inner):
            yield from walk(inner, f"{path}.not")


def rewritten(rule: SegmentRule, leaf: Callable[[str, SegmentRule], SegmentRule], path: str = "rule") -> SegmentRule:
    """The rule with each of its tests put through `leaf`, which is given the test's path too."""
    match rule:
        case All(rules):
            return All(tuple(rewritten(inner, leaf, f"{path}.all[{index}]") for index, inner in enumerate(rules)))
        case Any(rules):
            return Any(tuple(rewritten(inner, leaf, f"{path}.any[{index}]") for index, inner in enumerate(rules)))
        case Not(inner):
            return Not(rewritten(inner, leaf, f"{path}.not"))
    return leaf(path, rule)


def conditions(rule: SegmentRule) -> int:
    """How many conditions a rule has: its branches, tests, and the steps of its sequences."""
    return sum(1 + (len(found.steps) if isinstance(found, SequenceTest) else 0) for _, found in walk(rule))
