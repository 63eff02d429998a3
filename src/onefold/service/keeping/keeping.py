"""Everything about saved segments that is written: saved, deleted, kept."""

from typing import TYPE_CHECKING, Final

from onefold.errors import OnefoldError, Problem
from onefold.model.saved import SavedSegment, SegmentDraft
from onefold.service.keeping import saving
from onefold.service.keeping.keeper import Keeper
from onefold.service.keeping.pacing import Pacing

if TYPE_CHECKING:
    from onefold.service.onefold import Onefold

FAILED: Final = ("store.", "ingest.")
"""What codes begin with that are no answer to what was asked for."""
GRACE_SECONDS: Final = 2.0


class Keeping:
    """The saved segments of one service. It may be used from any thread."""

    def __init__(self, onefold: "Onefold") -> None:
        """Nothing is kept by itself before `start`."""
        self._onefold: Final = onefold
        self._keeper: Final = Keeper(onefold)
        self._pacing: Pacing | None = None

    def save(self, draft: SegmentDraft, id: str | None, *, allow_unknown: bool) -> SavedSegment | Problem:  # noqa: A002
        """As `Onefold.save_segment`."""
        try:
            saved = saving.save(self._onefold, draft, id, allow_unknown=allow_unknown)
        except OnefoldError as error:
            return _answer(error)
        self._keeper.bring_forward([saved.number])
        found = self._onefold.in_one_state(lambda reading: reading.view.segments_by_number([saved.number]))
        return found[saved.number]

    def delete(self, id: str) -> SavedSegment | Problem:  # noqa: A002
        """As `Onefold.delete_segment`."""
        try:
            return saving.delete(self._onefold, id)
        except OnefoldError as error:
            return _answer(error)

    def now(self) -> bool:
        """As `Onefold.keep_now`."""
        saving.clear(self._onefold)
        return self._keeper.bring_forward(self._keeper.behind())

    def start(self) -> None:
        """Keep segments from now on, on a thread of its own."""
        if self._pacing is None:
            self._pacing = Pacing(self._onefold, self._keeper)

    def wake(self) -> None:
        """Something was committed."""
        if self._pacing is not None:
            self._pacing.wake()

    def tell_to_stop(self) -> None:
        """Begin nothing new, and give what was begun a moment to end."""
        if self._pacing is not None:
            self._pacing.tell_to_stop()
            self._pacing.join(GRACE_SECONDS)

    def stop(self) -> None:
        """Wait until nothing is kept any more."""
        if self._pacing is not None:
            self._pacing.join()


def _answer(error: OnefoldError) -> Problem:
    """What somebody is told who asked for it. Raises it when it is none of that."""
    if error.code.startswith(FAILED):
        raise error
    return error.problem
