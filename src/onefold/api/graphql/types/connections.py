"""Nodes, and pages of lists as Relay has them (https://relay.dev/graphql/connections.htm)."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import strawberry

from onefold.api.graphql.scopes import READ
from onefold.api.graphql.types.fields import resolved
from onefold.service.pages import Page, Position

Item = TypeVar("Item")
WriteCursor: TypeAlias = Callable[[Position], str]


class Named(Protocol):
    """Anything with a public id."""

    @property
    def public_id(self) -> str:
        """Its id, as doors name it."""


@strawberry.interface(description="Whatever has an id of its own; `node` finds it by that.", directives=[READ])
class Node:
    """The row behind a node gives its id."""

    row: strawberry.Private[Named]

    @resolved("Opaque, with a prefix that tells what it is the id of.")
    def id(self) -> strawberry.ID:
        """Written only when asked for."""
        return strawberry.ID(self.row.public_id)


@strawberry.type(description="Where a page lies in its list.", directives=[READ])
class PageInfo:
    """What is beyond the page may take a read to tell, so it is told only when asked for."""

    write: strawberry.Private[WriteCursor]
    begin: strawberry.Private[Position | None]
    end: strawberry.Private[Position | None]
    after: strawberry.Private[Callable[[], bool]]
    before: strawberry.Private[Callable[[], bool]]

    @resolved("Whether the list goes on after this page.")
    def has_next_page(self) -> bool:
        """Known, or read now."""
        return self.after()

    @resolved("Whether the list has anything before this page.")
    def has_previous_page(self) -> bool:
        """Known, or read now."""
        return self.before()

    @resolved("The cursor of the page's first edge; null on an empty page.")
    def start_cursor(self) -> str | None:
        """Written only when asked for."""
        return self.write(self.begin) if self.begin else None

    @resolved(
        "The cursor to hand in as `after` for the next page: of the last edge, or of what was passed over behind it; "
        "of the change feed, when nothing came since, the `after` that was given. Else null on an empty page."
    )
    def end_cursor(self) -> str | None:
        """Written only when asked for."""
        return self.write(self.end) if self.end else None


@strawberry.type(description="One item of a list, and its place there.", directives=[READ])
class Edge(Generic[Item]):
    """An item with its position."""

    write: strawberry.Private[WriteCursor]
    position: strawberry.Private[Position]
    node: Item = strawberry.field(description="The item.")

    @resolved("Where it stands, for `after` and `before`. It stays right when the list changes.")
    def cursor(self) -> str:
        """Written only when asked for."""
        return self.write(self.position)


@strawberry.type(description="A page of a list.", directives=[READ])
class Connection(Generic[Item]):
    """A page of anything."""

    edges: list[Edge[Item]] = strawberry.field(description="The page's items, in the list's order.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in its list.")


def page_info(
    page: Page[Any],
    write: WriteCursor,
    begun: Callable[[], bool],
    *,
    backwards: bool = False,
) -> PageInfo:
    """Where a page lies. `begun`: whether there is anything on the other side of where its reading began.

    `backwards`: it was read from its end.
    """
    more = page.more
    after, before = (begun, lambda: more) if backwards else (lambda: more, begun)
    begin = page.positions[0] if page.positions else None
    return PageInfo(write=write, begin=begin, end=page.end, after=after, before=before)


def connection(
    page: Page[Any],
    nodes: Sequence[Item],
    write: WriteCursor,
    begun: Callable[[], bool],
    *,
    backwards: bool = False,
) -> Connection[Item]:
    """The connection of a page whose items have become `nodes`. The rest as in `page_info`."""
    return Connection(
        edges=[
            Edge(write=write, position=position, node=node)
            for node, position in zip(nodes, page.positions, strict=True)
        ],
        page_info=page_info(page, write, begun, backwards=backwards),
    )


def forward(page: Page[Any], nodes: Sequence[Item], write: WriteCursor, after: object) -> Connection[Item]:
    """The connection of a list that is read forwards only: what the cursor `after` names comes before the page."""
    return connection(page, nodes, write, lambda: after is not None)
