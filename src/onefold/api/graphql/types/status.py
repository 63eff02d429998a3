"""What serves: the namespaces it goes by, and how much it holds."""

from enum import Enum

import strawberry

from onefold.api.graphql.scopes import ADMIN, READ
from onefold.api.graphql.types.scalars import Seq
from onefold.model import namespaces
from onefold.service import values


@strawberry.enum(description="What identifiers of a namespace belong to.")
class NamespaceKind(Enum):
    """The kinds of namespaces."""

    PERSON = strawberry.enum_value("person", description="One person, by your own records.")
    CONTACT = strawberry.enum_value("contact", description="A way to reach somebody: often, not always, one person's.")
    DEVICE = strawberry.enum_value("device", description="A browser, an app, a phone: people come and go.")
    HOUSEHOLD = strawberry.enum_value("household", description="Several people who live together.")
    OPERATOR = strawberry.enum_value("operator", description="Whoever served the customer: it joins nobody.")


@strawberry.enum(description="Which of two equally strong links is taken first.")
class Preference(Enum):
    """By age."""

    OLDEST = strawberry.enum_value("oldest", description="The one seen first.")
    NEWEST = strawberry.enum_value("newest", description="The one seen last.")


@strawberry.type(description="A kind of identifier, and what it may do.", directives=[READ])
class Namespace:
    """As `namespaces.yaml` declares it."""

    name: str = strawberry.field(description="Its name, as in `email`.")
    priority: int = strawberry.field(description="1 is the strongest.")
    kind: NamespaceKind = strawberry.field(description="What its identifiers belong to.")
    limit: int | None = strawberry.field(description="Most different values one customer may have; null: any number.")
    fanout: int = strawberry.field(
        description="Most values of one stronger, limited namespace it may be seen with before it counts as generic."
    )
    prefer: Preference = strawberry.field(description="Which of two equally strong links is taken first.")
    distinguishes: bool = strawberry.field(
        description="Whether two groups that each have one are joined only by links at least as strong as it."
    )
    from_: list[str] = strawberry.field(name="from", description="Where events carry it, besides their `identifiers`.")


def namespace(row: namespaces.Namespace) -> Namespace:
    """The type of a namespace."""
    return Namespace(
        name=row.name,
        priority=row.priority,
        kind=NamespaceKind[row.kind.name],
        limit=row.limit,
        fanout=row.fanout,
        prefer=Preference[row.prefer.name],
        distinguishes=row.distinguishes,
        from_=[str(path) for path in row.paths],
    )


@strawberry.type(description="How much onefold holds, and where it stands.", directives=[READ])
class Status:
    """One state of the store."""

    version: str = strawberry.field(description="The version of onefold.")
    store: str = strawberry.field(description="Where everything is kept.", directives=[ADMIN])
    seq: Seq = strawberry.field(description="The end of the change feed: what this answer is as of.")
    customers: int = strawberry.field(
        description="How many customers there are: groups of identifiers that belong together, those of one identifier "
        "too, be it a device that never gave a name or a generic identifier."
    )
    identifiers: int = strawberry.field(description="How many identifiers there are.")
    links: int = strawberry.field(description="How many pairs of identifiers were seen together.")
    touchpoints: int = strawberry.field(description="How many touchpoints there are.")
    decisions: int = strawberry.field(description="How many decisions were made.")
    rejects: int = strawberry.field(description="How many rejected events are kept, at most 10,000.")


def status(row: values.Status) -> Status:
    """The type of a status."""
    counts = row.counts
    return Status(
        version=row.version,
        store=row.store,
        seq=Seq(row.seq),
        customers=counts.customers,
        identifiers=counts.identifiers,
        links=counts.links,
        touchpoints=counts.touchpoints,
        decisions=counts.decisions,
        rejects=counts.rejects,
    )
