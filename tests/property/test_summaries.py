"""Whatever happened: computed traits, sessions and summaries are what the oracle works out, of everybody and of some,
before and after identifiers have changed hands."""

from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.analytics import sessions, summaries
from onefold.analytics.computed.asked import values
from onefold.analytics.computed.values import Question, changed, currencies, relation
from onefold.analytics.money import Money
from onefold.model.computed import Column, ComputedTrait, Kind, Property
from onefold.model.identifiers import IdentifierKey
from onefold.model.reading import PropertyMatch, TouchpointFilter
from onefold.readmodel.touchpoints import Parameters
from tests.oracle import summaries as oracle
from tests.oracle.summaries import DAY_MS, Told, Wanted
from tests.support.journeys_in_columns import Tables, owned

pytestmark = pytest.mark.slow

NOW_MS: Final = 20_000 * DAY_MS
PAUSE_MS: Final = 1_000
ORDER: Final = "Order Completed"
SUBJECTS: Final = range(1, 7)
CUSTOMERS: Final = range(1, 4)
DECIMALS: Final = Decimal("1e-9")
NAMES: Final = ("a", "a/b~1", "Größe", "")

WORDS: Final = st.sampled_from(["x", "y", "'", 'ö"'])
JSON: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([1.0, 0.5, -2.25, 1e15, 10**15, 10**18, 999_999_999_999_999, 0.123456789]),
    st.sampled_from(["1", "x", "true", "null"]),
    st.lists(st.integers(0, 1), max_size=2),
)
AMOUNTS: Final = st.decimals(-10, 10**6, places=9) | st.sampled_from(["0.1", "0.2", "-0.3", "999999999999999"]).map(
    Decimal
)


class Story(NamedTuple):
    """Touchpoints with their subjects, and who owned each subject (0: nobody) one time after the other."""

    told: list[tuple[int, Told]]
    owners: list[dict[int, int]]

    def journey(self, customer: int, owners: dict[int, int]) -> list[Told]:
        return [told for subject, told in self.told if owners[subject] == customer]


@st.composite
def touchpoints(draw: st.DrawFn, number: int) -> tuple[int, Told]:
    """One touchpoint: near others or in the same millisecond, seldom ahead of now."""
    at_ms = NOW_MS + draw(
        st.sampled_from([0, -1, 1, -PAUSE_MS, -PAUSE_MS + 1, -2 * PAUSE_MS, DAY_MS, -DAY_MS, -3 * DAY_MS - 1])
    )
    at_ms += draw(st.integers(-2, 2)) * draw(st.sampled_from([0, 1, PAUSE_MS]))
    paid = draw(st.booleans())
    return draw(st.sampled_from(SUBJECTS)), Told(
        number=number,
        at_ms=at_ms,
        type=draw(st.sampled_from(["track", "page"])),
        name=draw(st.sampled_from([ORDER, ORDER, None, "Visit"])),
        channel=draw(WORDS),
        campaign=draw(st.none() | WORDS),
        revenue=draw(AMOUNTS) if paid else None,
        currency=draw(st.sampled_from(["EUR", "GBP", None])) if paid else None,
        device=draw(st.none() | st.sampled_from(SUBJECTS)),
        properties=draw(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=3)),
    )


@st.composite
def stories(draw: st.DrawFn) -> Story:
    count = draw(st.integers(0, 12))
    told = [draw(touchpoints(number)) for number in range(1, count + 1)]
    owner = st.fixed_dictionaries({subject: st.sampled_from((0, *CUSTOMERS)) for subject in SUBJECTS})
    return Story(told, draw(st.lists(owner, min_size=1, max_size=3)))


SCALARS: Final = JSON.filter(lambda value: not isinstance(value, list))
FILTERS: Final = st.builds(
    TouchpointFilter,
    types=st.none() | st.lists(st.sampled_from(["track", "page"]), max_size=2).map(tuple),
    names=st.none() | st.just((ORDER,)) | st.just(("Visit", ORDER)),
    channels=st.none() | st.lists(WORDS, max_size=2).map(tuple),
    campaigns=st.none() | st.lists(WORDS, max_size=2).map(tuple),
    properties=st.lists(st.builds(PropertyMatch, st.sampled_from(NAMES), SCALARS), max_size=1).map(tuple),
    after_ms=st.none() | st.sampled_from([NOW_MS, NOW_MS - DAY_MS]),
    before_ms=st.none() | st.sampled_from([NOW_MS, NOW_MS + 1]),
)
Of = st.SearchStrategy[Column | Property]
NUMERIC: Final[Of] = st.sampled_from([Column.REVENUE, *map(Property, NAMES)])
WORDY: Final[Of] = st.sampled_from([Column.CHANNEL, Column.CAMPAIGN, Column.NAME, *map(Property, NAMES)])


@st.composite
def traits(draw: st.DrawFn, kinds: Sequence[Kind] = tuple(Kind), columns: Of | None = None) -> ComputedTrait:
    kind = draw(st.sampled_from(kinds))
    of: Column | Property | None = None
    if kind in {Kind.SUM, Kind.AVERAGE}:
        of = draw(NUMERIC if columns is None else columns)
    elif kind in {Kind.FIRST, Kind.LAST, Kind.DISTINCT}:
        of = draw(WORDY)
    return ComputedTrait(
        name="mine",
        kind=kind,
        of=of,
        currency=draw(st.none() | st.just("EUR")) if of is Column.REVENUE else None,
        touchpoints=TouchpointFilter() if kind is Kind.SESSIONS else draw(st.just(TouchpointFilter()) | FILTERS),
    )


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    opened = Tables()
    yield opened
    opened.connection.close()


def give(tables: Tables, owners: dict[int, int]) -> None:
    """Let each subject be its owner's."""
    tables.put("identifiers", [owned(subject, customer) for subject, customer in owners.items()])


def asked(tables: Tables, build: Callable[[Question], str], among: str | None = None) -> list[tuple[Any, ...]]:
    """What a query is answered with."""
    parameters = Parameters()
    question = Question(bind=parameters.bind, now_ms=NOW_MS, session_ms=PAUSE_MS, among=among)
    return tables.rows(build(question), parameters.values)


def wanted(trait: ComputedTrait, currency: object = ...) -> Callable[[Told], bool]:
    """Which touchpoints count for a trait; of money only those in the currency, if one is given."""
    given_filter = trait.touchpoints
    counts = Wanted(
        given_filter.types,
        given_filter.names,
        given_filter.channels,
        given_filter.campaigns,
        tuple((match.name, match.value) for match in given_filter.properties),
        given_filter.after_ms,
        given_filter.before_ms,
    )
    currency = trait.currency if trait.currency is not None else currency
    return lambda told: counts(told) and (currency is ... or (told.revenue is not None and told.currency == currency))


def part(trait: ComputedTrait) -> Callable[[Told], Any]:
    """What of a touchpoint a trait sums up."""

    def number(told: Told, name: str) -> Decimal | None:
        found: Any = told.properties.get(name)
        if not oracle.is_number(found) or abs(found) >= 10**15:
            return None
        return Decimal(repr(found)).quantize(DECIMALS, ROUND_HALF_UP)

    def text(told: Told, name: str) -> str | None:
        found = told.properties.get(name)
        return None if found is None else msgspec.json.encode(found).decode().removesuffix(".0")

    match trait.of:
        case Property(name):
            take = number if trait.kind in {Kind.SUM, Kind.AVERAGE} else text
            return lambda told: take(told, name)
        case None:
            return lambda told: True
        case column:
            return lambda told: getattr(told, column)


def expected(trait: ComputedTrait, journey: list[Told], currency: object = ..., now_ms: int = NOW_MS) -> Any:
    counted = list(filter(wanted(trait, currency), journey))
    return oracle.value(str(trait.kind), counted, part(trait), PAUSE_MS, now_ms)


def like(found: Any) -> Any:
    """As it can be compared: averages nearly, what is nothing as None."""
    return pytest.approx(found, abs=2e-9, rel=1e-15) if isinstance(found, float) else found


@given(story=stories(), trait=traits())
def test_a_computed_trait_is_what_the_oracle_works_out_for_everybody(
    tables: Tables, story: Story, trait: ComputedTrait
) -> None:
    tables.fill(story.told)
    for owners in story.owners:
        give(tables, owners)
        journeys = {customer: story.journey(customer, owners) for customer in CUSTOMERS}
        for among, asked_about in ((None, CUSTOMERS), ("(SELECT unnest([1, 3]) AS customer)", (1, 3))):
            for currency in ("EUR", "GBP") if trait.by_currency else (None,):
                found = dict(asked(tables, partial(relation, trait, currency=currency), among))
                assert set(found) <= set(asked_about)
                for customer in asked_about:
                    right = expected(trait, journeys[customer], currency or ...)
                    assert found.get(customer, trait.nothing) == like(right), customer


@given(story=stories(), trait=traits())
def test_a_few_customers_values_are_told_in_each_currency(tables: Tables, story: Story, trait: ComputedTrait) -> None:
    tables.fill(story.told)
    give(tables, story.owners[0])
    found = values(tables, [trait, trait], [1, 2], now_ms=NOW_MS, session_ms=PAUSE_MS)  # type: ignore[arg-type]
    for customer in (1, 2):
        journey = story.journey(customer, story.owners[0])
        right = {}
        present = {told.currency for told in journey if told.revenue is not None} if trait.by_currency else {...}
        for currency in present:
            value = expected(trait, journey, currency)
            counts = any(wanted(trait, currency)(told) for told in journey)
            if value is not None and (counts or not trait.by_currency):
                right[trait.currency if currency is ... else currency] = value
        told = found[customer]
        assert told[: len(told) // 2] == told[len(told) // 2 :]
        shown = {value.currency: msgspec.json.decode(value.value) for value in told}
        assert set(shown) == set(right)
        for currency, value in right.items():
            assert shown[currency] == shown_value(trait, value)


def shown_value(trait: ComputedTrait, value: Any) -> Any:
    """As a number of JSON shows it."""
    if isinstance(value, Decimal):
        return pytest.approx(float(value), rel=1e-12)
    return msgspec.json.decode(value) if trait.is_json else like(value)


ROLLING: Final = (Kind.DAYS_SINCE_FIRST, Kind.DAYS_SINCE_LAST)


@given(
    story=stories(),
    trait=traits(ROLLING) | traits(),
    days=st.sampled_from([0, 1, 2, 5]),
    earlier_ms=st.integers(0, 3 * DAY_MS),
)
def test_who_changes_by_time_alone_is_known(
    tables: Tables, story: Story, trait: ComputedTrait, days: int, earlier_ms: int
) -> None:
    tables.fill(story.told)
    give(tables, story.owners[0])
    from_ms, now_ms = NOW_MS - earlier_ms, NOW_MS - earlier_ms + days * DAY_MS // 2
    journeys = {customer: story.journey(customer, story.owners[0]) for customer in CUSTOMERS}
    right = {
        customer
        for customer, journey in journeys.items()
        if expected(trait, journey, now_ms=from_ms) != expected(trait, journey, now_ms=now_ms)
    }
    parameters = Parameters()
    question = Question(bind=parameters.bind, now_ms=now_ms, session_ms=PAUSE_MS)
    sql = changed(trait, question, from_ms)
    assert (sql is None) == (not trait.rolling)
    assert right == (set() if sql is None else {customer for (customer,) in tables.rows(sql, parameters.values)})


@given(story=stories(), trait=traits((Kind.SUM, Kind.AVERAGE), st.just(Column.REVENUE)))
def test_the_currencies_of_a_trait_are_those_of_what_counts(tables: Tables, story: Story, trait: ComputedTrait) -> None:
    if not trait.by_currency:
        return
    tables.fill(story.told)
    give(tables, story.owners[0])
    found = {currency for (currency,) in asked(tables, partial(currencies, trait))}
    counts = wanted(trait)
    journeys = [told for customer in CUSTOMERS for told in story.journey(customer, story.owners[0])]
    assert found == {told.currency for told in journeys if counts(told) and told.revenue is not None}


def amounts(told: tuple[Money, ...]) -> dict[str | None, Decimal]:
    assert [amount.currency for amount in told] == sorted(
        (amount.currency for amount in told), key=lambda currency: (currency is None, currency or "")
    )
    return {amount.currency: Decimal(amount.amount) for amount in told}


@given(story=stories(), size=st.integers(1, 4), orders=st.just(TouchpointFilter(names=(ORDER,))) | FILTERS)
def test_pages_of_sessions_are_the_journey_cut_at_its_pauses(
    tables: Tables, story: Story, size: int, orders: TouchpointFilter
) -> None:
    tables.fill(story.told)
    for owners in story.owners:
        give(tables, owners)
        is_order = wanted(ComputedTrait(name="orders", kind=Kind.COUNT, touchpoints=orders))
        for customer in CUSTOMERS:
            cut = oracle.sessions(story.journey(customer, owners), PAUSE_MS)
            right = [oracle.session_row(session, is_order) for session in reversed(cut)]
            found: list[sessions.Session] = []
            beyond = None
            while True:
                page = sessions.pages(
                    tables,  # type: ignore[arg-type]
                    [customer],
                    size,
                    orders=orders,
                    session_ms=PAUSE_MS,
                    beyond=beyond,
                )[customer]
                found += page
                if len(page) < size:
                    break
                beyond = (page[-1].start_ms, page[-1].number)
            assert [shown_session(session) for session in found] == right


def shown_session(session: sessions.Session) -> dict[str, Any]:
    row = {name: getattr(session, name) for name in session.__struct_fields__}
    device: IdentifierKey | None = session.device
    return row | {
        "revenue": amounts(session.revenue),
        "device": None if device is None else int(device.value.removeprefix("d")),
    }


@given(story=stories(), orders=st.just(TouchpointFilter(names=(ORDER,))) | FILTERS)
def test_summaries_are_what_the_oracle_works_out(tables: Tables, story: Story, orders: TouchpointFilter) -> None:
    tables.fill(story.told)
    is_order = wanted(ComputedTrait(name="orders", kind=Kind.COUNT, touchpoints=orders))
    for owners in story.owners:
        give(tables, owners)
        found = summaries.summaries(
            tables,  # type: ignore[arg-type]
            list(CUSTOMERS),
            orders=orders,
            session_ms=PAUSE_MS,
            now_ms=NOW_MS,
        )
        for customer in CUSTOMERS:
            right = oracle.summary(story.journey(customer, owners), is_order, PAUSE_MS, NOW_MS)
            assert shown_summary(found[customer]) == right


def shown_summary(summary: summaries.Summary) -> dict[str, Any]:
    row = {name: getattr(summary, name) for name in summary.__struct_fields__}
    busiest = [-channel.touchpoints for channel in summary.channels]
    assert busiest == sorted(busiest)
    return row | {
        "revenue": amounts(summary.revenue),
        "channels": {
            channel.channel: {
                "touchpoints": channel.touchpoints,
                "orders": channel.orders,
                "revenue": amounts(channel.revenue),
            }
            for channel in summary.channels
        },
    }
