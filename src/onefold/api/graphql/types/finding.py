"""Answers to "who is this?": resolved identifiers, and what a search found."""

from collections.abc import Sequence

import strawberry
from strawberry import Private

from onefold.api.graphql.peers import Peers
from onefold.api.graphql.scopes import READ
from onefold.api.graphql.types import customer as customers
from onefold.api.graphql.types import identifier as identifiers
from onefold.api.graphql.types.connections import Edge, PageInfo, page_info
from onefold.api.graphql.types.customer import Customer
from onefold.api.graphql.types.fields import resolved
from onefold.api.graphql.types.identifier import IdentifierKey
from onefold.api.graphql.types.problems import Problem, problem
from onefold.model.reading import KnownCustomer
from onefold.service import values
from onefold.service.pages import HITS, Page
from onefold.service.reading import Reading


@strawberry.type(description="Whose an identifier is.", directives=[READ])
class Resolution:
    """The answer to one of the identifiers asked about."""

    row: Private[values.Resolution]
    peers: Private[Peers[KnownCustomer]]
    customer: Customer | None = strawberry.field(
        description="The customer it belongs to; of a generic one, a customer that holds nothing else, unless it was "
        "judged to. Null when no event named it, and of an operator's, which names whoever served the customer."
    )
    generic: bool = strawberry.field(
        description="Whether it was seen with too many to tell them apart: it joins nobody."
    )

    @resolved("The identifier as normalised; as given, when there is a `problem`.")
    def identifier(self) -> IdentifierKey:
        """Its key."""
        return identifiers.key(self.row.identifier)

    @resolved("Whether its customer has refused links: somebody may be two, or two be one.")
    def contested(self) -> bool:
        """Read for all siblings."""
        return self.customer is not None and self.peers.child(self.customer.place, "contested", _contested)

    @resolved("Why it can be no identifier at all: malformed, blocked, of no known namespace.")
    def problem(self) -> Problem | None:
        """As found when normalising."""
        return problem(self.row.problem)


def _contested(reading: Reading, rows: Sequence[KnownCustomer]) -> list[bool]:
    contested = reading.contested([row.key for row in rows])
    return [row.key in contested for row in rows]


def resolutions(reading: Reading, rows: Sequence[values.Resolution]) -> list[Resolution]:
    """Answers whose customers are read together."""
    held = customers.by_key(reading, [row.customer.key for row in rows if row.customer])
    peers: Peers[KnownCustomer] = next((customer.peers for customer in held.values()), Peers(reading, []))
    return [
        Resolution(
            row=row,
            peers=peers,
            customer=held[row.customer.key] if row.customer else None,
            generic=row.generic,
        )
        for row in rows
    ]


@strawberry.type(description="Where a search found its text.", directives=[READ])
class Match:
    """A place."""

    attribute: str = strawberry.field(description="A namespace, or `trait:NAME`.")
    value: str = strawberry.field(description="What is stored there.")


@strawberry.type(description="A customer that a search found, and where.", directives=[READ])
class SearchEdge(Edge[Customer]):
    """An edge with the place."""

    matched: Match = strawberry.field(description="Where the text was found.")


@strawberry.type(description="A page of what a search found.", directives=[READ])
class SearchConnection:
    """A connection whose edges say where."""

    edges: list[SearchEdge] = strawberry.field(description="What was found, in the order of arrival.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in its list.")


def search_connection(reading: Reading, page: Page[values.Hit], after: str | None) -> SearchConnection:
    """The connection of a page of hits."""
    nodes = customers.customers(reading, [hit.customer for hit in page.items])
    edges = [
        SearchEdge(
            write=HITS.write,
            position=position,
            node=node,
            matched=Match(attribute=hit.place.attribute, value=hit.place.value),
        )
        for node, hit, position in zip(nodes, page.items, page.positions, strict=True)
    ]
    return SearchConnection(edges=edges, page_info=page_info(page, HITS.write, lambda: after is not None))
