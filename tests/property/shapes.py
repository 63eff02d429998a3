"""Shapes of evidence that bite: who is seen with whom, so that rules meet, contradict and turn each other round.

A shape sets a scene once and then draws one event after the other. All it draws comes from `Dice`, that is from bytes
that Hypothesis drew, one byte a choice: cheap to draw, and zeroes are the simplest case, so that failures shrink.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias, TypeVar

from tests.oracle.evidence import DEFAULT_RULES, PUBLIC, SERVER, Identifier, Namespace, Rules

T = TypeVar("T")


class Dice:
    """Small numbers read off bytes, in order; past the end all are 0."""

    def __init__(self, drawn: bytes) -> None:
        self._left: Iterator[int] = iter(drawn)

    def below(self, bound: int) -> int:
        """One byte for bounds up to 256, two for greater ones."""
        if bound <= 256:
            return next(self._left, 0) * bound >> 8
        return (next(self._left, 0) * 256 + next(self._left, 0)) * bound >> 16

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def chance(self, percent: int) -> bool:
        return next(self._left, 0) * 100 >= (100 - percent) * 256


class Sighting(NamedTuple):
    """Who was seen together. `tick` and `trust` are None where the history's own clock and sources say it."""

    identifiers: tuple[Identifier, ...]
    tick: int | None = None
    trust: int | None = None


class Scene(NamedTuple):
    """Sightings that always come first, and how each later one is drawn."""

    opening: Sequence[Sighting]
    draw: Callable[[Dice], Sighting]


Shape: TypeAlias = Callable[[Dice, Rules], Scene]

TIGHT: Rules = {
    "user_id": Namespace(1, kind="person", limit=1),
    "crm_id": Namespace(2, kind="person", limit=1, fanout=2),
    "email": Namespace(4, limit=3, fanout=2, distinguishes=True),
    "phone": Namespace(5, limit=2, fanout=2, prefer="newest"),
    "social": Namespace(5, limit=2, fanout=2),
    "address": Namespace(6, kind="household", fanout=3, distinguishes=True),
    "anonymous_id": Namespace(8, kind="device", limit=3, fanout=3),
    "device_id": Namespace(9, kind="device", limit=2, fanout=1, prefer="newest"),
    "staff_id": Namespace(20, kind="operator"),
}
ONES: Rules = {
    "user_id": Namespace(1, kind="person", limit=1, fanout=50),
    "email": Namespace(4, limit=1, fanout=50, distinguishes=True),
    "phone": Namespace(4, limit=1, fanout=50),
    "device_id": Namespace(9, kind="device", limit=1, fanout=50),
}
MAILS: Rules = {
    "user_id": Namespace(1, kind="person", limit=1, fanout=50),
    "crm_id": Namespace(2, kind="person", limit=2, fanout=50),
    "email": Namespace(4, limit=9, fanout=50, distinguishes=True),
    "anonymous_id": Namespace(8, kind="device", limit=20, fanout=50),
    "device_id": Namespace(9, kind="device", limit=20, fanout=50),
}
RULE_SETS: Mapping[str, Rules] = {"default": DEFAULT_RULES, "tight": TIGHT, "ones": ONES, "mails": MAILS}


class _Cast(NamedTuple):
    """The namespaces of some rules by their part: stronger than what distinguishes, distinguishing, and weaker."""

    strong: list[str]
    telling: list[str]
    weak: list[str]


def _cast(rules: Rules) -> _Cast:
    telling = [name for name, rule in rules.items() if rule.distinguishes]
    line = min(rules[name].priority for name in telling)
    others = [name for name, rule in rules.items() if not rule.distinguishes and rule.kind != "operator"]
    strong = [name for name in others if rules[name].priority < line]
    return _Cast(strong, telling, [name for name in others if name not in strong])


def _some(names: Sequence[str], count: int, mark: str = "") -> list[Identifier]:
    return [(name, f"{mark}{k}") for name in names for k in range(count)]


def scattered(dice: Dice, rules: Rules) -> Scene:
    """Any identifiers together, a few of them far more often than others."""
    pool = [(name, str(k)) for name in rules for k in range(dice.pick((2, 3, 5, 12)))]
    hot = [dice.pick(pool) for _ in range(3)]

    def draw(dice: Dice) -> Sighting:
        count = dice.pick((2, 1, 2, 3, 4))
        return Sighting(tuple(dice.pick(hot if dice.chance(25) else pool) for _ in range(count)))

    return Scene((), draw)


def bridges(dice: Dice, rules: Rules) -> Scene:
    """Few people with several e-mails and shared cookies: strong links come before, after and inside weak ones."""
    cast = _cast(rules)
    strong = _some(cast.strong[:1], dice.below(3)) + _some(cast.strong[1:2], 2)
    telling = _some(cast.telling, dice.pick((2, 3, 5)))
    weak = _some(cast.weak, 2 + dice.below(2))
    often, seldom = ((weak, telling), (weak, weak)), ((strong, telling), (strong, weak), (telling, telling))
    ways = [kind for kind in often for _ in range(dice.pick((2, 4, 1)))]
    ways += [kind for kind in seldom for _ in range(dice.pick((0, 1, 3)))]

    def draw(dice: Dice) -> Sighting:
        left, right = dice.pick(ways)
        third = [dice.pick(right)] if dice.chance(15) else []
        return Sighting((dice.pick(left), dice.pick(right), *third))

    return Scene((), draw)


def rerouted(dice: Dice, rules: Rules) -> Scene:
    """Weak links that rank before strong ones by trust, so that a late link inside a customer can put an e-mail out."""
    cast = _cast(rules)
    strong = _some(cast.strong[:1], 1) + _some(cast.strong[1:2], 2)
    telling = _some(cast.telling[:1], 2 + dice.below(2))
    weak = _some(cast.weak[-2:-1], 2 + dice.below(3)) + _some(cast.telling[1:], 1)
    firm = [(a, b) for a in strong for b in [*strong, *telling] if a != b]
    soft = [(a, b) for a in [*strong, *telling, *weak] for b in weak if a != b]

    def draw(dice: Dice) -> Sighting:
        if dice.chance(40):
            return Sighting(dice.pick(firm), trust=dice.pick((PUBLIC, PUBLIC, SERVER)))
        return Sighting(dice.pick(soft), trust=dice.pick((SERVER, SERVER, SERVER, PUBLIC)))

    return Scene((), draw)


def chain(dice: Dice, rules: Rules) -> Scene:
    """u0-e0-u1-e1-…: limits pass every second link, and one late, early-dated link at the head turns them all round."""
    cast = _cast(rules)
    pair, head = (cast.strong[0], cast.telling[0]), (cast.telling[0], "head")
    joints = [(pair[k % 2], f"{k:02}") for k in range(4 + dice.below(40))]
    links = [Sighting(ends, 10 * k) for k, ends in enumerate(pairwise(joints))]
    opening = dice.pick((links, links, links[::-1], links[::2] + links[1::2]))

    def draw(dice: Dice) -> Sighting:
        way, tick = dice.below(4), dice.below(600)
        if way == 0:
            return Sighting((head, joints[0]), -1)
        if way == 1:
            return dice.pick(links)._replace(tick=tick, trust=dice.pick((SERVER, PUBLIC)))
        return Sighting(((cast.weak[way - 2], "x"), dice.pick(joints)), tick)

    return Scene(opening, draw)


def both_sides(dice: Dice, rules: Rules) -> Scene:
    """Two or three full customers, the same weak ones refused at each; then late links that free a place."""
    cast = _cast(rules)
    people = [
        [(cast.strong[0], str(k)), *_some(cast.telling, 2, f"{k}."), *_some(cast.weak[-2:], 2, f"{k}.")]
        for k in range(2 + dice.below(2))
    ]
    weak = _some([*cast.telling, *cast.weak], 3, "w")

    def draw(dice: Dice) -> Sighting:
        person = dice.pick(people)
        if dice.chance(30):
            return Sighting((dice.pick(weak), dice.pick(dice.pick([*people, weak]))), dice.below(110) - 50)
        return Sighting((dice.pick(person), dice.pick(weak)), dice.below(100))

    return Scene([Sighting((p[0], other), k) for k, p in enumerate(people) for other in p[1:]], draw)


def hubs(dice: Dice, rules: Rules) -> Scene:
    """Few shared identifiers that turn generic one after another, by one trust or by all, and let others go."""
    cast = _cast(rules)
    shared = _some([*cast.telling, *cast.weak], 1 + dice.below(2), "h")
    people, cookies = 4 + dice.below(6), _some(cast.weak[-2:-1], 9)

    def draw(dice: Dice) -> Sighting:
        seen = [dice.pick(shared)]
        seen += [] if dice.chance(25) else [(cast.strong[0], str(dice.below(people)))]
        seen += [dice.pick(shared)] if dice.chance(40) else []
        return Sighting((*seen, *([dice.pick(cookies)] if dice.chance(40) else [])))

    return Scene((), draw)


def kiosk(dice: Dice, rules: Rules) -> Scene:
    """One device that everybody uses, with log-ins and anonymous pages, beside the people's own devices; clerks too."""
    cast = _cast(rules)
    device, people = (cast.weak[-1], "kiosk"), _some(cast.strong[:1], 2 + dice.below(8))
    own = [(cast.weak[-1], f"of {value}") for _, value in people]
    operators: list[Identifier] = [(name, "clerk") for name, rule in rules.items() if rule.kind == "operator"]

    def draw(dice: Dice) -> Sighting:
        who = dice.below(len(people))
        seen = [device if dice.chance(70) else own[who]]
        seen += [(cast.weak[-2], str(dice.below(12)))] if dice.chance(75) else []
        seen += [people[who]] if dice.chance(60) else []
        seen += operators if dice.chance(20) else []
        return Sighting((*seen, *([(cast.telling[0], str(who // 2))] if dice.chance(20) else [])))

    return Scene((), draw)


def doubled(dice: Dice, rules: Rules) -> Scene:
    """People with two of what they may have one of: judged the same or different, and seen together in one event."""
    cast = _cast(rules)
    people, loose = _some(cast.strong[:1], 2 + dice.below(3)), _some([*cast.telling, *cast.weak], 2)

    def draw(dice: Dice) -> Sighting:
        seen = [dice.pick(people), dice.pick(loose)]
        seen += [dice.pick(people)] if dice.chance(35) else []
        return Sighting((*seen, *([dice.pick(loose)] if dice.chance(25) else [])))

    return Scene([Sighting((person,), 0) for person in people], draw)


def family(dice: Dice, rules: Rules) -> Scene:
    """A few people and what they share: generic by one value too many, until two of them are judged the same."""
    cast = _cast(rules)
    people, loose = _some(cast.strong[:1], 3), _some(cast.weak[-2:-1], 2)
    shared = [*_some(cast.telling[:1], 1), *_some(cast.weak[-1:], 1 + dice.below(2))]

    def draw(dice: Dice) -> Sighting:
        seen = [dice.pick(shared)]
        seen += [dice.pick(people)] if dice.chance(65) else []
        return Sighting((*seen, *([dice.pick(loose)] if dice.chance(40) else [])))

    return Scene((), draw)


def equals(dice: Dice, rules: Rules) -> Scene:
    """Two namespaces of one priority, one of each seen with many of the other: neither makes the other generic."""
    linking = [name for name, rule in rules.items() if rule.kind != "operator"]
    one, other = next((a, b) for a in linking for b in linking if a < b and rules[a].priority == rules[b].priority)
    few, many = dice.pick(((one, other), (other, one)))
    strong = _some(_cast(rules).strong[:1], 2)

    def draw(dice: Dice) -> Sighting:
        seen = [(few, str(dice.below(2))), (many, str(dice.below(5)))]
        return Sighting((*seen, *([dice.pick(strong)] if dice.chance(20) else [])))

    return Scene((), draw)


SHAPES: tuple[Shape, ...] = (scattered, bridges, rerouted, chain, both_sides, hubs, kiosk, doubled, family, equals)
