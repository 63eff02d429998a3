"""What does not change while a store is open."""

from typing import Final

from onefold.model.ids import PublicIds
from onefold.model.namespaces import Kind, Namespaces
from onefold.model.traits import TraitRules


class Facts:
    """What a store's views have in common: how public ids are made, and what the namespaces and traits say.

    Attributes:
        ids: makes the bytes of public ids.
        named: namespaces whose identifiers make a customer known: persons' and contacts'.
        devices: namespaces whose identifiers are devices.
        priority: of every namespace by its name; the lower, the stronger.
        traits: which of them are searched.
    """

    __slots__ = ("devices", "ids", "named", "priority", "traits")

    def __init__(self, ids: PublicIds, namespaces: Namespaces, traits: TraitRules) -> None:
        """All are fixed for good."""
        self.ids: Final = ids
        self.named: Final = tuple(n.name for n in namespaces if n.kind in (Kind.PERSON, Kind.CONTACT))
        self.devices: Final = frozenset(n.name for n in namespaces if n.kind is Kind.DEVICE)
        self.priority: Final = {n.name: n.priority for n in namespaces}
        self.traits: Final = traits
