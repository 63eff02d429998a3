"""Fields that are resolved when asked for."""

from collections.abc import Callable

import strawberry
from strawberry.types.field import StrawberryField


def resolved(description: str) -> Callable[[Callable[..., object]], StrawberryField]:
    """Make a method the field of its name. `strawberry.field` does this too, but not so that types are checked."""

    def make(resolver: Callable[..., object]) -> StrawberryField:
        return strawberry.field(resolver, description=description)

    return make
