"""Failures that may pass by themselves, and trying again."""

from typing import Final

from onefold.errors import OnefoldError


class PassingError(OnefoldError):
    """The same transaction, done again as a whole, may succeed.

    Attributes:
        undone: whether it is certain that the transaction changed nothing. When the connection is lost during a commit,
            nobody can tell.
    """

    def __init__(
        self, code: str, message: str, hint: str | None = None, field: str | None = None, *, undone: bool = True
    ) -> None:
        """As an `OnefoldError`."""
        super().__init__(code, message, hint, field)
        self.undone: Final = undone
