"""How each kind of store is opened in tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from onefold.model import namespaces_file, traits
from onefold.model.traits import TraitRules
from onefold.schema_files import schema_file
from onefold.store.base import CopyTarget, Store
from onefold.store.neo4j.address import address_of
from onefold.store.neo4j.open import open_neo4j, open_neo4j_target
from onefold.store.sqlite.open import open_sqlite, open_sqlite_target

NAMESPACES: Final = namespaces_file.load(schema_file("namespaces.yaml"))
TRAITS: Final = traits.load(schema_file("traits.yaml"))

Opener = Callable[["Place", TraitRules, bool], Store]
TargetOpener = Callable[["Place", TraitRules], CopyTarget]


@dataclass(frozen=True)
class Place:
    """One store's place; opening it twice gives two handles on one store.

    Attributes:
        folder: that a store in files may use. url: of the server that any other is on.
    """

    kind: str
    folder: Path
    url: str = ""

    def open(self, rules: TraitRules = TRAITS, *, read_only: bool = False) -> Store:
        return OPENERS[self.kind](self, rules, read_only)

    def open_target(self, rules: TraitRules = TRAITS) -> CopyTarget:
        """To be filled with the rows of another."""
        return TARGETS[self.kind](self, rules)


def _sqlite(place: Place, rules: TraitRules, read_only: bool) -> Store:
    return open_sqlite(place.folder / "store.db", NAMESPACES, rules, read_only=read_only)


def _sqlite_target(place: Place, rules: TraitRules) -> CopyTarget:
    return open_sqlite_target(place.folder / "store.db", NAMESPACES, rules)


def _neo4j(place: Place, rules: TraitRules, read_only: bool) -> Store:
    return open_neo4j(address_of(place.url), NAMESPACES, rules, read_only=read_only)


def _neo4j_target(place: Place, rules: TraitRules) -> CopyTarget:
    return open_neo4j_target(address_of(place.url), NAMESPACES, rules)


OPENERS: Final[Mapping[str, Opener]] = {"sqlite": _sqlite, "neo4j": _neo4j}
TARGETS: Final[Mapping[str, TargetOpener]] = {"sqlite": _sqlite_target, "neo4j": _neo4j_target}

MARKS: Final[Mapping[str, tuple[pytest.MarkDecorator, ...]]] = {
    "neo4j": (pytest.mark.xdist_group("neo4j"), pytest.mark.slow)
}
"""There is one database for all tests, so one worker runs all that use it; and its server takes a while to start."""
KINDS: Final = tuple(pytest.param(kind, marks=MARKS.get(kind, ())) for kind in OPENERS)
"""Parameters of whatever runs on every kind of store."""
PAIRS: Final = tuple(
    pytest.param(pair, id="-".join(pair), marks=[mark for kind in pair for mark in MARKS.get(kind, ())])
    for pair in product(OPENERS, repeat=2)
    if pair != ("neo4j", "neo4j")
)
"""Kinds of a store and of its copy. A server has one database for tests, so it cannot have both."""


def place_of(kind: str, folder: Path, request: pytest.FixtureRequest) -> Place:
    """Where a new store of this kind is, or will be."""
    return Place(kind, folder, request.getfixturevalue("neo4j_url") if kind == "neo4j" else "")
