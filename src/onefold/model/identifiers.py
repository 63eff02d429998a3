"""What people are recognised by."""

from typing import NamedTuple


class IdentifierKey(NamedTuple):
    """One identifier, normalised (`onefold.model.normalise`).

    Keys compare in plain order of (namespace, value); how strong one is follows from its namespace's priority.
    """

    namespace: str
    value: str
