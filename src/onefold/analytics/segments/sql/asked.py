"""A question about customers while it is put together."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from onefold.analytics.segments.surroundings import Surroundings
from onefold.readmodel.touchpoints import Parameters

PEOPLE: Final = "internal.customers"
HOLDERS: Final = "internal.identifiers"
TOUCHPOINTS: Final = "internal.touchpoints"


class Leaf(NamedTuple):
    """A query for customers (one column, `customer`, never null): those who meet a condition, or, if `negated`, those
    who do not."""

    sql: str
    negated: bool = False


class Asked:
    """A statement while it is put together: the values of its parameters, and the relations that come first.

    Attributes:
        surroundings: what besides data decides.
        people: a relation of the customers that count: `customer`, `anchor`, `id`.
        holders: a relation of the identifiers that count: `number`, `customer`, `namespace`, `value`.
        touchpoints: a relation of those of all these, or of more, with the columns of `internal.touchpoints`.
    """

    def __init__(self, surroundings: Surroundings, customers: Sequence[int] | None = None) -> None:
        """`customers`: only these count; None: all."""
        self.surroundings: Final = surroundings
        self._parameters: Final = Parameters()
        self._relations: Final[dict[str, str]] = {}
        self._leaves: Final[dict[str, Leaf]] = {}
        self.restricted: Final = customers is not None
        self.people, self.holders, self.touchpoints = PEOPLE, HOLDERS, TOUCHPOINTS
        if customers is not None:
            wanted = f"customer IN (SELECT unnest({self.bind(list(customers))}::BIGINT[]))"
            self.people = self.first("people", f"SELECT customer, anchor, id FROM {PEOPLE} WHERE {wanted}")
            of = "customer IN (SELECT customer FROM people)"
            self.holders = self.first("holders", f"SELECT number, customer, namespace, value FROM {HOLDERS} WHERE {of}")

    def bind(self, value: Any) -> str:
        """Keep the value of a parameter; -> its placeholder."""
        return self._parameters.bind(value)

    @property
    def values(self) -> dict[str, Any]:
        """The values of all parameters by name."""
        return self._parameters.values

    def first(self, name: str, sql: str) -> str:
        """Have a relation read once, before all that names it; -> its name."""
        self._relations[name] = f"{name} AS MATERIALIZED ({sql})"
        return name

    def named(self, sql: str) -> str:
        """A relation by a name of its own."""
        name = f"r{len(self._relations) + 1}"
        self._relations[name] = f"{name} AS ({sql})"
        return name

    def leaf(self, key: str, make: Callable[[], Leaf]) -> Leaf:
        """A condition by its key, with the name of its relation in place of the query; made once."""
        if key not in self._leaves:
            made = make()
            self._leaves[key] = Leaf(self.named(made.sql), made.negated)
        return self._leaves[key]

    def journeys(self, condition: str) -> str:
        """What stands behind FROM for the touchpoints `t` that meet a condition, and their subjects `i`."""
        return f"{self.touchpoints} t JOIN {self.holders} i ON i.number = t.subject WHERE {condition}"

    def who_did(self, condition: str) -> str:
        """A query for the customers who have touchpoints `t` that meet a condition, however many. (Of these nothing but
        their subjects is looked at: joining them takes longer.)"""
        subjects = f"SELECT t.subject FROM {self.touchpoints} t WHERE {condition}"
        return f"SELECT customer FROM {self.holders} WHERE number IN ({subjects})"

    @property
    def of_people(self) -> str:
        """A further condition on a column `customer`: that it counts."""
        return " AND customer IN (SELECT customer FROM people)" if self.restricted else ""

    def statement(self, select: str) -> str:
        """The whole statement: what was put together so far, and then `select`."""
        relations = ", ".join(self._relations.values())
        return f"WITH {relations} {select}" if relations else select
