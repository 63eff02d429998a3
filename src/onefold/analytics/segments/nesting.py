"""Segments within segments: all that are named are there, none depends on itself, and there are not too many."""

from collections.abc import Mapping

from onefold.errors import OnefoldError
from onefold.model.segments import MOST_IN_ALL, MOST_NESTED, InSegment, SegmentRule, conditions, walk

Rules = Mapping[str, SegmentRule]


def named(rule: SegmentRule) -> dict[str, str]:
    """The public ids of the segments that a rule names, each with the first place."""
    found: dict[str, str] = {}
    for path, test in walk(rule):
        if isinstance(test, InSegment):
            found.setdefault(test.id, f"{path}.in")
    return found


def check_nesting(rule: SegmentRule, segments: Rules, saved_as: str | None = None) -> None:
    """See that a rule can be asked, as segment `saved_as` if it is saved. Raises OnefoldError `segment.…`."""
    own = saved_as or ""
    rules = {**segments, own: rule}
    for id_, place in named(rule).items():
        if id_ not in segments:
            hint = "It may have been deleted; segments lists those there are."
            raise OnefoldError("segment.not_found", f"{place}: no segment has the id {id_[:60]!r}", hint, place)
        if own in _reached(id_, rules):
            hint = "Leave this condition out, or the one that leads back."
            raise OnefoldError("segment.cycle", f"{place}: that segment depends on this one", hint, place)
    _check_size(own, rules)


def _reached(start: str, rules: Rules) -> set[str]:
    """A segment, and all those it depends on."""
    seen, ahead = {start}, [start]
    while ahead:
        for id_ in named(rules[ahead.pop()]):
            if id_ not in seen and id_ in rules:
                seen.add(id_)
                ahead.append(id_)
    return seen


def _check_size(own: str, rules: Rules) -> None:
    """Segments that depend on this one grow with it, so they count too."""
    needed = {id_: {inner for inner in named(rule) if inner in rules} for id_, rule in rules.items()}
    for id_ in rules:
        reached = _reached(id_, rules)
        if own not in reached:
            continue
        total = sum(conditions(rules[inner]) for inner in reached)
        if total > MOST_IN_ALL:
            raise _too_large(f"with the segments it depends on it has {total} conditions, more than {MOST_IN_ALL}")
        if _levels(id_, needed) > MOST_NESTED:
            raise _too_large(f"more than {MOST_NESTED} segments would stand within one another")


def _levels(start: str, needed: Mapping[str, set[str]]) -> int:
    """How many segments stand within one another, up to one more than are allowed."""
    level, ahead = 0, {start}
    while ahead and level <= MOST_NESTED:
        level += 1
        ahead = set().union(*(needed[id_] for id_ in ahead))
    return level


def _too_large(mistake: str) -> OnefoldError:
    return OnefoldError("segment.invalid", f"rule: {mistake}", "Write the conditions into one rule.", "rule")
