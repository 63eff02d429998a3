"""The rules of saved segments, ready to be asked."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import msgspec

from onefold.analytics.segments import parse
from onefold.analytics.segments.nesting import named
from onefold.analytics.segments.surroundings import Surroundings
from onefold.model.saved import SavedSegment
from onefold.model.segments import All, ConsentTest, SegmentRule
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


def requiring(rule: SegmentRule, purpose: str | None) -> SegmentRule:
    """The rule, and consent for a purpose if one is named."""
    return rule if purpose is None else All((rule, ConsentTest(purpose)))


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
    who is in it: what is declared, and the rules of the segments that its own names. `rules`: by public id."""
    digest = blake2b(MEANING.encode(), digest_size=BASIS_BYTES)
    nested: dict[str, SegmentRule] = {}
    waiting = list(named(whole_rule(segment)))
    while waiting:
        if (id_ := waiting.pop()) not in nested and id_ in rules:
            nested[id_] = rules[id_]
            waiting += named(rules[id_])
    traits = (means.traits.default, sorted(means.traits.declared.items()))
    declared = (traits, sorted(means.computed.items()), means.rates.fingerprint, means.session_ms)
    digest.update(repr((declared, sorted(nested.items()))).encode())
    return digest.hexdigest()
