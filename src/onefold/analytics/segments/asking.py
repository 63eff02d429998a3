"""Tells what is wrong with one rule from what is wrong with everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import duckdb

from onefold.errors import OnefoldError

OF_A_RULE: Final = (duckdb.DataError, duckdb.NotSupportedError, duckdb.OutOfMemoryException, duckdb.ProgrammingError)
"""What DuckDB raises for what it is asked; what it raises else, it would for any question."""
OF_EVERYTHING: Final = ("store.", "ingest.")
"""What codes begin with that are not about a rule."""


class UnaskableError(Exception):
    """A rule cannot be asked as things are: `reason` says why. What it was asked in cannot be asked any more."""

    def __init__(self, reason: str) -> None:
        """`reason`: for people."""
        super().__init__(reason)
        self.reason: Final = reason


@contextmanager
def one_rule() -> Iterator[None]:
    """For asking one rule. Raises UnaskableError for what is wrong with that rule."""
    try:
        yield
    except OnefoldError as error:
        if error.code.startswith(OF_EVERYTHING):
            raise
        raise UnaskableError(str(error)) from error
    except OF_A_RULE as error:
        raise UnaskableError(str(error).partition("\n")[0]) from error
