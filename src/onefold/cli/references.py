"""What the command line takes: names of identifiers and customers, and words that have to be checked."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Final

from onefold.errors import OnefoldError
from onefold.model.identifiers import IdentifierKey

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ID_PREFIXES: Final = ("cus_", "idn_")


def identifier(said: str) -> IdentifierKey:
    """`email:ann@example.com` → its namespace and value, not yet normalised; the value may hold colons.

    Raises `query.bad_reference` for what has no namespace.
    """
    namespace, colon, value = said.partition(":")
    if colon and namespace.strip():
        return IdentifierKey(namespace.strip(), value)
    guess = "email" if "@" in said else "user_id"
    raise OnefoldError(
        "query.bad_reference",
        f"{said!r} does not say what kind of identifier it is",
        f"Write the namespace before it, as in {guess}:{said.lstrip(':') or 'ann@example.com'}.",
    )


def customer(said: str) -> str | IdentifierKey:
    """An id that onefold gave out (`cus_…`, `idn_…`) as it is, everything else as an identifier."""
    if said.lower().startswith(ID_PREFIXES) and ":" not in said:
        return said
    return identifier(said)


def verdict(said: str) -> bool:
    """`same` → True, `different` → False. Raises `call.invalid` for any other word."""
    words = {"same": True, "different": False}
    if said in words:
        return words[said]
    near = get_close_matches(said.lower(), words, n=1)
    raise OnefoldError(
        "call.invalid",
        f"{said!r} is not a verdict",
        f"Did you mean {near[0]}?" if near else "Say same or different.",
        "verdict",
    )


def chosen(said: str, of: Collection[str], option: str) -> str:
    """One of several words. Raises `call.invalid` for any other."""
    if said in of:
        return said
    near = get_close_matches(said.lower(), of, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Choose one of these: {', '.join(of)}."
    raise OnefoldError("call.invalid", f"{said!r} is no {option}", hint, option)


def near(said: str, known: Collection[str]) -> str | None:
    """A hint at what may have been meant, if anything may."""
    close = get_close_matches(said, known, n=1)
    return f"Did you mean {close[0]}?" if close else None


def text(said: str, option: str, hint: str) -> str:
    """What an option says, without blanks around it. Raises `call.invalid` when it says nothing."""
    if not said.strip():
        raise OnefoldError("call.invalid", f"--{option} is empty", hint, option)
    return said.strip()


def moment(said: str, option: str) -> int:
    """A time in ISO 8601, UTC if it names no offset, in milliseconds since 1970. Raises `call.invalid` for others."""
    try:
        found = datetime.fromisoformat(said.strip())
        return (found.replace(tzinfo=found.tzinfo or UTC) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        hint = "Write it as in 2026-03-01T09:30:00Z, or 2026-03-01."
        raise OnefoldError("call.invalid", f"--{option} {said!r} is no time", hint, option) from None


def limit(said: int, most: int) -> int:
    """How many things are to be shown. Raises `call.invalid` unless it is from 1 to `most`."""
    if not 1 <= said <= most:
        raise OnefoldError("call.invalid", f"--limit is {said}", f"Ask for 1 to {most:,}.", "limit")
    return said
