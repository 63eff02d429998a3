"""The rules of saved segments, ready to be asked."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import msgspec

from onefold.analytics.segments import parse
from onefold.analytics.segments.nesting import named
from onefold.analytics.segments.surroundings import Surroundings
from onefold.model.computed import Kind
from onefold.model.saved import SavedSegment
from onefold.model.segments import (
    MONEY,
    BehaviourTest,
    ComputedTest,
    SegmentRule,
    TraitTest,
    requiring,
    walk,
)
from onefold.service.reading import Means

MEANING: Final = "1"
"""Grows when rules come to mean something else than they did: then who is in segments is found anew."""
BASIS_BYTES: Final = 16


@lru_cache(1_000)
def rule_of(kept: str) -> SegmentRule:
    """A rule as it is kept, which was settled when it was saved."""
    return parse.rule(msgspec.json.decode(kept))


def whole_rule(segment: SavedSegment) -> SegmentRule:
    """Who is in a segment: its rule, and the consent it requires."""
    return requiring(rule_of(segment.rule), segment.require_consent)


def surroundings(means: Means, segments: Iterable[SavedSegment], now_ms: int) -> Surroundings:
    """What rules depend on besides data. `segments`: those that there are."""
    return Surroundings(
        now_ms=now_ms,
        session_ms=means.session_ms,
        namespaces=means.rules.namespaces,
        computed=means.computed,
        rates=means.rates,
        segments={segment.public_id: whole_rule(segment) for segment in segments},
    )


def basis(means: Means, segment: SavedSegment, rules: Mapping[str, SegmentRule]) -> str:
    """A text that differs where, of what is neither in the store nor the segment's own, something differs that decides
    who is in it: the rules of the segments that its own names, and what any of these uses of what is declared. `rules`:
    by public id."""
    rule = whole_rule(segment)
    nested: dict[str, SegmentRule] = {}
    waiting = list(named(rule))
    while waiting:
        if (id_ := waiting.pop()) not in nested and id_ in rules:
            nested[id_] = rules[id_]
            waiting += named(rules[id_])
    used = sorted({repr(it) for one in (rule, *nested.values()) for _, test in walk(one) for it in _used(means, test)})
    said = repr((MEANING, sorted(nested.items()), used))
    return blake2b(said.encode(), digest_size=BASIS_BYTES).hexdigest()


def _used(means: Means, test: SegmentRule) -> Iterator[tuple[object, ...]]:
    """What one condition uses of what is declared."""
    match test:
        case TraitTest(name):
            yield "trait", name, means.traits[name]
        case ComputedTest(name):
            declared = means.computed.get(name)
            yield "computed", name, declared
            if declared is not None and declared.kind is Kind.SESSIONS:
                yield "session", means.session_ms
            if declared is not None and declared.is_money:
                yield "rates", means.rates.fingerprint
        case BehaviourTest(sum=total, average=mean):
            if any(measure is not None and measure.property in MONEY for measure in (total, mean)):
                yield "rates", means.rates.fingerprint
