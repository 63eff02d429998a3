"""What an operation that came over a socket is answered with: one answer, or as many as there come to be."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Final, TypeVar

import anyio
import anyio.to_thread
from graphql import GraphQLError

from onefold.api.asking import Asker
from onefold.api.graphql.execution import INTERNAL, Answer, Engine, Plan, Refused, Request
from onefold.api.graphql.subscription import Feeds
from onefold.errors import OnefoldError

_log: Final = logging.getLogger(__name__)

Made = TypeVar("Made")

MOST_AT_WORK: Final = 4
"""How many threads work for all sockets together; whoever only waits for something to happen needs none."""


class Answering:
    """Answers operations on one service. It belongs to one event loop."""

    def __init__(self, engine: Engine, feeds: Feeds) -> None:
        """`feeds`: what subscriptions follow."""
        self._engine: Final = engine
        self._feeds: Final = feeds
        self._limiter: Final = anyio.CapacityLimiter(MOST_AT_WORK)

    async def plan(self, asked: Request, asker: Asker) -> Plan:
        """What is to be run. Raises Refused."""
        if self._engine.known(asked):
            return self._engine.plan(asked, asker)
        return await self._in_thread(partial(self._engine.plan, asked, asker))

    async def answers(self, plan: Plan) -> AsyncGenerator[Answer, None]:
        """The answers to an operation. Raises Refused when it is not run, or ends for another reason than that there is
        nothing more to tell."""
        if not plan.subscribes:
            yield await self._in_thread(partial(self._engine.run, plan))
            return
        try:
            async with aclosing(await self._engine.events(plan, self._feeds)) as events:
                async for event in events:
                    yield await self._in_thread(partial(self._engine.run, plan, event))
        except (GraphQLError, OnefoldError) as error:
            raise Refused([error]) from error
        except Refused:
            raise
        except Exception as error:
            _log.exception("a subscription ended")
            raise Refused([OnefoldError(INTERNAL.code, INTERNAL.message)]) from error

    async def _in_thread(self, work: Callable[[], Made]) -> Made:
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)
