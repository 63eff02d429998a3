"""Work on threads, while the event loop goes on."""

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread

Made = TypeVar("Made")


async def in_thread(work: Callable[[], Made]) -> Made:
    """What `work` makes, on a thread; what it raises is raised here.

    anyio raises by a future that a frame of the exception's own traceback holds: a circle, which keeps all that those
    frames hold, a request's whole body among it, until garbage is collected. Under a flood of requests that are turned
    away that is hundreds of megabytes.
    """
    made, failure = await anyio.to_thread.run_sync(_caught, work)
    if failure is None:
        return made  # type: ignore[return-value]  # it is one or the other
    try:
        raise failure
    finally:
        del failure


def _caught(work: Callable[[], Made]) -> tuple[Made | None, Exception | None]:
    try:
        return work(), None
    except Exception as error:  # noqa: BLE001  # it is raised where it is waited for
        return None, error
