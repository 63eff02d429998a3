"""Explanations: why two identifiers are one customer, or not; and the graph around a customer."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from onefold.api.graphql.scopes import READ
from onefold.api.graphql.types import customer as customers
from onefold.api.graphql.types import identifier as identifiers
from onefold.api.graphql.types import ledger
from onefold.api.graphql.types.customer import Customer
from onefold.api.graphql.types.identifier import Identifier, IdentifierKey, Link, Refusal
from onefold.api.graphql.types.ledger import Judgement
from onefold.service import values
from onefold.service.reading import Reading


@strawberry.type(
    description="From one identifier to the next: they were seen together, were judged the same, or both.",
    directives=[READ],
)
class ChainStep:
    """A step of a chain."""

    a: IdentifierKey = strawberry.field(description="Where the step starts.")
    b: IdentifierKey = strawberry.field(description="Where it leads.")
    link: Link | None = strawberry.field(description="The evidence of the two; null if they were never seen together.")
    judgement: Judgement | None = strawberry.field(description="The judgement that they are the same, if there is one.")


@strawberry.type(description="The two identifiers are one customer.", directives=[READ])
class Together:
    """Why they are."""

    a: IdentifierKey = strawberry.field(description="The one, normalised.")
    b: IdentifierKey = strawberry.field(description="The other, normalised.")
    customer: Customer = strawberry.field(description="The customer they belong to.")
    chain: list[ChainStep] = strawberry.field(
        description="The strongest chain from a to b: the one whose weakest link is the strongest possible. Empty when "
        "a is b."
    )


@strawberry.type(
    description="The two identifiers are different customers, although something connects them.", directives=[READ]
)
class Apart:
    """Why they are."""

    a: IdentifierKey = strawberry.field(description="The one, normalised.")
    b: IdentifierKey = strawberry.field(description="The other, normalised.")
    customers: list[Customer] = strawberry.field(description="The customer of a, then that of b.")
    refusal: Refusal = strawberry.field(description="Why nothing joins them, and what would.")
    refused: list[Link] = strawberry.field(
        description="The refused links between the two customers, those of a and b first; or a link from each of them "
        "to a third that both were seen with."
    )
    judgements: list[Judgement] = strawberry.field(description="The judgements that say they are different.")


@strawberry.type(description="Nothing connects the two identifiers.", directives=[READ])
class NeverSeen:
    """No link, no judgement."""

    a: IdentifierKey = strawberry.field(description="The one, normalised.")
    b: IdentifierKey = strawberry.field(description="The other, normalised.")
    unknown: list[IdentifierKey] = strawberry.field(description="Those of the two that no event has named.")


Explanation = Annotated[
    Together | Apart | NeverSeen,
    strawberry.union("Explanation", description="Why two identifiers are one customer, or why they are not."),
]


def explanation(reading: Reading, row: values.Explanation) -> Together | Apart | NeverSeen:
    """The type of an explanation."""
    a, b = identifiers.key(row.a), identifiers.key(row.b)
    match row:
        case values.Together():
            (customer,) = customers.customers(reading, [row.customer])
            return Together(a=a, b=b, customer=customer, chain=_chain(reading, row.chain))
        case values.Apart():
            return Apart(
                a=a,
                b=b,
                customers=customers.customers(reading, row.customers),
                refusal=identifiers.refusal(row.refusal),
                refused=identifiers.links(reading, row.refused),
                judgements=ledger.judgements(reading, row.judgements),
            )
        case _:
            return NeverSeen(a=a, b=b, unknown=[identifiers.key(key) for key in row.unknown])


def _chain(reading: Reading, steps: Sequence[values.Step]) -> list[ChainStep]:
    links = iter(identifiers.links(reading, [step.evidence for step in steps if step.evidence]))
    judgements = iter(ledger.judgements(reading, [step.judgement for step in steps if step.judgement]))
    return [
        ChainStep(
            a=identifiers.key(step.a),
            b=identifiers.key(step.b),
            link=next(links) if step.evidence else None,
            judgement=next(judgements) if step.judgement else None,
        )
        for step in steps
    ]


@strawberry.type(description="Identifiers and the links between them.", directives=[READ])
class IdentityGraph:
    """A part of the graph."""

    truncated: bool = strawberry.field(description="Whether there was more than may be shown.")
    nodes: list[Identifier] = strawberry.field(description="The identifiers, the nearest first.")
    links: list[Link] = strawberry.field(description="All links between them, refused ones too.")


def identity_graph(reading: Reading, row: values.Neighbourhood) -> IdentityGraph:
    """The type of a part of the graph."""
    return IdentityGraph(
        truncated=row.truncated,
        nodes=identifiers.identified(reading, row.identifiers),
        links=identifiers.links(reading, row.links),
    )
