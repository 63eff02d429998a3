"""Fields that are resolved when asked for."""

from collections.abc import Callable

import strawberry
from strawberry.types.field import StrawberryField

from onefold.api.graphql.scopes import Needs


def resolved(description: str, needs: Needs | None = None) -> Callable[[Callable[..., object]], StrawberryField]:
    """Make a method the field of its name. `strawberry.field` does this too, but not so that types are checked.

    `needs`: of this field, unless what its type needs says it.
    """
    directives = () if needs is None else (needs,)

    def make(resolver: Callable[..., object]) -> StrawberryField:
        return strawberry.field(resolver, description=description, directives=directives)

    return make
