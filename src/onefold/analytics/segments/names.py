"""Names in rules that no event has named yet: most are slips, some belong to a campaign that begins tomorrow."""

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from onefold.errors import Problem
from onefold.model.events import EVENT_TYPES
from onefold.model.reading import TouchpointFilter
from onefold.model.segments import (
    REVENUE,
    BehaviourTest,
    ComputedTest,
    ConsentTest,
    SegmentRule,
    SequenceTest,
    TraitTest,
    walk,
)
from onefold.model.yaml_file import shown
from onefold.readmodel.model import Asking
from onefold.readmodel.touchpoints import pointer

MOST_SUGGESTED: Final = 10
SAMPLE: Final = 20_000
"""In so many of the newest touchpoints are properties looked for that may have been meant."""


class Kind(StrEnum):
    """What a name is of."""

    TRAIT = "trait"
    TYPE = "type"
    NAME = "name"
    CHANNEL = "channel"
    CAMPAIGN = "campaign"
    PROPERTY = "property"
    CURRENCY = "currency"
    PURPOSE = "purpose"


class Named(NamedTuple):
    """A name in a rule, and where it stands."""

    kind: Kind
    name: str
    path: str


COLUMNS: Final = {
    Kind.TRAIT: ("trait", "internal.claims"),
    Kind.NAME: ("name", "internal.touchpoints"),
    Kind.CHANNEL: ("channel", "internal.touchpoints"),
    Kind.CAMPAIGN: ("campaign", "internal.touchpoints"),
    Kind.CURRENCY: ("currency", "internal.touchpoints"),
    Kind.PURPOSE: ("purpose", "internal.consents"),
}
PROPERTY: Final = "SELECT 1 FROM internal.touchpoints WHERE contains(body, $key) AND json_exists(body, $path) LIMIT 1"
PROPERTIES: Final = (
    "SELECT key FROM (SELECT unnest(json_keys(body, '/properties')) AS key FROM internal.touchpoints "
    f"WHERE number > (SELECT max(number) FROM internal.touchpoints) - {SAMPLE}) "
    "GROUP BY key ORDER BY count(*) DESC, key"
)


def unknown_names(asking: Asking, rule: SegmentRule, currencies: Collection[str] = ()) -> list[Problem]:
    """A problem `segment.unknown_name` for each name that nothing in the read model bears, in the order of the rule.

    `currencies`: those known besides, as they have rates. Names of computed traits, namespaces and segments are looked
    at by `settle`."""
    mentioned = list(_mentioned(rule))
    known: dict[Kind, set[str]] = {}
    for kind in dict.fromkeys(it.kind for it in mentioned):
        known[kind] = _known(asking, kind, {it.name for it in mentioned if it.kind is kind})
    known.setdefault(Kind.CURRENCY, set()).update(currencies)
    unknown = [it for it in mentioned if it.name not in known[it.kind]]
    near = {kind: _all(asking, kind) for kind in {it.kind for it in unknown}}
    return [_problem(it, near[it.kind]) for it in unknown]


def _problem(named: Named, known: Sequence[str]) -> Problem:
    close = get_close_matches(named.name, known, n=1) or get_close_matches(
        named.name.casefold(), [name.casefold() for name in known], n=1
    )
    meant = next((name for name in known if close and name.casefold() == close[0].casefold()), None)
    listed = ", ".join(shown(name) for name in known[:MOST_SUGGESTED]) + (", …" if len(known) > MOST_SUGGESTED else "")
    hint = f"Did you mean {shown(meant)}? " if meant is not None else ""
    return Problem(
        "segment.unknown_name",
        f"{named.path}: no event has named the {named.kind} {shown(named.name)!r} yet",
        hint + (f"Known are {listed}." if known else f"There is no {named.kind} at all yet."),
        named.path,
    )


def _known(asking: Asking, kind: Kind, names: set[str]) -> set[str]:
    """Those of `names` that there are."""
    if kind is Kind.TYPE:
        return names & set(EVENT_TYPES)
    if kind is Kind.PROPERTY:
        return {name for name in names if _has_property(asking, name)}
    column, table = COLUMNS[kind]
    asked = f"SELECT DISTINCT {column} FROM {table} WHERE {column} IN (SELECT unnest($names::VARCHAR[]))"
    return {name for (name,) in asking.rows(asked, {"names": sorted(names)})}


def _has_property(asking: Asking, name: str) -> bool:
    key = msgspec.json.encode(name).decode()
    return bool(asking.rows(PROPERTY, {"key": key if name.isascii() and name.isalnum() else "", "path": pointer(name)}))


def _all(asking: Asking, kind: Kind) -> list[str]:
    """All names there are, the most frequent first."""
    if kind is Kind.TYPE:
        return list(EVENT_TYPES)
    if kind is Kind.PROPERTY:
        return [name for (name,) in asking.rows(PROPERTIES)]
    column, table = COLUMNS[kind]
    asked = f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL GROUP BY ALL ORDER BY count(*) DESC, {column}"
    return [name for (name,) in asking.rows(f"{asked} LIMIT 1000")]


def _mentioned(rule: SegmentRule) -> Iterator[Named]:
    for path, test in walk(rule):
        match test:
            case TraitTest(name):
                yield Named(Kind.TRAIT, name, f"{path}.trait.name")
            case ConsentTest(purpose):
                yield Named(Kind.PURPOSE, purpose, f"{path}.consents")
            case ComputedTest(currency=str(currency)):
                yield Named(Kind.CURRENCY, currency, f"{path}.computed.currency")
            case BehaviourTest():
                yield from _of_filter(test.touchpoint, f"{path}.did.touchpoint")
                yield from _of_measures(test, f"{path}.did")
            case SequenceTest():
                for index, step in enumerate(test.steps):
                    yield from _of_filter(step, f"{path}.sequence.steps[{index}]")
                if test.not_followed_by is not None:
                    yield from _of_filter(test.not_followed_by, f"{path}.sequence.notFollowedBy")


def _of_measures(test: BehaviourTest, path: str) -> Iterator[Named]:
    for name, measure in (("sum", test.sum), ("average", test.average), ("distinct", test.distinct)):
        if measure is None:
            continue
        if measure.property != REVENUE:
            yield Named(Kind.PROPERTY, measure.property, f"{path}.{name}.property")
        if measure.currency is not None:
            yield Named(Kind.CURRENCY, measure.currency, f"{path}.{name}.currency")


def _of_filter(wanted: TouchpointFilter, path: str) -> Iterator[Named]:
    for kind, key, names in (
        (Kind.TYPE, "types", wanted.types),
        (Kind.NAME, "names", wanted.names),
        (Kind.CHANNEL, "channels", wanted.channels),
        (Kind.CAMPAIGN, "campaigns", wanted.campaigns),
    ):
        for index, name in enumerate(names or ()):
            yield Named(kind, name, f"{path}.{key}[{index}]")
    for index, match in enumerate(wanted.properties):
        yield Named(Kind.PROPERTY, match.name, f"{path}.properties[{index}].property")
