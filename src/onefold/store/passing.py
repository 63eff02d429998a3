"""Failures that may pass by themselves, and trying again."""

import random
from collections.abc import Callable
from time import monotonic, sleep
from typing import Final, TypeVar

from onefold.errors import OnefoldError

Result = TypeVar("Result")

PATIENCE_SECONDS: Final = 2.0
"""For so long a transaction is begun anew: long enough for a deadlock or a connection that was lost, and short enough
for senders that wait meanwhile. Whoever has more time tries again themselves."""
FIRST_PAUSE_SECONDS: Final = 0.02


class PassingError(OnefoldError):
    """The same transaction, done again as a whole, may succeed.

    Attributes:
        undone: whether it is certain that the transaction changed nothing. When the connection is lost during a commit,
            nobody can tell.
    """

    def __init__(
        self, code: str, message: str, hint: str | None = None, field: str | None = None, *, undone: bool = True
    ) -> None:
        """As an `OnefoldError`."""
        super().__init__(code, message, hint, field)
        self.undone: Final = undone


def repeated(work: Callable[[], Result], *, idempotent: bool) -> Result:
    """What `work`, a whole transaction, answers; done again after ever longer pauses while it fails with what may pass.

    Args:
        idempotent: whether it may be done again, too, if nobody knows whether it has been done.
    """
    until, pause = monotonic() + PATIENCE_SECONDS, FIRST_PAUSE_SECONDS
    while True:
        try:
            return work()
        except PassingError as error:
            if not (error.undone or idempotent) or monotonic() + pause > until:
                raise
        sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # those who were in each other's way part
        pause *= 2
