"""Problems: outcomes a client has to expect."""

import strawberry

from onefold import errors
from onefold.api.graphql.scopes import ANY


@strawberry.type(
    description="What went wrong that one has to expect. Codes keep their meaning; docs/errors.md lists them.",
    directives=[ANY],
)
class Problem:
    """One of the registered codes, and what it means here."""

    code: str = strawberry.field(description="A stable code, as in `identifier.blocked`.")
    message: str = strawberry.field(description="What happened, in one sentence.")
    hint: str | None = strawberry.field(description="What to do about it, if anything can be said.")
    field: str | None = strawberry.field(description="The field of the input it is about, if one is.")


def problem(row: errors.Problem | None) -> Problem | None:
    """The type of a problem."""
    return None if row is None else Problem(code=row.code, message=row.message, hint=row.hint, field=row.field)
