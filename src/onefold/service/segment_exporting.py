"""Who is in a saved segment, with chosen traits: for files that leave onefold, so consent counts."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from onefold.analytics.segments import evaluate
from onefold.analytics.segments.names import unknown_names
from onefold.analytics.segments.required import FIELD, placed, required
from onefold.errors import OnefoldError
from onefold.model.saved import SavedSegment
from onefold.model.segments import All, Comparison, ConsentTest, SegmentRule, TraitTest
from onefold.readmodel.model import Asking
from onefold.service import segments
from onefold.service.onefold import Onefold
from onefold.service.previewing import Question, Wanted, asked_of
from onefold.service.segment_rules import rule_of, surroundings

MOST_TRAITS: Final = 100
PAGE: Final = 20_000
PEOPLE: Final = 10 * PAGE
"""How many customers are in memory at once."""
ID: Final = "customer_id"
VALUES: Final = (
    "SELECT customer, trait, value FROM internal.profiles "
    "WHERE customer IN (SELECT unnest($customers::BIGINT[])) AND trait IN (SELECT unnest($traits::VARCHAR[]))"
)


class Exported:
    """Who is in a segment in one state of the read model, which is open as long as this is used.

    Attributes:
        columns: `customer_id`, and the names of the traits. count: how many there are. purposes: what they all agreed
            to, for that is required; without_consent: how many meet the rule and have not agreed to all of it.
    """

    def __init__(self, asked: Question, traits: Sequence[str], purposes: Sequence[str], meeting: int) -> None:
        """`meeting`: how many meet the rule, whatever they agreed to."""
        self._asked: Final = asked
        self._traits: Final = list(traits)
        self.columns: Final = (ID, *self._traits)
        self.purposes: Final = tuple(purposes)
        self.count: Final = _count(asked)
        self.without_consent: Final = meeting - self.count

    def pages(self) -> Iterator[list[tuple[str | None, ...]]]:
        """Rows, many at a time, in the order in which the ids came to be: a text is as it is, all else JSON; None where
        nothing was said."""
        for page in self._people():
            said = self._values([person.customer for person in page])
            yield [(one.id, *(said.get((one.customer, trait)) for trait in self._traits)) for one in page]

    def _people(self) -> Iterator[Sequence[evaluate.Person]]:
        """Everybody, many at a time, and fewer than are asked for at once: to ask is to look at all."""
        asked, after = self._asked, evaluate.START
        while people := evaluate.page(asked.asking, asked.rule, asked.surroundings, limit=PEOPLE, after=after):
            yield from (people[start : start + PAGE] for start in range(0, len(people), PAGE))
            after = people[-1].anchor
            if len(people) < PEOPLE:
                return

    def rows(self) -> Iterator[tuple[str | None, ...]]:
        """The same, one at a time."""
        for page in self.pages():
            yield from page

    def _values(self, customers: list[int]) -> dict[tuple[int, str], str]:
        rows = self._asked.asking.rows(VALUES, {"customers": customers, "traits": self._traits}) if self._traits else []
        return {(customer, trait): _text(value) for customer, trait, value in rows}


def export(
    onefold: Onefold, asking: Asking, segment: SavedSegment, traits: Sequence[str], purpose: str | None
) -> Exported:
    """Who is in a segment, in a state of the read model. `purpose`: who has not agreed to it is left out, besides those
    whom the segment leaves out.

    Raises: OnefoldError `segment.unknown_name` for a trait or purpose that no event brought; `query.invalid` for a
        trait that is named twice, or too many.
    """
    if len(set(traits)) != len(traits) or len(traits) > MOST_TRAITS or ID in traits:
        hint = f"Name each once, at most {MOST_TRAITS}; {ID} is always there."
        raise OnefoldError("query.invalid", "these traits cannot be columns", hint, "traits")
    purpose = required(purpose)
    rule, purposes = rule_of(segment.rule), list(dict.fromkeys(p for p in (segment.require_consent, purpose) if p))
    consents = [ConsentTest(one) for one in purposes]
    around = surroundings(onefold.means, onefold.in_one_state(segments.listed), onefold.clock_ms())
    asked = asked_of(asking, onefold.means, around, Wanted(All((rule, *consents)), allow_unknown=True, settled=True))
    _check_names(asked, traits, purpose)
    meeting = _count(msgspec.structs.replace(asked, rule=_first(asked.rule)))
    return Exported(asked, traits, purposes, meeting)


def _count(asked: Question) -> int:
    """How many meet a rule."""
    return evaluate.preview(asked.asking, asked.rule, asked.surroundings, limit=0).count


def _first(rule: SegmentRule) -> SegmentRule:
    """The segment's own part of the rule."""
    assert isinstance(rule, All)
    return rule.rules[0]


def _check_names(asked: Question, traits: Sequence[str], purpose: str | None) -> None:
    tests: list[tuple[str, SegmentRule]] = [("traits", TraitTest(name, Comparison(exists=True))) for name in traits]
    if purpose is not None:
        tests.append((FIELD, ConsentTest(purpose)))
    for field, test in tests:
        for problem in unknown_names(asked.asking, test):
            raise OnefoldError(*msgspec.structs.astuple(placed(problem, field)))


def _text(json: str) -> str:
    """A text as it is, all else as JSON."""
    value = msgspec.json.decode(json)
    return value if isinstance(value, str) else json
