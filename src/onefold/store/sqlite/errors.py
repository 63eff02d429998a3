"""What SQLite says went wrong, in onefold's words."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from onefold.errors import OnefoldError


@contextmanager
def in_our_words(place: str) -> Iterator[None]:
    """Raise what SQLite raises inside the block as the failure that it is. What is a bug of ours stays what it is: then
    it can be told apart from a store that cannot be used, and blamed on the event that brings it about."""
    try:
        yield
    except apsw.Error as error:
        failure = translated(error, place)
        if failure is None:
            raise
        raise failure from error


def translated(error: apsw.Error, place: str) -> OnefoldError | None:
    """The failure that `error` is, None if it is a bug of ours; `place` says where the store is."""
    match error:
        case _ if _lacks_room(error):
            return OnefoldError(
                "store.full",
                f"there is no room left to write to {place}",
                "Make room on the disk; reads go on meanwhile.",
            )
        case apsw.BusyError() | apsw.LockedError():
            return OnefoldError(
                "store.busy", f"another process kept {place} locked for too long", "Try again; nothing was changed."
            )
        case apsw.NotADBError():
            return not_ours(place)
        case apsw.ReadOnlyError() | apsw.PermissionsError():
            return unwritable(place)
        case apsw.ConnectionClosedError() | apsw.CursorClosedError() | apsw.InterruptError():
            return closed(place)
        case apsw.CorruptError():
            return OnefoldError(
                "store.unavailable",
                f"{place} is damaged: {error}",
                "Restore it from a copy, or import its events anew.",
            )
        case apsw.IOError() | apsw.CantOpenError() | apsw.ProtocolError():
            return OnefoldError(
                "store.unavailable",
                f"{place} cannot be read or written: {error}",
                "Check the disk and the file's rights.",
            )
    return None


def _lacks_room(error: apsw.Error) -> bool:
    """Whether the disk is full. Whoever opens a store first needs a little room even to read, for the index of its log;
    SQLite calls it an I/O error when that is lacking."""
    extended = getattr(error, "extendedresult", 0)  # those that apsw itself raises have none
    return isinstance(error, apsw.FullError) or extended == apsw.SQLITE_IOERR_SHMSIZE


def closed(place: str) -> OnefoldError:
    """The store was closed before, or meanwhile."""
    return OnefoldError("store.unavailable", f"{place} was closed", "Open the store again.")


def not_ours(place: str) -> OnefoldError:
    """The file holds something else."""
    return OnefoldError(
        "store.not_ours", f"{place} is not a onefold store", "Name another file; onefold makes one that does not exist."
    )


def unwritable(place: str, why: str = "") -> OnefoldError:
    """The file or its folder cannot be written."""
    return OnefoldError(
        "store.unwritable",
        f"{place} cannot be written{': ' + why if why else ''}",
        "Choose a file in a folder that exists and that this user may write to.",
    )
