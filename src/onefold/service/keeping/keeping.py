"""Everything about saved segments that is written: saved, deleted, kept."""

from typing import TYPE_CHECKING, Final

from onefold.errors import OnefoldError, Problem
from onefold.model.saved import SavedSegment, SegmentDraft
from onefold.service.keeping import saving
from onefold.service.keeping.clearing import clear
from onefold.service.keeping.keeper import Keeper

if TYPE_CHECKING:
    from onefold.service.onefold import Onefold

FAILED: Final = ("store.", "ingest.")
"""What codes begin with that are no answer to what was asked for."""


class Keeping:
    """The saved segments of one service. It may be used from any thread. `keeper`: brings their members forward."""

    def __init__(self, onefold: "Onefold") -> None:
        """Nothing is kept by itself (`onefold.service.keeping.pacing`)."""
        self._onefold: Final = onefold
        self.keeper: Final = Keeper(onefold)

    def save(self, draft: SegmentDraft, id: str | None, *, allow_unknown: bool) -> SavedSegment | Problem:  # noqa: A002
        """As `Onefold.save_segment`."""
        try:
            saved = saving.save(self._onefold, draft, id, allow_unknown=allow_unknown)
        except OnefoldError as error:
            return _answer(error)
        self.keeper.bring_forward([saved.number])
        found = self._onefold.in_one_state(lambda reading: reading.view.segments_by_number([saved.number]))
        return found[saved.number]

    def delete(self, id: str) -> SavedSegment | Problem:  # noqa: A002
        """As `Onefold.delete_segment`."""
        try:
            return saving.delete(self._onefold, id)
        except OnefoldError as error:
            return _answer(error)

    def now(self, *, anew: bool) -> bool:
        """As `Onefold.keep_now`."""
        clear(self._onefold)
        return self.keeper.bring_forward(self.keeper.behind(anew=anew))


def _answer(error: OnefoldError) -> Problem:
    """What somebody is told who asked for it. Raises it when it is none of that."""
    if error.code.startswith(FAILED):
        raise error
    return error.problem
