"""Pairwise precision and recall, and what is shown to the wrong person, of any way to group touchpoints.

Pairwise as record linkage has it (Christen, Data Matching, 2012, section 7.2): of all pairs of touchpoints put
together, the share that are one person's; of all pairs that are one person's, the share put together.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from onefold.demo.measuring.seen import NOBODY, Seen

Group = int | None
"""What a touchpoint is put together with; None: with nothing."""


class Score(msgspec.Struct, frozen=True):
    """How well touchpoints were grouped.

    Attributes:
        right: pairs put together that are one person's. together: pairs put together, but for two of a script's.
        belonging: pairs that are one person's. wrong: touchpoints of somebody that are shown to somebody else.
        somebodys: touchpoints that are somebody's.
    """

    right: int
    together: int
    belonging: int
    wrong: int
    somebodys: int

    @property
    def precision(self) -> float:
        """Of the pairs put together; 1 when there are none."""
        return self.right / self.together if self.together else 1.0

    @property
    def recall(self) -> float:
        """Of the pairs that belong together; 1 when there are none."""
        return self.right / self.belonging if self.belonging else 1.0

    @property
    def shown_wrong(self) -> float:
        """The share of somebody's touchpoints that is shown to somebody else."""
        return self.wrong / self.somebodys if self.somebodys else 0.0


class TrapScore(msgspec.Struct, frozen=True):
    """How well the touchpoints of one trap were placed.

    Attributes:
        touchpoints: how many there are. wrong: how many of them are shown to somebody whose they are not; a script's
            are shown to somebody when they are in a person's journey.
        found, belonging: of each of them, with how many of its person's others it is, and with how many it should be.
    """

    touchpoints: int
    wrong: int
    found: int
    belonging: int

    @property
    def recall(self) -> float:
        """Of what belongs together with touchpoints of this trap; 1 when nothing does."""
        return self.found / self.belonging if self.belonging else 1.0

    @property
    def shown_wrong(self) -> float:
        """The share that is shown to somebody else."""
        return self.wrong / self.touchpoints if self.touchpoints else 0.0


class Grouping:
    """One way to put touchpoints together."""

    def __init__(self, seen: Sequence[Seen], groups: Sequence[Group]) -> None:
        """`groups` runs parallel to `seen`."""
        self._seen = seen
        self._groups = groups
        self._parts: Counter[tuple[Group, int]] = Counter(
            (group, one.person) for group, one in zip(groups, seen, strict=True) if group is not None
        )
        self._people = Counter(one.person for one in seen)
        self._owners = _owners(self._parts)

    def score(self) -> Score:
        """Of all touchpoints."""
        sizes: Counter[Group] = Counter()
        scripts = right = 0
        for (group, person), count in self._parts.items():
            sizes[group] += count
            if person == NOBODY:
                scripts += _pairs(count)
            else:
                right += _pairs(count)
        return Score(
            right=right,
            together=sum(map(_pairs, sizes.values())) - scripts,
            belonging=sum(_pairs(count) for person, count in self._people.items() if person != NOBODY),
            wrong=sum(n for (group, who), n in self._parts.items() if who not in {NOBODY, self._owners.get(group)}),
            somebodys=sum(count for person, count in self._people.items() if person != NOBODY),
        )

    def by_trap(self) -> dict[str, TrapScore]:
        """Of the touchpoints of each trap, by its name."""
        found: dict[str, list[int]] = {}
        for one, group in zip(self._seen, self._groups, strict=True):
            if one.trap is None:
                continue
            counts = found.setdefault(one.trap, [0, 0, 0, 0])
            counts[0] += 1
            counts[1] += self._owners.get(group, one.person) != one.person
            if one.person != NOBODY:
                counts[2] += self._parts[group, one.person] - 1 if group is not None else 0
                counts[3] += self._people[one.person] - 1
        return {trap: TrapScore(*counts) for trap, counts in sorted(found.items())}


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def _owners(parts: Counter[tuple[Group, int]]) -> dict[Group, int]:
    """Whose each group is: the one's who has most in it, of equals the one with the smallest number."""
    best: dict[Group, tuple[int, int]] = {}
    for (group, person), count in parts.items():
        if person != NOBODY:
            best[group] = max(best.get(group, (0, 0)), (count, -person))
    return {group: -person for group, (_, person) in best.items()}
