"""Who meets a rule: how many, a page of them, or which of some. Rules are settled first (`settle`)."""

from collections.abc import Sequence
from typing import Final

import msgspec

from onefold.analytics.segments.sql import tree
from onefold.analytics.segments.sql.asked import Asked
from onefold.analytics.segments.surroundings import Surroundings
from onefold.model.segments import ConsentTest, SegmentRule, requiring
from onefold.readmodel.model import Asking

START: Final = -1
"""Smaller than the number of every anchor."""


class Person(msgspec.Struct, frozen=True):
    """Somebody who meets a rule: internal key of the customer, number of its anchor, public id (`cus_…`)."""

    customer: int
    anchor: int
    id: str


class Preview(msgspec.Struct, frozen=True):
    """Who meets a rule.

    Attributes:
        count: how many; where consent is required, of those who gave it. without_consent: how many meet the rule and
            did not give it. of: how many customers there are.
        people: a page of them in the order of their anchors. more: whether others come after it.
    """

    count: int
    without_consent: int
    of: int
    people: tuple[Person, ...]
    more: bool

    @property
    def share(self) -> float:
        """The part of all customers, from 0 to 1; 0 where there are none."""
        return self.count / self.of if self.of else 0.0


def preview(
    asking: Asking,
    rule: SegmentRule,
    surroundings: Surroundings,
    *,
    consent: str | None = None,
    limit: int = 20,
    after: int = START,
) -> Preview:
    """Count those who meet the rule, and show at most `limit` whose anchors have greater numbers than `after`."""
    asked = Asked(surroundings)
    met = tree.where(rule, asked)
    agreed = "true" if consent is None else tree.where(ConsentTest(consent), asked)
    asked.first("met", f"SELECT c.customer, c.anchor, {agreed} AS agreed FROM {asked.people} c WHERE {met}")
    page = f"SELECT customer, anchor FROM met WHERE agreed AND anchor > {asked.bind(after)}"
    page = f"({page} ORDER BY anchor LIMIT {asked.bind(limit + 1)})"
    rows = asking.rows(
        asked.statement(
            "SELECT count(*) FILTER (agreed), count(*) FILTER (NOT agreed), "
            f"(SELECT count(*) FROM {asked.people}), NULL FROM met UNION ALL "
            f"SELECT c.customer, c.anchor, NULL, c.id FROM {asked.people} c JOIN {page} p ON p.customer = c.customer"
        ),
        asked.values,
    )
    ((count, without_consent, of, _),) = (row for row in rows if row[3] is None)
    people = sorted((Person(row[0], row[1], row[3]) for row in rows if row[3] is not None), key=lambda p: p.anchor)
    return Preview(count, without_consent, of, tuple(people[:limit]), len(people) > limit)


def page(
    asking: Asking,
    rule: SegmentRule,
    surroundings: Surroundings,
    *,
    consent: str | None = None,
    limit: int | None = None,
    after: int = START,
) -> list[Person]:
    """Those who meet the rule in the order of their anchors, beyond the number `after`; at most `limit`, None: all."""
    asked = Asked(surroundings)
    met = tree.where(requiring(rule, consent), asked)
    most = "" if limit is None else f" LIMIT {asked.bind(limit)}"
    select = f"SELECT c.customer, c.anchor, c.id FROM {asked.people} c WHERE {met} AND c.anchor > {asked.bind(after)}"
    rows = asking.rows(asked.statement(f"{select} ORDER BY c.anchor{most}"), asked.values)
    return [Person(*row) for row in rows]


def among(
    asking: Asking,
    rule: SegmentRule,
    surroundings: Surroundings,
    customers: Sequence[int],
    *,
    consent: str | None = None,
) -> list[Person]:
    """Which of these customers (internal keys) meet the rule, in no order."""
    if not customers:
        return []
    asked = Asked(surroundings, customers)
    met = tree.where(requiring(rule, consent), asked)
    select = f"SELECT c.customer, c.anchor, c.id FROM {asked.people} c WHERE {met}"
    return [Person(*row) for row in asking.rows(asked.statement(select), asked.values)]
