"""How identifiers and customers are named on the command line."""

from difflib import get_close_matches
from typing import Final

from onefold.errors import OnefoldError
from onefold.model.identifiers import IdentifierKey

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
    """`same` → True, `different` → False. Raises `query.bad_reference` for any other word."""
    words = {"same": True, "different": False}
    if said in words:
        return words[said]
    near = get_close_matches(said.lower(), words, n=1)
    raise OnefoldError(
        "query.bad_reference",
        f"{said!r} is not a verdict",
        f"Did you mean {near[0]}?" if near else "Say same or different.",
    )
