"""What can be asked."""

from collections.abc import Callable
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from onefold.api.graphql.context import Info
from onefold.api.graphql.scopes import READ
from onefold.api.graphql.types import customer as customers
from onefold.api.graphql.types import identifier as identifiers
from onefold.api.graphql.types import ledger, segment, status, touchpoint
from onefold.api.graphql.types.connections import Connection, Node, forward
from onefold.api.graphql.types.customer import Customer
from onefold.api.graphql.types.explanation import (
    Explanation,
    IdentityGraph,
    explanation,
    identity_graph,
)
from onefold.api.graphql.types.fields import resolved
from onefold.api.graphql.types.finding import Resolution, SearchConnection, resolutions, search_connection
from onefold.api.graphql.types.inputs import CustomerRef, IdentifierInput, given
from onefold.api.graphql.types.ledger import Change, Decision, DecisionKind
from onefold.api.graphql.types.preview import (
    MembershipExplanation,
    SegmentPreview,
    membership_explanation,
    segment_preview,
)
from onefold.api.graphql.types.rules import SegmentRule, said
from onefold.api.graphql.types.scalars import Seq
from onefold.api.graphql.types.segment import Segment
from onefold.api.graphql.types.status import Namespace, Status
from onefold.errors import OnefoldError
from onefold.model import changes
from onefold.model.graph import Judgement
from onefold.model.reading import KnownIdentifier, LedgerLine, Touchpoint
from onefold.model.saved import SavedSegment
from onefold.service import segments as kept
from onefold.service.explaining import why
from onefold.service.ledger import changes as feed
from onefold.service.ledger import decisions
from onefold.service.neighbourhood import neighbourhood
from onefold.service.pages import LEDGER
from onefold.service.previewing import (
    Preview,
    Wanted,
    check_staleness,
    given_rule,
    kept_rule,
    membership,
    question,
)
from onefold.service.searching import search
from onefold.service.values import Found

First = Annotated[int, strawberry.argument(description="How many, at most 500.")]
After = Annotated[str | None, strawberry.argument(description="The cursor of the last one had.")]

Rule = Annotated[SegmentRule, strawberry.argument(description="Who is to be found.")]
AllowUnknown = Annotated[
    bool, strawberry.argument(description="Whether names that no event brought yet may stand in the rule.")
]

# How a row of each kind becomes a node: made as one of a list of one.
_NODES: dict[type, Callable[..., list[Any]]] = {
    KnownIdentifier: identifiers.identified,
    Touchpoint: touchpoint.touchpoints,
    LedgerLine: ledger.decided,
    Judgement: ledger.judgements,
    SavedSegment: segment.segments,
}


@strawberry.type(
    description="What can be asked. All of one query is answered from one state of the store.", directives=[READ]
)
class Query:
    """The root of queries."""

    @resolved("Whatever has this id: a customer, identifier, touchpoint, decision or judgement.")
    def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Any id that onefold gave out.")]
    ) -> Node | None:
        """Null when nothing has it."""
        reading = info.context.reading
        row = reading.node(id)
        if row is None or isinstance(row, Found):
            return customers.found(reading, row) if row else None
        node: Node = _NODES[type(row)](reading, [row])[0]
        return node

    @resolved(
        "A customer. Every id that was ever handed out finds the customer it stands for now. When there is "
        "none, the error's code says why: `customer.not_found`, `identifier.not_found`, …."
    )
    def customer(
        self, info: Info, by: Annotated[CustomerRef, strawberry.argument(description="Which one.")]
    ) -> Customer | None:
        """One customer, or an error."""
        reading = info.context.reading
        return customers.found(reading, reading.customer(by.reference()))

    @resolved("Whose these identifiers are, in the order asked.")
    def resolve(
        self,
        info: Info,
        identifiers: Annotated[list[IdentifierInput], strawberry.argument(description="At most 1,000.")],
    ) -> list[Resolution]:
        """One batched read."""
        reading = info.context.reading
        return resolutions(reading, reading.resolve([identifier.key() for identifier in identifiers]))

    @resolved(
        "Customers who hold this text in an identifier or a searchable trait, whatever its case and "
        "accents; below three characters, at its beginning."
    )
    def search(
        self,
        info: Info,
        text: Annotated[str, strawberry.argument(description="What to look for, at most 512 characters.")],
        first: First = 20,
        after: After = UNSET,
    ) -> SearchConnection:
        """Each customer once a page."""
        reading, cursor = info.context.reading, given(after)
        return search_connection(reading, search(reading, text, first, cursor), cursor)

    @resolved("The identifiers of a customer, and of others around it, with the links between them.")
    def identity_graph(
        self,
        info: Info,
        around: Annotated[CustomerRef, strawberry.argument(description="The customer in the middle.")],
        depth: Annotated[int, strawberry.argument(description="How many rings of neighbours, at most 10.")] = 1,
        max_nodes: Annotated[int, strawberry.argument(description="How many identifiers, at most 500.")] = 300,
    ) -> IdentityGraph:
        """Ring by ring."""
        reading = info.context.reading
        return identity_graph(reading, neighbourhood(reading, around.reference(), depth, max_nodes))

    @resolved("Why two identifiers are one customer, or why they are not.")
    def why(
        self,
        info: Info,
        a: Annotated[IdentifierInput, strawberry.argument(description="The one.")],
        b: Annotated[IdentifierInput, strawberry.argument(description="The other.")],
    ) -> Explanation:
        """Together, apart, or never seen."""
        reading = info.context.reading
        return explanation(reading, why(reading, a.key(), b.key()))

    @resolved("The ledger, the newest decision first.")
    def decisions(
        self,
        info: Info,
        of: Annotated[CustomerRef | None, strawberry.argument(description="Only what concerns this customer.")] = UNSET,
        kinds: Annotated[list[DecisionKind] | None, strawberry.argument(description="Only these kinds.")] = UNSET,
        first: First = 50,
        after: After = UNSET,
    ) -> Connection[Decision]:
        """Of one customer or of all."""
        reading, cursor = info.context.reading, given(after)
        keys = [reading.customer(of.reference()).customer.key] if of else None
        wanted = [changes.DecisionKind[kind.name] for kind in kinds] if kinds else None
        (page,) = decisions(reading, keys, first, cursor, wanted)
        return forward(page, ledger.decided(reading, page.items), LEDGER.write, cursor)

    @resolved(
        "The change feed, the oldest change first: what was committed, in order, without gaps. Ask again "
        "with `pageInfo.endCursor` for what came since."
    )
    def changes(
        self,
        info: Info,
        after: Annotated[
            Seq | None, strawberry.argument(description="Only what comes after it; from the start.")
        ] = UNSET,
        first: First = 500,
        of: Annotated[
            list[strawberry.ID] | None,
            strawberry.argument(description="Only what concerns these customers or identifiers: ids you hold."),
        ] = UNSET,
    ) -> Connection[Change]:
        """What a CRM or a read model catches up with."""
        reading, start = info.context.reading, given(after)
        page = feed(reading, start or 0, first, given(of))
        return ledger.change_connection(reading, page, start)

    @resolved("The saved segments, the oldest first.")
    def segments(self, info: Info) -> list[Segment]:
        """All of them; there are seldom many."""
        reading = info.context.reading
        return segment.segments(reading, kept.listed(reading))

    @resolved("A saved segment; null when there is none of this id, or it was deleted.")
    def segment(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id: `seg_…`.")]
    ) -> Segment | None:
        """As `node` finds it."""
        reading = info.context.reading
        row = kept.found(reading, id)
        return None if row is None else segment.segments(reading, [row])[0]

    @resolved(
        "Who would be in a segment of this rule. It is found anew each time, and is right for all that was taken in "
        "before it was asked."
    )
    def preview_segment(
        self,
        info: Info,
        rule: Rule,
        require_consent: Annotated[
            str | None,
            strawberry.argument(description="A purpose: who has not agreed to it is left out, and counted."),
        ] = UNSET,
        max_staleness_ms: Annotated[
            int, strawberry.argument(description="How old the answer may be: an older one may come sooner.")
        ] = 0,
        allow_unknown: AllowUnknown = False,
    ) -> SegmentPreview:
        """Of the read model."""
        wanted = Wanted(given_rule(said(rule)), given(require_consent), max_staleness_ms, allow_unknown)
        check_staleness(max_staleness_ms)
        reading = info.context.reading_ahead(max_staleness_ms)
        return segment_preview(reading, Preview(reading, question(reading, wanted)))

    @resolved("Why a customer is in a segment, or meets a rule, or why not: each condition with the value found.")
    def segment_membership(
        self,
        info: Info,
        customer: Annotated[CustomerRef, strawberry.argument(description="Which customer.")],
        segment: Annotated[
            strawberry.ID | None, strawberry.argument(description="A saved segment; give it or a rule.")
        ] = UNSET,
        rule: Annotated[SegmentRule | None, strawberry.argument(description="A rule that is not saved.")] = UNSET,
    ) -> MembershipExplanation:
        """Of the read model."""
        reading, named = info.context.reading, given(segment)
        if (named is None) == (given(rule) is None):
            raise OnefoldError("query.invalid", "give a segment, or a rule", "Name one of the two.", "segment")
        saved = None if named is None else kept.segment(reading, str(named))
        wanted = Wanted(given_rule(said(rule))) if saved is None else kept_rule(saved)
        found = membership(reading, reading.customer(customer.reference()), wanted)
        return membership_explanation(reading, found, saved)

    @resolved("The kinds of identifier, the strongest first.")
    def namespaces(self, info: Info) -> list[Namespace]:
        """As declared."""
        return [status.namespace(row) for row in info.context.onefold.namespaces]

    @resolved("How much onefold holds, and where it stands.")
    def status(self, info: Info) -> Status:
        """Of one state of the store."""
        return status.status(info.context.onefold.status(info.context.reading))
