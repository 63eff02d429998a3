"""Which people were made one customer by what they share."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from onefold.demo.measuring.seen import NOBODY, Seen, Stitched

DEVICES: Final = frozenset({"family tablet", "kiosk"})
"""Traps that are a device: they glue who shares the device, not who shares a number that was typed there."""


class Glued(msgspec.Struct, frozen=True):
    """How many people are in one customer with somebody else: with strangers, and with those they live with."""

    strangers: int = 0
    family: int = 0


class _Shared:
    """One identifier that several people's own identifiers were seen with, in one customer."""

    def __init__(self) -> None:
        self.times: Counter[int] = Counter()
        self.traps: dict[int, set[str]] = {}

    def add(self, owner: int, trap: str | None) -> None:
        self.times[owner] += 1
        if trap is not None:
            self.traps.setdefault(owner, set()).add(trap)


def glue(seen: Sequence[Seen], stitched: Stitched) -> tuple[Glued, dict[str, Glued]]:
    """How many people were glued in all, and by the touchpoints of each trap.

    An identifier that tells (an account, a card, an address, …) and that only one person's touchpoints carry is this
    person's own. Somebody is glued by an identifier that was seen with an own one of his, and more often with own ones
    of another's, when all of them are of one customer. What only a script wrote makes nothing less own.
    """
    owners = _owners(seen, stitched.telling)
    homes = {one.person: one.household for one in seen}
    shared: dict[int, _Shared] = {}
    for one in seen:
        own = [(number, owners[number]) for number in one.identifiers if number in owners]
        for number in one.identifiers if own else ():
            trap = None if one.trap in DEVICES and number in stitched.telling else one.trap
            for mark, owner in own:
                if mark != number and stitched.customer[mark] == stitched.customer[number]:
                    shared.setdefault(number, _Shared()).add(owner, trap)
    everybody: set[tuple[int, int]] = set()
    by_trap: dict[str, set[tuple[int, int]]] = {}
    for found in shared.values():
        (main, _), *others = found.times.most_common()
        for person, _ in others:
            everybody.add((person, main))
            for trap in found.traps.get(person, ()):
                by_trap.setdefault(trap, set()).add((person, main))
    return _counted(everybody, homes), {trap: _counted(pairs, homes) for trap, pairs in sorted(by_trap.items())}


def _owners(seen: Sequence[Seen], telling: Container[int]) -> dict[int, int]:
    """Whose own each identifier is that tells; those that several people's touchpoints carry are nobody's."""
    owners: dict[int, int] = {}
    for one in seen:
        if one.person != NOBODY:
            for number in one.identifiers:
                if number in telling and owners.setdefault(number, one.person) != one.person:
                    owners[number] = NOBODY
    return {number: person for number, person in owners.items() if person != NOBODY}


def _counted(pairs: Iterable[tuple[int, int]], homes: Mapping[int, int]) -> Glued:
    pairs = list(pairs)
    family = sum(homes[person] == homes[main] for person, main in pairs)
    return Glued(len(pairs) - family, family)
