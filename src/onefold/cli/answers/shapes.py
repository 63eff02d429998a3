"""Answers as JSON, in the names and forms of the GraphQL schema, so that there is one shape to know."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from onefold.cli.answers.output import iso
from onefold.errors import Problem
from onefold.model.claims import Claim
from onefold.model.consents import Consent
from onefold.model.graph import Judgement
from onefold.model.identifiers import IdentifierKey
from onefold.model.reading import KnownCustomer, KnownIdentifier, LedgerLine, Reject, Touchpoint
from onefold.model.sources import Trust
from onefold.service import Reading
from onefold.service.bodies import campaign, properties_json
from onefold.service.evidence import refusals
from onefold.service.journeys import linkages, linked_at
from onefold.service.values import Evidence, Linkage, Refusal, StandingConsent, Survivor

Shape = dict[str, Any]


def key(row: IdentifierKey) -> Shape:
    """An identifier by namespace and value."""
    return {"namespace": row.namespace, "value": row.value}


def customer(row: KnownCustomer) -> Shape:
    """A customer, without what it holds."""
    return {
        "id": row.public_id,
        "firstSeen": iso(row.first_ms),
        "lastSeen": iso(row.last_ms),
        "anonymous": row.anonymous,
    }


def identifiers(reading: Reading, rows: Sequence[KnownIdentifier]) -> list[Shape]:
    """Identifiers with their ids, and since when each is known to be its customer's."""
    return [_identifier(row, at_ms) for row, at_ms in zip(rows, linked_at(reading, rows), strict=True)]


def _identifier(row: KnownIdentifier, linked_at_ms: int) -> Shape:
    return {
        "id": row.public_id,
        **key(row.key),
        "firstSeen": iso(row.first_ms),
        "lastSeen": iso(row.last_ms),
        "generic": row.generic,
        "linkedAt": iso(linked_at_ms),
    }


def trait(name: str, row: Survivor) -> Shape:
    """A trait of a profile, with what else was said."""
    return {
        "name": name,
        "value": row.claim.value,
        "source": row.claim.source,
        "at": iso(row.claim.last_ms),
        "identifier": key(row.claim.identifier),
        "others": [_claim(other) for other in row.others],
    }


def _claim(row: Claim) -> Shape:
    return {
        "value": row.value,
        "source": row.source,
        "firstAt": iso(row.first_ms),
        "lastAt": iso(row.last_ms),
        "count": row.count,
        "identifier": key(row.identifier),
    }


def consent(row: StandingConsent) -> Shape:
    """What counts for one purpose, with what was last said of the customer's other identifiers."""
    return {
        "purpose": row.consent.purpose,
        **_statement(row.consent),
        "others": [_statement(other) for other in row.others],
    }


def _statement(row: Consent) -> Shape:
    return {
        "given": row.given,
        "at": iso(row.at_ms),
        "source": row.source,
        "trusted": row.trust is Trust.SERVER,
        "identifier": key(row.identifier),
    }


def journey(reading: Reading, touchpoints: Sequence[Touchpoint]) -> list[Shape]:
    """Touchpoints with all their identifiers."""
    keys = known_keys(reading, (number for row in touchpoints for number in (row.subject, *row.identifiers)))
    return [_touchpoint(row, at, keys) for row, at in zip(touchpoints, linkages(reading, touchpoints), strict=True)]


def _touchpoint(row: Touchpoint, linkage: Linkage, keys: Mapping[int, IdentifierKey]) -> Shape:
    came_from = campaign(row)
    return {
        "id": row.public_id,
        "messageId": row.message_id,
        "at": iso(row.at_ms),
        "receivedAt": iso(row.received_ms),
        "source": row.source,
        "type": row.type,
        "name": row.name,
        "channel": row.channel,
        "campaign": came_from and msgspec.to_builtins(came_from),
        "revenue": row.revenue,
        "currency": row.currency,
        "properties": msgspec.json.decode(properties_json(row)),
        "subject": key(keys[row.subject]),
        "identifiers": [key(keys[number]) for number in row.identifiers],
        "retroactive": linkage.retroactive,
        "linkedAt": iso(linkage.linked_at_ms),
    }


def links(reading: Reading, found: Sequence[Evidence]) -> list[Shape]:
    """Links with what each source saw of them, and why some join nobody."""
    return [_link(row, refused) for row, refused in zip(found, refusals(reading, found), strict=True)]


def _link(row: Evidence, refused: Refusal | None) -> Shape:
    return {
        "a": key(row.a.key),
        "b": key(row.b.key),
        "sources": [
            {
                "source": seen.source,
                "trusted": seen.trust is Trust.SERVER,
                "firstSeen": iso(seen.first_ms),
                "lastSeen": iso(seen.last_ms),
                "count": seen.count,
            }
            for seen in row.sources
        ],
        "firstSeen": iso(row.first_ms),
        "lastSeen": iso(row.last_ms),
        "count": row.count,
        "refused": refused and refusal(refused),
    }


def refusal(row: Refusal) -> Shape:
    """Why a link joins nobody."""
    return {"reason": row.reason, "message": row.message, "hint": row.hint}


def problem(row: Problem) -> Shape:
    """An outcome that had to be expected."""
    return {"code": row.code, "message": row.message, "hint": row.hint, "field": row.field}


def judgement(reading: Reading, row: Judgement) -> Shape:
    """A judgement, standing or retracted."""
    keys = known_keys(reading, (row.a, row.b))
    return {
        "id": row.public_id,
        "verdict": "SAME" if row.same else "DIFFERENT",
        "a": key(keys[row.a]),
        "b": key(keys[row.b]),
        "author": row.author,
        "reason": row.reason,
        "at": iso(row.at_ms),
        "retractedAt": None if row.retracted_ms is None else iso(row.retracted_ms),
        "retractedBy": row.retracted_by,
        "retractedReason": row.retracted_reason,
    }


def decisions(reading: Reading, lines: Sequence[LedgerLine]) -> list[Shape]:
    """Lines of the ledger."""
    keys = keys_of_decisions(reading, lines)
    messages = reading.view.touchpoints(list({message for line in lines for message in line.messages}))
    judged = {number: judgement(reading, row) for number, row in judgements_of(reading, lines).items()}
    return [{**_decision(line, keys, messages), "judgement": judged.get(line.judgement or 0)} for line in lines]


def _decision(row: LedgerLine, keys: Mapping[int, IdentifierKey], messages: Mapping[bytes, Touchpoint]) -> Shape:
    return {
        "id": row.public_id,
        "seq": str(row.seq),
        "at": iso(row.at_ms),
        "kind": row.kind.name,
        "reason": row.reason,
        "customers": [key(keys[number]) for number in row.customers],
        "identifiers": [key(keys[number]) for number in row.identifiers],
        "touchpoints": [
            {"id": found.public_id, "messageId": found.message_id, "at": iso(found.at_ms)}
            for found in (messages[message] for message in row.messages if message in messages)
        ],
    }


def known_keys(reading: Reading, numbers: Iterable[int]) -> dict[int, IdentifierKey]:
    """Namespace and value of identifiers by number."""
    wanted = list(dict.fromkeys(numbers))
    known = reading.identifiers(wanted)
    return {number: known[number].key for number in wanted}


def keys_of_decisions(reading: Reading, lines: Sequence[LedgerLine]) -> dict[int, IdentifierKey]:
    """Namespace and value of all that these ledger lines concern."""
    return known_keys(reading, (number for line in lines for number in (*line.customers, *line.identifiers)))


def judgements_of(reading: Reading, lines: Sequence[LedgerLine]) -> dict[int, Judgement]:
    """The judgements that these ledger lines are about, by number."""
    found = reading.view.judgements_by_number(list({line.judgement for line in lines if line.judgement}))
    reading.identifiers([end for row in found.values() for end in (row.a, row.b)])
    return found


def reject(row: Reject) -> Shape:
    """A rejected event, what is wrong with it, and what was sent, as far as it is kept."""
    return {
        "at": iso(row.at_ms),
        "source": row.source,
        "code": row.code,
        "message": row.message,
        "hint": row.hint,
        "field": row.field,
        "event": row.body.decode("utf-8", "backslashreplace"),
    }


def part(items: Sequence[Shape], more: bool) -> Shape:
    """The first of a list that may go on."""
    return {"items": items, "more": more}
