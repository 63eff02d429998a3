"""Random people and random rules that are about the same few things, at times that lie on every edge."""

from decimal import Decimal
from typing import TypeVar

import msgspec
from hypothesis import strategies as st

from onefold.model import computed_file
from onefold.model.reading import PropertyMatch, TouchpointFilter
from onefold.model.segments import (
    All,
    Any,
    BehaviourTest,
    Between,
    Comparison,
    ComputedTest,
    ConsentTest,
    CountTest,
    IdentifierTest,
    InSegment,
    LastDays,
    Not,
    PropertyTest,
    SegmentRule,
    SequenceTest,
    TraitTest,
)
from tests.oracle.segments import DAY_MS, Person, Touchpoint

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
NOW_MS = 1_790_000_000_000
COMPUTED = computed_file.parse(
    """
computed:
  orders: {kind: count, touchpoints: {names: [order]}, description: a}
  revenue: {kind: sum, of: revenue, description: a}
  totals: {kind: sum, of: properties.total, description: a}
  euros: {kind: sum, of: revenue, currency: EUR, description: a}
  mean: {kind: average, of: revenue, currency: EUR, description: a}
  sessions: {kind: sessions, description: a}
  first_channel: {kind: first, of: channel, description: a}
  last_campaign: {kind: last, of: campaign, description: a}
  last_size: {kind: last, of: properties.size, description: a}
  sizes: {kind: distinct, of: properties.size, description: a}
  days_since_last: {kind: days_since_last, description: a}
  days_since_order: {kind: days_since_last, touchpoints: {names: [order]}, description: a}
"""
)
ODD = 'o"/d~d'
TYPES, NAMES, CHANNELS, CAMPAIGNS = ("track", "page"), ("view", "add", "order"), ("web", "app"), ("spring", "sale")
PROPERTIES = ("size", "total", ODD)
SEGMENT = "seg_0000000000001"
NAMESPACES = ("email", "user_id", "anonymous_id")
PURPOSES = ("marketing", "analytics")
TRAITS = ("plan", "since")
CURRENCIES = ("EUR", "USD", "SEK")

moments = st.builds(
    lambda days, off: NOW_MS - days * DAY_MS + off,
    st.sampled_from((0, 1, 1, 2, 2, 3)),
    st.sampled_from((-1, 0, 0, 0, 1, 3_600_000)),
)
edges = st.sampled_from((1, 2)).map(lambda days: NOW_MS - days * DAY_MS)
scalars = st.sampled_from((1, 1.0, 2, 0.5, -3, "1", "red", "Red", "", "ré\u0001d", True, False, None))
wide = st.sampled_from((1.0000000001, 2**53 + 1, 2**53, 10**15, -(10**15) + 1, 0.0000000005, 123456.789012345, 1e300))
values = st.one_of(scalars, scalars, wide, st.sampled_from(([1], [1, "a"], {"a": 1})))
given_values = values.filter(lambda it: it is not None)
texts = st.sampled_from(
    ("", "r", "red", "Red", "zé", "😀", "ﬀ", "2026-01-01", "2026-03-01T09:30:00Z", "2026-03-01T10:30+01:00")
)
trait_values = st.sampled_from(("red", "2026-01-01", "2026-03-01T09:30:00Z", 1, 2)) | given_values | texts
bounds = st.one_of(
    texts, st.just("red"), st.integers(-1, 4), st.sampled_from((0.5, 1.0, 1.0000000001, 2**53, 1e300, -1e300))
)
money = st.sampled_from(tuple(map(Decimal, ("10", "19.99", "0.000000001", "-5", "0", "100.5", "999999999999999.5"))))
amounts = st.one_of(money, st.sampled_from(tuple(map(Decimal, ("1", "20", "30", "29.99", "10.9", "0.5", "-1", "2")))))


@st.composite
def touchpoints(draw: st.DrawFn, number: int) -> Touchpoint:
    revenue = draw(st.none() | money)
    return Touchpoint(
        at_ms=draw(moments),
        number=number,
        type=draw(st.sampled_from(TYPES)),
        name=draw(st.sampled_from((*NAMES, None))),
        channel=draw(st.sampled_from(CHANNELS)),
        campaign=draw(st.sampled_from((*CAMPAIGNS, None))),
        revenue=revenue,
        currency=draw(st.sampled_from((*CURRENCIES, "EUR", "EUR", None))),
        properties=draw(st.dictionaries(st.sampled_from(PROPERTIES), values, max_size=2)),
    )


@st.composite
def crowds(draw: st.DrawFn) -> list[Person]:
    """One to five people."""
    people = []
    number = 0
    for index in range(draw(st.sampled_from((1, 3, 4, 5)))):
        count = draw(st.sampled_from((0, 2, 4, 6, 8)))
        order = draw(st.permutations(range(number + 1, number + 1 + count)))
        number += count
        keys = draw(st.lists(st.sampled_from(NAMESPACES), min_size=1, max_size=3, unique=True))
        said = st.tuples(st.sampled_from(PURPOSES), st.booleans(), st.integers(1, 3))
        people.append(
            Person(
                identifiers=[(key, f"{key}{index if draw(st.booleans()) else 0}") for key in keys],
                touchpoints=[draw(touchpoints(it)) for it in order],
                traits=draw(st.dictionaries(st.sampled_from(TRAITS), trait_values, min_size=1, max_size=2)),
                consents=draw(st.lists(said, max_size=3, unique_by=lambda it: it[0]))
                if len(keys) == 1
                else draw(st.lists(said, max_size=len(keys))),
            )
        )
    return people


@st.composite
def rarely(draw: st.DrawFn, strategy: st.SearchStrategy[T], otherwise: T | None = None) -> T | None:
    """In one of five cases."""
    return draw(strategy) if draw(st.sampled_from((0, 0, 0, 0, 1))) else otherwise


def some(of: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(of), max_size=2).map(tuple)


filters = st.builds(
    TouchpointFilter,
    types=rarely(some(TYPES)),
    names=st.none() | st.lists(st.sampled_from(NAMES), min_size=1, max_size=2).map(tuple),
    channels=rarely(some(CHANNELS)),
    campaigns=rarely(some(CAMPAIGNS)),
    properties=rarely(
        st.lists(st.builds(PropertyMatch, st.sampled_from(PROPERTIES), scalars | wide), max_size=2).map(tuple), ()
    ),
    after_ms=rarely(moments),
    before_ms=rarely(moments),
)


def asked(strategy: st.SearchStrategy[S]) -> st.SearchStrategy[S]:
    """Of the fields of a value, at least one that is given."""
    return strategy.filter(lambda it: any(getattr(it, name) is not None for name in it.__struct_fields__))


comparisons = st.one_of(
    *(
        st.builds(Comparison, **{name: strategy})
        for name, strategy in (
            ("is_", trait_values), ("is_not", trait_values), ("in_", st.lists(trait_values, max_size=3).map(tuple)),
            ("contains", texts), ("starts_with", texts), ("above", bounds), ("at_least", bounds), ("below", bounds),
            ("at_most", bounds), ("exists", st.booleans()),
        )
    ),
    asked(st.builds(Comparison, above=st.none() | bounds, at_most=st.none() | bounds, exists=st.none() | st.booleans(),
                    is_not=st.none() | trait_values)),
)  # fmt: skip
counts = asked(st.builds(CountTest, at_least=st.none() | st.integers(0, 3), at_most=st.none() | st.integers(0, 3),
                         is_=st.none() | st.none() | st.integers(0, 2)))  # fmt: skip
windows = st.one_of(
    st.builds(LastDays, st.sampled_from((1, 2))),
    asked(st.builds(Between, after_ms=st.none() | edges, before_ms=st.none() | edges)),
)


def measures(properties: tuple[str, ...], bound: st.SearchStrategy[Decimal]) -> st.SearchStrategy[PropertyTest]:
    return st.builds(
        PropertyTest,
        property=st.sampled_from(properties),
        currency=st.none() | st.sampled_from(CURRENCIES),
        at_least=st.none() | bound,
        at_most=st.none() | bound,
    ).filter(lambda it: it.at_least is not None or it.at_most is not None)


OWN = ("revenue", "revenue", "size", "total")
behaviours = st.builds(
    BehaviourTest,
    touchpoint=st.just(TouchpointFilter()) | filters,
    times=st.none() | counts,
    sum=rarely(measures(OWN, amounts)),
    average=rarely(measures(OWN, amounts)),
    distinct=rarely(measures((*PROPERTIES, "revenue"), st.integers(0, 3).map(Decimal))),
    within=st.none() | windows,
)
sequences = st.builds(
    SequenceTest,
    steps=st.lists(filters, min_size=1, max_size=3).map(tuple),
    within_days=st.none() | st.sampled_from((1, 2)),
    not_followed_by=st.none() | filters,
)
computed = st.builds(ComputedTest, st.sampled_from(tuple(COMPUTED)), comparisons, st.none()) | st.builds(
    ComputedTest, st.just("revenue"), comparisons, st.sampled_from((None, *CURRENCIES))
)
LEAVES: dict[str, st.SearchStrategy[SegmentRule]] = {
    "trait": st.builds(TraitTest, st.sampled_from(TRAITS), comparisons),
    "computed": computed,
    "did": behaviours,
    "sequence": sequences,
    "holds": st.builds(
        IdentifierTest, st.sampled_from(NAMESPACES), st.none() | st.sampled_from(("email0", "user_id0", "email1"))
    ),
    "consents": st.builds(ConsentTest, st.sampled_from(PURPOSES)),
    "in": st.just(InSegment(SEGMENT)),
}
OFTEN = ("trait", "computed", "did", "did", "did", "did", "sequence", "sequence", "sequence", "holds", "consents")
BRANCHES = ("leaf", "leaf", "all", "any", "not")


@st.composite
def rules(draw: st.DrawFn, within_others: bool = True, depth: int = 3) -> SegmentRule:
    """`within_others`: it may name the segment."""
    kind = draw(st.sampled_from(BRANCHES if depth else ("leaf",)))
    if kind == "leaf":
        return draw(LEAVES[draw(st.sampled_from((*OFTEN, "in") if within_others else OFTEN))])
    inner = rules(within_others, depth - 1)
    if kind == "not":
        return Not(draw(inner))
    several = tuple(draw(inner) for _ in range(draw(st.integers(1, 3))))
    return All(several) if kind == "all" else Any(several)
