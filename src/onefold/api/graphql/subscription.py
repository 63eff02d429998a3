"""What can be followed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import msgspec
import strawberry
from strawberry import UNSET
from strawberry.types import Info as StrawberryInfo

from onefold.api.graphql.following import Memberships
from onefold.api.graphql.scopes import READ
from onefold.api.graphql.types.inputs import given
from onefold.api.graphql.types.membership import MembershipChange, membership_change
from onefold.api.graphql.types.scalars import Seq


class Feeds(msgspec.Struct, frozen=True):
    """Where subscriptions find what they tell of."""

    memberships: Memberships


@strawberry.type(
    description="What can be followed, over WebSocket at the path of all queries, by the protocol "
    "`graphql-transport-ws`. Each event is answered from one state of the store.",
    directives=[READ],
)
class Subscription:
    """The root of subscriptions."""

    @strawberry.subscription(  # type: ignore[untyped-decorator]  # it is typed by what it decorates
        description="Who enters a segment and who leaves it, in the order in which it was found. It ends when the "
        "segment is deleted."
    )
    async def segment_membership(
        self,
        info: StrawberryInfo[Feeds, None],
        segment: Annotated[strawberry.ID, strawberry.argument(description="The segment's id.")],
        after: Annotated[
            Seq | None,
            strawberry.argument(
                description="The `seq` of the last line had: first come the lines since, then those that come, without "
                'a gap and none twice; `"0"` for all there are. Without it, those that come.'
            ),
        ] = UNSET,
    ) -> AsyncGenerator[MembershipChange, None]:
        """The log as it grows."""
        async with aclosing(info.context.memberships.follow(str(segment), given(after))) as lines:
            async for line in lines:
                yield membership_change(line)
