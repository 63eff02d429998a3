"""How each kind of store is opened in tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from onefold.model import namespaces_file, traits
from onefold.model.namespaces import Namespaces
from onefold.model.traits import TraitRules
from onefold.schema_files import schema_file
from onefold.store.base import Store
from onefold.store.sqlite.open import open_sqlite

NAMESPACES: Final = namespaces_file.load(schema_file("namespaces.yaml"))
TRAITS: Final = traits.load(schema_file("traits.yaml"))

Opener = Callable[[Path, Namespaces, TraitRules], Store]


def open_sqlite_in(folder: Path, namespaces: Namespaces, rules: TraitRules) -> Store:
    return open_sqlite(folder / "store.db", namespaces, rules)


OPENERS: Final[Mapping[str, Opener]] = {"sqlite": open_sqlite_in}


@dataclass(frozen=True)
class Place:
    """One store's place; opening it twice gives two handles on one store."""

    kind: str
    folder: Path

    def open(self, rules: TraitRules = TRAITS) -> Store:
        return OPENERS[self.kind](self.folder, NAMESPACES, rules)
