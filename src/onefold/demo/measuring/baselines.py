"""Ways to group touchpoints that stitching is compared with."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from onefold.demo.measuring.pairs import Group
from onefold.demo.measuring.seen import NOBODY, Seen

Key = TypeVar("Key", bound=Hashable)


def unstitched(seen: Sequence[Seen]) -> list[Group]:
    """No stitching: together is what has the same strongest identifier."""
    return [one.identifiers[0] for one in seen]


def connected(seen: Sequence[Seen]) -> list[Group]:
    """Connected components without rules: together is what any chain of shared identifiers connects."""
    return _components(seen, lambda _, identifier: identifier)


def attainable(seen: Sequence[Seen]) -> list[Group]:
    """The ceiling: what a chain of shared identifiers in one person's own events connects.

    Whoever knows whose each event is, but puts together only what the events themselves connect, would find this: all
    that can be found without guessing, and nothing wrong.
    """
    found = _components(seen, lambda one, identifier: (one.person, identifier))
    return [None if one.person == NOBODY else group for one, group in zip(seen, found, strict=True)]


def _components(seen: Sequence[Seen], key: Callable[[Seen, int], Key]) -> list[Group]:
    """By union and find, halving paths (Tarjan and van Leeuwen, 1984)."""
    place: dict[Key, int] = {}
    parent: list[int] = []

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    first = []
    for one in seen:
        nodes = []
        for identifier in one.identifiers:
            node = place.setdefault(key(one, identifier), len(parent))
            if node == len(parent):
                parent.append(node)
            nodes.append(root(node))
        for node in nodes:
            parent[root(node)] = root(nodes[0])
        first.append(nodes[0])
    return [root(node) for node in first]
