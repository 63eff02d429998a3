"""Saved segments, who is in them, and who enters and leaves."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import UNSET, Private

from onefold.api.graphql.peers import Peers
from onefold.api.graphql.scopes import ANY, READ
from onefold.api.graphql.types import customer as customers
from onefold.api.graphql.types.connections import Connection, Node, forward
from onefold.api.graphql.types.fields import resolved
from onefold.api.graphql.types.inputs import given
from onefold.api.graphql.types.scalars import DateTime, Json, Seq
from onefold.model.saved import SavedSegment
from onefold.service import segments as kept
from onefold.service.pages import SEGMENT_MEMBERS
from onefold.service.reading import Reading

if TYPE_CHECKING:
    from onefold.api.graphql.types.customer import Customer

LazyCustomer = Annotated["Customer", strawberry.lazy("onefold.api.graphql.types.customer")]

First = Annotated[int, strawberry.argument(description="How many, at most 500.")]
After = Annotated[str | None, strawberry.argument(description="The cursor of the last one had.")]


@strawberry.type(
    description="A saved segment. Who is in it is kept current as events come in and as time passes.", directives=[READ]
)
class Segment(Node):
    """A segment among its peers."""

    row: Private[SavedSegment]
    place: Private[int]
    peers: Private[Peers[SavedSegment]]
    name: str = strawberry.field(description="What it is called.")
    description: str | None = strawberry.field(description="What it is for, in the words of whoever saved it.")
    require_consent: str | None = strawberry.field(
        description="A purpose: who has not agreed to it is left out, whatever the rule says."
    )
    count: int = strawberry.field(description="How many customers are in it.")
    created_at: DateTime = strawberry.field(description="When it was first saved.")
    changed_at: DateTime = strawberry.field(description="When it was last saved.")

    @resolved("Opaque, with a prefix that tells what it is the id of.", ANY)
    def id(self) -> strawberry.ID:
        """Told to whoever saved it, if nothing else is."""
        return strawberry.ID(self.row.public_id)

    @resolved("Who is in it: the tree of `SegmentRule`, in its words.")
    def rule(self) -> Json:
        """As kept."""
        return Json(self.row.rule)

    @resolved(
        "Who is in it, in the order in which their ids came to be: who enters or leaves between two pages moves nobody "
        "else."
    )
    def customers(self, first: First = 20, after: After = UNSET) -> Connection[LazyCustomer]:
        """Read for all siblings; what comes after a cursor is its own segment's alone."""
        cursor = given(after)
        if cursor is not None:
            return _members(self.peers.reading, [self.row], first, cursor)[0]
        return self.peers.child(self.place, ("customers", first), partial(_members, first=first, after=None))

    @resolved("How far its membership has come in the change feed; 0: nobody was looked at since it was saved.")
    def as_of_seq(self) -> Seq:
        """As kept."""
        return Seq(self.row.as_of_seq or 0)


def _members(
    reading: Reading, rows: Sequence[SavedSegment], first: int, after: str | None
) -> list[Connection["Customer"]]:
    pages = kept.members(reading, rows, first, after)
    made = iter(customers.customers(reading, [row for page in pages for row in page.items]))
    return [forward(page, [next(made) for _ in page.items], SEGMENT_MEMBERS.write, after) for page in pages]


def segments(reading: Reading, rows: Sequence[SavedSegment]) -> list[Segment]:
    """Segments that are read together."""
    peers = Peers(reading, rows)
    return [
        Segment(
            row=row,
            place=place,
            peers=peers,
            name=row.name,
            description=row.description,
            require_consent=row.require_consent,
            count=row.count,
            created_at=DateTime(row.created_ms),
            changed_at=DateTime(row.changed_ms),
        )
        for place, row in enumerate(rows)
    ]
