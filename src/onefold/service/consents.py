"""What customers agreed to, purpose by purpose, and taking in that somebody did."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from onefold.errors import Problem
from onefold.ingest.commit import Outcome, Status
from onefold.model.consents import LONGEST_PURPOSE, Consent, by_purpose, purpose_of
from onefold.model.identifiers import IdentifierKey
from onefold.model.normalise import Normaliser
from onefold.service.reading import Reading
from onefold.service.values import StandingConsent

LONGEST_REASON: Final = 2_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS: Final = {"timestamp": "at"}
"""Fields of an event, as they are called here."""


class Said(msgspec.Struct, frozen=True):
    """That somebody agreed to something, or withdrew that.

    Attributes:
        identifier: of whom it is said, not yet normalised.
        at_ms: when; None: now. reason: how it is known, kept with the touchpoint; None for none.
    """

    identifier: IdentifierKey
    purpose: str
    given: bool
    at_ms: int | None = None
    reason: str | None = None


class Recorded(msgspec.Struct, frozen=True):
    """What became of it: of whom and what for it was stored, normalised; or why it was not."""

    identifier: IdentifierKey | None = None
    purpose: str = ""
    problem: Problem | None = None


def record(said: Said, normaliser: Normaliser, ingest: Callable[[bytes], Outcome]) -> Recorded:
    """Hand in the identify event that says it. `ingest` waits until it is stored, and raises what that raises.

    With a time the event is told from others by all that it says, so saying it again changes nothing.
    """
    key, purpose = normaliser.key(said.identifier.namespace, said.identifier.value), purpose_of(said.purpose)
    if isinstance(key, Problem):
        return Recorded(problem=msgspec.structs.replace(key, field="identifier"))
    if purpose is None:
        hint = f"Name what for in 1 to {LONGEST_PURPOSE} characters, as in marketing."
        return Recorded(problem=Problem("query.invalid", "the purpose cannot be used", hint, "purpose"))
    if said.reason is not None and len(said.reason) > LONGEST_REASON:
        told = f"the reason has {len(said.reason)} characters"
        return Recorded(problem=Problem("query.invalid", told, f"Say it in {LONGEST_REASON}.", "reason"))
    outcome = ingest(_event(said, key, purpose))
    if outcome.status is Status.REJECTED and (problem := outcome.problem):
        field = _FIELDS.get(problem.field or "", "identifier")
        return Recorded(problem=msgspec.structs.replace(problem, field=field))
    return Recorded(key, purpose)


def _event(said: Said, key: IdentifierKey, purpose: str) -> bytes:
    event: dict[str, object] = {
        "type": "identify",
        "identifiers": [{"namespace": key.namespace, "value": key.value}],
        "context": {"consent": {purpose: said.given}},
    }
    if said.at_ms is not None:
        event["timestamp"] = (_EPOCH + timedelta(milliseconds=said.at_ms)).isoformat()
    if said.reason and said.reason.strip():
        event["properties"] = {"reason": said.reason.strip()}
    return json.dumps(event).encode()


def consents(reading: Reading, customers: Sequence[int]) -> list[Mapping[str, StandingConsent]]:
    """What each customer agreed to or withdrew: purpose -> the statement that counts, and the others. Purposes of
    which nothing was said are missing: nobody agreed to them."""
    found = reading.view.consents(customers)
    return [_standing(found.get(customer, [])) for customer in customers]


def _standing(said: Sequence[Consent]) -> dict[str, StandingConsent]:
    return {
        purpose: StandingConsent(statements[0], tuple(statements[1:]))
        for purpose, statements in by_purpose(said).items()
    }


def standing(reading: Reading, recorded: Recorded) -> StandingConsent | None:
    """What counts now for the purpose that was recorded, of whoever the identifier belongs to; not always what was
    just said of it. None where nothing was recorded."""
    key = recorded.identifier
    known = None if key is None else reading.view.by_key([key]).get(key)
    if known is None:
        return None
    [found] = consents(reading, [known.customer])
    return found.get(recorded.purpose)
