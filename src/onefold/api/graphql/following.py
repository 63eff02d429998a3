"""The log of memberships as it grows, for all who follow it: one reader looks whether there is more, however many they
are, and only while there are any.

Every follower keeps its own place in the log and comes forward at its own pace. What was read last is kept for those
who are level; who is behind reads its pages from the store. So nobody misses a line or gets one twice, and nothing
piles up for those who are slow.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import anyio
import anyio.to_thread

from onefold.model.saved import MembershipChange
from onefold.service import Onefold, Reading, segments

Made = TypeVar("Made")

LOOK_SECONDS: Final = 0.25
"""How long a line may stay unnoticed."""
AGAIN_SECONDS: Final = 2.0
"""After how long a store that could not be read is asked again."""
PAGE: Final = 500
KEPT: Final = 5_000

_log: Final = logging.getLogger(__name__)


class Memberships:
    """Follows the log of one service. It belongs to one event loop."""

    def __init__(self, onefold: Onefold) -> None:
        """Nothing is read before somebody follows."""
        self._onefold: Final = onefold
        self._limiter: Final = anyio.CapacityLimiter(2)
        self._followed: Final[dict[int, int]] = {}
        self._deleted: frozenset[int] = frozenset()
        self._kept: list[MembershipChange] = []
        self._seen = 0
        self._changed = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def follow(self, id: str, after: int | None) -> AsyncGenerator[MembershipChange, None]:
        """The lines of the log about the segment of this id with numbers above `after`, and then those that come, until
        the segment is deleted. Without `after`: those that come.

        Raises: OnefoldError `segment.not_found`, `query.bad_reference`, `store.…`.
        """
        segment, last = await self._in_one_state(
            lambda reading: (segments.segment(reading, id).number, reading.view.last_membership())
        )
        place = last if after is None else after
        with self._following(segment, last):
            while True:
                changed, seen, deleted = self._changed, self._seen, segment in self._deleted
                recent = self._recent(segment, place)
                lines = await self._page(segment, place) if recent is None else recent
                for line in lines:
                    place = line.number
                    yield line
                if len(lines) < PAGE:  # there is nothing else up to `seen`
                    if deleted:
                        return
                    place = max(place, seen)
                    await changed.wait()

    def _recent(self, segment: int, place: int) -> list[MembershipChange] | None:
        """A page beyond a place, if it is kept whole. Numbers have no gaps."""
        begin = self._seen - len(self._kept)
        if place < begin:
            return None
        return [line for line in self._kept[place - begin :] if line.segment == segment][:PAGE]

    async def _page(self, segment: int, place: int) -> list[MembershipChange]:
        return await self._in_one_state(lambda reading: reading.view.membership_log(segment, place, PAGE))

    # -- looking whether there is more

    @contextmanager
    def _following(self, segment: int, last: int) -> Iterator[None]:
        """Inside the block somebody looks. `last`: where the log ended a moment ago."""
        self._followed[segment] = self._followed.get(segment, 0) + 1
        if self._looking is None:
            self._kept, self._seen = [], last
            self._looking = asyncio.get_running_loop().create_task(self._look())
        try:
            yield
        finally:
            self._followed[segment] -= 1
            if not self._followed[segment]:
                del self._followed[segment]
            if not self._followed and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    async def _look(self) -> None:
        while True:
            try:
                news = await self._in_one_state(self._news(self._seen, list(self._followed)))
            except Exception:  # noqa: BLE001  # whatever it is, others follow and want to hear more
                _log.exception("the log of memberships cannot be read")
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            self._take(news)
            if len(news.lines) < PAGE:
                await asyncio.sleep(LOOK_SECONDS)

    @staticmethod
    def _news(seen: int, followed: list[int]) -> Callable[[Reading], segments.News]:
        return lambda reading: segments.news(reading, seen, PAGE, followed)

    def _take(self, news: segments.News) -> None:
        if not news.lines and news.deleted <= self._deleted:
            return
        self._kept = [*self._kept, *news.lines][-KEPT:]
        self._seen = self._kept[-1].number if self._kept else self._seen
        if len(news.lines) < PAGE:  # the last lines of what was deleted are among those seen
            self._deleted = news.deleted
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _in_one_state(self, work: Callable[[Reading], Made]) -> Made:
        return await anyio.to_thread.run_sync(self._onefold.in_one_state, work, limiter=self._limiter)
