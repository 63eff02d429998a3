"""Why two identifiers are one customer: the strongest chain of what was seen or said between them.

A chain is as strong as its weakest link, so the strongest one runs through the spanning tree that grows when links are
taken strongest first (Hu, "The maximum capacity route problem", 1961): the very links by which stitching joined them.
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

Pair = tuple[int, int]


class Ranked(Protocol):
    """A link with its two ends and its rank."""

    @property
    def a(self) -> int: ...

    @property
    def b(self) -> int: ...

    @property
    def rank(self) -> int: ...


AnyLink = TypeVar("AnyLink", bound=Ranked)
Step = TypeVar("Step")


def strongest_chain(links: Iterable[AnyLink], judged: Iterable[Pair], a: int, b: int) -> list[AnyLink | Pair] | None:
    """The strongest chain from a to b.

    Args:
        links: those that stand among the identifiers of one customer; equal ranks are taken in the order given.
        judged: pairs judged the same: stronger than any link.

    Returns: its steps in order from a to b, each a link or a judged pair; empty when a is b; None if nothing connects
        them.
    """
    steps: list[tuple[int, int, AnyLink | Pair]] = [(one, other, (one, other)) for one, other in judged]
    steps += [(link.a, link.b, link) for link in sorted(links, key=lambda link: link.rank)]
    near: dict[int, list[tuple[int, AnyLink | Pair]]] = {}
    groups: dict[int, int] = {}
    for one, other, step in steps:
        left, right = _find(groups, one), _find(groups, other)
        if left != right:
            groups[right] = left
            near.setdefault(one, []).append((other, step))
            near.setdefault(other, []).append((one, step))
        if _find(groups, a) == _find(groups, b):
            break
    return _path(near, a, b)


def _find(groups: dict[int, int], node: int) -> int:
    while (above := groups.get(node, node)) != node:
        groups[node] = groups.get(above, above)
        node = above
    return node


def _path(near: dict[int, list[tuple[int, Step]]], a: int, b: int) -> list[Step] | None:
    came: dict[int, tuple[int, Step] | None] = {a: None}
    stack = [a]
    while stack and b not in came:
        node = stack.pop()
        for other, step in near.get(node, ()):
            if other not in came:
                came[other] = (node, step)
                stack.append(other)
    if b not in came:
        return None
    path: list[Step] = []
    while (before := came[b]) is not None:
        b, step = before
        path.append(step)
    return path[::-1]
