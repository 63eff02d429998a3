"""Who comes into a segment and who leaves it: those who meet its rule, beside those who are its members.

A customer is a member by its anchor. After a join the anchors of the others are still members, until they leave here.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

import msgspec

from onefold.analytics.segments import evaluate
from onefold.analytics.segments.surroundings import Surroundings
from onefold.model.saved import Member
from onefold.model.segments import SegmentRule
from onefold.readmodel.model import Asking

PAGE: Final = 50_000

Members = Callable[[int, int], list[Member]]
"""At most so many members of one segment (second) beyond an anchor (first), in order."""


class Turn(msgspec.Struct, frozen=True, gc=False):
    """Somebody comes in, or leaves: by the number of the anchor."""

    anchor: int
    entered: bool


def whole(asking: Asking, rule: SegmentRule, surroundings: Surroundings, members: Members) -> Iterator[list[Turn]]:
    """Everybody's turns, in portions by the order of the anchors."""
    after = evaluate.START
    while True:
        people = evaluate.page(asking, rule, surroundings, limit=PAGE, after=after)
        end = people[-1].anchor if len(people) == PAGE else None
        yield _turns({person.anchor for person in people}, set(_between(members, after, end)))
        if end is None:
            return
        after = end


def _between(members: Members, after: int, end: int | None) -> Iterator[int]:
    while True:
        page = members(after, PAGE)
        for member in page:
            if end is not None and member.anchor > end:
                return
            yield member.anchor
        if len(page) < PAGE:
            return
        after = page[-1].anchor


def among(
    asking: Asking,
    rule: SegmentRule,
    surroundings: Surroundings,
    customers: Collection[int],
    inside: Mapping[int, Collection[int]],
) -> list[Turn]:
    """The turns of these customers. `inside`: the anchors that are members now, by the customer that holds them."""
    met = evaluate.among(asking, rule, surroundings, list(customers))
    held = {anchor for customer in customers for anchor in inside.get(customer, ())}
    return _turns({person.anchor for person in met}, held)


def _turns(met: set[int], inside: set[int]) -> list[Turn]:
    """Those who leave first: after a join the one who leaves and the one who comes in are the same person."""
    left = [Turn(anchor, entered=False) for anchor in sorted(inside - met)]
    return left + [Turn(anchor, entered=True) for anchor in sorted(met - inside)]
