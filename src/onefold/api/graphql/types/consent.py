"""What customers agreed to."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Private

from onefold.api.graphql.scopes import READ
from onefold.api.graphql.types import identifier
from onefold.api.graphql.types.fields import resolved
from onefold.api.graphql.types.scalars import DateTime
from onefold.model import consents as model
from onefold.model.sources import Trust
from onefold.service.values import StandingConsent

if TYPE_CHECKING:
    from onefold.api.graphql.types.identifier import IdentifierKey

LazyKey = Annotated["IdentifierKey", strawberry.lazy("onefold.api.graphql.types.identifier")]

AT = "When it was said; of what was dated ahead of its receipt, when it came."
TRUSTED = "Whether nobody outside can speak in its name; false for keys that sit in pages and apps."


@strawberry.type(description="The newest word on one purpose that was said of one identifier.", directives=[READ])
class ConsentStatement:
    """One that does not count, for another is newer."""

    row: Private[model.Consent]
    given: bool = strawberry.field(description="Whether it was agreed to; false: it was withdrawn, or refused.")
    at: DateTime = strawberry.field(description=AT)
    source: str = strawberry.field(description="Who said so: the name of the write key or import.")
    trusted: bool = strawberry.field(description=TRUSTED)

    @resolved("Of which identifier it was said.")
    def identifier(self) -> LazyKey:
        """Its key."""
        return identifier.key(self.row.identifier)


@strawberry.type(
    description="Whether a customer agreed to one purpose: the newest word over all its identifiers counts; of two "
    "of the same moment the one that withdraws.",
    directives=[READ],
)
class Consent:
    """The statement that counts."""

    row: Private[StandingConsent]
    purpose: str = strawberry.field(description="What for, as in `marketing`.")
    given: bool = strawberry.field(description="Whether it is agreed to; false: it was withdrawn, or refused.")
    at: DateTime = strawberry.field(description=AT)
    source: str = strawberry.field(description="Who said so: the name of the write key or import.")
    trusted: bool = strawberry.field(description=TRUSTED)

    @resolved("Of which identifier it was said.")
    def identifier(self) -> LazyKey:
        """Its key."""
        return identifier.key(self.row.consent.identifier)

    @resolved("What was last said of its other identifiers, the newest first.")
    def others(self) -> list[ConsentStatement]:
        """All that do not count."""
        return [
            ConsentStatement(
                row=row,
                given=row.given,
                at=DateTime(row.at_ms),
                source=row.source,
                trusted=row.trust is Trust.SERVER,
            )
            for row in self.row.others
        ]


def consent(row: StandingConsent) -> Consent:
    """The type of what counts."""
    counts = row.consent
    return Consent(
        row=row,
        purpose=counts.purpose,
        given=counts.given,
        at=DateTime(counts.at_ms),
        source=counts.source,
        trusted=counts.trust is Trust.SERVER,
    )
