"""What became of what was sent in."""

from collections.abc import Sequence
from enum import Enum

import strawberry

from onefold.api.graphql.scopes import READ, READ_OR_NULL, STEWARD, TRACK
from onefold.api.graphql.types import customer as customers
from onefold.api.graphql.types import ledger
from onefold.api.graphql.types.consent import Consent, consent
from onefold.api.graphql.types.customer import Customer
from onefold.api.graphql.types.ledger import Judgement
from onefold.api.graphql.types.problems import Problem, problem
from onefold.ingest.commit import Outcome, Status
from onefold.service import writing
from onefold.service.consents import Recorded
from onefold.service.reading import Reading
from onefold.service.values import Judged, StandingConsent


@strawberry.enum(description="What became of an event.")
class IngestStatus(Enum):
    """Of each event by itself."""

    ACCEPTED = strawberry.enum_value("accepted", description="It is stored for good.")
    DUPLICATE = strawberry.enum_value("duplicate", description="Its message id was stored before; the first stays.")
    REJECTED = strawberry.enum_value("rejected", description="Nothing of it is stored; `problem` says why.")


@strawberry.type(description="What became of one event.", directives=[TRACK])
class IngestResult:
    """An outcome, with the customer it led to."""

    message_id: strawberry.ID | None = strawberry.field(
        description="As sent, or as made; null where it was not understood so far."
    )
    status: IngestStatus = strawberry.field(description="Whether it is stored.")
    problem: Problem | None = strawberry.field(
        description="Why it was rejected; of a duplicate, that it says something else than the first."
    )
    warnings: list[Problem] = strawberry.field(description="What was dropped from it.")
    customer: Customer | None = strawberry.field(
        description="Whose touchpoint it is; null when it was rejected, and for a key without the scope `read`.",
        directives=[READ_OR_NULL],
    )


@strawberry.type(description="What became of a batch of events.", directives=[TRACK])
class IngestReport:
    """Counts, and each event."""

    accepted: int = strawberry.field(description="How many are stored.")
    duplicates: int = strawberry.field(description="How many were stored before.")
    rejected: int = strawberry.field(description="How many cannot be stored.")
    results: list[IngestResult] = strawberry.field(description="What became of each, in the order given.")


def ingest_report(outcomes: Sequence[Outcome], reading: Reading | None) -> IngestReport:
    """The type of the outcomes of a batch; their customers are read together. Without a reading nobody is told of."""
    counted = [outcome.status for outcome in outcomes]
    found = [None] * len(outcomes) if reading is None else _customers(reading, outcomes)
    return IngestReport(
        accepted=counted.count(Status.ACCEPTED),
        duplicates=counted.count(Status.DUPLICATE),
        rejected=counted.count(Status.REJECTED),
        results=[
            IngestResult(
                message_id=None if outcome.message_id is None else strawberry.ID(outcome.message_id),
                status=IngestStatus[outcome.status.name],
                problem=problem(outcome.problem),
                warnings=[warning for row in outcome.warnings if (warning := problem(row))],
                customer=customer,
            )
            for outcome, customer in zip(outcomes, found, strict=True)
        ],
    )


def _customers(reading: Reading, outcomes: Sequence[Outcome]) -> list[Customer | None]:
    keys = writing.customers(reading, outcomes)
    held = customers.by_key(reading, [key for key in keys if key is not None])
    return [None if key is None else held[key] for key in keys]


@strawberry.type(description="What a judgement, or taking one back, did.", directives=[STEWARD])
class JudgementResult:
    """The judgement, and who is who now."""

    judgement: Judgement | None = strawberry.field(description="The judgement; null when it was refused.")
    joined: list[Customer] = strawberry.field(
        description="The customers that others became part of.", directives=[READ]
    )
    split: list[Customer] = strawberry.field(description="The customers that one fell into.", directives=[READ])
    problem: Problem | None = strawberry.field(
        description="Why it was refused: it contradicts standing ones, names what no event named, or gives no reason."
    )


def judgement_result(reading: Reading, row: Judged) -> JudgementResult:
    """The type of what a judgement did."""
    numbers = [] if row.number is None else [row.number]
    made = ledger.judgements(reading, list(reading.view.judgements_by_number(numbers).values())) if numbers else []
    held = customers.by_key(reading, [*row.joined, *row.split])
    return JudgementResult(
        judgement=made[0] if made else None,
        joined=[held[key] for key in row.joined],
        split=[held[key] for key in row.split],
        problem=problem(row.problem),
    )


@strawberry.type(description="What became of a consent that was recorded.", directives=[TRACK])
class ConsentResult:
    """What counts now."""

    consent: Consent | None = strawberry.field(
        description="What counts now for this purpose, of the customer that the identifier belongs to: what was "
        "recorded, unless something newer was said. Null when it was refused.",
        directives=[READ],
    )
    problem: Problem | None = strawberry.field(
        description="Why it was refused: what it names is no identifier, no purpose or no time."
    )


def consent_result(recorded: Recorded, standing: StandingConsent | None) -> ConsentResult:
    """The type of what became of it."""
    return ConsentResult(
        consent=None if standing is None else consent(standing),
        problem=problem(recorded.problem),
    )
