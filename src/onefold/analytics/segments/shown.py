"""What was found of a customer where a condition was looked at: as JSON for programs, and in words for people."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from onefold.analytics.segments.found import (
    BehaviourFound,
    ComputedFound,
    ConsentFound,
    Found,
    IdentifiersFound,
    SequenceFound,
    Step,
    TraitFound,
)
from onefold.model.identifiers import IdentifierKey

Json = dict[str, object]
MOST_NAMED: Final = 3


def as_json(found: Found | None) -> Json | None:
    """Decoded JSON, in the names and forms of the GraphQL schema; what there is not is left out."""
    return None if found is None else AS_JSON[type(found)](found)


def in_words(found: Found | None) -> str:
    """A few words: `Hull`, `2 times, the last 2025-04-02`, `124 GBP`."""
    return "nothing" if found is None else IN_WORDS[type(found)](found)


def _json_trait(found: TraitFound) -> Json:
    return {
        "value": found.value,
        "source": found.source,
        "at": _iso(found.at_ms),
        "identifier": _json_key(found.identifier),
    }


def _json_computed(found: ComputedFound) -> Json:
    value = amount(found.value) if isinstance(found.value, Decimal) else found.value
    return _given(value=value, currency=found.currency)


def _json_behaviour(found: BehaviourFound) -> Json:
    return {"times": found.times} | _given(
        first=_iso(found.first_ms),
        last=_iso(found.last_ms),
        sum=_amount(found.sum),
        average=_amount(found.average),
        distinct=found.distinct,
        currency=found.currency,
    )


def _json_sequence(found: SequenceFound) -> Json:
    return {"steps": [_json_step(step) for step in found.steps]} | _given(
        followedBy=found.breach and _json_step(found.breach)
    )


def _json_step(step: Step) -> Json:
    return {"touchpoint": step.id, "at": _iso(step.at_ms)}


def _json_identifiers(found: IdentifiersFound) -> Json:
    return {"count": found.count, "identifiers": [_json_key(key) for key in found.identifiers]}


def _json_consent(found: ConsentFound) -> Json:
    return {
        "given": found.given,
        "at": _iso(found.at_ms),
        "source": found.source,
        "identifier": _json_key(found.identifier),
    }


def _json_key(key: IdentifierKey) -> Json:
    return {"namespace": key.namespace, "value": key.value}


def _words_trait(found: TraitFound) -> str:
    return f"{_text(found.value)}, said by {found.source} on {_day(found.at_ms)}"


def _words_computed(found: ComputedFound) -> str:
    said = amount(found.value) if isinstance(found.value, Decimal) else _text(found.value)
    return "nothing" if found.value is None else said + (f" {found.currency}" if found.currency else "")


def _words_behaviour(found: BehaviourFound) -> str:
    if not found.times or found.last_ms is None:
        return "never"
    parts = [f"{found.times:,} {'time' if found.times == 1 else 'times'}, the last on {_day(found.last_ms)}"]
    money = f" {found.currency}" if found.currency else ""
    parts += [f"sum {amount(found.sum)}{money}"] if found.sum is not None else []
    parts += [f"average {amount(found.average)}{money}"] if found.average is not None else []
    parts += [f"{found.distinct:,} different"] if found.distinct is not None else []
    return ", ".join(parts)


def _words_sequence(found: SequenceFound) -> str:
    steps = ", then ".join(_moment(step.at_ms) for step in found.steps) or "not the first step"
    return steps if found.breach is None else f"{steps}, but then {_moment(found.breach.at_ms)}"


def _words_identifiers(found: IdentifiersFound) -> str:
    named = ", ".join(key.value for key in found.identifiers[:MOST_NAMED])
    more = found.count - min(MOST_NAMED, len(found.identifiers))
    return named + (f" and {more:,} more" if more else "") if found.count else "none"


def _words_consent(found: ConsentFound) -> str:
    return f"{'given' if found.given else 'withdrawn'} on {_day(found.at_ms)}, said by {found.source}"


AS_JSON: Final[Mapping[type, Callable[[Any], Json]]] = {
    TraitFound: _json_trait,
    ComputedFound: _json_computed,
    BehaviourFound: _json_behaviour,
    SequenceFound: _json_sequence,
    IdentifiersFound: _json_identifiers,
    ConsentFound: _json_consent,
}
IN_WORDS: Final[Mapping[type, Callable[[Any], str]]] = {
    TraitFound: _words_trait,
    ComputedFound: _words_computed,
    BehaviourFound: _words_behaviour,
    SequenceFound: _words_sequence,
    IdentifiersFound: _words_identifiers,
    ConsentFound: _words_consent,
}


def amount(value: Decimal) -> str:
    """A plain decimal number without zeros at its end."""
    plain = format(value, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _amount(value: Decimal | None) -> str | None:
    return None if value is None else amount(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _iso(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def _given(**keys: object) -> Json:
    return {key: value for key, value in keys.items() if value is not None}
