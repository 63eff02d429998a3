"""Reads the rule of a segment from decoded JSON or YAML: the tree of `SegmentRule`, in camelCase.

A key that is null is not given. Mistakes are OnefoldError `segment.invalid` with the place as their field.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from onefold.analytics.segments.given import Given
from onefold.model.reading import PropertyMatch, TouchpointFilter
from onefold.model.segments import (
    DEEPEST,
    LONGEST_DAYS,
    MOST_CONDITIONS,
    MOST_STEPS,
    All,
    Any,
    BehaviourTest,
    Between,
    Comparison,
    ComputedTest,
    ConsentTest,
    CountTest,
    IdentifierTest,
    InSegment,
    LastDays,
    Not,
    PropertyTest,
    SegmentRule,
    SequenceTest,
    TraitTest,
    Window,
    conditions,
)

MOST_TIMES: Final = 1_000_000_000
CURRENCY: Final = re.compile(r"[A-Z]{3}")
ORDERINGS: Final = {"above": "above", "atLeast": "at_least", "below": "below", "atMost": "at_most"}
COMPARISONS: Final = ("is", "isNot", "in", "contains", "startsWith", *ORDERINGS, "exists")
MEASURES: Final = ("sum", "average", "distinct")
FILTERS: Final = ("types", "names", "channels", "campaigns")


def rule(value: object, path: str = "rule") -> SegmentRule:
    """The rule that decoded JSON stands for; `path`: how its place is called in messages. Raises `segment.invalid`."""
    given = Given(value, path)
    found = _rule(given, 1)
    count = conditions(found)
    if count > MOST_CONDITIONS:
        raise given.error(
            f"the rule has {count} conditions, more than {MOST_CONDITIONS}",
            "Name many values in one list, or save a part as a segment of its own.",
        )
    return found


def _rule(given: Given, depth: int) -> SegmentRule:
    kinds = given.keys((*BRANCHES, *LEAVES))
    if len(kinds) != 1:
        found = f"{', '.join(kinds)} together" if kinds else "none"
        raise given.error(f"expected one condition, found {found}", "Join conditions with all or any.")
    if depth > DEEPEST:
        raise given.error(f"the rule has more than {DEEPEST} levels", "Save a part as a segment of its own.")
    ((kind, inner),) = kinds.items()
    return BRANCHES[kind](inner, depth + 1) if kind in BRANCHES else LEAVES[kind](inner)


def _rules(given: Given, depth: int) -> tuple[SegmentRule, ...]:
    items = given.items(MOST_CONDITIONS)
    if not items:
        raise given.error("the list is empty", "Give at least one condition.")
    return tuple(_rule(item, depth) for item in items)


def _trait(given: Given) -> TraitTest:
    keys = _needing(given, ("name", *COMPARISONS), "name")
    return TraitTest(keys["name"].name(), _comparison(given, keys))


def _computed(given: Given) -> ComputedTest:
    keys = _needing(given, ("name", "currency", *COMPARISONS), "name")
    name = keys["name"].name().removeprefix("computed.")
    return ComputedTest(name, _comparison(given, keys), _currency(keys))


def _comparison(given: Given, keys: Mapping[str, Given]) -> Comparison:
    if not keys.keys() & set(COMPARISONS):
        raise given.error("nothing is asked of the value", f"Give one of {', '.join(COMPARISONS)}.")
    return Comparison(
        is_=keys["is"].json() if "is" in keys else None,
        is_not=keys["isNot"].json() if "isNot" in keys else None,
        in_=tuple(item.json() for item in keys["in"].items()) if "in" in keys else None,
        contains=keys["contains"].text() if "contains" in keys else None,
        starts_with=keys["startsWith"].text() if "startsWith" in keys else None,
        exists=keys["exists"].flag() if "exists" in keys else None,
        **{field: _bound(keys[key]) for key, field in ORDERINGS.items() if key in keys},
    )


def _bound(given: Given) -> str | int | float:
    bound = given.scalar()
    if isinstance(bound, bool):
        raise given.error(f"{str(bound).lower()} is neither more nor less than anything", "Ask for it with is.")
    return bound


def _behaviour(given: Given) -> BehaviourTest:
    keys = _needing(given, ("touchpoint", "times", *MEASURES, "within"), "touchpoint")
    return BehaviourTest(
        touchpoint=_filter(keys["touchpoint"]),
        times=_times(keys["times"]) if "times" in keys else None,
        within=_window(keys["within"]) if "within" in keys else None,
        **{name: _measure(keys[name]) for name in MEASURES if name in keys},
    )


def _times(given: Given) -> CountTest:
    keys = _needing(given, ("atLeast", "atMost", "is"))
    said = {name: keys[name].whole(0, MOST_TIMES) if name in keys else None for name in ("atLeast", "atMost", "is")}
    return CountTest(at_least=said["atLeast"], at_most=said["atMost"], is_=said["is"])


def _measure(given: Given) -> PropertyTest:
    keys = _needing(given, ("property", "currency", "atLeast", "atMost"), "property")
    if not keys.keys() & {"atLeast", "atMost"}:
        raise given.error("nothing is asked of the number", "Give atLeast, atMost or both.")
    return PropertyTest(
        property=keys["property"].name(),
        currency=_currency(keys),
        at_least=keys["atLeast"].amount() if "atLeast" in keys else None,
        at_most=keys["atMost"].amount() if "atMost" in keys else None,
    )


def _currency(keys: Mapping[str, Given]) -> str | None:
    if "currency" not in keys:
        return None
    currency = keys["currency"].text().strip().upper()
    if not CURRENCY.fullmatch(currency):
        raise keys["currency"].error("this is not a currency", "Give the three letters of ISO 4217, as EUR.")
    return currency


def _window(given: Given) -> Window:
    keys = _needing(given, ("lastDays", "between"))
    if len(keys) > 1:
        raise given.error("lastDays and between together", "Give one of them.")
    if "lastDays" in keys:
        return LastDays(keys["lastDays"].whole(1, LONGEST_DAYS))
    between = _needing(keys["between"], ("after", "before"))
    return Between(after_ms=_moment(between, "after"), before_ms=_moment(between, "before"))


def _sequence(given: Given) -> SequenceTest:
    keys = _needing(given, ("steps", "withinDays", "notFollowedBy"), "steps")
    steps = tuple(_filter(item) for item in keys["steps"].items(MOST_STEPS))
    if not steps:
        raise keys["steps"].error("the list is empty", "Give at least one step.")
    return SequenceTest(
        steps=steps,
        within_days=keys["withinDays"].whole(1, LONGEST_DAYS) if "withinDays" in keys else None,
        not_followed_by=_filter(keys["notFollowedBy"]) if "notFollowedBy" in keys else None,
    )


def _filter(given: Given) -> TouchpointFilter:
    keys = given.keys((*FILTERS, "properties", "after", "before"))
    lists = {name: keys[name].texts() if name in keys else None for name in FILTERS}
    return TouchpointFilter(
        types=lists["types"],
        names=lists["names"],
        channels=lists["channels"],
        campaigns=lists["campaigns"],
        properties=tuple(map(_match, keys["properties"].items())) if "properties" in keys else (),
        after_ms=_moment(keys, "after"),
        before_ms=_moment(keys, "before"),
    )


def _moment(keys: Mapping[str, Given], name: str) -> int | None:
    return keys[name].moment_ms() if name in keys else None


def _match(given: Given) -> PropertyMatch:
    keys = _needing(given, ("property", "is"), "property")
    if "is" not in keys and not (isinstance(given.value, dict) and "is" in given.value):
        raise given.error("is is missing", "Say which value the property must have; null is one here.")
    return PropertyMatch(keys["property"].text(), keys["is"].scalar() if "is" in keys else None)


def _identifier(given: Given) -> IdentifierTest:
    keys = _needing(given, ("namespace", "value"), "namespace")
    return IdentifierTest(keys["namespace"].name(), keys["value"].text() if "value" in keys else None)


def _needing(given: Given, known: tuple[str, ...], needed: str | None = None) -> dict[str, Given]:
    """The keys, one of which must be there: `needed`, or any."""
    keys = given.keys(known)
    if needed and needed not in keys:
        raise given.error(f"{needed} is missing")
    if not keys:
        raise given.error("nothing is given", f"Give one of {', '.join(known)}.")
    return keys


BRANCHES: Final[Mapping[str, Callable[[Given, int], SegmentRule]]] = {
    "all": lambda given, depth: All(_rules(given, depth)),
    "any": lambda given, depth: Any(_rules(given, depth)),
    "not": lambda given, depth: Not(_rule(given, depth)),
}
LEAVES: Final[Mapping[str, Callable[[Given], SegmentRule]]] = {
    "trait": _trait,
    "computed": _computed,
    "did": _behaviour,
    "sequence": _sequence,
    "holds": _identifier,
    "consents": lambda given: ConsentTest(given.name()),
    "in": lambda given: InSegment(given.name()),
}
