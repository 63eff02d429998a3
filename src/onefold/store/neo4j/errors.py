"""What Neo4j and its driver say went wrong, in onefold's words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConfigurationError,
    ConnectionAcquisitionTimeoutError,
    DatabaseError,
    DatabaseUnavailable,
    DriverError,
    Forbidden,
    ForbiddenOnReadOnlyDatabase,
    IncompleteCommit,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
    TransientError,
)

from onefold.errors import OnefoldError
from onefold.store.passing import PassingError

OUT_OF_MEMORY: Final = frozenset(
    {
        "Neo.TransientError.General.MemoryPoolOutOfMemoryError",
        "Neo.TransientError.General.TransactionMemoryLimit",
        "Neo.TransientError.General.TransactionOutOfMemoryError",
        "Neo.TransientError.General.OutOfMemoryError",
    }
)
READ_ONLY: Final = "Neo.ClientError.General.WriteOnReadOnlyAccessDatabase"
TOO_MANY_WRONG: Final = "Neo.ClientError.Security.AuthenticationRateLimit"
NO_SUCH_DATABASE: Final = "Neo.ClientError.Database.DatabaseNotFound"
ENDED_BY_NEO4J: Final = tuple(
    f"Neo.ClientError.Transaction.{reason}"
    for reason in ("TransactionTimedOut", "LockClientStopped", "Terminated", "TransactionTerminated")
)
"""How the codes begin of transactions that took longer than they may, or waited for a lock meanwhile."""
MADE_MEANWHILE: Final = "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists"
"""Another process was faster to make an index, between the look whether there is one and the making."""
DRIVER_CLOSED: Final = "Driver closed"
REASON: Final = re.compile(r"\(reason (?:\[Errno -?\d+\] )?(.+)\)$")


@contextmanager
def in_our_words(place: str) -> Iterator[None]:
    """Raise what the driver raises inside the block as the failure that it is. What is a bug of ours stays what it is:
    then it can be told apart from a store that cannot be used, and blamed on the event that brings it about."""
    try:
        yield
    except (DriverError, Neo4jError) as error:
        failure = translated(error, place)
        if failure is None:
            raise
        raise failure from error


def translated(error: DriverError | Neo4jError, place: str) -> OnefoldError | None:
    """The failure that `error` is, None if it is a bug of ours; `place` says where the store is."""
    if isinstance(error, DriverError):
        return _of_the_driver(error, place)
    return _refused(error, place) or _failed(error, place)


def _of_the_driver(error: DriverError, place: str) -> OnefoldError | None:
    """The server cannot be reached, or there is no connection to it."""
    match error:
        case IncompleteCommit():
            return PassingError(
                "store.unavailable",
                f"the connection to {place} was lost during a commit",
                "Send the same again: what was stored is found to be there.",
                undone=False,
            )
        case ServiceUnavailable() | SessionExpired():
            return PassingError(
                "store.unavailable", f"{place} cannot be reached: {_reason(error)}", "Check that Neo4j runs there."
            )
        case ConnectionAcquisitionTimeoutError():
            return OnefoldError("store.busy", f"too many use {place} at once", "Try again; nothing was changed.")
        case ConfigurationError():
            return OnefoldError("store.unavailable", f"{place} is no Neo4j: {_first_line(error)}", "Check the URL.")
    return closed(place) if DRIVER_CLOSED in str(error) else None


def _refused(error: Neo4jError, place: str) -> OnefoldError | None:
    """What was asked for is not to be had, and will not be until somebody sets it right."""
    code = error.code or ""
    match error:
        case _ if isinstance(error, AuthError | Forbidden) or code == TOO_MANY_WRONG:
            return OnefoldError(
                "store.forbidden",
                f"{place} does not let onefold in: {_first_line(error)}",
                "Check user and password in the URL, and what the user may do.",
            )
        case ForbiddenOnReadOnlyDatabase():
            return unwritable(place)
        case _ if code == READ_ONLY:
            return unwritable(place)
        case _ if code == NO_SUCH_DATABASE:
            return OnefoldError(
                "store.unavailable",
                f"there is no such database: {place}",
                "Name one that exists, as in neo4j://host:7687/neo4j.",
            )
    return None


def _failed(error: Neo4jError, place: str) -> OnefoldError | None:
    """What might have gone well at another time."""
    code = error.code or ""
    if code in OUT_OF_MEMORY:
        return OnefoldError(
            "store.full",
            f"{place} has not enough memory for so large a transaction: {_first_line(error)}",
            "Raise dbms.memory.transaction.total.max of Neo4j, or lower batch_size; reads go on.",
        )
    if isinstance(error, ClientError) and code.startswith(ENDED_BY_NEO4J):
        return PassingError(
            "store.busy", f"{place} was busy with others for too long", "Try again; nothing was changed."
        )
    if code == MADE_MEANWHILE:
        return PassingError("store.busy", f"others make the store in {place} at this moment", "Try again.")
    if isinstance(error, TransientError):
        if isinstance(error, DatabaseUnavailable):
            return PassingError(
                "store.unavailable", f"{place} is not online: {_first_line(error)}", "It may be starting; try again."
            )
        return PassingError("store.busy", f"{place} is busy: {_first_line(error)}", "Try again; nothing was changed.")
    if isinstance(error, DatabaseError) and ".Transaction." in code:
        return OnefoldError(
            "store.unavailable", f"{place} cannot be written: {_first_line(error)}", "Neo4j's log says more."
        )
    return None


def _reason(error: DriverError) -> str:
    """Why there is no connection: the driver tells it after a list of all addresses that it tried."""
    told = REASON.search(str(error))
    return told[1] if told else _first_line(error)


def _first_line(error: DriverError | Neo4jError) -> str:
    said = error.message if isinstance(error, Neo4jError) else str(error)
    lines = (said or "").strip().splitlines()
    return lines[0].rstrip(".:") if lines else type(error).__name__


def closed(place: str) -> OnefoldError:
    """The store was closed before, or meanwhile."""
    return OnefoldError("store.unavailable", f"{place} was closed", "Open the store again.")


def no_longer_there(place: str) -> OnefoldError:
    """The store that was opened was emptied, or became a copy of another."""
    return OnefoldError(
        "store.unavailable",
        f"the store that was opened is no longer at {place}",
        "Open what is there now, if it is one.",
    )


def unwritable(place: str) -> OnefoldError:
    """The database takes no writes."""
    return OnefoldError(
        "store.read_only", f"{place} can only be read", "Neo4j's setting server.databases.read_only may name it."
    )
