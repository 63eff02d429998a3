"""Reading as every reader does who takes several steps: again when the state moved, and at last so that it cannot."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from onefold.store.base import Store
from onefold.store.view import MovedError, View

MOST_TIMES: Final = 3

Made = TypeVar("Made")


def read_whole(store: Store, work: Callable[[View], Made]) -> Made:
    """What `work` makes of one state of the store."""
    for _ in range(MOST_TIMES):
        with suppress(MovedError), store.read() as view:
            return work(view)
    with store.read(hold=True) as view:
        return work(view)
