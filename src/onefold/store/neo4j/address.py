"""Where a store in Neo4j is: what its URL says."""

from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

DEFAULT_PORT: Final = 7687
DEFAULT_DATABASE: Final = "neo4j"
EXAMPLE: Final = "neo4j://user:password@localhost:7687/neo4j"
SCHEMES: Final = {"neo4j": "bolt", "neo4j+s": "bolt+s", "neo4j+ssc": "bolt+ssc"}
"""How a URL begins -> how the driver is told the same. `+s`: encrypted; `+ssc`: by a certificate nobody vouches for.
The driver's own `neo4j` asks the server for other servers first, and a Community edition has none."""


class Address(msgspec.Struct, frozen=True):
    """One database of one server, and who asks there.

    Attributes:
        auth: user and password; None where nobody is asked for them.
    """

    scheme: str
    host: str
    port: int
    database: str
    auth: tuple[str, str] | None = None

    @property
    def server(self) -> str:
        """The URL of the server, as the driver is told it."""
        return f"{SCHEMES[self.scheme]}://{self.host}:{self.port}"

    def __str__(self) -> str:
        """The URL, for people: without user and password."""
        return f"{self.scheme}://{self.host}:{self.port}/{self.database}"

    def __repr__(self) -> str:
        """The same: a password is never shown."""
        return f"<Address {self}>"


def address_of(url: str) -> Address:
    """The address that `neo4j://user:password@host:7687/database` names; user and password, port and database may be
    missing. Characters that mean something in URLs are written in percent.

    Raises: ValueError for other URLs; it repeats nothing of them, for they may hold a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORT
    except ValueError:
        raise ValueError("its host, port or password cannot be told apart") from None
    host, database = parts.hostname, unquote(parts.path.strip("/")) or DEFAULT_DATABASE
    if parts.scheme not in SCHEMES or not host:
        raise ValueError("it names no host")
    if parts.query or parts.fragment or "/" in database:
        raise ValueError("something stands behind the database")
    if database == "system":
        raise ValueError("its database is that in which Neo4j keeps its own")
    user = unquote(parts.username or "")
    auth = (user, unquote(parts.password or "")) if user else None
    return Address(parts.scheme, f"[{host}]" if ":" in host else host, port, database, auth)
