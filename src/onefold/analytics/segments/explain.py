"""Why a customer meets a rule, or does not: each condition with the value found, all of one state.

One statement asks for everything: each test is one row, as JSON.
"""

from typing import Any, Final

import msgspec

from onefold.analytics.segments.found import Explained, Found
from onefold.analytics.segments.reading import READERS, Told
from onefold.analytics.segments.sql.asked import TOUCHPOINTS, Asked
from onefold.analytics.segments.sql.telling import telling
from onefold.analytics.segments.surroundings import Surroundings
from onefold.model.segments import All, InSegment, Not, SegmentRule, walk
from onefold.model.segments import Any as AnyOf
from onefold.readmodel.model import Asking

COLUMNS: Final = "number, message, at_ms, type, name, channel, campaign, revenue, currency, subject, body"


def explain(asking: Asking, rule: SegmentRule, surroundings: Surroundings, customer: int) -> Explained:
    """Each condition of a settled rule, with what was found of the customer (internal key)."""
    asked = Asked(surroundings, [customer])
    numbers = [number for (number,) in asking.rows(IDENTIFIERS, {"customer": customer})]
    near = f"subject IN (SELECT unnest({asked.bind(numbers)}::BIGINT[]))"
    asked.touchpoints = asked.first("touchpoints", f"SELECT {COLUMNS} FROM {TOUCHPOINTS} WHERE {near}")
    tests = _tests(rule, surroundings)
    told: list[Told] = []
    if tests:
        rows = " UNION ALL ".join(
            f"SELECT {place}, told FROM ({telling(test, asked)}) found(told)"
            for place, test in enumerate(tests.values())
        )
        answers = dict(asking.rows(asked.statement(rows), asked.values))
        told = [msgspec.json.decode(answers[place]) if answers.get(place) else None for place in range(len(tests))]
    return _Explaining(surroundings, dict(zip(tests, told, strict=True))).explained(rule, "rule")


IDENTIFIERS: Final = "SELECT number FROM internal.identifiers WHERE customer = $customer"


def _tests(rule: SegmentRule, surroundings: Surroundings) -> dict[str, SegmentRule]:
    """The tests of a rule and of the segments it names, each once, by what they say."""
    found: dict[str, SegmentRule] = {}
    ahead, seen = [rule], set[str]()
    while ahead:
        for _, test in walk(ahead.pop()):
            if isinstance(test, InSegment):
                if test.id not in seen:
                    seen.add(test.id)
                    ahead.append(surroundings.segments[test.id])
            elif type(test) in READERS:
                found[repr(test)] = test
    return found


class _Explaining:
    """Puts the tree together of what was told of its tests."""

    def __init__(self, surroundings: Surroundings, told: dict[str, Any]) -> None:
        self._surroundings = surroundings
        self._told = told

    def explained(self, rule: SegmentRule, path: str) -> Explained:
        """A condition and all within it."""
        match rule:
            case All(rules):
                inner = tuple(self.explained(it, f"{path}.all[{index}]") for index, it in enumerate(rules))
                return Explained(path, rule, all(it.holds for it in inner), conditions=inner)
            case AnyOf(rules):
                inner = tuple(self.explained(it, f"{path}.any[{index}]") for index, it in enumerate(rules))
                return Explained(path, rule, any(it.holds for it in inner), conditions=inner)
            case Not(negated):
                condition = self.explained(negated, f"{path}.not")
                return Explained(path, rule, not condition.holds, conditions=(condition,))
            case InSegment(id_):
                condition = self.explained(self._surroundings.segments[id_], f"{id_}:rule")
                return Explained(path, rule, condition.holds, conditions=(condition,))
        holds, found = self._test(rule)
        return Explained(path, rule, holds, found)

    def _test(self, rule: SegmentRule) -> tuple[bool, Found | None]:
        answer: tuple[bool, Found | None] = READERS[type(rule)](rule, self._told[repr(rule)], self._surroundings)
        return answer
