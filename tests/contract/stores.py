"""How each kind of store is opened in tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

from onefold.model import namespaces_file, traits
from onefold.model.namespaces import Namespaces
from onefold.model.traits import TraitRules
from onefold.schema_files import schema_file
from onefold.store.base import CopyTarget, Store
from onefold.store.sqlite.open import open_sqlite, open_sqlite_target

NAMESPACES: Final = namespaces_file.load(schema_file("namespaces.yaml"))
TRAITS: Final = traits.load(schema_file("traits.yaml"))

Opener = Callable[[Path, Namespaces, TraitRules, bool], Store]
TargetOpener = Callable[[Path, Namespaces, TraitRules], CopyTarget]


def open_sqlite_in(folder: Path, namespaces: Namespaces, rules: TraitRules, read_only: bool) -> Store:
    return open_sqlite(folder / "store.db", namespaces, rules, read_only=read_only)


def open_sqlite_target_in(folder: Path, namespaces: Namespaces, rules: TraitRules) -> CopyTarget:
    return open_sqlite_target(folder / "store.db", namespaces, rules)


OPENERS: Final[Mapping[str, Opener]] = {"sqlite": open_sqlite_in}
TARGETS: Final[Mapping[str, TargetOpener]] = {"sqlite": open_sqlite_target_in}
PAIRS: Final = tuple(product(OPENERS, TARGETS))
"""Kinds of a store and of its copy."""


@dataclass(frozen=True)
class Place:
    """One store's place; opening it twice gives two handles on one store."""

    kind: str
    folder: Path

    def open(self, rules: TraitRules = TRAITS, *, read_only: bool = False) -> Store:
        return OPENERS[self.kind](self.folder, NAMESPACES, rules, read_only)

    def open_target(self, rules: TraitRules = TRAITS) -> CopyTarget:
        """To be filled with the rows of another."""
        return TARGETS[self.kind](self.folder, NAMESPACES, rules)
