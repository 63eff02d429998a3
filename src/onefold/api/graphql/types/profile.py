"""Profiles: what is known of customers, where it came from, and what else was said."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import UNSET, Private

from onefold.api.graphql.scopes import READ
from onefold.api.graphql.types import identifier
from onefold.api.graphql.types.fields import resolved
from onefold.api.graphql.types.scalars import DateTime, Json
from onefold.model.claims import Claim as ClaimRow
from onefold.service import values

if TYPE_CHECKING:
    from onefold.api.graphql.types.identifier import IdentifierKey

LazyKey = Annotated["IdentifierKey", strawberry.lazy("onefold.api.graphql.types.identifier")]


@strawberry.type(description="One value of one trait, said of one identifier by one source.", directives=[READ])
class Claim:
    """What was said."""

    row: Private[ClaimRow]
    source: str = strawberry.field(description="Who said it: the name of the write key or import.")
    first_at: DateTime = strawberry.field(description="When it was first said.")
    last_at: DateTime = strawberry.field(description="When it was last said.")
    count: int = strawberry.field(description="How often it was said.")

    @resolved("The value.")
    def value(self) -> Json:
        """As stored."""
        return Json(self.row.value_json)

    @resolved("Of which identifier it was said.")
    def identifier(self) -> LazyKey:
        """Its key."""
        return identifier.key(self.row.identifier)


@strawberry.type(
    description="A trait of a customer: its value, where that came from, and what else was said.", directives=[READ]
)
class Trait:
    """The survivor of all claims about it."""

    row: Private[values.Survivor]
    name: str = strawberry.field(description="Its name, as senders write it.")
    source: str = strawberry.field(description="Who said it: the name of the write key or import.")
    at: DateTime = strawberry.field(description="When that source last said it.")

    @resolved("The value.")
    def value(self) -> Json:
        """As stored; never null."""
        return Json(self.row.claim.value_json)

    @resolved("Of which identifier it was said.")
    def identifier(self) -> LazyKey:
        """Its key."""
        return identifier.key(self.row.claim.identifier)

    @resolved("What else was said of this trait, the newest first.")
    def others(self) -> list[Claim]:
        """All other claims."""
        return [
            Claim(
                row=row,
                source=row.source,
                first_at=DateTime(row.first_ms),
                last_at=DateTime(row.last_ms),
                count=row.count,
            )
            for row in self.row.others
        ]


def trait(row: values.Survivor) -> Trait:
    """The type of a trait's value."""
    claim = row.claim
    return Trait(row=row, name=claim.trait, source=claim.source, at=DateTime(claim.last_ms))


@strawberry.type(
    description="What is known of a customer: one value a trait, by the rules in `traits.yaml`.", directives=[READ]
)
class Profile:
    """A customer's traits by name."""

    row: Private[Mapping[str, values.Survivor]]

    @resolved("The traits, by name.")
    def traits(
        self,
        names: Annotated[list[str] | None, strawberry.argument(description="Only these; all, if not given.")] = UNSET,
    ) -> list[Trait]:
        """In the order of their names."""
        wanted = set(names) if names else None
        return [trait(row) for name, row in self.row.items() if wanted is None or name in wanted]
