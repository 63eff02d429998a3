"""Who meets a rule, and why one of them does or does not: asked of the read model."""

from typing import Annotated

import strawberry
from strawberry import UNSET, Private

from onefold.api.graphql.context import Operation
from onefold.api.graphql.scopes import READ, STEWARD
from onefold.api.graphql.types import customer as customers
from onefold.api.graphql.types import segment as segments
from onefold.api.graphql.types.connections import Connection, forward
from onefold.api.graphql.types.customer import Customer
from onefold.api.graphql.types.fields import resolved
from onefold.api.graphql.types.inputs import given
from onefold.api.graphql.types.problems import Problem, problem
from onefold.api.graphql.types.scalars import Json, Seq
from onefold.api.graphql.types.segment import Segment
from onefold.errors import Problem as ProblemRow
from onefold.model.saved import SavedSegment
from onefold.service import previewing
from onefold.service.pages import SEGMENT_MEMBERS
from onefold.service.reading import Reading

First = Annotated[int, strawberry.argument(description="How many, at most 500.")]
After = Annotated[str | None, strawberry.argument(description="The cursor of the last one had.")]


@strawberry.type(
    description="Who would be in a segment of this rule, in the state of the store that `asOfSeq` names.",
    directives=[READ],
)
class SegmentPreview:
    """What a rule comes to."""

    reading: Private[Reading]
    row: Private[previewing.Preview]
    count: int = strawberry.field(
        description="How many customers meet the rule, and gave the consent that was required."
    )
    share: float = strawberry.field(description="The part of all customers that is, from 0 to 1.")
    without_consent: int = strawberry.field(
        description="How many meet the rule, and are left out because they did not give the consent that was required."
    )
    as_of_seq: Seq = strawberry.field(description="What it is as of: a place in the change feed.")

    @resolved(
        "Who they are, in the order in which their ids came to be: who comes to meet the rule between two pages moves "
        "nobody else. One who was joined into another meanwhile shows as that one."
    )
    def customers(self, first: First = 20, after: After = UNSET) -> Connection[Customer]:
        """A page at a time."""
        cursor = given(after)
        page = self.row.page(first, cursor)
        return forward(page, customers.customers(self.reading, page.items), SEGMENT_MEMBERS.write, cursor)


def segment_preview(reading: Reading, row: previewing.Preview) -> SegmentPreview:
    """The type of what a rule comes to."""
    counts = row.counts
    return SegmentPreview(
        reading=reading,
        row=row,
        count=counts.count,
        share=counts.share,
        without_consent=counts.without_consent,
        as_of_seq=Seq(row.as_of_seq),
    )


@strawberry.type(description="A condition of a rule, and whether a customer meets it.", directives=[READ])
class ConditionExplanation:
    """A line of the tree."""

    row: Private[previewing.Line]
    path: str = strawberry.field(
        description="Its place in the rule: `rule.all[1].not`. Of another segment's rule, `seg_…:rule` and on; of the "
        "consent that is required besides, `requireConsent`."
    )
    level: int = strawberry.field(description="How many other conditions it stands within.")
    kind: str = strawberry.field(description="The key it stands under in the rule: `all`, `not`, `trait`, `did`, ….")
    text: str = strawberry.field(description="What it asks, in words; of `all`, `any` and `not` alone.")
    holds: bool = strawberry.field(description="Whether it holds.")
    found_text: str = strawberry.field(description="What was found, in words; empty of what only joins conditions.")

    @resolved("What it asks, as it stands in the rule; null of `all`, `any` and `not`.")
    def asked(self) -> Json | None:
        """Decoded; written as JSON."""
        return None if self.row.asked is None else Json(previewing.to_json(self.row.asked))

    @resolved(
        "What was found of the customer, as an object: of a trait `value`, `source`, `at`, `identifier`; of behaviour "
        "`times`, `first`, `last`, `sum`, …; of a sequence `steps`; of identifiers `count`, `identifiers`; of consent "
        "`given`, `at`, `source`, `identifier`. Null where there is nothing."
    )
    def found(self) -> Json | None:
        """Decoded; written as JSON."""
        return None if self.row.found is None else Json(previewing.to_json(self.row.found))


@strawberry.type(description="Whether a customer meets a rule, and why.", directives=[READ])
class MembershipExplanation:
    """The tree of conditions, as a list."""

    customer: Customer = strawberry.field(description="The customer asked about.")
    segment: Segment | None = strawberry.field(description="The segment asked about; null of a rule.")
    holds: bool = strawberry.field(
        description="Whether the customer meets the rule, and gave the consent that is required, at this moment."
    )
    conditions: list[ConditionExplanation] = strawberry.field(
        description="Each condition with what was found, one that joins others before those within it; `level` says "
        "what stands within what."
    )
    as_of_seq: Seq = strawberry.field(description="What it is as of: a place in the change feed.")


def membership_explanation(
    reading: Reading, row: previewing.Membership, segment: SavedSegment | None
) -> MembershipExplanation:
    """The type of an explanation."""
    reading.hand_out(len(row.lines))
    return MembershipExplanation(
        customer=customers.found(reading, row.customer),
        segment=None if segment is None else segments.segments(reading, [segment])[0],
        holds=row.holds,
        conditions=[
            ConditionExplanation(
                row=line,
                path=line.path,
                level=line.level,
                kind=line.kind,
                text=line.said,
                holds=line.holds,
                found_text=line.seen,
            )
            for line in row.lines
        ],
        as_of_seq=Seq(row.as_of_seq),
    )


@strawberry.type(description="What came of saving a segment, or deleting one.", directives=[STEWARD])
class SegmentResult:
    """A segment, or a problem."""

    segment: Segment | None = strawberry.field(
        description="The segment as it is kept; null when there is a problem, or it is deleted."
    )
    problem: Problem | None = strawberry.field(
        description="Why nothing was saved or deleted: a mistake in the rule, a name that is taken or that no event "
        "brought yet, no such segment."
    )


def segment_result(operation: Operation, row: SavedSegment | ProblemRow) -> SegmentResult:
    """The type of what came of it."""
    if isinstance(row, ProblemRow):
        return SegmentResult(segment=None, problem=problem(row))
    there = [row] if row.deleted_ms is None else []
    made = segments.segments(operation.reading, there) if there else []
    return SegmentResult(segment=made[0] if made else None, problem=None)
