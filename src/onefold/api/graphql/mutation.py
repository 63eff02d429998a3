"""What can be changed."""

import json
from typing import Annotated

import strawberry

from onefold.api.graphql.context import Info
from onefold.api.graphql.scopes import STEWARD, TRACK
from onefold.api.graphql.types.fields import resolved
from onefold.api.graphql.types.ingest import (
    ConsentResult,
    IngestReport,
    JudgementResult,
    consent_result,
    ingest_report,
    judgement_result,
)
from onefold.api.graphql.types.inputs import ConsentInput, EventInput, IdentifierInput, Verdict, given
from onefold.api.graphql.types.preview import SegmentResult, segment_result
from onefold.api.graphql.types.rules import SaveSegmentInput
from onefold.errors import OnefoldError
from onefold.keys import Scope
from onefold.service import consents

Reason = Annotated[
    str, strawberry.argument(description="Why, for those who will ask: not blank, at most 2,000 characters.")
]


@strawberry.type(description="What can be changed. Each answer is durable, and shows what the change led to.")
class Mutation:
    """The root of mutations. They wait for the writing thread, so they never run on the event loop."""

    @resolved(
        "Take in events. One that is rejected does not sink the others. But a value that is not of its GraphQL type, "
        "as a `timestamp` that is no time or a number as `userId`, fails the whole request, as everywhere in GraphQL, "
        "and nothing is taken in; `POST /v1/batch` rejects such an event alone, or mends it.",
        TRACK,
    )
    def ingest(
        self,
        info: Info,
        events: Annotated[list[EventInput], strawberry.argument(description="At most `max_events_per_batch`.")],
    ) -> IngestReport:
        """By the way every event takes."""
        sent = [_json(event.wire()) for event in events]
        operation, asker = info.context, info.context.asker
        ingest = operation.onefold.ingest
        outcomes = operation.write(lambda: ingest(sent, asker.source, may_judge=asker.may_judge))
        return ingest_report(outcomes, operation.reading if Scope.READ in asker.scopes else None)

    @resolved(
        "Say that two identifiers are the same customer, or different ones. It always holds, until retracted.", STEWARD
    )
    def judge(
        self,
        info: Info,
        verdict: Annotated[Verdict, strawberry.argument(description="The same, or different.")],
        a: Annotated[IdentifierInput, strawberry.argument(description="The one identifier.")],
        b: Annotated[IdentifierInput, strawberry.argument(description="The other identifier.")],
        reason: Reason,
    ) -> JudgementResult:
        """Recomputed at once."""
        operation, same, author = info.context, verdict is Verdict.SAME, info.context.asker.source.name
        judge = operation.onefold.judge
        judged = operation.write(lambda: judge(same=same, a=a.key(), b=b.key(), reason=reason, author=author))
        return judgement_result(operation.reading, judged)

    @resolved("Take a judgement back: everything becomes as if it had never been made.", STEWARD)
    def retract(
        self,
        info: Info,
        judgement: Annotated[strawberry.ID, strawberry.argument(description="The judgement's id.")],
        reason: Reason,
    ) -> JudgementResult:
        """Recomputed at once."""
        operation, author = info.context, info.context.asker.source.name
        judged = operation.write(lambda: operation.onefold.retract(judgement, reason, author))
        return judgement_result(operation.reading, judged)

    @resolved(
        "Record that somebody agreed to something, or withdrew that. It is an event like any other, an `identify` with "
        "`context.consent`: it stands in the journey, may make an identifier known, and needs no more than any event.",
        TRACK,
    )
    def record_consent(
        self,
        info: Info,
        input: Annotated[ConsentInput, strawberry.argument(description="Who, what for, and whether.")],
    ) -> ConsentResult:
        """By the way every event takes."""
        operation, asker = info.context, info.context.asker
        recorded = operation.write(lambda: operation.onefold.record_consent(input.said(), asker.source))
        told = Scope.READ in asker.scopes
        return consent_result(recorded, consents.standing(operation.reading, recorded) if told else None)

    @resolved(
        "Keep a segment: from now on who is in it is kept current, and everybody's `segments` say so. Who is in it at "
        "first has been found when this answers.",
        STEWARD,
    )
    def save_segment(
        self,
        info: Info,
        input: Annotated[SaveSegmentInput, strawberry.argument(description="The segment.")],
    ) -> SegmentResult:
        """A new one, or another rule for one there is."""
        operation, draft = info.context, input.draft()
        id_, unknown, save = given(input.id), input.allow_unknown, operation.onefold.save_segment
        return segment_result(operation, operation.write(lambda: save(draft, id_, allow_unknown=unknown)))

    @resolved("Delete a segment. The log of memberships tells that all left it. One that others name stays.", STEWARD)
    def delete_segment(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id: `seg_…`.")]
    ) -> SegmentResult:
        """What it was is answered."""
        operation = info.context
        return segment_result(operation, operation.write(lambda: operation.onefold.delete_segment(str(id))))


def _json(event: dict[str, object]) -> bytes:
    """The event as senders write it. The standard library's writer takes numbers of any size."""
    try:
        return json.dumps(event).encode()
    except RecursionError as error:
        raise OnefoldError("body.too_deep", "an event nests too deep", "Send flatter properties.", "events") from error
