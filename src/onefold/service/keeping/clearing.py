"""What is left to do of segments that were deleted: their members leave."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from onefold.service.onefold import Onefold

CLEARED: Final = 5_000
"""So many members leave a deleted segment at once."""


def clear(onefold: "Onefold") -> None:
    """Write of all members of deleted segments that they left. Whoever deleted them may have died before."""
    while onefold.in_transaction(lambda store: store.clear_dropped(CLEARED)) == CLEARED:
        pass
